"""Text to pieces, as a tokenizer cuts it: about 3.7 characters each in English prose. No randomness, nothing is lost.

Laws: "".join(pieces(text)) == text; a leading space belongs to the piece after it; equal text gives equal pieces.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

LONGEST = 5  # letters; longer words are cut into equal parts

# Words, numbers of up to three digits, runs of signs, line ends, indentation; then whatever is left, character by character.
_PIECE = re.compile(r"(?P<head>[ _]?)(?P<word>[^\W\d_]+)|[ ]?\d{1,3}|[ ]?[^\w\s]{1,3}|\n{1,2}|[ ]{1,16}(?=[ ])|.", re.DOTALL)


def pieces(text: str) -> Iterator[str]:
    for match in _PIECE.finditer(text):
        word = match["word"]
        if word is None or len(word) <= LONGEST:
            yield match[0]
        else:
            yield from _parts(match["head"], word)


def size(text: str) -> int:
    """How many pieces: what usage counts as tokens."""
    return sum(1 for _ in pieces(text))


def _parts(head: str, word: str) -> Iterator[str]:
    count = -(-len(word) // LONGEST)
    cuts = [len(word) * i // count for i in range(count + 1)]
    yield head + word[: cuts[1]]
    for start, end in pairwise(cuts[1:]):
        yield word[start:end]
