"""The look shared by all pages: stylesheets, the head of the document, and the frame with its sidebar. No logic."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nicegui import app, ui
from nicegui.elements.mixins.text_element import TextElement

from services.wishes import Wishes
from ui import frames
from ui.island import Island
from ui.language import say, speak
from ui.template import inline, lay

STATIC = Path(__file__).parent / "static"
WAVE = "c4-4 7 4 10 0s6 4 10 0"
FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0f766e"/>'
    f'<path d="M6 12{WAVE}M6 20{WAVE}" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/></svg>'
)

TOGGLE_SIDEBAR = "() => toggleSidebar()"
LOG_OUT = "() => drafts.forgetAll() ?? fetch('/logout', {method: 'POST', redirect: 'manual'}).finally(() => location.assign('/login'))"

# No page is younger than its parts: a file that is changed has another address.
SHEETS = (
    "headrace.css", "prose.css", "composer.css", "shelf.css", "thread.css", "settings.css",
    "answering.css", "inspect.css", "lab.css", "recordings.css",
)  # fmt: skip
SCRIPTS = ("trusted.js", "window.js", "drafts.js", "composer.js", "thread.js", "apart.js")  # the first one first


def dress() -> None:
    """Once, before the first page: serve stylesheets and scripts, and put them into every page's head."""
    app.add_static_files("/static", STATIC)
    app.config.quasar_config["loadingBar"]["skipHijack"] = True  # a bar without a name, at every upload
    frames.serve()
    lay([address(name) for name in SHEETS], [address(name) for name in SCRIPTS])


def address(name: str) -> str:
    return f"/static/{name}?{hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def icon_button(icon: str, name: str) -> ui.button:
    """A quiet round button; `name` is what assistive technology and tests call it."""
    button = ui.button(icon=icon, color=None).props("flat round dense").classes("hr-icon")
    button.props["aria-label"] = button.props["title"] = name
    return button


def text(tag: str, words: str) -> TextElement:
    """An element of HTML that says something."""
    return TextElement(tag=tag, text=words)


def put_on(wishes: Wishes) -> None:
    """Once per page, before anything is said on it: the language, and the look, from the first moment on."""
    client = ui.context.client
    speak(wishes.language)
    client.page.dark = {"system": None, "light": False, "dark": True}[wishes.look]
    inline(f"wear({json.dumps(_worn(wishes))})")


def change_to(wishes: Wishes) -> None:
    """Another look for a page that is shown; that the language is another one is told, as a page is written in one."""
    ui.run_javascript(f"wear({json.dumps(_worn(wishes))})")


def _worn(wishes: Wishes) -> dict[str, str]:
    return {"language": wishes.language, "look": wishes.look, "size": wishes.size, "column": wishes.column, "enter": wishes.enter}


def notices() -> None:
    """What every page may have to tell of itself."""
    for kind, sentence in (
        ("hr-outdated", say("Headrace was started anew.")),
        ("hr-outdated hr-translated", say("The language has changed.")),
    ):
        with ui.element("div").classes(kind).props('role="status" hidden'):
            ui.label(sentence)
            ui.button(say("Reload"), color=None).props("flat dense no-caps").on("click", js_handler="() => location.reload()")


def foot(name: str | None = None) -> None:
    """Of the sidebar: the other pages, and for who has logged in, by `name`, the way out."""
    with ui.element("div").classes("hr-side-foot"):
        for target, icon, title in (
            ("/inspect", "query_stats", say("Inspect")),
            ("/lab", "science", say("Lab")),
            ("/settings", "settings", say("Settings")),
        ):
            with ui.link(target=target).classes("hr-settings-link"):
                ui.icon(icon).props('aria-hidden="true"')
                ui.label(title)
        if name is not None:
            out = ui.element("button").props('type="button"').classes("hr-settings-link hr-log-out").on("click", js_handler=LOG_OUT)
            with out:
                ui.icon("logout").props('aria-hidden="true"')
                ui.label(say("Log out"))
                ui.label(name).classes("hr-log-out-name")


@contextmanager
def frame() -> Iterator[tuple[Island, Island]]:
    """The whole window, its words in the visitor's language: yields the sidebar and the main column, for the page's content."""
    with ui.element("div").classes("hr-app"):
        side = Island("nav").classes("hr-side")
        side.props["aria-label"] = say("Conversations")
        ui.element("div").classes("hr-veil").on("click", js_handler=TOGGLE_SIDEBAR)
        with Island().classes("hr-main") as main:
            icon_button("menu", say("Toggle sidebar")).classes("hr-menu").on("click", js_handler=TOGGLE_SIDEBAR)
            yield side, main
    notices()
