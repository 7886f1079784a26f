"""Rows of the timeline in words: a line each for the list, and everything in one for who looks closer. Text only, whatever it holds."""

from collections.abc import Sequence
from typing import Any

import msgspec

from services.events import Entry, Failed, Finished, PartDelta, PartFinished, PartStarted, Retrying, Started, Status, Usage
from services.record.look import Look
from services.record.record import Record
from services.record.timeline import Piece, Row, Timeline
from services.record.told import hidden
from ui.language import say, say_count, say_number

SHOWN = 160  # characters of a lane in a line
CLOSER = 64_000  # bytes of one piece when it is looked at closer
HEX = 4096  # and of those as hexadecimal numbers
ALIKE, KEPT = 40, 16  # bytes: a beginning that is left out, but for its end
VISIBLE = str.maketrans({"\n": "⏎", "\r": "␍", "\t": "⇥"})


class Rows:
    """All of one generation. `lanes` names the readers."""

    def __init__(self) -> None:
        self.timeline = Timeline()
        self._record: Record | None = None
        self._entries: Sequence[Entry] = ()
        self._reads: list[Look] = []
        self._writes: list[Look] = []

    def __len__(self) -> int:
        return len(self.timeline.rows)

    def grow(self, record: Record | None, entries: Sequence[Entry]) -> int | None:
        """Returns the number of the first row that is another one than before; None when there is nothing new."""
        self._record, self._entries = record, entries
        if record is not None:
            self._reads += [Look(exchange) for exchange in record.exchanges[len(self._reads) :]]
            self._writes += [Look(reader) for reader in record.readers[len(self._writes) :]]
        return self.timeline.grow(record, entries)

    @property
    def readers(self) -> list[str]:
        return [reader.dialect for reader in self._record.readers] if self._record else []

    # A line

    def line(self, number: int) -> dict[str, Any]:
        row = self.timeline.rows[number]
        return {
            "n": number,
            "at": time(row.at),
            "gap": f"+{time(row.gap)}" if number else "",
            "notes": [self._note(*note) for note in row.notes],
            "up": self._new(self._reads, row.reads),
            "came": self._came(row),
            "events": self._events(row),
            "writes": [self._written([each for each in row.writes if each.of == of]) for of in range(len(self._writes))],
        }

    def text(self, number: int, lane: str) -> str:
        """What a search goes through."""
        row = self.timeline.rows[number]
        told = []
        if lane in ("", "upstream"):
            told += [self._raw(self._reads, row.reads).decode("utf-8", "replace"), *(self._note(*note) for note in row.notes)]
        if lane in ("", "events"):
            told += [self._event(self._entries[at]) for at in row.entries]
        if lane in ("", "readers"):
            told.append(self._raw(self._writes, row.writes).decode("utf-8", "replace"))
        return "\n".join(told)

    def has(self, number: int, lane: str) -> bool:
        row = self.timeline.rows[number]
        return bool({"upstream": row.reads or row.notes, "events": row.entries, "readers": row.writes}.get(lane, True))

    def _raw(self, looks: Sequence[Look], pieces: Sequence[Piece]) -> bytes:
        return b"".join(looks[of][at] for of, at in pieces if of < len(looks))

    def _written(self, pieces: Sequence[Piece]) -> str:
        return self._new(self._writes, pieces) or " ".join(self._given(*piece) for piece in pieces)

    def _given(self, of: int, at: int) -> str:
        """The numbers of the entries in a write."""
        if self._record is None or of >= len(self._record.readers):
            return ""
        entries = self._record.readers[of].entries
        first, last = (entries[at - 1] + 1 if at else 1), entries[at]
        return f"#{last}" if first >= last else f"#{first}–{last}"

    def _new(self, looks: Sequence[Look], pieces: Sequence[Piece]) -> str:
        """A line of these pieces, without what they begin with just like the one before them: there the news is never."""
        data = self._raw(looks, pieces)
        if not pieces or not pieces[0].at:
            return _line(data)
        before = looks[pieces[0].of][pieces[0].at - 1]
        same = next((at for at, (one, other) in enumerate(zip(data, before, strict=False)) if one != other), min(len(data), len(before)))
        return _line(data) if same < ALIKE else "…" + _line(data[same - KEPT :])

    def _note(self, what: str, of: int) -> str:
        if self._record is None or of >= len(self._record.exchanges):
            return ""
        exchange = self._record.exchanges[of]
        if what == "asked":
            return f"→ {exchange.method} {exchange.url}"
        if what == "answered":
            return f"← {exchange.status} {exchange.media}"
        return f"× {say('connection closed')}"

    def _came(self, row: Row) -> str:
        if not row.reads:
            return ""
        size = sum(len(self._reads[of][at]) for of, at in row.reads if of < len(self._reads))
        frames = sum(self._reads[of].frames(at) for of, at in row.reads if of < len(self._reads))
        return f"{_bytes(size)} · {say_count(frames, '{n} frame', '{n} frames')}" if frames else _bytes(size)

    def _events(self, row: Row) -> str:
        entries = [self._entries[at] for at in row.entries]
        deltas = "".join(entry.event.text for entry in entries if isinstance(entry.event, PartDelta))
        many = sum(isinstance(entry.event, PartDelta) for entry in entries)
        told = [self._word(entry) for entry in entries if not isinstance(entry.event, PartDelta)]
        if many:
            told.append(f"delta{f' ×{many}' if many > 1 else ''} “{hidden(self._record, deltas) if self._record else deltas}”")
        return _cut(" · ".join(told).translate(VISIBLE))

    def _word(self, entry: Entry) -> str:
        match entry.event:
            case Started():
                return "created"
            case Status(state):
                return state
            case Retrying(attempt, wait_ms, code):
                return f"retrying: {attempt}, {wait_ms} ms, {code}"
            case PartStarted(_, kind):
                return f"{kind} begins"
            case PartFinished():
                return "part ends"
            case Usage():
                return "usage"
            case Finished(reason):
                return f"end: {reason}"
            case Failed(code):
                return f"failed: {code}"
            case _:
                return "delta"

    def _event(self, entry: Entry) -> str:
        told = msgspec.json.encode(entry.event).decode()
        return hidden(self._record, told) if self._record else told

    # Looked at closer

    def closer(self, number: int) -> list[dict[str, Any]]:
        """Blocks of a row by lane: `title`, `text`, and `hex` where it is bytes."""
        row = self.timeline.rows[number]
        record = self._record
        blocks: list[dict[str, Any]] = []
        for what, of in row.notes:
            blocks.append({"lane": "upstream", "title": say("Request {n}", n=of + 1), "text": self._note(what, of)})
        if record is not None and not record.dropped:
            for of, at in row.reads:
                moment = time(record.exchanges[of].reads.ms(at))
                blocks.append(_block("upstream", say("Read {n} at {time}", n=at + 1, time=moment), self._reads[of][at]))
            for of, at in row.writes:
                reader = record.readers[of]
                title = f"{reader.dialect} · {say('Write {n} at {time}', n=at + 1, time=time(reader.writes.ms(at)))}"
                data = self._writes[of][at]
                blocks.append(_block("readers", title, data) if data else {"lane": "readers", "title": title, "text": self._given(of, at)})
        for at in row.entries:
            entry = self._entries[at]
            blocks.append({"lane": "events", "title": f"#{entry.seq} · {time(entry.at)}", "text": self._event(entry)[:CLOSER]})
        return blocks


def _block(lane: str, title: str, data: bytes) -> dict[str, Any]:
    text = data[:CLOSER].decode("utf-8", "replace")
    more = say("{n} bytes more: download it", n=say_number(len(data) - CLOSER)) if len(data) > CLOSER else ""
    return {"lane": lane, "title": f"{title} · {_bytes(len(data))}", "text": text, "hex": _hex(data[:HEX]), "more": more}


def _hex(data: bytes) -> str:
    """Sixteen bytes a line: where, which, and what they look like."""
    lines = []
    for at in range(0, len(data), 16):
        some = data[at : at + 16]
        seen = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in some)
        lines.append(f"{at:06x}  {some.hex(' '):<47}  {seen}")
    return "\n".join(lines)


def _line(data: bytes) -> str:
    return _cut(data[: 4 * SHOWN].decode("utf-8", "replace").strip("\n").translate(VISIBLE))


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _bytes(size: int) -> str:
    return f"{say_number(size)} B" if size < 10_000 else f"{say_number(size / 1000, 1)} kB"


def time(ms: float) -> str:
    """12.3 ms, 1.234 s."""
    return f"{say_number(ms, 1)} ms" if ms < 1000 else f"{say_number(ms / 1000, 3)} s"
