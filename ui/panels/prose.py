"""The text of one message: what is written to it appears on the page, a few times a second. It knows no events and no chat."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

from nicegui import background_tasks
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from ui.markdown import Blocks, Patch

RATE = 12  # patches per second at most: each costs 1 ms of CPU and two dozen bytes on the wire, besides its text
ANSWERED = 2  # every second patch is answered, which is as good a clock as every one, and costs half
REST = 10  # times the time a render took, so that a huge open block takes a tenth of a core, not all of it
PATIENCE = 3.0  # seconds; a reconnect takes 1
OFFLINE = 0.25  # seconds between two looks while nobody is connected


class Prose(Element, component=Path(__file__).parent.parent / "static" / "prose.js"):
    """Markdown in pieces (`write`, `flush`, `finish`) or at once (`show`).

    The props always hold everything, so a page that is built, mounted or loaded again shows the truth. Patches only save
    bytes: they are numbered, at most two are on their way, and the page answers every second one, and the last, with the
    event `shown`. If it answers with another number, or not at all, it gets everything.
    """

    def __init__(self) -> None:
        super().__init__()
        self._blocks = Blocks(unhurried=True)
        self._count = 0  # of the last patch
        self._shown = asyncio.Event()  # nothing is on its way
        self._shown.set()
        self._sent = self._rested = 0.0  # when the last patch was sent; when the next may be
        self._gone = asyncio.Event()  # with its page
        with self._props.suspend_updates():
            self._props["blocks"], self._props["count"] = [], 0
        self.on("shown", self._on_shown)

    def write(self, text: str) -> None:
        self._blocks.write(text)

    async def flush(self) -> None:
        """Put on the page what was written; returns when it may be given more, after a rest. May be cancelled at any time."""
        await self._settle()  # a flush that was cancelled, or the end, may have left a patch on its way
        if self._blocks.changed:
            self._push()
            await self._settle()

    def finish(self) -> None:
        """No more text. What is left is sent at once."""
        self._blocks.finish()
        self._push(last=True)
        self._rested = 0.0
        if self._blocks.changed:
            background_tasks.create(self._colour(), name="colour")

    async def _colour(self) -> None:
        """What is left of the colours, after the end."""
        while self._blocks.changed and not self._gone.is_set():
            await self._settle()
            with self.client:
                self._push()

    def show(self, text: str) -> None:
        """The whole text, instead of what was there."""
        self._blocks = Blocks()
        self._blocks.write(text)
        self._blocks.finish()
        self._blocks.render()
        self._keep(0)
        self.update()

    def pin(self) -> None:
        """Bring the end of the thread into view and keep it there."""
        self.run_method("pin")

    # One patch at a time

    def _push(self, *, last: bool = False) -> None:
        began = time.monotonic()
        self._rested = began + 1 / RATE
        patch = self._blocks.render()
        if patch is None and last:
            patch = len(self._blocks.html), []  # nothing new but that this is the end
        if self._gone.is_set() or patch is None:
            return
        self._keep(patch[0])
        self._sent = time.monotonic()
        self._rested = began + max(1 / RATE, REST * (self._sent - began))
        if self.client.has_socket_connection:
            self._send(patch)
        else:
            self.update()  # waits in the outbox, once, until somebody connects
            self._rested = began + OFFLINE

    def _keep(self, first: int) -> None:
        """The truth goes into the props: the blocks from number `first` on are new."""
        self._count += 1
        with self._props.suspend_updates():
            self._props["blocks"][first:] = self._blocks.html[first:]
            self._props["count"] = self._count

    def _send(self, patch: Patch) -> None:
        """As a message of its own (prose.js): what NiceGUI runs in the browser is JavaScript in JSON in JSON, and read with eval."""
        answer = self._blocks.finished or self._count % ANSWERED == 0
        if answer:
            self._shown.clear()
        told = [self.id, self._count, *patch, answer + self._blocks.finished]
        self.client.outbox.enqueue_message("prose", {"patch": told}, self.client.id)

    async def _settle(self) -> None:
        """Wait until the last answer is there and the rest is over, or there is nobody to wait for."""
        if not self._shown.is_set():
            try:
                async with asyncio.timeout(self._sent + PATIENCE - time.monotonic()):
                    await self._shown.wait()
            except TimeoutError:
                self._shown.set()
                self.update()
        if (rest := self._rested - time.monotonic()) > 0 and not self._gone.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._gone.wait()

    def _on_shown(self, event: GenericEventArguments) -> None:
        if event.args == self._count:
            self._shown.set()
        elif event.args == -1:
            self.update()

    def _handle_delete(self) -> None:
        self._gone.set()
        self._shown.set()
        super()._handle_delete()
