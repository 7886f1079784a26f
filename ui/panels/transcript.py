"""The conversation as it is read: questions and answers in one column. `show` draws a branch, `apply` lets an answer grow."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple

from nicegui import ui

from services.conversations import Branch, Node
from services.events import Entry, Failed, Finished
from ui.language import say
from ui.panels.answer import Answer
from ui.panels.question import Question


class Intents(NamedTuple):
    """What a message can be asked to do. Ids are those of nodes, but for the last of each: the id of the message to be made."""

    retry: Callable[[str], Awaitable[object]]
    regenerate: Callable[[str, str], Awaitable[object]]
    edit: Callable[[str, str, str], Awaitable[bool]]  # the question, its new text; whether it was taken
    go_on: Callable[[str, str], Awaitable[None]]  # the answer, and its generation that was cut off
    choose: Callable[[str], Awaitable[None]]


class Transcript:
    """Answers that still run are drawn without what they say: their entries come through `apply`, from the first one on."""

    def __init__(self, intents: Intents) -> None:
        self._intents = intents
        self._drawn: dict[str, Question | Answer] = {}
        self._answers: dict[str, Answer] = {}  # by generation
        with ui.element("div").classes("hr-scroll").props('tabindex="0"'):
            self._thread = ui.element("div").classes("hr-thread").props('role="log" aria-live="off"')
            self._thread.props["aria-label"] = say("Conversation")
        self._news = ui.label("").classes("hr-unseen").props('role="status"')
        jump = ui.button(icon="arrow_downward", color=None).classes("hr-jump").props("round")
        jump.props["aria-label"] = jump.props["title"] = say("Scroll to bottom")
        jump.on("click", js_handler="() => { const s = document.querySelector('.hr-scroll'); s.scrollTop = s.scrollHeight; }")

    def show(self, branch: Branch) -> list[str]:
        """Draw exactly this branch. Returns the generations that were drawn now and still run: they want to be followed."""
        nodes = {_key(node): node for node in branch.nodes}
        for key in [key for key in self._drawn if key not in nodes]:
            self._forget(key)
        running = [node.generation for key, node in nodes.items() if key not in self._drawn and self._draw(key, node) and node.generation]
        for key, node in nodes.items():
            self._drawn[key].set_last(node is branch.nodes[-1])
            self._drawn[key].set_place(branch.siblings.get(node.id, ()), node.id)
        return running

    def _draw(self, key: str, node: Node) -> bool:
        """Draw a node; whether it is an answer that still runs."""
        intents = self._intents
        with self._thread:
            if node.generation is None:
                text = node.message.text if node.message else ""
                self._drawn[key] = Question(
                    text,
                    node.message.parts if node.message else (),
                    on_edit=partial(intents.edit, node.id),
                    on_choose=intents.choose,
                    damaged=node.damaged,
                )
                return False
            answer = Answer(
                node.generation,
                on_retry=intents.retry,
                on_regenerate=partial(intents.regenerate, node.id),
                on_go_on=partial(intents.go_on, node.id),
                on_choose=intents.choose,
            )
        self._drawn[key] = self._answers[node.generation] = answer
        if node.damaged:
            answer.show_damaged()
        elif node.whole is None or node.whole.state in ("waiting", "streaming"):
            answer.begin(node.said)
            return True
        else:
            answer.show(node.whole)
        return False

    def _forget(self, key: str) -> None:
        message = self._drawn.pop(key)
        if isinstance(message, Answer):
            self._answers.pop(message.generation, None)
        message.delete()

    def apply(self, generation: str, entries: Sequence[Entry]) -> None:
        if answer := self._answers.get(generation):  # else another tab has asked again meanwhile
            answer.apply(entries)
            if isinstance(entries[-1].event, Finished | Failed):
                self._news.set_text(say("The answer has ended."))

    async def flush(self, generation: str) -> None:
        """Send what was applied to the browser; returns when it has been drawn, and a rest after it."""
        if answer := self._answers.get(generation):
            await answer.flush()


def _key(node: Node) -> str:
    """An answer that goes on is drawn anew."""
    return f"{node.id} {node.generation}"
