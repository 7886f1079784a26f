"""A part of the page that is drawn by itself, so that a change in it costs the browser nothing elsewhere, nor a change elsewhere in it."""

from pathlib import Path

from nicegui.element import Element


class Island(Element, component=Path(__file__).parent / "static" / "island.js"):
    """An element of HTML in all other respects."""

    def __init__(self, tag: str = "div") -> None:
        super().__init__()
        self._props["tag"] = tag
