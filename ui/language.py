"""What the page says, in the language of who reads it. The English text is the key; a language is a file in ui/languages.

    say("Not running: {names}", names="ollama")              names in braces are filled in; nothing else in a text means anything
    say_count(3, "{n} token", "{n} tokens")                  the first one where the language takes its singular
    WORDS = {"waiting": phrase("Waiting")}                   a text that is said later: say(WORDS[state])
    spoken('Copied')                                           in JavaScript, for the texts in JAVASCRIPT

A text that a language has not is said in English, and so is everything where no page is.
"""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from copy import copy
from pathlib import Path
from typing import Literal, NamedTuple, get_args
from weakref import WeakKeyDictionary

from nicegui import Client, ui
from nicegui.slot import Slot, get_task_id

from ui.template import inline

Code = Literal["en", "de", "fr", "es", "zh", "ja"]


class Language(NamedTuple):
    """Its own name, what `<html lang>` and the framework call it, and how it writes one thousand and a half."""

    name: str
    lang: Literal["en-US", "de", "fr", "es", "zh-CN", "ja"]
    thousand: str = ","
    point: str = "."


LANGUAGES: Mapping[Code, Language] = {
    "en": Language("English", "en-US"),
    "de": Language("Deutsch", "de", ".", ","),
    "fr": Language("Français", "fr", "\u202f", ","),
    "es": Language("Español", "es", ".", ","),
    "zh": Language("简体中文", "zh-CN"),
    "ja": Language("日本語", "ja"),
}
JAVASCRIPT = (
    "Copied", "Copy", "Copy code", "Diagram", "Drawing…", "Hide diagram", "It is too large.", "It takes too long.", "Show diagram",
    "Show less", "Show more", "This diagram cannot be drawn.",
)  # fmt: skip

CATALOGUES: Mapping[str, Mapping[str, str]] = {
    code: json.loads(file.read_text("utf-8"))
    for code in get_args(Code)
    if (file := Path(__file__).parent / "languages" / f"{code}.json").exists()
}
_spoken: WeakKeyDictionary[Client, Code] = WeakKeyDictionary()


def speak(chosen: str = "") -> Code:
    """Once per page, before anything is said on it: the language that a person has chosen, else the browser's, else English."""
    client = ui.context.client
    code = tongue(chosen, client.request.headers.get("accept-language", ""))
    _spoken[client] = code
    client.page = copy(client.page)  # the framework asks the page for its language, and has one for all its visitors
    client.page.language = LANGUAGES[code].lang
    texts = {text: CATALOGUES[code][text] for text in JAVASCRIPT if text in CATALOGUES.get(code, {})}
    inline(f"window.TEXTS = {json.dumps(texts).replace('<', '&lt;')}")
    return code


def tongue(chosen: str, accepted: str) -> Code:
    """The language that a person has chosen, else the first that the Accept-Language header has of ours, else English."""
    return _known(chosen) or preferred(accepted) or "en"


def language() -> Code:
    """Of the page in whose context this is called."""
    for slot in reversed(Slot.stacks.get(get_task_id(), ())):
        with suppress(RuntimeError):  # the element that something was pressed on is gone
            return _spoken.get(slot.parent.client, "en")
    return "en"


def say(text: str, /, **values: object) -> str:
    return _fill(_translated(text, language()), values)


def say_in(code: Code, text: str, /, **values: object) -> str:
    """In this language, where no page is."""
    return _fill(_translated(text, code), values)


def say_count(n: int, one: str, many: str, /, **values: object) -> str:
    """`{n}` is the number, as the language writes it. French has its singular for none, too."""
    code = language()
    single = n in (0, 1) if code == "fr" else n == 1
    return _fill(_translated(one if single else many, code), {"n": say_number(n), **values})


def say_all(sentences: Iterable[str]) -> str:
    """One after the other; Chinese and Japanese have no space between them."""
    return ("" if language() in ("zh", "ja") else " ").join(sentences)


def say_number(number: float, digits: int = 0) -> str:
    spoken = LANGUAGES[language()]
    return f"{number:,.{digits}f}".translate({ord(","): spoken.thousand, ord("."): spoken.point})


def phrase(text: str, /) -> str:
    """The text itself: marks it as one that is given to `say` later."""
    return text


def preferred(accepted: str) -> Code | None:
    """The first language that we have of those in an Accept-Language header, by their weights."""
    ranges: list[tuple[float, str]] = []
    for part in accepted[:500].split(","):
        tag, _, weight = part.replace(" ", "").partition(";q=")
        try:
            ranges.append((float(weight or 1), tag))
        except ValueError:
            continue
    found = (_known(tag.partition("-")[0].lower()) for weight, tag in sorted(ranges, key=lambda pair: -pair[0]) if weight > 0)
    return next((code for code in found if code), None)


def _known(code: str) -> Code | None:
    return next((known for known in LANGUAGES if known == code), None)


def _translated(text: str, code: Code) -> str:
    return CATALOGUES.get(code, {}).get(text, text)


def _fill(text: str, values: Mapping[str, object]) -> str:
    """Not str.format, which reads attributes; and what is filled in is not looked at again."""
    return re.sub(r"\{(\w+)\}", lambda found: str(values[found[1]]) if found[1] in values else found[0], text) if values else text
