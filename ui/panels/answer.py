"""One answer of a model: it grows with the entries of its generation, or is shown whole. It talks to nobody."""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence

from nicegui import ui

from services.events import Entry, Failed, Finished, PartDelta, PartFinished, PartStarted, Retrying, Started, Status, Usage
from services.messages import (
    Attachment,
    Part,
    Problem,
    Reasoning,
    Refusal,
    Reply,
    ReplyState,
    Stop,
    Text,
    ToolCall,
    problem,
    state,
    stop_proof,
)
from ui.island import Island
from ui.language import say
from ui.panels.actions import ACTIONS, Actions, Once, Press
from ui.panels.parts import Figures, Notice, Price, Thought, Tool, Waiting
from ui.panels.prose import Prose
from ui.panels.things import Sources, file_button, picture


class Answer:
    """The element carries `data-generation` and `data-state`, for tests and for those who style it."""

    def __init__(
        self,
        generation: str,
        *,
        node: str,
        do: Mapping[str, Press],
        on_retry: Once,
        on_choose: Callable[[str], Awaitable[None]],
        cost: Price,
    ) -> None:
        """`do` are the buttons of its row, by their names in ui/panels/actions.py."""
        self.generation = generation
        self._on_retry = on_retry
        self._last = False
        self._siblings = 1
        self._busy = False
        self._cut_off = False  # it ended, and not by itself
        self._going_on: Prose | None = None  # the text that the next one is the rest of
        self._stopping: Entry | None = None
        self._text: list[str] = []  # the answer as Markdown, to be copied and quoted
        self._parts: dict[int, Prose | Thought | Tool] = {}
        self._things: dict[int, str] = {}  # parts that come as one piece, by kind
        self._sources: Sources | None = None
        self._waiting: Waiting | None = None
        self._usage: Usage | None = None
        self._empty = True
        self.box = Island("article").classes("hr-msg hr-assistant")
        self.box.props(f'data-role="assistant" data-node="{node}" data-generation="{generation}"')
        self.box.props["aria-label"] = say("Answer")
        with self.box:
            self._body = ui.element("div").classes("hr-body")
            self._actions = Actions(lambda: self.markdown, do, on_choose=on_choose)
            self._figures = Figures(self._actions.figures, cost)
        self._offer()

    @property
    def markdown(self) -> str:
        return "".join(self._text)

    def set_last(self, last: bool) -> None:
        self._last = last
        self._offer()
        self.box.classes(add="hr-last") if last else self.box.classes(remove="hr-last")

    def set_place(self, siblings: Sequence[str], here: str) -> None:
        self._siblings = len(siblings)
        self._offer()
        self._actions.place(siblings, here)

    def delete(self) -> None:
        self.box.delete()

    def _offer(self) -> None:
        """What can be done with it now."""
        if self._busy:
            self._actions.hide(*ACTIONS)
            return
        more = self._last and self._cut_off and bool(self._text)
        spread = ["spread"] if self._siblings < 2 else []
        self._actions.hide(*([] if more else ["continue"]), *([] if self._text else ["copy", "quote"]), *spread)

    # Growing

    def begin(self, said: Sequence[Part]) -> None:
        """What was said before the entries that come: the first text among these goes on from its last one."""
        self._set_state("waiting")
        self._offer()
        with self._body:
            for part in said[:-1]:
                self._show_part(part)
            if said and isinstance(last := said[-1], Text):
                self._going_on = Prose()
                self._going_on.write(last.text)
                self._text.append(("\n\n" if self._text else "") + last.text)
            elif said:
                self._show_part(said[-1])
            self._waiting = Waiting()

    def apply(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._apply(entry)

    def _apply(self, entry: Entry) -> None:
        match entry.event:
            case PartDelta(number, text):
                if (part := self._parts.get(number)) is not None:
                    part.write(text)
                    if isinstance(part, Prose):
                        self._text.append(text)
            case PartStarted():
                self._begin(entry.event, entry.at)
            case PartFinished(number, value):
                if (part := self._parts.get(number)) is not None:
                    part.finish(entry.at) if isinstance(part, Thought) else part.finish()
                elif kind := self._things.pop(number, ""):
                    with self._body:
                        self._show_thing(kind, value)
            case Status(name):
                if name == "stopping":
                    self._stopping = self._stopping or entry
                if self._waiting:
                    self._waiting.say(name)
            case Retrying(attempt, wait_ms, _, tries) if self._waiting:
                self._waiting.say(_attempt(attempt, tries, math.ceil(wait_ms / 1000)))
            case Usage():
                self._usage = entry.event
            case Finished() | Failed():
                self._end(entry.event, stop_proof(self._stopping, entry))
            case Started(model=model):
                self._figures.model(model)

    def _begin(self, start: PartStarted, at: float) -> None:
        self._end_waiting()
        self._empty = False
        self._set_state("streaming")
        with self._body:
            match start.kind:
                case "text" if self._going_on:
                    self._parts[start.part], self._going_on = self._going_on, None
                case "text" | "refusal":
                    if self._text:
                        self._text.append("\n\n")
                    self._parts[start.part] = Prose()
                case "reasoning":
                    self._parts[start.part] = Thought(at)
                    if self._going_on:  # thought about before going on: it stands before the text, as it will when shown whole
                        children = self._body.default_slot.children
                        children[-1].move(target_index=children.index(self._going_on))
                case "tool_call":
                    self._parts[start.part] = Tool(start.name or say("tool"))
                case kind:
                    self._things[start.part] = kind

    def _end_waiting(self) -> None:
        if self._waiting:
            self._waiting.delete()
            self._waiting = None

    def _end(self, end: Finished | Failed, stop: Stop | None) -> None:
        self._end_waiting()
        if self._going_on:
            self._going_on.finish()
        self._cut_off = isinstance(end, Failed) or end.reason in ("stopped", "length")
        self._set_state(state(not self._empty, end))
        self._offer()
        if isinstance(end, Failed):
            self._problem(problem(end))
        else:
            self._reason(end.reason, stop)
        self._figures.show(self._usage, end.ttft_ms, end.ms, end.reason if isinstance(end, Finished) else None)

    async def flush(self) -> None:
        for part in [*self._parts.values(), *([self._going_on] if self._going_on else [])]:
            await part.flush()

    # Whole

    def show(self, reply: Reply) -> None:
        """A reply that has ended."""
        self._empty = not reply.parts
        self._set_state(reply.state)
        self._figures.model(reply.model)
        with self._body:
            for part in reply.parts:
                self._show_part(part)
        if reply.problem:
            self._problem(reply.problem)
        elif reply.reason:
            self._reason(reply.reason, reply.stop)
        self._figures.show(reply.usage, reply.ttft_ms, reply.ms, reply.reason)
        self._cut_off = reply.problem is not None or reply.reason in ("stopped", "length")
        self._offer()

    def show_damaged(self) -> None:
        self._set_state("failed")
        self.box.props("data-damaged")
        with self._body:
            Notice(say("This message is damaged and cannot be shown. The rest of the conversation can be read."))

    def _show_part(self, part: object) -> None:
        match part:
            case Text(text) | Refusal(text):
                self._text.append(("\n\n" if self._text else "") + text)
                Prose().show(text)
            case Reasoning(text, ms=ms):
                Thought(None).show(text, ms)
            case ToolCall(name=name, arguments=arguments):
                Tool(name).show(arguments)
            case Attachment(kind, value):
                self._show_thing(kind, value)

    def _show_thing(self, kind: str, value: object) -> None:
        match kind:
            case "source":
                if self._sources is None:
                    with self.box:
                        self._sources = Sources()
                    self._sources.box.move(target_index=1)  # below all that is said
                self._sources.add(value)
            case "image":
                picture(value)
            case "file":
                file_button(value)
            case _:  # opaque: for the model server alone
                pass

    # Both

    def _problem(self, problem: Problem) -> None:
        self.box.classes("hr-failed")
        with self._body:
            Notice(problem.message, upstream=problem.upstream, on_retry=self._on_retry)

    def _reason(self, reason: str, stop: Stop | None) -> None:
        notes = {
            "length": say("Cut off: the limit of tokens was reached."),
            "content_filter": say("Cut off by the provider's content filter."),
            "stopped": _stopped(stop),
        }
        with self._body:
            if note := notes.get(reason):
                ui.label(note).classes("hr-note")
            elif self._empty and not self._text:
                ui.label(say("The model answered with nothing.")).classes("hr-note")

    def _set_state(self, name: ReplyState) -> None:
        self._busy = name in ("waiting", "streaming")
        self.box.props(f'data-state="{name}" aria-busy="{"true" if self._busy else "false"}"')


def _attempt(attempt: int, tries: int | None, seconds: int) -> str:
    if tries:
        return say("Attempt {attempt} of {tries}, in {seconds} s", attempt=attempt, tries=tries, seconds=seconds)
    return say("Attempt {attempt}, in {seconds} s", attempt=attempt, seconds=seconds)


def _stopped(stop: Stop | None) -> str:
    return say("Stopped; the connection to the server was closed {ms} ms later.", ms=f"{stop.ms:.0f}") if stop else say("Stopped.")
