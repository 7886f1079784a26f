"""The files of a question that was asked: pictures small, and larger in a dialog; others by name, to be saved."""

import re
from collections.abc import Callable, Sequence
from functools import partial

from nicegui import ui

from services.messages import File, Image, Part
from ui.language import say, say_number
from ui.theme import icon_button

HASH = re.compile(r"[0-9a-f]{64}")
# What an import had in it. No other address is ever asked for.
PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]++={0,2}")


def show_attached(parts: Sequence[Part]) -> None:
    """Nothing at all where there are none."""
    shown = [part for part in parts if isinstance(part, File) or (isinstance(part, Image) and PICTURE.fullmatch(part.url))]
    if not shown:
        return
    with ui.element("ul").classes("hr-attached") as box:
        box.props["aria-label"] = say("Attached files")
        for part in shown:
            with ui.element("li"):
                if isinstance(part, Image):
                    _picture(part.url, say("Picture"))
                elif isinstance(part, File):
                    _picture(address(part), part.name) if part.is_image and HASH.fullmatch(part.hash) else _chip(part)


def keep_attached(parts: Sequence[Part], on_remove: Callable[[str], None]) -> None:
    """The same while the question is edited: by name, and each can be left out. `on_remove` gets its hash."""
    files = [part for part in parts if isinstance(part, File)]
    if not files:
        return
    with ui.element("ul").classes("hr-chosen") as box:
        box.props["aria-label"] = say("Attached files")
        for file in files:
            with ui.element("li").classes("hr-attachment") as line:
                if file.is_image and HASH.fullmatch(file.hash):
                    line.classes("hr-file-image")
                    _img(address(file), "")
                    ui.label(file.name).classes("hr-unseen")
                else:
                    _about(file)
                button = ui.element("button").classes("hr-file-remove").props('type="button"')
                button.props["aria-label"] = button.props["title"] = say("Remove {name}", name=file.name)
                with button:
                    ui.label("×").props('aria-hidden="true"')
                button.on("click", partial(_left_out, line, file.hash, on_remove))


def _left_out(line: ui.element, hash: str, on_remove: Callable[[str], None]) -> None:
    line.delete()
    on_remove(hash)


def address(file: File) -> str:
    return f"/attachments/{file.hash}"


def size(bytes: int) -> str:
    """`3.2 MB`, as the reader's language writes numbers."""
    if bytes < 1000:
        return f"{bytes} B"
    value, unit = (bytes / 1e3, "kB") if bytes < 1e6 else (bytes / 1e6, "MB")
    return f"{say_number(value, 1 if value < 10 else 0)} {unit}"


def _chip(file: File) -> None:
    with ui.element("a").classes("hr-attachment") as link:
        link.props["title"] = file.name
        if HASH.fullmatch(file.hash):  # an import may say anything
            link.props["href"], link.props["download"] = address(file), file.name
        _about(file)


def _about(file: File) -> None:
    notes = [size(file.size), *([say("{pages} pages", pages=say_number(file.pages))] if file.pages else [])]
    ending = file.name.rpartition(".")[2][:4].upper() if "." in file.name else "TXT"
    ui.label(ending).classes("hr-file-kind").props('aria-hidden="true"')
    with ui.element("span").classes("hr-file-about"):
        ui.label(file.name).classes("hr-file-name")
        ui.label(" · ".join(notes)).classes("hr-file-note")


def _picture(source: str, name: str) -> None:
    with ui.element("button").classes("hr-thumb").props('type="button"').on("click", partial(_enlarge, source, name)) as button:
        button.props["aria-label"] = say("Show {name} larger", name=name)
        _img(source, "")


def _img(source: str, name: str) -> None:
    img = ui.element("img").props('loading="lazy" decoding="async"')
    img.props["src"], img.props["alt"] = source, name


def _enlarge(source: str, name: str) -> None:
    with ui.dialog() as dialog, ui.element("figure").classes("hr-large"):
        dialog.props["aria-label"] = name
        icon_button("close", say("Close")).on("click", dialog.close).classes("hr-large-close")
        _img(source, name)
        with ui.element("figcaption"):
            ui.label(name)
    dialog.on("hide", dialog.delete)
    dialog.open()
