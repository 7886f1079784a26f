"""Where a person writes. It knows no conversation: what is written goes to `on_send`, with an id; a press on stop to `on_stop`."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import msgspec
from nicegui import ui
from nicegui.events import GenericEventArguments

from services.messages import File
from ui.island import Island
from ui.language import say, say_number
from ui.panels.attach import Attach
from ui.panels.gauge import Gauge
from ui.theme import icon_button

MOST = 200_000  # characters; the page's socket carries no message of more than 1 MB


class Written(NamedTuple):
    """A message as it was sent: its words, its id, and its files as (hash, name)."""

    text: str
    id: str
    files: tuple[tuple[str, str], ...] = ()


class Composer:
    """Its keys and drafts are composer.js. `limits` of attached files, by name; `on_send` says whether the message was taken."""

    def __init__(
        self,
        limits: dict[str, int],
        *,
        on_send: Callable[[Written], Awaitable[bool]],
        on_stop: Callable[[], Awaitable[None]],
    ) -> None:
        self._on_send = on_send
        self._on_stop = on_stop
        with Island().classes("hr-composer").props('data-attached="false"') as self._box:
            self._attach = Attach(limits, on_refused=lambda sentence: ui.notify(sentence, type="warning", position="top", timeout=8000))
            self._text = ui.element("textarea").classes("hr-input")
            self._text.props('rows="1" autofocus enterkeyhint="send" data-gramm="false"')
            self._text.props["placeholder"] = self._text.props["aria-label"] = say("Message")
            self._text.props["data-most"] = MOST
            self._text.on("keydown", self._send, js_handler="(e) => composer.keydown(e, emit)").on("input", js_handler="composer.input")
            with Island().classes("hr-tools"):
                plus = icon_button("add", say("Attach files")).classes("hr-plus")
                plus.on("click", js_handler="() => composer.attach().pick()")
                self.answering = ui.element("div").classes("hr-answering")  # for the page: who answers, and how
                ui.element("div").classes("hr-grow")
                self.gauge = Gauge()
                _round("playlist_add", say("Queue")).classes("hr-later").on("click", js_handler="composer.press")
                _round("arrow_upward", say("Send")).classes("hr-send").on("click", js_handler="composer.press")
                stop = _round("stop", say("Stop")).classes("hr-stop").on("click", self._stop)
                stop.props["title"] = f"{say('Stop')} (Esc)"

        self.gauge.build_note()
        ui.run_javascript("composer.restore()")

    def known(self, ids: Sequence[str]) -> None:
        """These messages are in the conversation: one of them that is still in the box was taken when its server was lost."""
        ui.run_javascript(f"composer.known({json.dumps(list(ids))})")

    def set_running(self, running: bool) -> None:
        self._box.classes(add="hr-running") if running else self._box.classes(remove="hr-running")

    def bring(self, text: str, files: Sequence[File]) -> None:
        """A message that waited, to be written on at."""
        ui.run_javascript(f"composer.bring({json.dumps(text)}, {msgspec.json.encode(files).decode()})")

    async def _send(self, event: GenericEventArguments) -> None:
        """The text is taken out of the box only once `on_send` has accepted it."""
        sent = event.args if isinstance(event.args, dict) else {}
        if "long" in sent:
            long = say("This message has {n} characters; {most} can be sent.", n=say_number(int(sent["long"])), most=say_number(MOST))
            ui.notify(long, type="warning", position="top")
            return
        accepted = await self._on_send(Written(str(sent.get("text")), str(sent.get("id")), _files(sent.get("files"))))
        ui.run_javascript("composer.taken()" if accepted else "composer.left()")

    async def _stop(self) -> None:
        await self._on_stop()


def _round(icon: str, name: str) -> ui.button:
    button = ui.button(icon=icon, color=None).props("round unelevated")
    button.props["aria-label"] = button.props["title"] = name
    return button


def _files(sent: object) -> tuple[tuple[str, str], ...]:
    """What the browser says, as far as it has the shape of it."""
    listed = sent if isinstance(sent, list) else []
    return tuple((str(each.get("hash")), str(each.get("name"))) for each in listed if isinstance(each, dict))
