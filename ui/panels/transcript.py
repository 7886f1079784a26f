"""The conversation as it is read: questions and answers in one column. `show` draws a branch, `apply` lets an answer grow.

Of a long conversation its end is drawn, and what came before it when that is wanted: PAGE messages at a time.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import NamedTuple

from nicegui import ui

from services.conversations import Branch, Node
from services.events import Entry, Failed, Finished
from ui.island import Island
from ui.language import say
from ui.panels.actions import Press, Pressed
from ui.panels.answer import Answer
from ui.panels.columns import Columns, Wishes
from ui.panels.parts import Price
from ui.panels.prose import Prose
from ui.panels.question import Question

PAGE = 30  # messages
ABOVE = 2  # elements above the first message: the title, the button
_JUMP = "() => { const s = document.querySelector('.hr-scroll'); s.scrollTop = s.scrollHeight; }"
_EARLIER = "(e) => { holdThread(e.currentTarget.closest('.hr-scroll')); emit(); }"
# The button that had the focus may be gone.
_KEEP_FOCUS = "if (document.activeElement === document.body) document.querySelector('.hr-scroll').focus();"


class Intents(NamedTuple):
    """What a message can be asked to do. Ids are those of nodes, but for the last of each: the id of the message to be made."""

    retry: Callable[[str], Awaitable[object]]
    regenerate: Callable[[str, str, str], Awaitable[object]]  # by the model that is named, or by the one that is chosen
    edit: Callable[[str, str, str, Collection[str]], Awaitable[bool]]  # the question, its new text, files to leave out; whether taken
    go_on: Callable[[str, str], Awaitable[None]]  # the answer, and its generation that was cut off
    choose: Callable[[str], Awaitable[None]]
    quote: Callable[[str], Awaitable[None]]  # a text
    prune: Callable[[str], Awaitable[None]]
    keep: Callable[[str], Awaitable[None]]  # of the answers side by side
    spread: Callable[[str], Awaitable[None]]  # show them so again
    stop: Callable[[str], Awaitable[None]]  # a generation
    inspect: Callable[[str], Awaitable[None]]  # a generation
    another: Callable[[str, str], Awaitable[None]]  # as regenerate, by a model that is asked for


class Transcript:
    """Answers that still run are drawn without what they say: their entries come through `apply`, from the first one on."""

    def __init__(self, intents: Intents, *, on_earlier: Callable[[], Awaitable[None]], cost: Price) -> None:
        self._cost = cost
        self._intents = intents
        self._drawn: dict[str, Question | Answer] = {}
        self._answers: dict[str, Answer] = {}  # by generation
        self._first = ""  # the earliest node that is wanted
        self._more = 0  # messages that are wanted before it
        with Island().classes("hr-scroll").props('tabindex="0"'):
            Prose().set_visibility(False)  # so that its script is there, and listens, before the first answer comes
            self._thread = Island().classes("hr-thread").props('role="log" aria-live="off"')
            self._thread.props["aria-label"] = say("Conversation")
            self._columns = Columns(
                Wishes(intents.keep, intents.stop, intents.regenerate, intents.go_on, intents.quote, intents.inspect), cost
            )
        with self._thread:
            self._title = ui.element("h1").classes("hr-unseen")
            self._earlier = ui.element("button").classes("hr-earlier").props('type="button"')
            self._earlier.on("click", on_earlier, js_handler=_EARLIER)
            with self._earlier:
                ui.label(say("Show earlier messages"))
        self._earlier.set_visibility(False)
        self._news = ui.label("").classes("hr-unseen").props('role="status"')
        jump = ui.button(icon="arrow_downward", color=None).classes("hr-jump").props("round")
        jump.props["aria-label"] = jump.props["title"] = say("Scroll to bottom")
        jump.on("click", js_handler=_JUMP)

    def reach(self, node: str) -> None:
        """Let the next `show` draw everything from this node on, and bring it into view."""
        self._first, self._more = node, 2
        ui.run_javascript(f"showMessage({json.dumps(node)})" if node.isalnum() else "")

    def want_earlier(self) -> None:
        """Let the next `show` draw one page more."""
        self._more = PAGE

    def show(self, branch: Branch) -> list[str]:
        """Draw exactly this branch, from its end. Returns the generations that were drawn now and still run: to be followed."""
        self._title.props["aria-label"] = branch.conversation.title
        nodes = {_key(node): node for node in self._wanted(branch.nodes)}
        gone = [key for key in self._drawn if key not in nodes]
        for key in gone:
            self._forget(key)
        if gone:
            ui.run_javascript(_KEEP_FOCUS)
        before = len(nodes) if self._drawn else 0
        running = []
        for place, (key, node) in enumerate(nodes.items(), ABOVE):
            if key in self._drawn:
                before = 0
            else:
                if self._draw(key, node) and node.generation:
                    running.append(node.generation)
                if before:
                    self._drawn[key].box.move(target_index=place)
            self._drawn[key].set_last(node is branch.nodes[-1])
            self._drawn[key].set_place(branch.siblings.get(node.id, ()), node.id)
        return [*running, *self._columns.show(branch.beside)]

    def _wanted(self, nodes: Sequence[Node]) -> Sequence[Node]:
        """The end of a branch: from the node that was the first one before, if it is there still, else a page."""
        first = next((at for at, node in enumerate(nodes) if node.id == self._first), len(nodes) - PAGE) - self._more
        while first > 0 and nodes[first].generation is not None:  # no answer without its question
            first -= 1
        first, self._more = max(first, 0), 0
        self._first = nodes[first].id if nodes else ""
        if self._earlier.visible and not first:
            ui.run_javascript(_KEEP_FOCUS)
        self._earlier.set_visibility(first > 0)
        self._earlier.props(f'data-from="{first}"')
        return nodes[first:]

    def _draw(self, key: str, node: Node) -> bool:
        """Draw a node; whether it is an answer that still runs."""
        with self._thread:
            if node.generation is None:
                self._drawn[key] = self._question(node)
                return False
            answer = self._answer(node, node.generation)
        self._drawn[key] = self._answers[node.generation] = answer
        if node.damaged:
            answer.show_damaged()
        elif node.whole is None or node.whole.state in ("waiting", "streaming"):
            answer.begin(node.said)
            return True
        else:
            answer.show(node.whole)
        return False

    def _question(self, node: Node) -> Question:
        asked = node.message.text if node.message else ""
        return Question(
            asked,
            node.message.parts if node.message else (),
            node=node.id,
            do=self._doings(node, lambda: asked),
            on_edit=partial(self._intents.edit, node.id),
            on_choose=self._intents.choose,
            damaged=node.damaged,
        )

    def _answer(self, node: Node, generation: str) -> Answer:
        intents = self._intents
        do: dict[str, Press] = {
            "regenerate": lambda pressed: intents.regenerate(node.id, pressed.id, ""),
            "another": lambda pressed: intents.another(node.id, pressed.id),
            "spread": lambda _: intents.spread(node.id),
            "inspect": lambda _: intents.inspect(generation),
            "continue": lambda _: intents.go_on(node.id, generation),
        }
        answer = Answer(
            generation,
            node=node.id,
            do=do | self._doings(node, lambda: answer.markdown),
            on_retry=intents.retry,
            on_choose=intents.choose,
            cost=self._cost,
        )
        return answer

    def _doings(self, node: Node, said: Callable[[], str]) -> dict[str, Press]:
        """What can be done with questions and answers alike."""

        async def quote(pressed: Pressed) -> None:
            await self._intents.quote(pressed.selected or said())

        return {"quote": quote, "delete": lambda _: self._intents.prune(node.id)}

    def _forget(self, key: str) -> None:
        message = self._drawn.pop(key)
        if isinstance(message, Answer):
            self._answers.pop(message.generation, None)
        message.delete()

    def apply(self, generation: str, entries: Sequence[Entry]) -> None:
        if answer := self._growing(generation):  # else another tab has asked again meanwhile
            answer.apply(entries)
            if isinstance(entries[-1].event, Finished | Failed):
                self._news.set_text(say("The answer has ended."))

    async def flush(self, generation: str) -> None:
        """Send what was applied to the browser; returns when it has been drawn, and a rest after it."""
        if answer := self._growing(generation):
            await answer.flush()

    def _growing(self, generation: str) -> Answer | None:
        return self._answers.get(generation) or self._columns.answer(generation)


def _key(node: Node) -> str:
    """An answer that goes on is drawn anew."""
    return f"{node.id} {node.generation}"
