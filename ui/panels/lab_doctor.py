"""What stands between a client and Headrace: what was found, in a sentence each, and the lines that mend it. It talks to nobody."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from nicegui import ui

from ui.language import phrase, say
from ui.theme import text

Say = Callable[[Mapping[str, str]], str]

SENTENCES: dict[str, Say] = {
    "flows": lambda v: say(
        "Events come through as they are sent: the first one after {first} ms, and a silence does not end the stream.", **v
    ),
    "held": lambda v: say("Events are held back, up to {held} ms: something on the way collects an answer before it passes it on.", **v),
    "compressed": lambda v: say(
        "The stream is compressed on the way ({encoding}), which holds events back; Headrace asks for no-transform.", **v
    ),
    "transform": lambda v: say(
        "The header Cache-Control: no-transform is lost on the way, so that whoever comes next may compress the stream.", **v
    ),
    "cut": lambda v: say(
        "The stream is closed after {seconds} s: a silence ends it before Headrace's sign of life, which comes every {pause} s.", **v
    ),
    "streams": lambda v: say("Only {n} of {all} streams at the same time get through.", **v),
    "host": lambda v: say("Headrace does not know the name {host}, and refuses it.", **v),
    "origin_of_proxy": lambda v: say(
        "Headrace sees another name than pages at {host} have, and refuses them: the proxy changes the Host header.", **v
    ),
    "redirect": lambda v: say("It answers with a redirect ({status}): give the address that it leads to.", **v),
    "not_ours": lambda v: say("Something answers at {url} with status {status}, but it is not this Headrace.", **v),
    "nothing": lambda v: say("Something answers at {url}, but no event came through in all the time that there was.", **v),
    "no_answer_refused": lambda v: say("Nothing accepts connections at {url}.", **v),
    "no_answer_timeout": lambda v: say("There was no answer from {url} in time.", **v),
    "no_answer_dns": lambda v: say("The name in {url} is not found.", **v),
    "no_answer_tls": lambda v: say("There is no secure connection to {url}: its certificate is not one that is trusted here.", **v),
    "listed": lambda v: say("Pages of {origin} may call Headrace.", **v),
    "not_listed": lambda v: say("Pages of {origin} are refused: the origin is not among those in server.cors_origins.", **v),
    "cors_passes": lambda v: say("What Headrace says to pages of {origin} comes through the proxy.", **v),
    "cors_lost": lambda v: say("Headrace allows {origin}, but that is lost in the proxy (it answers {status}): browsers will refuse.", **v),
    "mixed": lambda v: say("A page over https may not ask {address} over http: browsers block it. Serve it over https, too.", **v),
    "private": lambda v: say(
        "{origin} is public and {address} is in a local network: browsers ask their user for permission first, or refuse.", **v
    ),
    "browser_flows": lambda v: say("In this browser events come as they are sent: the first one after {first} ms, over {protocol}.", **v),
    "browser_held": lambda v: say(
        "In this browser events come up to {held} ms late: something between here and Headrace holds them back.", **v
    ),
    "browser_compressed": lambda v: say("Between here and Headrace the stream is compressed ({encoding}).", **v),
    "browser_cut": lambda v: say("Between here and Headrace the stream was cut after {seconds} s.", **v),
    "browser_six": lambda v: say(
        "This browser has {n} streams to Headrace at a time over {protocol}; the next one waits. HTTP/2 has no such limit.",
        **v,
    ),
    "browser_many": lambda v: say("{n} streams at the same time get through to this browser.", **v),
}
LEVELS = {"good": phrase("Good"), "note": phrase("Note"), "bad": phrase("Wrong")}
MARKS = {"good": "✓", "note": "i", "bad": "✗"}


class Found(Protocol):
    @property
    def level(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def values(self) -> Mapping[str, str]: ...
    @property
    def mend(self) -> str: ...


class Findings:
    def __init__(self) -> None:
        self._list = ui.element("ul").classes("hr-findings").props('aria-live="polite"')
        self._list.props["aria-label"] = say("Findings")
        self._shown = 0

    def show(self, found: Sequence[Found]) -> None:
        self._shown += 1
        self._list.props(f'data-shown="{self._shown}"')
        self._list.clear()
        with self._list:
            for each in found:
                with ui.element("li").props(f'data-level="{each.level}" data-finding="{each.name}"'):
                    mark = text("b", MARKS[each.level]).props('role="img"')
                    mark.props["aria-label"] = say(LEVELS[each.level])
                    with ui.element("div"):
                        text("p", SENTENCES[each.name](each.values))
                        if each.mend:
                            text("pre", each.mend).props('tabindex="0"')

    def wait(self, words: str) -> None:
        self._list.clear()
        with self._list, ui.element("li").props('data-level="wait"'):
            text("p", words)


class Here:
    """What a browser has measured, as it says; nothing of it is believed but numbers and short words."""

    def __init__(self, told: Any) -> None:
        self._told = told if isinstance(told, dict) else {}

    def number(self, name: str) -> float:
        value = self._told.get(name)
        return float(value) if isinstance(value, int | float) and abs(value) < 1e9 else 0.0

    def word(self, name: str) -> str:
        return str(self._told.get(name) or "")[:20]
