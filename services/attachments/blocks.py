"""A file as text for a model: its name, and what is in it as a code block that nothing inside can end."""

import re

TICKS = re.compile(r"`{3,}")
LANGUAGE = re.compile(r"[a-z0-9+#]{1,12}")


def block(name: str, text: str, most: int, pages: str = "") -> str:
    """At most `most` characters of the text; what was left out is told. The same file is the same block, always."""
    ticks = "`" * max(3, 1 + max((len(run) for run in TICKS.findall(text)), default=0))
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    language = ending if LANGUAGE.fullmatch(ending) and ending not in ("pdf", "txt") else ""
    cut = f"\n(These are the first {most:,} of {len(text):,} characters of the file.)" if len(text) > most else ""
    return f"File: {name}{pages}\n{ticks}{language}\n{text[:most].rstrip()}\n{ticks}{cut}"
