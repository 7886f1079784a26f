"""Texts that are meant to cost much, streamed as a model would say them: how long the event loop is held by one step of rendering.

    uv run python -m benchmarks.poison [--within 200] [--total 1.5]      about a minute

Each text is written in pieces of 200 characters and rendered after each, as for a page; also whole, as for a page that is opened.
`--within`: milliseconds of CPU of the longest step; `--total`: seconds of CPU for an ordinary reply of 23 kB. Exit code 1 beyond them.
"""

import argparse
import sys
import time
from collections.abc import Callable

from benchmarks.markdown import blocks_cost, reply
from ui.markdown import Blocks

SIZES = (20_000, 200_000)  # characters
PIECE = 200
TOKENS = 5_750  # 23 kB

# What each begins with and repeats; most of them have made some renderer of Markdown quadratic, or worse.
BOMBS: dict[str, Callable[[int], str]] = {
    "quotes": lambda n: ">" * n,
    "quotes on lines": lambda n: "".join(">" * (at % 200) + " a\n" for at in range(n // 100)),
    "lists": lambda n: "".join("  " * (at % 100) + "- a\n" for at in range(n // 104)),
    "one list": lambda n: "- a\n" * (n // 4),
    "brackets": lambda n: "[" * n,
    "closed brackets": lambda n: "[" * (n // 2) + "]" * (n // 2),
    "links": lambda n: "[a](" * (n // 4),
    "links in links": lambda n: "[a" * (n // 4) + "](b)" * (n // 8),
    "pictures": lambda n: "![" * (n // 2),
    "stars": lambda n: "*" * n,
    "stars and letters": lambda n: "*a **a " * (n // 7),
    "underlines": lambda n: "_a __a " * (n // 7),
    "emphasis that never ends": lambda n: "a**b" * (n // 4),
    "backticks": lambda n: "`" * n,
    "backticks of all lengths": lambda n: "".join("`" * (at % 300) + " " for at in range(n // 151)),
    "fences": lambda n: "```\n" * (n // 4),
    "one fence": lambda n: "```python\n" + "x = [1, 2, 3]\n" * (n // 14),
    "one line of code": lambda n: "```python\n" + "x = [1, 2, 3]; " * (n // 15),
    "angles": lambda n: "<" * n,
    "comments": lambda n: "<!--" * (n // 4),
    "tags": lambda n: "<a b='" * (n // 6),
    "entities": lambda n: "&#x1F600;&amp" * (n // 13),
    "backslashes": lambda n: "\\" * n,
    "pipes": lambda n: "|" * n,
    "a wide table": lambda n: "|a" * (n // 6) + "|\n" + "|-" * (n // 6) + "|\n" + "|b" * (n // 6) + "|\n",
    "a long table": lambda n: "|a|b|\n|-|-|\n" + "|c|d|\n" * (n // 6),
    "references": lambda n: "".join(f"[{at}]: /u\n" for at in range(n // 20)) + "[1][" * (n // 8),
    "formulas": lambda n: "$a" * (n // 2),
    "formulas in braces": lambda n: "$$" + "{" * (n - 4) + "$$",
    "headings": lambda n: "# a\n" * (n // 4),
    "rules": lambda n: "- - -\n" * (n // 6),
    "one word": lambda n: "a" * n,
    "spaces": lambda n: "a" + " " * n + "b",
    "empty lines": lambda n: "\n" * n,
    "addresses": lambda n: "https://a.example/" * (n // 18),
    "letters without a base": lambda n: "a" + "\u0301" * n,
}


def longest(text: str, piece: int) -> float:
    """Milliseconds of CPU of the longest step."""
    blocks, most = Blocks(), 0.0
    for at in range(0, len(text), piece):
        began = time.process_time()
        blocks.write(text[at : at + piece])
        blocks.render()
        most = max(most, time.process_time() - began)
    began = time.process_time()
    blocks.finish()
    blocks.render()
    return max(most, time.process_time() - began) * 1000


def main() -> int:
    asked = argparse.ArgumentParser(prog="benchmarks.poison")
    asked.add_argument("--within", type=float, default=200.0, help="milliseconds of CPU of the longest step")
    asked.add_argument("--total", type=float, default=1.5, help="seconds of CPU for a reply of 23 kB")
    wishes = asked.parse_args()
    streamed, opened = {}, {}
    for name, bomb in BOMBS.items():
        texts = [bomb(size) for size in SIZES]
        streamed[name] = longest(texts[0], PIECE)
        opened[name] = max(longest(text, len(text)) for text in texts)
        print(f"{name:28} {streamed[name]:7.1f} ms a step of 20 kB, {opened[name]:7.1f} ms the whole of 200 kB", flush=True)
    total = sum(blocks_cost(reply(TOKENS)))
    worst = max(streamed, key=lambda name: streamed[name])
    whole = max(opened, key=lambda name: opened[name])
    print({
        "texts": len(BOMBS),
        "longest step ms": round(streamed[worst], 1),
        "by": worst,
        "longest of 200 kB at once": round(opened[whole], 1),
        "by whole": whole,
        "CPU s of 23 kB streamed": round(total, 2),
    })  # fmt: skip
    return 1 if streamed[worst] > wishes.within or total > wishes.total else 0


if __name__ == "__main__":
    sys.exit(main())
