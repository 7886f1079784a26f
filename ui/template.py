"""The document that every page is: the framework's own, with our stylesheets and scripts, and a nonce at each script.

The source of the template is changed, never what it makes: a text that gets onto a page cannot come by a nonce.
The gate makes the nonce, one for each answer (services/api/shield.py); without a gate there is none, and no policy either.
"""

from collections.abc import Sequence

from jinja2 import DictLoader
from nicegui import ui
from nicegui.client import templates

NAME = "index.html"
SCRIPTS = 13  # in NiceGUI 3.18: another number means another template, which has to be looked at first
NONCE = ' nonce="{{ request.scope.csp_nonce }}"'
HEAD = "{{ head_html | safe }}"
CLEANER = 'import DOMPurify from "dompurify";'
# A script of its own is a task of its own for the browser, and still done before the page counts as loaded.
MOUNT = 'app.mount("#app");'
APART = f'</script>\n    <script type="module">\n      {MOUNT}'


def lay(sheets: Sequence[str], scripts: Sequence[str]) -> None:
    """Once, before the first page: the addresses of what is in every head. Raises RuntimeError for a template that we do not know."""
    loader = templates.env.loader
    assert loader is not None
    source, _, _ = loader.get_source(templates.env, NAME)
    if [source.count(part) for part in ("<script", HEAD, CLEANER, MOUNT)] != [SCRIPTS, 1, 1, 1]:
        raise RuntimeError("This NiceGUI has another page template: see ui/template.py.")
    ours = [
        *(f'<link rel="stylesheet" href="{sheet}" />' for sheet in sheets),
        *(f'<script src="{script}"></script>' for script in scripts),
    ]
    source = source.replace(HEAD, "\n    ".join([*ours, HEAD])).replace(CLEANER, f"{CLEANER}\n      window.purify = DOMPurify;")
    source = source.replace(MOUNT, APART)
    templates.env.loader = DictLoader({NAME: source.replace("<script", f"<script{NONCE}")})


def inline(code: str) -> None:
    """A script in the head of the page that is being made. `code` is ours; a value in it comes from `json.dumps`, without a `<`."""
    nonce = ui.context.client.request.scope.get("csp_nonce", "")
    ui.add_head_html(f'<script nonce="{nonce}">{code}</script>')
