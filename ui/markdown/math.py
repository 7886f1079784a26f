r"""Formulas: `$…$`, `$$…$$`, `\(…\)`, `\[…\]` become MathML from an allow-list, or stay the source they are."""

import html
import re
from functools import lru_cache
from xml.etree.ElementTree import Element

from latex2mathml.converter import Converter
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from ui.markdown.links import Env

LONGEST = 2000  # characters of one formula: nesting costs a stack, and no formula written for people is longer
LARGEST = 200  # the largest dimension in any unit, so that no \hspace or \rule covers the page

CLOSERS = {"$$": re.compile(r"\$\$ *([.,;:]?)\Z"), "\\[": re.compile(r"\\\] *([.,;:]?)\Z")}
MONEY = re.compile(r"\d[\d.,]*\s+[A-Za-z]{2,}")  # `$5 for tea and 3$` is about money
TEX = re.compile(r"[\\^_=+<>/*{}]")  # without any of these `\[…\]` is an escaped bracket: `\[sic\]`, `\[12\]`
MACROS = re.compile(r"\\(?:def|newcommand|renewcommand|let|href|style|class|cssId|unicode|require)(?![A-Za-z])")

# Environments that the converter does not know, and its nearest to them; equations are not numbered.
ENVIRONMENT = re.compile(r"(\\(?:begin|end)\s*){(align|aligned|eqnarray\*?|gather\*?|gathered|multline\*?)}")
NEAREST = {"a": "align*", "e": "align*", "g": "matrix", "m": "matrix"}

# fmt: off
TAGS = {
    "math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "mfrac", "msqrt", "mroot", "mstyle", "mpadded", "mphantom", "menclose",
    "msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts", "none", "mtable", "mtr", "mtd",
}
DIMENSIONS = {
    "width", "height", "depth", "lspace", "rspace", "voffset", "minsize", "maxsize", "linethickness", "mathsize", "rowspacing",
    "columnspacing",
}
ATTRIBUTES = DIMENSIONS | {
    "display", "stretchy", "fence", "form", "separator", "accent", "accentunder", "movablelimits", "largeop", "symmetric", "mathvariant",
    "mathcolor", "mathbackground", "displaystyle", "scriptlevel", "columnalign", "columnlines", "rowlines", "notation",
    "linebreak",
}
# fmt: on
PLAIN_VALUE = re.compile(r"[\w #%+.,-]{1,60}", re.ASCII)
NUMBER = re.compile(r"\d+")


def install(md: MarkdownIt) -> None:
    md.inline.ruler.before("escape", "math_inline", _inline)
    md.block.ruler.before("fence", "math_block", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]})


# Where formulas are


def _inline(state: StateInline, silent: bool) -> bool:
    opener = state.src[state.pos : state.pos + 2]
    if opener in ("\\(", "\\["):
        end = state.src.find("\\)" if opener == "\\(" else "\\]", state.pos + 2, state.pos + LONGEST)
    elif opener == "$$":
        end = state.src.find("$$", state.pos + 2, state.pos + LONGEST)
    elif opener[:1] == "$":
        opener, end = "$", _closing_dollar(state.src, state.pos)
    else:
        return False
    content = state.src[state.pos + len(opener) : max(end, 0)]
    if not content.strip() or (opener == "\\[" and not TEX.search(content)):
        return False
    if not silent:
        token = state.push("math_inline", "math", 0)
        token.content, token.markup, token.info = content, opener, state.src[end : end + len(opener)]
    state.pos = end + len(opener)
    return True


