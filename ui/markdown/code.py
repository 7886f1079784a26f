"""A code block: its box with language and Copy button, and its colours by Pygments. Never guesses a language."""

import re
import time
from collections.abc import Iterator
from functools import lru_cache

from markdown_it.common.utils import escapeHtml
from pygments.lexer import Lexer
from pygments.lexers import get_all_lexers, get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Literal, Name, Number, Operator, String, Token, _TokenType

# The languages that get colours, by Pygments' first name of each; their other names work too (`py`, `sh`, `yml`).
# Not all 550: hostile text runs against a lexer's patterns, and one match cannot be interrupted. 60 kB of `<%` take `aspx-cs`
# 9 s, of `/*` the `antlr-*` 5 s. Those named here end in time whatever they are given.
COLOURED = {
    "apacheconf", "awk", "bash", "batch", "c", "clojure", "cmake", "common-lisp", "console", "cpp", "csharp", "css", "dart", "diff",
    "docker", "elixir", "erlang", "fortran", "fsharp", "gas", "glsl", "go", "graphql", "groovy", "haskell", "html", "http", "ini",
    "java", "javascript", "json", "jsx", "julia", "kotlin", "less", "lua", "make", "markdown", "matlab", "mysql", "nasm", "nginx",
    "nixos", "objective-c", "ocaml", "perl", "php", "postgresql", "powershell", "prolog", "promql", "properties", "protobuf",
    "pycon", "python", "restructuredtext", "ruby", "rust", "scala", "scheme", "scss", "solidity", "splus", "sql", "sqlite3",
    "swift", "tcl", "terraform", "tex", "toml", "tsx", "typescript", "vb.net", "verilog", "vhdl", "vim", "vue", "xml", "yaml",
    "zig",
}  # fmt: skip
NAMES = frozenset(name for _, names, _, _ in get_all_lexers(plugins=False) if names and names[0] in COLOURED for name in names)
LANGUAGE = re.compile(r"[\w+#.-]{1,24}", re.ASCII)

# Most lexers are quadratic in long lines or runs of blank lines (16 kB of newlines as `java`: 8 s with Pygments 2.21).
# So long code, long lines and runs of blank lines stay plain, and a clock that only counts our own CPU ends the rest.
LARGEST = 64 * 1024
UNFIT = re.compile(r"^[^\n]{1001}|^(?:[ \t]*\n){51}", re.MULTILINE)
BUDGET = 0.15  # seconds of CPU; 64 kB of ordinary code take about half of it

# A diagram is drawn when somebody wants it: the library that does is ten times the rest of the page.
DRAW = '<button type="button" class="hr-draw" aria-expanded="false">Show diagram</button>'

# One letter per colour of prose.css; what is not named here, or by its parent, has the colour of text.
COLOURS = {
    Comment: "c",
    Comment.Preproc: "k",
    Generic.Deleted: "d",
    Generic.Heading: "f",
    Generic.Inserted: "i",
    Generic.Output: "c",
    Generic.Prompt: "c",
    Generic.Subheading: "f",
    Keyword: "k",
    Keyword.Constant: "n",
    Keyword.Type: "t",
    Literal: "n",
    Name.Attribute: "t",
    Name.Builtin: "t",
    Name.Builtin.Pseudo: "n",
    Name.Class: "f",
    Name.Constant: "n",
    Name.Decorator: "f",
    Name.Exception: "t",
    Name.Function: "f",
    Name.Tag: "k",
    Number: "n",
    Operator.Word: "k",
    String: "s",
    String.Doc: "c",
    String.Escape: "n",
    Token: "",
}


def box(info: str, code: str, *, whole: bool) -> str:
    """The HTML of a code block. Colours come only when it is `whole`: an open fence changes with each patch."""
    language = _language(info)
    return _box(info, highlight(language, code) if whole else escapeHtml(code), DRAW if whole and language == "mermaid" else "")


def _box(info: str, body: str, more: str = "") -> str:
    return (
        f'<div class="hr-code"><div class="hr-code-head"><span>{escapeHtml(_language(info))}</span>{more}'
        '<button type="button" class="hr-copy" aria-label="Copy code">Copy</button></div>'
        f'<pre tabindex="0"><code>{body}</code></pre></div>'
    )


def _language(info: str) -> str:
    """The first word of a fence's info string, if it can be the name of a language."""
    word = LANGUAGE.match(info.strip())
    return word[0].lower() if word else ""


@lru_cache(maxsize=16)  # a fence that has been closed is still drawn a few times with the open block it belongs to
def highlight(language: str, code: str) -> str:
    paint = Paint(language, code)
    paint.go(BUDGET)
    return paint.html if paint.html is not None else escapeHtml(code)


class Paint:
    """The colours of a large block, a slice at a time, so that whoever else is served meanwhile is served."""

    def __init__(self, info: str, code: str) -> None:
        self.info, self.code = info, code
        self.html: str | None = None
        self._left = BUDGET
        self._parts: list[str] = []
        self._colour = self._run = ""
        self._tokens: Iterator[tuple[_TokenType, str]] | None = None

    def go(self, seconds: float) -> bool:
        """Spend so much CPU; whether it is done. `html` stays None if there are no colours, or they would take too long."""
        if self._tokens is None:
            if len(self.code) > LARGEST or UNFIT.search(self.code) or (lexer := _lexer(_language(self.info))) is None:
                return True
            self._tokens = iter(lexer.get_tokens(self.code))
        began = time.thread_time()
        for kind, text in self._tokens:
            if (found := _colour(kind)) == self._colour or text.isspace():
                self._run += text
            else:
                self._parts.append(_span(self._colour, self._run))
                self._colour, self._run = found, text
            if (spent := time.thread_time() - began) > min(seconds, self._left):
                self._left -= spent
                return self._left <= 0
        self.html = "".join(self._parts) + _span(self._colour, self._run)
        return True

    def box(self) -> str:
        return _box(self.info, self.html if self.html is not None else escapeHtml(self.code))


def _span(colour: str, text: str) -> str:
    return f'<span class="{colour}">{escapeHtml(text)}</span>' if colour else escapeHtml(text)


@lru_cache(maxsize=256)
def _colour(kind: _TokenType) -> str:
    return COLOURS[kind] if kind in COLOURS else _colour(kind.parent or Token)


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    return get_lexer_by_name(language, stripnl=False, ensurenl=False) if language in NAMES else None
