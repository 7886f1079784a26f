"""How a person likes the page: its language and look, and what Enter does. Pure values, kept as JSON text."""

from typing import Literal, get_args

import msgspec

Look = Literal["system", "light", "dark"]
Size = Literal["small", "medium", "large"]
Column = Literal["narrow", "medium", "wide"]
Enter = Literal["sends", "breaks"]


class Wishes(msgspec.Struct, frozen=True, omit_defaults=True):
    """`language` is a code of ui/language.py; empty: the browser's. Where Enter breaks the line, Ctrl+Enter sends."""

    language: str = ""
    look: Look = "system"
    size: Size = "medium"
    column: Column = "medium"
    enter: Enter = "sends"


CHOICES = {"look": get_args(Look), "size": get_args(Size), "column": get_args(Column), "enter": get_args(Enter)}


def wishes(text: str) -> Wishes:
    """What another version wrote, or somebody broke, is no wish."""
    try:
        return msgspec.json.decode(text or "{}", type=Wishes)
    except (msgspec.DecodeError, UnicodeError):
        return Wishes()
