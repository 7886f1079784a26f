"""The conversation as it is read: questions and answers in one column. `show` draws a branch, `apply` lets an answer grow."""

from collections.abc import Awaitable, Callable, Sequence

from nicegui import ui

from services.conversations import Node
from services.events import Entry, Failed, Finished
from ui.panels.answer import Answer
from ui.panels.question import Question


class Transcript:
    """Answers that still run are drawn empty: their entries come through `apply`, from the first one on."""

    def __init__(self, *, on_retry: Callable[[], Awaitable[None]]) -> None:
        self._on_retry = on_retry
        self._drawn: dict[str, Question | Answer] = {}
        self._answers: dict[str, Answer] = {}  # by generation
        with ui.element("div").classes("hr-scroll").props('tabindex="0"'):
            self._thread = ui.element("div").classes("hr-thread").props('role="log" aria-label="Conversation" aria-live="off"')
        self._news = ui.label("").classes("hr-unseen").props('role="status"')
        ui.button(icon="arrow_downward", color=None).classes("hr-jump").props(
            'round aria-label="Scroll to bottom" title="Scroll to bottom"'
        ).on("click", js_handler="() => { const s = document.querySelector('.hr-scroll'); s.scrollTop = s.scrollHeight; }")

    def show(self, branch: Sequence[Node]) -> list[str]:
        """Draw exactly this branch. Returns the generations that were drawn now and still run: they want to be followed."""
        wanted = {node.id for node in branch}
        for id in [id for id in self._drawn if id not in wanted]:
            self._forget(id)
        running = [node.generation for node in branch if node.id not in self._drawn and self._draw(node) and node.generation]
        for id, message in self._drawn.items():
            message.set_last(id == branch[-1].id)
        return running

    def _draw(self, node: Node) -> bool:
        """Draw a node; whether it is an answer that still runs."""
        with self._thread:
            if node.message is not None:
                self._drawn[node.id] = Question(node.message.text)
                return False
            answer = Answer(node.generation or "", on_retry=self._on_retry)
        self._drawn[node.id] = self._answers[node.generation or ""] = answer
        if node.reply is None or node.reply.state in ("waiting", "streaming"):
            return True
        answer.show(node.reply)
        return False

    def _forget(self, id: str) -> None:
        message = self._drawn.pop(id)
        if isinstance(message, Answer):
            self._answers.pop(message.generation, None)
        message.delete()

    def apply(self, generation: str, entries: Sequence[Entry]) -> None:
        if answer := self._answers.get(generation):  # else another tab has asked again meanwhile
            answer.apply(entries)
            if isinstance(entries[-1].event, Finished | Failed):
                self._news.set_text("The answer has ended.")

    async def flush(self, generation: str) -> None:
        """Send what was applied to the browser; returns when it has been drawn, and a rest after it."""
        if answer := self._answers.get(generation):
            await answer.flush()
