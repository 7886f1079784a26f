"""What rendering a streamed reply costs: blocks and patches against the whole text again and again. CPU of this process.

    uv run python -m benchmarks.markdown [tokens]     about 20 s for 8000

A token is 3.7 characters; a reply is headings, paragraphs, lists, tables, code and quotes. What the page and the wire
cost besides is in page.py.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator

import markdown2  # type: ignore[import-untyped]
from markdown_it import MarkdownIt

from ui.markdown import Blocks

TOKENS_PER_RENDER = 7

WORDS = (  # noqa: SIM905
    "the a of to and in is that for it as with on be by this are from or which when value stream token reader writer server client event"
    " buffer state order latency request response between memory process because however therefore simple example result function called"
    " returns before after every other small large first second number position follows cursor journal replay network browser page"
).split()


# The reply


def reply(tokens: int, seed: int = 7) -> str:
    rng = random.Random(seed)
    parts: list[str] = []
    while sum(map(len, parts)) < 4 * tokens:
        parts.append(rng.choices([_paragraph, _list, _code, _table, _quote, _heading], [8, 4, 3, 1, 1, 2])[0](rng))
    return "".join(parts)[: 4 * tokens]


def pieces(text: str) -> Iterator[str]:
    """3.7 characters each, on average."""
    at, debt = 0, 0.0
    while at < len(text):
        debt += 3.7
        yield text[at : at + int(debt)]
        at, debt = at + int(debt), debt - int(debt)


def _words(rng: random.Random, count: int) -> str:
    text = " ".join(rng.choice(WORDS) for _ in range(count)).capitalize()
    for mark in ("**", "`", "*"):
        if rng.random() < 0.35:
            word = rng.choice(WORDS)
            text = text.replace(f" {word} ", f" {mark}{word}{mark} ", 1)
    return text


def _heading(rng: random.Random) -> str:
    return f"{'#' * rng.randint(1, 3)} {_words(rng, 4)}\n\n"


def _paragraph(rng: random.Random) -> str:
    return " ".join(_words(rng, rng.randint(8, 18)) + "." for _ in range(rng.randint(2, 5))) + "\n\n"


def _list(rng: random.Random) -> str:
    mark = rng.choice(["- {}", "{n}. {}"])
    return "".join(mark.format(f"{_words(rng, 10)}.", n=n) + "\n" for n in range(1, rng.randint(4, 8))) + "\n"


def _code(rng: random.Random) -> str:
    lines = [f"def {rng.choice(WORDS)}_{rng.choice(WORDS)}(self, {rng.choice(WORDS)}: int = {rng.randint(0, 99)}) -> str:"]
    for _ in range(rng.randint(4, 14)):
        lines.append(
            f"    {rng.choice(WORDS)} = self.{rng.choice(WORDS)}['{rng.choice(WORDS)}'] + {rng.randint(0, 999)}  # {_words(rng, 3)}"
        )
    return "```python\n" + "\n".join([*lines, f"    return {rng.choice(WORDS)}"]) + "\n```\n\n"


def _table(rng: random.Random) -> str:
    rows = [f"| {_words(rng, 2)} | {rng.randint(0, 9999)} | {_words(rng, 4)} |" for _ in range(rng.randint(3, 7))]
    return "\n".join(["| Name | Count | Remark |", "|---|---:|---|", *rows]) + "\n\n"


def _quote(rng: random.Random) -> str:
    return f"> {_words(rng, 20)}.\n\n"


# Rendering


def blocks_cost(text: str) -> list[float]:
    """CPU seconds of each render, one for every few tokens."""
    blocks, costs = Blocks(), []
    for number, piece in enumerate(pieces(text)):
        began = time.process_time()
        blocks.write(piece)
        if number % TOKENS_PER_RENDER == 0:
            blocks.render()
        costs.append(time.process_time() - began)
    began = time.process_time()
    blocks.finish()
    blocks.render()
    return [*costs, time.process_time() - began]


def whole_cost(text: str, render: Callable[[str], object], samples: int) -> float:
    """CPU seconds of rendering everything so far for every few tokens, by `samples` of those renders."""
    ends = [len(text) * (n + 1) // samples for n in range(samples)]
    began = time.process_time()
    for end in ends:
        render(text[:end])
    renders = len(text) / 3.7 / TOKENS_PER_RENDER
    return (time.process_time() - began) / samples * renders


def compare(tokens: int) -> None:
    text = reply(tokens)
    costs = min((blocks_cost(text) for _ in range(3)), key=sum)
    early, late = _per_token(costs, 1000), _per_token(costs, tokens)
    print(f"{tokens} tokens, {len(text) / 1000:.0f} kB, a render every {TOKENS_PER_RENDER} tokens")
    print(f"  blocks                    {sum(costs):8.2f} s   {early * 1e6:.0f} us/token at 1k, {late * 1e6:.0f} at {tokens / 1000:.0f}k")
    md = MarkdownIt("js-default", {"html": False})
    print(f"  markdown-it-py, all text  {whole_cost(text, md.render, 200):8.2f} s")
    nicegui = markdown2.Markdown(extras=["fenced-code-blocks", "tables"])
    print(f"  markdown2, all text       {whole_cost(text, nicegui.convert, 60):8.2f} s   (what ui.markdown does, without its cache)")


def _per_token(costs: list[float], until: int) -> float:
    """The mean over the thousand tokens that end with number `until`."""
    window = costs[max(until - 1000, 0) : until]
    return sum(window) / len(window)


if __name__ == "__main__":
    compare(int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
