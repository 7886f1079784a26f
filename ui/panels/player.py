"""The hand on a recording while it is played: how far it is, the next read, and play or pause. It talks to nobody."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from nicegui import ui

from ui.language import say, say_number
from ui.panels.fields import button


class Known(Protocol):
    """What is known of a replay."""

    @property
    def recording(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def position(self) -> int: ...
    @property
    def reads(self) -> int: ...


class Player:
    """Hidden while nothing is played. `on_act` is told `step`, `play` or `pause`."""

    def __init__(self, on_act: Callable[[str], Awaitable[None]]) -> None:
        self._on_act = on_act
        self._paused = False
        with ui.element("div").classes("hr-player").props('role="group"') as self._box:
            self._box.props["aria-label"] = say("Replay")
            self._words = ui.label("").classes("hr-player-words")
            self._next = button(say("Next read")).on("click", self._step)
            self._play = button(say("Play")).on("click", self._turn)
        self._box.set_visibility(False)

    def show(self, played: Known | None) -> None:
        self._box.set_visibility(played is not None)
        if played is None:
            return
        self._paused = played.state == "paused"
        at, of = say_number(played.position), say_number(played.reads)
        self._words.set_text(say("{name}: {at} of {of} reads", name=played.recording, at=at, of=of))
        words = say("Play") if self._paused else say("Pause")
        if self._play.text != words:
            self._play.text = words

    async def _step(self) -> None:
        await self._on_act("step")

    async def _turn(self) -> None:
        await self._on_act("play" if self._paused else "pause")
