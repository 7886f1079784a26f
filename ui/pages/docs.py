"""The documents, at `/help/{name}`: docs/*.md as they came with the program, without their pictures and the links among them."""

import re
from pathlib import Path

from nicegui import ui

from ui.language import say
from ui.pages.asking import Mine
from ui.pages.moves import rendered
from ui.theme import notices, put_on

DOCS = Path(__file__).parents[2] / "docs"
_HERE = re.compile(r"!?\[([^\]]*)\]\((?!https?:)[^)]*\)")  # a link that leads nowhere from here


def register(mine: Mine) -> None:
    @ui.page("/help/{name}")
    async def document(name: str) -> None:
        put_on(await mine().wishes.get())
        names = documents()
        with ui.element("div").classes("hr-settings"):
            with ui.element("nav").classes("hr-settings-nav") as nav:
                nav.props["aria-label"] = say("Documents")
                ui.link(f"← {say('Settings')}", "/settings#about").classes("hr-settings-back")
                for other, title in names.items():
                    ui.link(title, f"/help/{other}").props('lang="en"').props('aria-current="page"' if other == name else "")
            with ui.element("div").classes("hr-settings-main"):
                told = (DOCS / f"{name}.md").read_text("utf-8") if name in names else f"# {say('There is no such document.')}"
                ui.html(rendered(_HERE.sub(r"\1", told)), sanitize=False).classes("hr-prose hr-document").props('lang="en"')
        ui.page_title(names.get(name, "Headrace"))
        notices()


def documents() -> dict[str, str]:
    """Their titles by name; none where the program came without them."""
    files = sorted(DOCS.glob("*.md"))
    return {file.stem: file.read_text("utf-8").partition("\n")[0].lstrip("# ") for file in files}
