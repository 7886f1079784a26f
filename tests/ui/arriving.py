"""Ways in which a text can arrive: at once, or in pieces whose patches a browser applies."""

from ui.markdown import Blocks, Patch


class Reader:
    """The browser's side of the patches, counting in UTF-16 units as JavaScript does."""

    def __init__(self) -> None:
        self.blocks: list[str] = []

    def apply(self, patch: Patch | None) -> None:
        if patch is not None:
            first, changes = patch
            assert first <= len(self.blocks)
            old = [*self.blocks[first:], *[""] * len(changes)]
            self.blocks[first:] = [
                _units(was)[: 2 * keep].decode("utf-16-le") + suffix for was, (keep, suffix) in zip(old, changes, strict=False)
            ]


def _units(text: str) -> bytes:
    return text.encode("utf-16-le")


def whole(text: str) -> list[str]:
    blocks = Blocks()
    blocks.write(text)
    blocks.finish()
    blocks.render()
    return blocks.html


def shown(text: str) -> str:
    """What is on the screen while more is to come."""
    blocks = Blocks()
    blocks.write(text)
    blocks.render()
    return "\n".join(blocks.html)


def streamed(pieces: list[str]) -> list[str]:
    blocks, reader = Blocks(), Reader()
    for piece in pieces:
        blocks.write(piece)
        reader.apply(blocks.render())
        assert reader.blocks == blocks.html
    blocks.finish()
    reader.apply(blocks.render())
    assert reader.blocks == blocks.html
    assert blocks.render() is None
    return reader.blocks


def cut(text: str, sizes: list[int]) -> list[str]:
    pieces, at, turn = [], 0, 0
    while at < len(text):
        size = sizes[turn % len(sizes)]
        pieces.append(text[at : at + size])
        at, turn = at + size, turn + 1
    return pieces
