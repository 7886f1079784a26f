"""One answer of a model: it grows with the entries of its generation, or is shown whole. It talks to nobody."""

import math
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

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
from ui.language import say
from ui.panels.actions import Once, Switch, copy_button, once
from ui.panels.parts import Figures, Notice, Thought, Tool, Waiting
from ui.panels.prose import Prose
from ui.theme import icon_button


class Answer:
    """The element carries `data-generation` and `data-state`, for tests and for those who style it."""

    def __init__(
        self,
        generation: str,
        *,
        on_retry: Once,
        on_regenerate: Once,
        on_go_on: Callable[[str], Awaitable[None]],
        on_choose: Callable[[str], Awaitable[None]],
    ) -> None:
        self.generation = generation
        self._on_retry = on_retry
        self._last = False
        self._cut_off = False  # it ended, and not by itself
        self._going_on: Prose | None = None  # the text that the next one is the rest of
        self._stopping: Entry | None = None
        self._text: list[str] = []  # the answer as Markdown, for the copy button
        self._parts: dict[int, Prose | Thought | Tool] = {}
        self._usage: Usage | None = None
        self._empty = True
        with (
            ui.element("article").classes("hr-msg hr-assistant").props(f'data-role="assistant" data-generation="{generation}"') as self._box
        ):
            self._body = ui.element("div").classes("hr-body")
            with self._body:
                self._waiting = Waiting()
            with ui.element("div").classes("hr-actions") as self._actions:
                self._switch = Switch(on_choose=on_choose)
                self._copy = copy_button(lambda: "".join(self._text))
                once(icon_button("refresh", say("Regenerate")).classes("hr-regenerate"), on_regenerate)
                self._continue = icon_button("play_arrow", say("Continue")).on("click", partial(on_go_on, generation))
                self._figures = Figures()
        self._set_state("waiting")
        self._offer_more()

    def set_last(self, last: bool) -> None:
        self._last = last
        self._offer_more()
        self._box.classes(add="hr-last") if last else self._box.classes(remove="hr-last")

    def set_place(self, siblings: Sequence[str], here: str) -> None:
        self._switch.show(siblings, here)

    def delete(self) -> None:
        self._box.delete()

    def _offer_more(self) -> None:
        self._continue.set_visibility(self._last and self._cut_off and bool(self._text))

    # Growing

    def begin(self, said: Sequence[Part]) -> None:
        """What was said before the entries that come: the first text among these goes on from its last one."""
        with self._body:
            for part in said[:-1]:
                self._show_part(part)
            if said and isinstance(last := said[-1], Text):
                self._going_on = Prose()
                self._going_on.write(last.text)
                self._text.append(("\n\n" if self._text else "") + last.text)
            elif said:
                self._show_part(said[-1])
        self._body.default_slot.children[0].move()  # what tells of waiting comes last

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
            case PartFinished(number):
                if (part := self._parts.get(number)) is not None:
                    part.finish(entry.at) if isinstance(part, Thought) else part.finish()
            case Status(name):
                if name == "stopping":
                    self._stopping = self._stopping or entry
                self._waiting.say(name)
            case Retrying(attempt, wait_ms, _, tries):
                self._waiting.say(_attempt(attempt, tries, math.ceil(wait_ms / 1000)))
            case Usage():
                self._usage = entry.event
            case Finished() | Failed():
                self._end(entry.event, stop_proof(self._stopping, entry))
            case Started(model=model):
                self._figures.model(model)

    def _begin(self, start: PartStarted, at: float) -> None:
        self._waiting.hide()
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
                    self._not_shown(kind)

    def _end(self, end: Finished | Failed, stop: Stop | None) -> None:
        self._waiting.hide()
        if self._going_on:
            self._going_on.finish()
        self._cut_off = isinstance(end, Failed) or end.reason in ("stopped", "length")
        self._offer_more()
        self._set_state(state(not self._empty, end))
        if isinstance(end, Failed):
            self._problem(problem(end))
        else:
            self._reason(end.reason, stop)
        self._figures.show(self._usage, end.ttft_ms, end.ms)

    async def flush(self) -> None:
        for part in [*self._parts.values(), *([self._going_on] if self._going_on else [])]:
            await part.flush()

    # Whole

    def show(self, reply: Reply) -> None:
        """A reply that has ended."""
        self._waiting.hide()
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
        self._figures.show(reply.usage, reply.ttft_ms, reply.ms)
        self._cut_off = reply.problem is not None or reply.reason in ("stopped", "length")
        self._offer_more()

    def show_damaged(self) -> None:
        self._waiting.hide()
        self._set_state("failed")
        self._copy.set_visibility(False)
        self._box.props("data-damaged")
        with self._body:
            Notice(say("This message is damaged and cannot be shown. The rest of the conversation can be read."))

    def _show_part(self, part: object) -> None:
        match part:
            case Text(text) | Refusal(text):
                self._text.append(("\n\n" if self._text else "") + text)
                Prose().show(text)
            case Reasoning(text):
                Thought(None).show(text)
            case ToolCall(name=name, arguments=arguments):
                Tool(name).show(arguments)
            case Attachment(kind):
                self._not_shown(kind)

    def _not_shown(self, kind: str) -> None:
        if kind != "opaque":  # what no screen knows how to show
            ui.label(say("The answer has a part that cannot be shown yet: {kind}.", kind=kind)).classes("hr-note")

    # Both

    def _problem(self, problem: Problem) -> None:
        self._copy.set_visibility(bool(self._text))
        self._box.classes("hr-failed")
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
        self._box.props(f'data-state="{name}" aria-busy="{"true" if name in ("waiting", "streaming") else "false"}"')


def _attempt(attempt: int, tries: int | None, seconds: int) -> str:
    if tries:
        return say("attempt {attempt} of {tries}, in {seconds} s", attempt=attempt, tries=tries, seconds=seconds)
    return say("attempt {attempt}, in {seconds} s", attempt=attempt, seconds=seconds)


def _stopped(stop: Stop | None) -> str:
    return say("Stopped; the connection to the server was closed {ms} ms later.", ms=f"{stop.ms:.0f}") if stop else say("Stopped.")
