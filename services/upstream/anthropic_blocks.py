"""Content blocks of Anthropic's Messages, told to a Story. Blocks have numbers; their starts and stops may be missing.

Text goes on in the part that is being said, also from one block to the next: citations cut one sentence into several blocks.
Each thinking block is a part of its own, because its signature belongs to it alone. What is neither prose, a call nor an image
(server tools and their results, compaction, what is yet to come) is an opaque part whose value is the whole block.
"""

from typing import Any

from services.upstream import anthropic_events, loose
from services.upstream.calls import argument_text
from services.upstream.story import Story

Block = dict[str, Any]


class _Open:
    """A block that has not ended: a call, or an opaque one. `texts` are the fragments of its JSON."""

    __slots__ = ("called", "part", "texts", "value")

    def __init__(self, part: int, value: Block, *, called: bool) -> None:
        self.part = part
        self.value = value
        self.called = called
        self.texts: list[str] = []


class Blocks:
    def __init__(self, story: Story) -> None:
        self._story = story
        self._open: dict[int, _Open] = {}
        self._last = -1

    def start(self, index: object, block: Block) -> None:
        number = index if isinstance(index, int) else self._last + 1
        self.stop(number)
        self._last = number
        match block:
            case {"type": "text"}:
                self._text(block)
            case {"type": "thinking"}:
                self._think(block)
            case {"type": "redacted_thinking"}:
                self._redacted(block)
            case {"type": "tool_use"}:
                part = self._story.call(_string(block.get("id")), _string(block.get("name")))
                self._open[number] = _Open(part, block, called=True)
            case {"type": "image"} if url := anthropic_events.image_url(block):
                self._story.pause()
                self._story.thing("image", {"url": url})
            case _:
                self._story.pause()
                self._open[number] = _Open(self._story.start("opaque"), block, called=False)

    def more(self, index: object, delta: Block) -> None:
        """A piece of a block; where its start is missing, the piece says itself what it is one of."""
        opened = self._open.get(self._number(index))
        if opened is not None and not opened.called:
            _grow(opened, delta)
            return
        match delta:
            case {"text": str(text)}:
                self._story.say("text", text)
            case {"thinking": str(text)}:
                self._story.say("reasoning", text)
            case {"signature": str(signature)}:
                self._sign(signature)
            case {"partial_json": str(text)}:
                self.arguments(index, text)
            case {"citation": dict(citation)}:
                self._story.thing("source", anthropic_events.source(citation))

    def arguments(self, index: object, text: str) -> None:
        number = self._number(index)
        opened = self._open.get(number)
        if opened is None and text:
            opened = self._open[number] = _Open(self._story.call(None, ""), {}, called=True)
        if opened is not None and text:
            opened.texts.append(text)
            if opened.called:
                self._story.more(opened.part, text)

    def stop(self, index: object) -> None:
        opened = self._open.pop(self._number(index), None)
        if opened is not None:
            self._close(opened)
        elif self._story.saying == "reasoning":
            self._story.pause()

    def finish(self) -> None:
        """The message ends, and with it the blocks whose stop is missing."""
        while self._open:
            self._close(self._open.pop(next(iter(self._open))))

    def whole(self, content: list[Any]) -> None:
        """Blocks that come complete."""
        for block in content:
            if isinstance(block, dict):
                self.start(None, block)
                self.stop(None)

    def _number(self, index: object) -> int:
        return index if isinstance(index, int) else self._last

    def _text(self, block: Block) -> None:
        self._story.say("text", _string(block.get("text")))
        citations = block.get("citations")
        for citation in citations if isinstance(citations, list) else ():
            if isinstance(citation, dict):
                self._story.thing("source", anthropic_events.source(citation))

    def _think(self, block: Block) -> None:
        self._story.pause()
        self._story.say("reasoning", _string(block.get("thinking")))
        self._sign(_string(block.get("signature")))

    def _sign(self, signature: str) -> None:
        """Of thoughts that are not shown there is a signature only."""
        if not signature or self._story.ended:
            return
        if self._story.saying == "reasoning":
            self._story.keep(self._story.prose, "signature", signature)
        else:
            self._side(None, "signature", signature)

    def _redacted(self, block: Block) -> None:
        self._story.pause()
        if hidden := _string(block.get("data")):
            self._side("encrypted", "redacted", hidden)

    def _side(self, form: Any, key: str, value: str) -> None:
        self._story.pause()
        part = self._story.start("reasoning", form=form)
        self._story.keep(part, key, value)
        self._story.close(part)

    def _close(self, opened: _Open) -> None:
        whole = opened.value.get("input")
        if opened.called:
            if not opened.texts and whole:  # some servers send the arguments whole, with the block's start
                self._story.more(opened.part, argument_text(whole))
            self._story.close(opened.part)
            return
        if opened.texts:
            text = "".join(opened.texts)
            meant = loose.arguments(text)
            opened.value["input"] = text if meant is None else meant
        self._story.close(opened.part, opened.value)


def _grow(opened: _Open, delta: Block) -> None:
    for key, value in delta.items():
        before = opened.value.get(key)
        if key == "partial_json" and isinstance(value, str):
            opened.texts.append(value)
        elif key != "type":
            opened.value[key] = before + value if isinstance(before, str) and isinstance(value, str) else value


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
