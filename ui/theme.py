"""The look shared by all pages: stylesheets, the head of the document, and the frame with its sidebar. No logic."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nicegui import app, ui

from ui.language import say, speak

STATIC = Path(__file__).parent / "static"
WAVE = "c4-4 7 4 10 0s6 4 10 0"
FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0f766e"/>'
    f'<path d="M6 12{WAVE}M6 20{WAVE}" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/></svg>'
)

TOGGLE_SIDEBAR = "() => toggleSidebar()"

# Keys that concern the window, wherever the focus is; no key of the browser's is taken. On a phone the sidebar lies over the
# page, which cannot be reached meanwhile.
WINDOW = """<script>
function spoken(text) { // what ui/language.py put on the page
    return window.TEXTS?.[text] ?? text;
}
function newId() { // of a message; crypto.randomUUID is for https alone
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
function toggleSidebar() {
    const app = document.querySelector('.hr-app');
    const over = app.classList.toggle('hr-side-toggled') && innerWidth < 768;
    document.querySelector('.hr-main').inert = over;
    document.querySelector(over ? '.hr-side .hr-icon' : '.hr-composer .hr-input')?.focus();
}
document.addEventListener('keydown', (e) => {
    if (e.isComposing || e.keyCode === 229 || e.defaultPrevented || document.querySelector('.q-menu')) return;
    const ctrl = e.ctrlKey || e.metaKey, key = e.key.toLowerCase();
    const press = (button) => { e.preventDefault(); document.querySelector(button)?.click(); };
    if (key === 'escape' && e.shiftKey) { e.preventDefault(); document.querySelector('.hr-composer .hr-input')?.focus(); }
    else if (key === 'escape' && document.querySelector('.hr-main')?.inert) toggleSidebar();
    else if (key === 'escape' && document.querySelector('.hr-composer.hr-running')) press('.hr-stop');
    else if (ctrl && e.shiftKey && key === 'o') press('.hr-new');
    else if (ctrl && !e.shiftKey && key === 'k') press('.hr-search');
    else if (ctrl && !e.shiftKey && key === 'b') { e.preventDefault(); toggleSidebar(); }
});
</script>"""


def dress() -> None:
    """Once, before the first page: serve the stylesheets and put them into every page's head."""
    app.add_static_files("/static", STATIC)
    for name in ("headrace.css", "prose.css", "composer.css", "shelf.css", "thread.css"):
        ui.add_head_html(f'<link rel="stylesheet" href="/static/{name}">', shared=True)
    ui.add_head_html('<meta name="color-scheme" content="light dark">', shared=True)
    ui.add_head_html(WINDOW, shared=True)
    ui.add_head_html('<script src="/static/composer.js"></script>', shared=True)
    ui.add_head_html('<script src="/static/thread.js"></script>', shared=True)


def icon_button(icon: str, name: str) -> ui.button:
    """A quiet round button; `name` is what assistive technology and tests call it."""
    button = ui.button(icon=icon, color=None).props("flat round dense").classes("hr-icon")
    button.props["aria-label"] = button.props["title"] = name
    return button


@contextmanager
def frame() -> Iterator[tuple[ui.element, ui.element]]:
    """The whole window, its words in the visitor's language: yields the sidebar and the main column, for the page's content."""
    speak()
    with ui.element("div").classes("hr-app"):
        side = ui.element("nav").classes("hr-side")
        side.props["aria-label"] = say("Conversations")
        ui.element("div").classes("hr-veil").on("click", js_handler=TOGGLE_SIDEBAR)
        with ui.element("div").classes("hr-main") as main:
            icon_button("menu", say("Toggle sidebar")).classes("hr-menu").on("click", js_handler=TOGGLE_SIDEBAR)
            yield side, main
