"""One file per page; only pages await services.chat. `register` makes the ASGI app of all of them but the way in."""

from nicegui import App, core, ui

from services.chat import Chat
from ui.frames import ASGIApp, opened
from ui.pages import chat as chat_page
from ui.pages import docs as docs_page
from ui.pages import inspect as inspect_page
from ui.pages import lab as lab_page
from ui.pages import settings as settings_page
from ui.pages.asking import apart, asking, guard
from ui.pages.login import login_page
from ui.theme import FAVICON, dress

__all__ = ["login_page", "register"]


def register(chat: Chat) -> ASGIApp:
    dress()
    guard(chat)
    mine = asking(chat)
    chat_page.register(mine)
    settings_page.register(mine)
    docs_page.register(mine)
    inspect_page.register(mine)
    lab_page.register(mine)
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
    return opened(apart(pages))


def _unheard(socket: str, message: object) -> None:
    """What a page, or whoever says it is one, wants to have logged."""
