"""What an answer has besides text: sources, images, files. Nothing is loaded from elsewhere unless somebody presses for it."""

import base64
import binascii
import re
from collections.abc import Mapping
from functools import partial

from nicegui import ui

from ui.language import say, say_count
from ui.markdown.links import REL, place

MOST_SOURCES = 200  # of one answer
UNFOLDED = 5  # sources that are listed without a click
TITLE = 200  # characters of a source's title
RASTER = re.compile(r"data:image/(?:png|jpeg|gif|webp|avif);base64,[A-Za-z0-9+/=\s]+")  # no SVG: that is a document
LARGEST = 16_000_000  # characters of a data: URL
DATA = re.compile(r"data:([\w.+/-]{0,100})(?:;[\w=.+-]{1,100})*;base64,", re.ASCII)
SUFFIXES = {"application/pdf": ".pdf", "text/plain": ".txt", "text/csv": ".csv", "application/json": ".json", "audio/wav": ".wav"}


class Sources:
    """A numbered list of what an answer refers to: titles, and the hosts that the links lead to. Folded when it is long."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        with ui.element("details").classes("hr-sources").props("open") as self.box:
            with ui.element("summary"):
                self._count = ui.label("")
            self._list = ui.element("ol")

    def add(self, source: object) -> None:
        """Its `url` and `title`, where it has them; the same source is listed once."""
        told = source if isinstance(source, Mapping) else {}
        url, title = _text(told.get("url")), _text(told.get("title"))[:TITLE]
        host = place(url) if url.startswith(("http://", "https://")) else None
        name = title or host or ""
        if not name or (key := url if host else name) in self._known or len(self._known) >= MOST_SOURCES:
            return
        self._known.add(key)
        self._count.set_text(say_count(len(self._known), "{n} source", "{n} sources"))
        if len(self._known) == UNFOLDED + 1:
            self.box.props(remove="open")
        with self._list, ui.element("li"):
            if host:
                ui.link(name, url, new_tab=True).props(f'rel="{REL}"')
                ui.label(host).classes("hr-host")
            else:
                ui.label(name)


def picture(value: object) -> None:
    """An image that a model made. One that lies elsewhere is only asked for by a click: the request tells who reads."""
    url = _text(value.get("url")) if isinstance(value, Mapping) else ""
    if len(url) <= LARGEST and RASTER.fullmatch(url):
        _image(url)
    elif url.startswith(("http://", "https://")) and (host := place(url)):
        with ui.element("div").classes("hr-elsewhere"):
            button = ui.button(say("Show the image from {host}", host=host), color=None).props("flat no-caps").classes("hr-file")
        button.props["data-url"], button.props["data-name"] = url, say("Image of the answer")
        button.props["data-sorry"] = say("The image did not come.")
        button.on("click", js_handler="(e) => showPicture(e.currentTarget)")
    else:
        ui.label(say("The answer has an image that cannot be shown.")).classes("hr-note")


def _image(url: str) -> None:
    image = ui.element("img").classes("hr-picture").props('referrerpolicy="no-referrer" loading="lazy"')
    image.props["alt"] = say("Image of the answer")
    image.props["src"] = url


def file_button(value: object) -> None:
    """A file of an answer, as a download that the browser makes of what it is given."""
    told = value if isinstance(value, Mapping) else {}
    url, kind = _text(told.get("url")), _text(told.get("media_type"))
    if len(url) > LARGEST or not (head := DATA.match(url)):
        ui.label(say("The answer has a file that cannot be shown.")).classes("hr-note")
        return
    name = _name(_text(told.get("name") or told.get("filename") or told.get("title")), kind or head[1])
    button = ui.button(say("Download {name}", name=name), icon="download", color=None).props("flat no-caps").classes("hr-file")
    button.on("click", partial(_download, url[head.end() :], name))


def _download(encoded: str, name: str) -> None:
    try:
        ui.download.content(base64.b64decode(encoded), name, "application/octet-stream")
    except (binascii.Error, ValueError):
        ui.notify(say("This file is damaged."), type="warning", position="top")


def _name(given: str, kind: str) -> str:
    """Without a path, or what would hide how it ends."""
    return re.sub(r"[^\w .()+-]", "_", given)[-80:].strip(" .") or "file" + SUFFIXES.get(kind, "")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
