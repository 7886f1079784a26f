"""The empty page: a greeting, the model that will answer, and something to begin with. It talks to nobody."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from nicegui import ui

from services.manner import Preset
from ui.island import Island
from ui.language import phrase, say

REHEARSAL = (
    phrase("What can you do?"),
    phrase("How do I connect Ollama?"),
    phrase("How do I stream replies from JavaScript?"),
    phrase("Show me what you can render"),
)
ANY = (
    phrase("Explain how a water mill works, in three paragraphs"),
    phrase("Write a Python function that merges overlapping intervals, with tests"),
    phrase("Compare server-sent events and websockets in a table"),
)

PRESETS = 6  # that are offered on the empty page; the picker has all


class Welcome:
    def __init__(
        self,
        *,
        on_suggestion: Callable[[str], Awaitable[bool]],
        on_look: Callable[[], Awaitable[None]],
        on_preset: Callable[[str], Awaitable[None]],
        may_add: bool,
    ) -> None:
        """`may_add`: who looks may add model servers."""
        self._on_suggestion = on_suggestion
        self._on_preset = on_preset
        with Island().classes("hr-welcome") as self._box:
            with ui.element("h1").classes("hr-greeting"):
                ui.label(say("What shall we talk about?"))
            self._model = ui.label("").classes("hr-muted")
            with ui.element("div").classes("hr-first-run") as self._notice:
                ui.label(
                    say(
                        "No model server is running on the usual ports, so the built\u2011in rehearsal model answers. "
                        "Start one and it appears in the model list, or add a server with its key in the settings."
                    )
                    if may_add
                    else say("No model server is running, so the built\u2011in rehearsal model answers. An admin can add one.")
                )
                with ui.element("div").classes("hr-servers"):
                    self._servers = ui.label("")
                    ui.button(say("Look again"), color=None, on_click=on_look).props("flat dense no-caps").classes("hr-look")
            self._presets = ui.element("div").classes("hr-chips hr-preset-chips")
            self._chips = ui.element("div").classes("hr-chips")
        self._offered: Sequence[Preset] = ()
        self._suggested: Sequence[str] = ()

    def show(self, models: Sequence[str], alone: bool, missing: Sequence[str], presets: Sequence[Preset]) -> None:
        """`alone`: no model server answers but the built-in one, which is told kindly. `missing` are servers that do not run."""
        self._model.set_text(say("{model} will answer", model=", ".join(models)))
        self._notice.set_visibility(alone)
        self._servers.set_text(say("Not running: {names}", names=", ".join(missing)) if missing else "")
        self._offer(presets[:PRESETS])
        self._suggest(REHEARSAL if models[0].startswith("rehearsal/") else ANY)

    # What stays is not drawn anew: models come in while somebody presses.

    def _offer(self, presets: Sequence[Preset]) -> None:
        if presets == self._offered:
            return
        self._offered = presets
        self._presets.clear()
        with self._presets:
            for preset in presets:
                chip = ui.button(preset.name, icon="bookmark_border", color=None, on_click=partial(self._on_preset, preset.id))
                chip.props("flat no-caps").classes("hr-chip")

    def _suggest(self, texts: Sequence[str]) -> None:
        if texts == self._suggested:
            return
        self._suggested = texts
        self._chips.clear()
        with self._chips:
            for english in texts:
                text = say(english)
                ui.button(text, color=None, on_click=partial(self._on_suggestion, text)).props("flat no-caps").classes("hr-chip")

    def hide(self) -> None:
        self._box.set_visibility(False)
