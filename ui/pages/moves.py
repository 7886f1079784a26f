"""What a page has to do with files of conversations: it exports some or all as a download, and imports those that were chosen."""

import asyncio
from collections.abc import Sequence

from nicegui import background_tasks, ui

from services.chat import Chat, Report
from services.errors import HeadraceError
from ui.language import say
from ui.markdown import Blocks
from ui.panels.transfer import FORMATS, Outcome, Picked, Transfer


class Moves:
    """Of one page. `build` puts the panel for import and export where it is called, `export` alone needs none."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._client = ui.context.client
        self._importing: asyncio.Task[None] | None = None

    def build(self) -> None:
        self._panel = Transfer(on_export=self._export_all, on_import=self._import, on_stop=self._stop)

    async def export(self, format: str, conversations: Sequence[str] | None = None) -> None:
        """A download of these, or of all; `format` is a key or a value of FORMATS."""
        chosen = FORMATS.get(format, format)
        if chosen not in ("markdown", "headrace", "html"):
            return
        try:
            file = await self._chat.export(chosen, conversations, rendered)  # type: ignore[arg-type]  # looked at just before
        except HeadraceError as exc:
            ui.notify(exc.message, type="warning", position="top")
            return
        ui.download.content(file.body, file.name, file.media)

    async def _export_all(self, format: str) -> None:
        if await self._chat.conversations():
            await self.export(format)
        else:
            ui.notify(say("There is nothing to export yet."), position="top")

    def _import(self, files: list[Picked]) -> None:
        if self._importing is None:
            self._importing = background_tasks.create(self._bring_in(files), name="import")

    def _stop(self) -> None:
        if self._importing is not None:
            self._importing.cancel()

    async def _bring_in(self, files: list[Picked]) -> None:
        """A page that is left does not end it."""
        report, problem = Report(), ""
        whole, done = sum(file.size for file in files) or 1, 0

        def progress(read: int) -> None:
            with self._client:
                self._panel.progress(min((done + read) / whole, 1.0))

        try:
            for file in files:
                progress(0)
                try:
                    await self._chat.bring_in(file.pieces, report, progress)
                except HeadraceError as exc:
                    problem = exc.message
                done += file.size
        except asyncio.CancelledError:
            with self._client:
                problem = say("The import was stopped.")
        finally:
            self._importing = None
            with self._client:
                self._panel.show(Outcome(report.imported, report.known, report.skipped, report.lines, problem))


def rendered(text: str) -> str:
    """A model's Markdown as the page shows it."""
    blocks = Blocks()
    blocks.write(text)
    blocks.finish()
    blocks.render()
    return "".join(blocks.html)
