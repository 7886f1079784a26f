"""A growing text as a list of HTML blocks: finished ones are frozen, one stays open. Each render costs what is open, not what was.

    blocks = Blocks()
    blocks.write("# Hel"); blocks.write("lo\n\nWor")
    blocks.render()  -> (0, [[0, "<h1>Hello</h1>"], [0, "<p>Wor</p>"]])
    blocks.write("ld")
    blocks.render()  -> (1, [[6, "ld</p>"]])

A patch `(first, changes)` says what the blocks from number `first` on are: there are `first + len(changes)` blocks now, and
each of those is the first `keep` UTF-16 units of what it was, and `suffix`. Structure is decided on complete lines only;
CommonMark is line-wise, so every top-level block but the last is then closed for good.
"""

import re
from collections.abc import Set
from itertools import zip_longest

from ui.markdown.code import Paint
from ui.markdown.parser import Block, Drawn, References, excessive, outline, plain, render

Patch = tuple[int, list[tuple[int, str]]]

# Not str.splitlines(): that also cuts at \v, \f, \x1c-\x1e, \x85, U+2028 and U+2029, which are text to CommonMark.
LINE_ENDS = re.compile(r"\r\n?")
# A high surrogate or a \r at the end of a piece: what it is shows with the next piece.
UNDECIDED = re.compile("[\ud800-\udbff\r]\\Z")
# NUL is no character of HTML; bidi embeddings, overrides and isolates could show code that is not the code.
UNFIT = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)]) | {0: "\ufffd"}

# A last line of only this may become anything: `-` is a bullet, a rule, or makes a heading of the line above.
MARKUP_ONLY = re.compile(r"[\s>*_#=~`|:+\-.)\[\]!$\\\d]*|\s*(?:`{3,}|~{3,})[^`\n]*")
# The head of a table, before the line that makes it one.
TABLE_HEAD = re.compile(r"\s*\|[^\n]*\n?")


# Of one open block, from which on its end is looked for less often. Few blocks are that long, and they are all one list.
LONG = 8 * 1024
SLICE = 0.005  # seconds of CPU for colours, with each render


class Blocks:
    """Never raises because of a text. `html` is the list that all patches so far lead to; do not change it.

    If `unhurried`, a large code block is plain at first, and gets its colours by later renders, a slice of the work with each;
    `changed` until then.
    """

    def __init__(self, *, unhurried: bool = False) -> None:
        self.html: list[str] = []
        self._unhurried = unhurried
        self._paints: dict[int, Paint] = {}  # frozen blocks whose colours are to come
        self._undecided = ""
        self._open = ""  # the text from the first block on that is not frozen
        self._outlined = 0  # how much of it `outline` has seen
        self._references: References = {}
        self._drawn = Drawn()
        self._mentions: dict[int, Block] = {}  # frozen blocks that may refer to something
        self._frozen = 0
        self.changed = False  # something was written since the last render
        self.finished = False

    def write(self, text: str) -> None:
        if self.finished:
            raise ValueError("write after finish")
        text = self._undecided + text
        tail = UNDECIDED.search(text)
        self._undecided = tail[0] if tail else ""
        self._accept(text[: len(text) - len(self._undecided)])

    def finish(self) -> None:
        """No more text: `render` once more, and the blocks are those of the whole text."""
        self._accept(self._undecided)
        self.finished = self.changed = True

    def _accept(self, text: str) -> None:
        if not text:
            return
        if not text.isascii():
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        self._open += LINE_ENDS.sub("\n", text).translate(UNFIT)
        self.changed = True

    def render(self) -> Patch | None:
        """What has changed since the last call; None if nothing has."""
        if not self.changed:
            return None
        self.changed = False
        self._drawn.turn()
        first, known = self._frozen, set(self._references)
        fresh = self._freeze()
        self._frozen += len(fresh)
        again = self._redraw(first, self._references.keys() - known) | self._colour()
        self._paints.update((number, block.paint) for number, block in enumerate(fresh, first) if block.paint)
        self.changed = bool(self._paints)
        blocks = [block.html for block in [*fresh, *self._draw_open()]]
        if self.finished:
            self._mentions.clear()
        start = min([first, *again])
        return self._show(start, [again.get(n, self.html[n]) for n in range(start, first)] + blocks)

    def _freeze(self) -> list[Block]:
        """Take the closed blocks off the open text."""
        cut = len(self._open) if self.finished else self._closed()
        source, self._open = self._open[:cut], self._open[cut:]
        self._outlined -= cut
        fresh = render(source, self._references, final=True, drawn=self._drawn, unhurried=self._unhurried) if cut else []
        self._mentions.update((number, block) for number, block in enumerate(fresh, self._frozen) if block.labels)
        return fresh

    def _closed(self) -> int:
        """How much of the open text no further line can change."""
        end = self._open.rfind("\n") + 1
        if end <= self._outlined + (self._outlined // 8 if end > LONG else 0):  # nothing new, or too little to look again
            return 0
        self._outlined = end
        spans = outline(self._open[:end], self._references)
        return _offset(self._open, max((span.end for span in spans if span.closed), default=0))

    def _redraw(self, frozen: int, defined: Set[str]) -> dict[int, str]:
        """Frozen blocks, by number, that mention what has just been defined."""
        if not defined:
            return {}
        numbers = [n for n, block in self._mentions.items() if n < frozen and not defined.isdisjoint(block.labels)]
        return {n: block.html for n in numbers for block in render(self._mentions[n].source, self._references, final=True)[:1]}

    def _colour(self) -> dict[int, str]:
        """One slice of work; the block that is done by it."""
        number = next(iter(self._paints), None)
        if number is None or not self._paints[number].go(SLICE):
            return {}
        return {number: self._paints.pop(number).box()}

    def _draw_open(self) -> list[Block]:
        head, _, last = self._open.rpartition("\n")
        shown = head if MARKUP_ONLY.fullmatch(last) else self._open
        if excessive(shown):
            return [plain(shown)]
        blocks = render(shown, dict(self._references), final=False, drawn=self._drawn)
        return blocks[:-1] if blocks and TABLE_HEAD.fullmatch(blocks[-1].source) else blocks

    def _show(self, first: int, blocks: list[str]) -> Patch | None:
        old = self.html[first:]
        same = next((i for i, (was, now) in enumerate(zip(old, blocks, strict=False)) if was != now), min(len(old), len(blocks)))
        if same == len(old) == len(blocks):
            return None
        self.html[first + same :] = blocks[same:]
        return first + same, [_change(was, now) for was, now in zip_longest(old[same : len(blocks)], blocks[same:], fillvalue="")]


def _offset(text: str, line: int) -> int:
    """Where line number `line` begins."""
    at = 0
    for _ in range(line):
        at = text.index("\n", at) + 1
    return at


def _change(was: str, now: str) -> tuple[int, str]:
    keep = _common(was, now)
    return len(now[:keep].encode("utf-16-le")) // 2, now[keep:]


def _common(a: str, b: str) -> int:
    """The length of the common prefix, by halves: comparing slices is memcmp, comparing characters is a loop."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
