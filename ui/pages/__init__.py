"""One file per page; only pages await services.chat. `register` makes the ASGI app of all of them."""

from nicegui import App, core, ui

from services.chat import Chat
from ui.frames import ASGIApp, opened
from ui.pages import chat as chat_page
from ui.pages import docs as docs_page
from ui.pages import inspect as inspect_page
from ui.pages import settings as settings_page
from ui.theme import FAVICON, dress


def register(chat: Chat) -> ASGIApp:
    dress()
    chat_page.register(chat)
    settings_page.register(chat)
    docs_page.register(chat)
    inspect_page.register(chat)
    pages = App()
    core.sio.on("log", _unheard)  # NiceGUI would write what a browser says into our log
    ui.run_with(
        pages,
        title="Headrace",
        favicon=FAVICON,
        dark=None,
        language="en-US",
        reconnect_timeout=30.0,
        binding_refresh_interval=None,
        tailwind=False,
        show_welcome_message=False,
    )
    return opened(pages)


def _unheard(socket: str, message: object) -> None:
    """What a page, or whoever says it is one, wants to have logged."""
