"""A file in pieces -> the conversations in it, one by one, and of each what was left out.

    importer = Importer(now)
    for piece in file: for found in importer.feed(piece): ...
    for found in importer.finish(): ...

Needs about four times the largest conversation, whatever the file's size. The kind of export is seen by each conversation's shape.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from services.conversations import Conversation, Node, tip
from services.errors import Invalid
from services.exchange import chatgpt, claude, headrace, open_webui
from services.exchange.loose import Object, identity, line, text
from services.exchange.pieces import LARGEST, Piece, Pieces
from services.exchange.told import Told
from services.exchange.tree import grown
from services.messages import Text

TITLE = 60  # characters of a title that was made of the first question
LONGEST = 200  # characters of any title

KINDS = {
    "headrace": "Headrace's JSON",
    "chatgpt": "ChatGPT's export",
    "claude": "Claude's export",
    "open_webui": "Open WebUI's export",
}

READERS: dict[str, Callable[[Object, float], Told]] = {"chatgpt": chatgpt.read, "claude": claude.read, "open_webui": open_webui.read}

FAULTS = {
    "too large": f"It is larger than {LARGEST // 2**20} MiB.",
    "too deep": "It is nested too deeply.",
    "cut off": "The file ends in the middle: it was cut off.",
    "not an object": "Something between the conversations is none.",
}


class Imported(NamedTuple):
    """A conversation that can be kept. Its id is the same whenever the same one is imported. `notes` are sentences."""

    kind: str
    conversation: Conversation
    nodes: tuple[Node, ...]
    notes: tuple[str, ...] = ()
    files: tuple[bytes, ...] = ()  # that its messages name by their hashes


class Skipped(NamedTuple):
    """What cannot be kept. `kind` is "" and `title` is "" where they cannot be told."""

    kind: str
    title: str
    why: str


class Importer:
    """`feed` the file in pieces, each to its end before the next, then `finish`. `read` is how many bytes have been looked at.

    Raises Invalid where the file cannot be JSON, and at its end if nothing in it was a conversation of a known kind.
    """

    def __init__(self, now: float, *, largest: int = LARGEST) -> None:
        self.read = 0
        self._now = now
        self._pieces = Pieces(largest=largest)
        self._kinds: set[str] = set()
        self._seen: set[str] = set()
        self._first: Skipped | None = None

    def feed(self, data: bytes) -> Iterator[Imported | Skipped]:
        for start in range(0, len(data), STEP):
            part = data[start : start + STEP]
            self.read += len(part)
            yield from self._found(self._pieces.feed(part))

    def finish(self) -> Iterator[Imported | Skipped]:
        yield from self._found(self._pieces.finish())
        if not self._kinds:
            why = f" The first thing in it: {self._first.why}" if self._first else ""
            raise Invalid(f"No conversation was found. Known are {', '.join(KINDS.values())}.{why}")

    def _found(self, pieces: Iterator[Piece]) -> Iterator[Imported | Skipped]:
        for piece in pieces:
            found = self._one(piece)
            if isinstance(found, Skipped):
                self._first = self._first or found
            if found.kind:
                self._kinds.add(found.kind)
            yield found

    def _one(self, piece: Piece) -> Imported | Skipped:
        if piece.fault:
            return Skipped("", "", FAULTS[piece.fault])
        try:
            value = _decoded(piece.raw)
        except (ValueError, RecursionError):
            return Skipped("", "", "It is not JSON.")
        if not isinstance(value, dict):
            return Skipped("", "", "It is a list, not a conversation.")
        kind = kind_of(value)
        if kind is None:
            fields = ", ".join(line(name)[:40] for name in list(value)[:8])
            return Skipped("", title_of(value), f"It is no conversation of a known kind. Its fields are: {fields or 'none'}.")
        found = self._own(value) if kind == "headrace" else self._foreign(kind, value, piece.raw)
        return found if isinstance(found, Skipped) else self._once(found)

    def _own(self, value: Object) -> Imported | Skipped:
        try:
            conversation, nodes, notes = headrace.read(value, self._now)
        except Invalid as exc:
            return Skipped("headrace", title_of(value), exc.message)
        return Imported("headrace", conversation, nodes, notes, headrace.files(value))

    def _foreign(self, kind: str, value: Object, raw: bytes) -> Imported | Skipped:
        told = READERS[kind](value, self._now)
        times = [said.at for said in told.said if said.at is not None]
        created = told.created or min(times, default=self._now)
        id = identity(kind, told.id or raw.decode("utf-8", "replace"))
        tree = grown(id, told.said, told.shown, created)
        title = (told.title[: LONGEST - 1] + "…" if len(told.title) > LONGEST else told.title) or _first_words(tree.nodes)
        if not tree.nodes:
            return Skipped(kind, title, "It has no messages.")
        updated = max(told.updated or max(times, default=created), created)
        shown = tip(tree.nodes, tree.shown) if tree.shown else None
        conversation = Conversation(id, title or "Imported conversation", created, updated, tree.model or told.model, shown)
        return Imported(kind, conversation, tree.nodes, (*tree.notes, *left_out(told.left_out)))

    def _once(self, found: Imported) -> Imported | Skipped:
        """No id twice, of whatever: the second would overwrite the first."""
        if found.conversation.id in self._seen:
            return Skipped(found.kind, found.conversation.title, "It is in the file twice; the first one was taken.")
        ids = {found.conversation.id, *(node.id for node in found.nodes)}
        if not self._seen.isdisjoint(ids):
            return Skipped(found.kind, found.conversation.title, "It has messages of another conversation in the file.")
        self._seen |= ids
        return found


def imported(pieces: Iterable[bytes], now: float) -> Iterator[Imported | Skipped]:
    """All of a file, lazily. `now` in Unix seconds: no time in the file is later. Raises Invalid as Importer does."""
    importer = Importer(now)
    for piece in pieces:
        yield from importer.feed(piece)
    yield from importer.finish()


def kind_of(value: Object) -> str | None:
    """The export that a conversation of this shape is from."""
    if "headrace" in value:
        return "headrace"
    if isinstance(value.get("mapping"), dict):
        return "chatgpt"
    if isinstance(value.get("chat_messages"), list):
        return "claude"
    chat = value.get("chat", value)
    if isinstance(chat, dict) and (isinstance(chat.get("history"), dict) or isinstance(chat.get("messages"), list)):
        return "open_webui"
    return None


class Report:
    """What an import did, for people: `add` what was found."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.imported = 0
        self.skipped = 0
        self.known = 0  # that were here already
        self.lines: list[str] = []  # one for each conversation of which something is to be said

    def add(self, found: Imported | Skipped) -> None:
        if isinstance(found, Imported):
            self.imported += 1
            self.kinds[found.kind] += 1
            if found.notes:
                self.lines.append(f"{found.conversation.title}: {' '.join(found.notes)}")
        else:
            self.skipped += 1
            self.lines.append(f"{found.title or 'Without a title'}: skipped. {found.why}")

    def add_known(self) -> None:
        self.known += 1

    @property
    def summary(self) -> str:
        said = f"{self.imported} conversation{'s' * (self.imported != 1)} imported"
        origin = " and ".join(KINDS[kind] for kind in self.kinds)
        said += f" from {origin}" if origin else ""
        said += f", {self.known} here already" if self.known else ""
        return said + (f", {self.skipped} skipped." if self.skipped else ".")


def title_of(value: Object) -> str:
    """The title of what is skipped, if it has one."""
    return line(value.get("title") or value.get("name"))[:LONGEST]


def left_out(counted: Counter[str]) -> tuple[str, ...]:
    """One sentence for all that was left out of a conversation."""
    said = [f"{what} ({number})" for what, number in sorted(counted.items()) if number]
    return ("Left out: " + ", ".join(said) + ".",) if said else ()


def _decoded(raw: bytes) -> object:
    """Raises ValueError or RecursionError. The strict decoder needs no text of the whole; what it refuses, the liberal one may take."""
    try:
        return msgspec.json.decode(raw)
    except ValueError:
        return json.loads(raw.decode("utf-8", "replace"), parse_constant=lambda _: None)


def _first_words(nodes: tuple[Node, ...]) -> str:
    for node in nodes:
        for part in node.message.parts if node.message else node.parts:
            if isinstance(part, Text) and (said := line(text(part.text)[:1000])):
                return said if len(said) <= TITLE else said[: TITLE - 1].rstrip() + "…"
    return ""


STEP = 1 << 20  # bytes looked at before the next is cut off a file that comes as one
