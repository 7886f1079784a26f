"""Which model answers, or which models: a combobox named "Model" that opens a list to search in. It knows no chat."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from services.models import Listing, Model
from ui.language import phrase, say

STATES = {
    "unknown": phrase("not asked yet"),
    "running": phrase("running"),
    "not running": phrase("not running"),
    "refusing": phrase("refusing"),
}
CAN = {"vision": phrase("sees images"), "tools": phrase("calls tools"), "reasoning": phrase("reasons")}


class Choice(NamedTuple):
    """What can be picked besides a model: a preset. `value` is what is told when it is picked."""

    value: str
    name: str
    model: str


class Picker(Element, component=Path(__file__).parent.parent / "static" / "picker.js"):
    """The list is sent when it is opened: 500 models are 90 KB, which no other page needs.

    `on_pick` gets a model's full name or the value of a choice, `on_compare` full names, none for no longer, `on_asked` the full name that
    was picked after `ask`.
    """

    def __init__(
        self,
        *,
        on_pick: Callable[[str], Awaitable[None]],
        on_compare: Callable[[Sequence[str]], Awaitable[None]],
        on_look: Callable[[], Awaitable[None]],
        on_standard: Callable[[str], Awaitable[None]],
        on_asked: Callable[[str], Awaitable[None]],
    ) -> None:
        super().__init__()
        self._on_pick, self._on_compare, self._on_look, self._on_standard = on_pick, on_compare, on_look, on_standard
        self._on_asked = on_asked
        self._groups: list[dict[str, object]] = []
        self._was_opened = False
        with self._props.suspend_updates():
            self._props["words"] = {
                "model": say("Model"),
                "models": say("Models"),
                "search": say("Search"),
                "look": say("Look again"),
                "compare": say("Compare"),
                "done": say("Done"),
                "standard": say("Set as default"),
                "unset": say("No longer the default"),
                "marked": say("{n} of {most} chosen", n="{n}", most="{most}"),
                "instead": say("Ask another model"),
                "nothing": say("Nothing found"),
                **{can: say(words) for can, words in CAN.items()},
            }
        self._props["text"], self._props["chosen"], self._props["standard"], self._props["compared"] = "", "", "", []
        self._props["liked"] = False
        self.on("open", self._open)
        self.on("pick", self._pick)
        self.on("compare", self._compare)
        self.on("look", self._look)
        self.on("standard", self._set_standard)
        self.on("asked", self._asked)

    def show(
        self,
        chosen: str,
        *,
        text: str,
        detail: str = "",
        problem: str = "",
        standard: str = "",
        liked: bool = False,
        compared: Sequence[str] = (),
    ) -> None:
        """What is chosen, in a few words. `problem` is why it may not answer; `standard` is what new chats begin with, `liked`: because
        a person wants it so.
        """
        shown = {"chosen": chosen, "text": text, "detail": detail, "title": problem or detail, "warned": bool(problem)}
        shown |= {"standard": standard, "liked": liked, "compared": list(compared)}
        if any(self._props.get(name) != value for name, value in shown.items()):
            self._props.update(shown)
            self.update()

    def offer(self, listings: Sequence[Listing], choices: Sequence[Choice], recent: Sequence[str], standard: str) -> None:
        """What can be picked: presets, the models used last, then each server's. Sent at once if the list has been opened."""
        groups = _groups(listings, choices, recent, standard)
        if groups != self._groups:
            self._groups = groups
            if self._was_opened:
                self._fill()

    def _fill(self) -> None:
        self.run_method("fill", self._groups)

    def ask(self) -> None:
        """Open it for one question: `on_asked` gets the model that is picked, or nothing."""
        self.run_method("ask")

    async def _asked(self, event: GenericEventArguments) -> None:
        await self._on_asked(str(event.args or ""))

    async def _open(self) -> None:
        self._was_opened = True
        self._fill()

    async def _pick(self, event: GenericEventArguments) -> None:
        await self._on_pick(str(event.args))

    async def _compare(self, event: GenericEventArguments) -> None:
        await self._on_compare([str(model) for model in event.args] if isinstance(event.args, list) else [])

    async def _look(self) -> None:
        await self._on_look()
        self._fill()

    async def _set_standard(self, event: GenericEventArguments) -> None:
        await self._on_standard(str(event.args))


def _groups(listings: Sequence[Listing], choices: Sequence[Choice], recent: Sequence[str], standard: str) -> list[dict[str, object]]:
    models = {f"{listing.name}/{model.name}": (model, listing) for listing in listings for model in listing.models}
    latest = [name for name in recent if name in models] if len(models) > len(recent) else []
    groups: list[dict[str, object]] = []
    if choices:
        options = [_option(choice.value, choice.name, choice.model.partition("/")[2], standard, None) for choice in choices]
        groups.append({"key": "presets", "name": say("Presets"), "options": options})
    if latest:
        options = [_option(name, models[name][0].name, models[name][1].name, standard, models[name][0]) for name in latest]
        groups.append({"key": "recent", "name": say("Used last"), "options": options})
    for listing in sorted(listings, key=lambda listing: not listing.models):  # what can be picked comes first
        names = [(f"{listing.name}/{model.name}", model) for model in listing.models]
        away = listing.state == "not running" and not listing.models  # as most servers are on most machines
        groups.append(
            {
                "key": f"server {listing.name}",
                "name": listing.name,
                "state": _nobody(listing) if away else say(STATES[listing.state]),
                "bad": listing.state in ("not running", "refusing") and not away,
                "sentence": "" if away else _sentence(listing),
                "options": [_option(name, model.name, "", standard, model, listing.name) for name, model in names if name not in latest],
            }
        )
    return groups


def _sentence(listing: Listing) -> str:
    if listing.problem:
        return listing.problem
    return _nobody(listing) if listing.state == "not running" else ""


def _nobody(listing: Listing) -> str:
    return say("Nobody answers at {host}.", host=listing.host)


def _option(value: str, label: str, note: str, standard: str, model: Model | None, server: str = "") -> dict[str, object]:
    can = [name for name in CAN if model and getattr(model, name)]
    notes = [note, _size(model.context) if model else "", say("default") if value == standard else ""]
    return {
        "value": value,
        "label": label,
        "note": " · ".join(filter(None, notes)),
        "can": can,
        "compare": model is not None,
        "found": f"{label} {note} {server} {value}".lower(),
        "unseen": "".join(f", {each}" for each in [server, *(say(CAN[name]) for name in can)] if each) + ", ",
    }


def _size(tokens: int | None) -> str:
    """Of a context: `128k`, as people say it."""
    if not tokens:
        return ""
    if tokens >= 1_000_000:
        return f"{tokens / 1_000_000:.3g}M"
    return f"{round(tokens / (1024 if tokens % 1024 == 0 else 1000))}k" if tokens >= 1000 else str(tokens)
