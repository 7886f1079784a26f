"""Conversations out to files and in from files, as a person asks for it. It reads and writes nothing: its page does."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NamedTuple

from nicegui import events, ui

from ui.language import say, say_all, say_count, say_number
from ui.theme import text

FORMATS = {"Markdown": "markdown", "JSON": "headrace", "HTML": "html"}
LINES = 200  # of a report that are shown


class Picked(NamedTuple):
    """A file that was chosen: its name, its bytes in all, and in pieces."""

    name: str
    size: int
    pieces: AsyncIterator[bytes]


class Outcome(NamedTuple):
    """What an import did. `problem` is a sentence when it came to no good end."""

    imported: int
    known: int
    skipped: int
    lines: Sequence[str]
    problem: str = ""


class Transfer:
    """Import and export of all conversations: buttons, a bar while an import runs, and its report. It goes wherever it is built.

    `on_export(format)` for one of FORMATS' values; `on_import(files)` when files were chosen; `on_stop` ends an import. The page
    says how far an import is with `progress`, and what came of it with `show`.
    """

    def __init__(
        self, *, on_export: Callable[[str], Awaitable[None]], on_import: Callable[[list[Picked]], None], on_stop: Callable[[], None]
    ) -> None:
        self._on_import = on_import
        with ui.element("div").classes("hr-transfer"):
            text("h2", say("Import")).classes("hr-transfer-head")
            ui.label(
                say("From Headrace, ChatGPT, Claude or Open WebUI: the file of an export, as JSON or in the ZIP archive it came in.")
            ).classes("hr-muted")
            self._build_import(on_stop)
            text("h2", say("Export everything")).classes("hr-transfer-head")
            ui.label(say("All conversations, those in the archive too.")).classes("hr-muted")
            with ui.element("div").classes("hr-transfer-row"):
                for name, format in FORMATS.items():
                    button = ui.button(name, icon="download", color=None, on_click=lambda format=format: on_export(format))
                    button.props("flat no-caps").classes("hr-chip").props["aria-label"] = say("Export as {format}", format=name)

    def _build_import(self, on_stop: Callable[[], None]) -> None:
        upload = ui.upload(multiple=True, auto_upload=True, on_multi_upload=self._chosen)
        upload.classes("hr-unseen").props["aria-hidden"] = "true"
        with ui.element("div").classes("hr-transfer-row"):
            self._choose = ui.button(say("Choose a file"), icon="upload_file", color=None).props("flat no-caps").classes("hr-chip")
            self._choose.on("click", js_handler=f"() => getElement({upload.id}).$refs.qRef.pickFiles()")
        with ui.element("div").classes("hr-transfer-row") as self._running:
            self._bar = ui.linear_progress(0.0, show_value=False, color=None).classes("hr-bar").props("instant-feedback")
            self._bar.props["aria-label"] = say("Importing")
            self._percent = ui.label().classes("hr-count")
            ui.button(say("Stop the import"), color=None, on_click=on_stop).props("flat dense no-caps").classes("hr-ask")
        self._running.set_visibility(False)
        with ui.element("div").classes("hr-report").props("role=status") as self._report:
            pass
        self._upload = upload

    def _chosen(self, event: events.MultiUploadEventArguments) -> None:
        self._upload.reset()
        self._on_import([Picked(file.name, file.size(), file.iterate()) for file in event.files])

    def progress(self, share: float) -> None:
        """From 0 to 1."""
        self._choose.set_enabled(False)
        self._running.set_visibility(True)
        self._bar.set_value(round(share, 3))
        self._percent.set_text(f"{say_number(share * 100)} %")

    def show(self, outcome: Outcome) -> None:
        self._choose.set_enabled(True)
        self._running.set_visibility(False)
        self._report.clear()
        imported, known, skipped, lines, problem = outcome
        told = [say_count(imported, "{n} conversation imported.", "{n} conversations imported.")]
        told += [say_count(known, "{n} was here already.", "{n} were here already.")] if known else []
        told += [say_count(skipped, "{n} was skipped.", "{n} were skipped.")] if skipped else []
        with self._report:
            if problem:
                ui.label(problem).classes("hr-notice")
            if not problem or imported or known or skipped:
                ui.label(say_all(told))
            if lines:
                with ui.element("ul").props('tabindex="0"'):
                    for line in [*lines[:LINES], *(["…"] if len(lines) > LINES else [])]:
                        text("li", line)