def _closing_dollar(src: str, start: int) -> int:
    """Where the formula that begins at the dollar `start` ends, or -1: `$5 and $6` and `$5-$10` are not formulas.

    Pandoc's rule: no space inside the dollars, no digit behind them; and the first dollar that comes is the only candidate,
    so that a text full of dollars costs no more than its length.
    """
    before, inside = src[start - 1 : start], src[start + 1 : start + 2]
    if not inside or inside.isspace() or (before.isascii() and before.isalnum()) or before == "$":
        return -1
    end = src.find("$", start + 1, start + LONGEST)
    while end > 0 and src[end - 1] == "\\":
        end = src.find("$", end + 1, start + LONGEST)
    if end < 0 or src[end - 1].isspace() or src[end + 1 : end + 2].isdigit() or src[end + 1 : end + 2] == "$":
        return -1
    return -1 if MONEY.match(src, start + 1, end) else end


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    r"""A line that begins with `$$` or `\[` opens a block, which ends with the closer, a blank line or its container.

    That much is decided by the opening line alone, so that a block that is still coming in never changes what is before it.
    If no closer came, the lines are shown as the paragraph they are.
    """
    first = _line(state, start)
    opener = first[:2]
    if opener not in CLOSERS or state.is_code_block(start) or first[2:3] == "$":
        return False
    body = first[2:]
    closed = CLOSERS[opener].search(body)
    inside = body[: closed.start()] if closed else body
    if opener.replace("[", "]") in inside or (closed and opener == "\\[" and not TEX.search(inside)):
        return False  # `$$x$$ is small` is a paragraph with a formula, `\[sic\]` one without
    if silent:
        return True
    lines, last = [body], start
    while closed is None and last + 1 < end and not state.isEmpty(last + 1) and state.sCount[last + 1] >= state.blkIndent:
        last += 1
        lines.append(_line(state, last))
        closed = CLOSERS[opener].search(lines[-1])
    state.line = last + 1
    if closed is None:
        _push_pending(state, opener + "\n".join(lines), start, ends=last + 1 >= end)
    else:
        lines[-1] = lines[-1][: closed.start()] + closed[1]
        token = state.push("math_block", "math", 0)
        token.content, token.markup, token.map, token.block = "\n".join(lines), opener, [start, state.line], True
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()


def _push_pending(state: StateBlock, content: str, start: int, *, ends: bool) -> None:
    """A block without a closer: still coming in (its source, quietly) or, for good, a paragraph."""
    if ends and not state.env.get("final"):
        token = state.push("math_block", "math", 0)
        token.content, token.map, token.block = content, [start, state.line], True
        return
    state.push("paragraph_open", "p", 1).map = [start, state.line]
    inline = state.push("inline", "", 0)
    inline.content, inline.map, inline.children = content.strip(), [start, state.line], []
    state.push("paragraph_close", "p", -1)


# What they look like


def _show_inline(token: Token, env: Env) -> str:
    shown = mathml(token.content.strip(), token.markup in ("$$", "\\["))
    return shown or _source(token.markup + token.content + token.info)


def _show_block(token: Token, env: Env) -> str:
    shown = mathml(token.content.strip(), True) if token.markup else None
    return f'<div class="hr-math" tabindex="0">{shown or _source(token.content.strip())}</div>\n'


RULES = {"math_inline": _show_inline, "math_block": _show_block}


def _source(tex: str) -> str:
    return f'<code class="hr-tex">{escapeHtml(tex)}</code>'


@lru_cache(maxsize=256)  # formulas of an open list or paragraph are drawn with each patch
def mathml(tex: str, display: bool) -> str | None:
    """None if it is no LaTeX, too long, or asks for more than symbols and boxes."""
    if not tex or len(tex) > LONGEST or MACROS.search(tex):
        return None
    tex = ENVIRONMENT.sub(lambda found: f"{found[1]}{{{NEAREST[found[2][0]]}}}", tex)
    try:
        root = Converter(display="block" if display else "inline").convert_to_element(tex)
        return "".join(_serialized(root))
    except Exception:  # the converter knows a dozen errors of its own and meets RecursionError, KeyError and more
        return None


def _serialized(element: Element) -> list[str]:
    """Our own writer: latex2mathml's unescapes what it has written, so `\\text{<script>}` would come out as a tag."""
    if element.tag not in TAGS:
        raise ValueError(f"not a tag of a formula: {element.tag}")
    parts = [f"<{element.tag}{''.join(_attribute(name, value) for name, value in element.items() if name != 'xmlns')}>"]
    parts.append(escapeHtml(html.unescape(element.text or "")))
    for child in element:
        parts += _serialized(child)
        parts.append(escapeHtml(html.unescape(child.tail or "")))
    return [*parts, f"</{element.tag}>"]


def _attribute(name: str, value: str) -> str:
    if name not in ATTRIBUTES or not PLAIN_VALUE.fullmatch(value):
        raise ValueError(f"not an attribute of a formula: {name}={value}")
    if name in DIMENSIONS and any(int(number) > LARGEST for number in NUMBER.findall(value.partition(".")[0])):
        raise ValueError(f"too large: {name}={value}")
    return f' {name}="{value}"'
