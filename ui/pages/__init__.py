"""One file per page; only pages await services.chat. `register` makes the ASGI app of all of them but the way in."""

from nicegui import App, app, ui

from services.chat import Chat
from ui.frames import ASGIApp, opened
from ui.language import say
from ui.pages import chat as chat_page
from ui.pages import docs as docs_page
from ui.pages import inspect as inspect_page
from ui.pages import lab as lab_page
from ui.pages import missing as missing_page
from ui.pages import settings as settings_page
from ui.pages.asking import apart, asking, guard
from ui.pages.login import login_page, sentence_page
from ui.sockets import greeted, harden
from ui.sweeping import sweep
from ui.theme import FAVICON, dress, text

__all__ = ["login_page", "register", "sentence_page"]


def register(chat: Chat) -> ASGIApp:
    dress()
    guard(chat)
    harden()
    sweep()
    app.on_page_exception(_sorry)
    mine = asking(chat)
    chat_page.register(mine)
    settings_page.register(mine)
    docs_page.register(mine)
    inspect_page.register(mine)
    lab_page.register(mine)
    missing_page.register(chat)
    pages = App()
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
    return greeted(opened(apart(pages)))


def _sorry() -> None:
    """Instead of the page that failed. The framework would show the error itself, which is for the log."""
    with ui.element("div").classes("hr-sorry"):
        text("h1", "Headrace")
        ui.label(say("Headrace itself failed here; its log has the details.")).props("role=alert")
        ui.link(say("Back to the chat"), "/")
