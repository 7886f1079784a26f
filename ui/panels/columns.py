"""The answers of several models to one question, side by side, until one of them is kept. It talks to nobody."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple

from nicegui import ui

from services.conversations import Node
from ui.island import Island
from ui.language import say
from ui.panels.actions import Press, Pressed
from ui.panels.answer import Answer
from ui.panels.parts import Price
from ui.theme import icon_button, text


class Wishes(NamedTuple):
    """What a column can be asked to do. Ids are those of nodes, but for `stop` and `inspect`, which get a generation."""

    keep: Callable[[str], Awaitable[None]]
    stop: Callable[[str], Awaitable[None]]
    regenerate: Callable[[str, str, str], Awaitable[object]]  # the answer, the id of the new one, the model
    go_on: Callable[[str, str], Awaitable[None]]
    quote: Callable[[str], Awaitable[None]]
    inspect: Callable[[str], Awaitable[None]]


class Column:
    """One model's answer under its name."""

    def __init__(self, node: Node, wishes: Wishes, cost: Price) -> None:
        generation = node.generation or ""
        model, name = node.reply.model if node.reply else "", _name(node)
        with ui.element("section").classes("hr-column") as self.box:
            self.box.props["aria-label"] = model or say("Model")
            with ui.element("div").classes("hr-column-head"):
                ui.label(name).classes("hr-column-name")
                stop = icon_button("stop", say("Stop {model}", model=model)).classes("hr-column-stop")
                stop.on("click", partial(wishes.stop, generation))
                keep = ui.button(say("Keep this one"), color=None).props("flat dense no-caps").classes("hr-keep")
                keep.props["aria-label"] = say("Keep this one: {model}", model=model)
                keep.on("click", partial(wishes.keep, node.id))

            async def again(id: str) -> None:
                await wishes.regenerate(node.id, id, model)

            async def regenerate(pressed: Pressed) -> None:
                await again(pressed.id)

            async def quote(pressed: Pressed) -> None:
                await wishes.quote(pressed.selected or self.answer.markdown)

            do: dict[str, Press] = {
                "regenerate": regenerate,
                "quote": quote,
                "inspect": lambda _: wishes.inspect(generation),
                "continue": lambda _: wishes.go_on(node.id, generation),
            }
            self.answer = Answer(generation, node=node.id, do=do, on_retry=again, on_choose=wishes.keep, cost=cost)
        self.answer.set_last(True)


class Columns:
    """Answers that still run are drawn without what they say, as the transcript does with its own."""

    def __init__(self, wishes: Wishes, cost: Price) -> None:
        self._wishes = wishes
        self._cost = cost
        self._columns: dict[str, Column] = {}  # by generation
        self._named: Sequence[str] = ()
        with Island().classes("hr-beside") as self._box:
            ui.label(say("Keep one of these answers, and the conversation goes on from it.")).classes("hr-muted hr-beside-hint")
            self._tabs = ui.element("div").classes("hr-column-tabs").props('role="group"')
            self._tabs.props["aria-label"] = say("Answers")
            self._row = ui.element("div").classes("hr-columns").props('role="group" tabindex="0"')
            self._row.props["aria-label"] = say("Answers side by side")
        self._box.set_visibility(False)

    def show(self, answers: Sequence[Node]) -> list[str]:
        """Draw exactly these. Returns the generations that were drawn now and still run."""
        nodes = {node.generation: node for node in answers if node.generation}
        self._box.set_visibility(bool(nodes))
        if nodes:
            self._row.style(f"--hr-columns: {len(nodes)}")
            self._show_tabs([_name(node) for node in nodes.values()])
        for generation in [each for each in self._columns if each not in nodes]:
            self._columns.pop(generation).box.delete()
        running = []
        for place, (generation, node) in enumerate(nodes.items()):
            if generation not in self._columns:
                with self._row:
                    column = self._columns[generation] = Column(node, self._wishes, self._cost)
                column.box.move(target_index=place)
                if _draw(column.answer, node):
                    running.append(generation)
        return running

    def _show_tabs(self, names: Sequence[str]) -> None:
        """Where the window is too narrow for all of them, one is seen at a time: which, is the browser's own affair."""
        if names == self._named:
            return
        self._named = names
        self._tabs.clear()
        with self._tabs:
            for place, name in enumerate(names):
                tab = text("button", name).classes("hr-column-tab").props(f'type="button" aria-pressed="{"false" if place else "true"}"')
                tab.on("click", js_handler="(e) => showColumn(e.currentTarget)")

    def answer(self, generation: str) -> Answer | None:
        column = self._columns.get(generation)
        return column.answer if column else None


def _name(node: Node) -> str:
    """Of its model, without the server's."""
    model = node.reply.model if node.reply else ""
    return model.partition("/")[2] or model or say("Model")


def _draw(answer: Answer, node: Node) -> bool:
    """Whether it still runs."""
    if node.damaged:
        answer.show_damaged()
    elif node.whole is None or node.whole.state in ("waiting", "streaming"):
        answer.begin(node.said)
        return True
    else:
        answer.show(node.whole)
    return False
