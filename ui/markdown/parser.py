"""What Markdown means here: CommonMark, tables, strikethrough, formulas, bare URLs. Raw HTML is text. Stateless.

outline(text)   where the top-level blocks are, and which of them no further line can change
render(text)    the same blocks as HTML
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml, normalizeReference
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from ui.markdown import code, links, math
from ui.markdown.links import Env

# markdown-it drops what is nested deeper than this, so such a block stays plain. Each level costs a few stack frames.
DEEPEST = 40
LARGEST = 64 * 1024  # of one block that is no code: a list of 700 items, 60 ms of work
LARGEST_CODE = 1024 * 1024  # which is only escaped
LARGE_CODE = 2000  # characters; its colours take 5 ms
MOST_MARKS = 5000  # `|` and `>` in one block: each is a cell or a level, and costs 30 us whatever is in it
# Inline text is where hostile input costs most (20 kB of `![`: 0.5 s), so a longer run than a person writes stays plain.
LONGEST_INLINE = 16 * 1024
MOST_BRACKETS = 400

CODE = re.compile(r" {0,3}(?:`{3}|~{3})")
LINES = re.compile(r"[^\n]*\n|[^\n]+\Z")
LABEL = re.compile(r"\[((?:[^\[\]\\]|\\.){1,999})\]", re.DOTALL)
TASK = re.compile(r"\[([ xX])\] ")

References = dict[str, Any]


class Span(NamedTuple):
    """Lines `start` to `end` (exclusive) are one top-level block; `closed` if no line that follows can change it."""

    start: int
    end: int
    closed: bool


class Block(NamedTuple):
    """`labels` are the references the block may contain: it looks different once one of them is defined.

    `paint` are colours that are still to come, if they were to wait.
    """

    html: str
    source: str
    labels: frozenset[str]
    paint: code.Paint | None = None


def outline(text: str, references: References) -> list[Span]:
    """The blocks of complete lines. `references` is not changed."""
    groups, lines = _groups(text, {"references": dict(references), "final": False}), text.count("\n")
    return [Span(*_lines(group), i < len(groups) - 1 or _is_closed(group, lines)) for i, group in enumerate(groups)]


class Drawn:
    """The inline HTML of the last render, for the next: of a list that grows, only its last item has to be read again."""

    def __init__(self) -> None:
        self._before: dict[str, str] = {}
        self._now: dict[str, str] = {}

    def turn(self) -> None:
        """A render begins: what the last one did not need is forgotten."""
        self._before, self._now = self._now, {}

    def get(self, content: str, env: Env) -> str | None:
        return None if "[" in content and env["references"] else self._before.get(content)

    def keep(self, content: str, html: str, env: Env) -> None:
        if not ("[" in content and env["references"]):  # else it looks different when one more thing is defined
            self._now[content] = html


def render(text: str, references: References, *, final: bool, drawn: Drawn | None = None, unhurried: bool = False) -> list[Block]:
    """The blocks of `text` as HTML; definitions found in it are added to `references`.

    Unless `final`, more text will follow: what is not closed yet is drawn as what it will probably become. If `unhurried`,
    the colours of large code blocks are left to the caller.
    """
    env: Env = {"references": references, "final": final, "drawn": drawn or Drawn()}
    groups, lines = _groups(text, env), LINES.findall(text)
    more = [{"last": group is groups[-1], **({"paints": []} if unhurried else {})} for group in groups]
    return [_block(group, "".join(lines[slice(*_lines(group))]), {**env, **own}) for group, own in zip(groups, more, strict=True)]


def excessive(text: str) -> bool:
    """Whether reading it as one block would take too long: it is shown as plain text then, all of it."""
    if CODE.match(text):
        return len(text) > LARGEST_CODE
    return len(text) > LARGEST or text.count("|") + text.count(">") > MOST_MARKS


def plain(text: str) -> Block:
    return Block(f'<p class="hr-plain">{escapeHtml(text.strip())}</p>', text, frozenset())


def _groups(text: str, env: Env) -> list[list[Token]]:
    """The tokens of each top-level block, before inline parsing."""
    tokens: list[Token] = []
    try:
        MD.block.parse(text, MD, env, tokens)
    except Exception:  # rule 2 of this room: a text may find a bug in the parser, and is then shown as it is
        tokens = [Token("plain", "", 0, map=[0, text.count("\n") + 1])] if text.strip() else []
    groups, start = [], 0
    for i, token in enumerate(tokens, 1):
        if token.level == 0 and token.nesting <= 0:
            groups.append(tokens[start:i])
            start = i
    return groups


def _lines(group: Sequence[Token]) -> tuple[int, int]:
    start, end = group[0].map or (0, 0)
    return start, end


def _is_closed(group: Sequence[Token], lines: int) -> bool:
    """Whether the last block is closed: by its own end, or by a blank line (nothing else can follow it unseen)."""
    followed = _lines(group)[1] < lines
    match group[0].type:
        case "hr":
            return True
        case "fence":
            return _fence_is_closed(group[0])
        case "heading_open":  # `# a | b` becomes the head of a table if the next line is `--|--`
            return followed or "|" not in group[1].content
        case "math_block":
            return followed or (bool(group[0].markup) and "|" not in group[0].content)
        case "paragraph_open" | "table_open" | "blockquote_open":
            return followed
    return False


def _fence_is_closed(fence: Token) -> bool:
    start, end = fence.map or (0, 0)
    content = fence.content.count("\n") + (fence.content[-1:] not in ("", "\n"))
    return end - start == content + 2


def _block(group: list[Token], source: str, env: Env) -> Block:
    if excessive(source) or group[0].type == "plain" or any(token.level >= DEEPEST - 1 for token in group):
        return plain(source)
    labels = (LABEL.findall(token.content) for token in group if token.type == "inline" and "[" in token.content)
    known = frozenset(normalizeReference(label) for found in labels for label in found)
    state = StateCore(source, MD, env, group)
    try:
        MD.core.process(state)
        html = MD.renderer.render(state.tokens, MD.options, env).strip("\n")
        return Block(html, source, known, next(iter(env.get("paints", ())), None))
    except Exception:  # as above
        return plain(source)


# Between block and inline parsing


def _guard(state: StateCore) -> None:
    for token in state.tokens:
        content = token.content
        if token.type == "inline" and (len(content) > LONGEST_INLINE or content.count("[") > MOST_BRACKETS):
            token.content, token.children = "", [Token("text", "", 0, content=content)]


def _tasks(state: StateCore) -> None:
    for item, inline in zip(state.tokens, state.tokens[2:], strict=False):
        if item.type == "list_item_open" and inline.type == "inline" and (box := TASK.match(inline.content)):
            item.attrs["class"] = "hr-task"
            inline.content = ("☐ " if box[1] == " " else "☑ ") + inline.content[4:]


def _mend(state: StateCore) -> None:
    """The last line of a reply that is still coming in: markup that is half there is not shown as text."""
    last = next((token for token in reversed(state.tokens) if token.nesting >= 0), None)
    if last and last.type == "inline" and state.env["last"] and not state.env["final"]:
        last.content = mended(last.content)


def _recall(state: StateCore) -> None:
    for token in state.tokens:
        if token.type == "inline" and token.content and (html := state.env["drawn"].get(token.content, state.env)) is not None:
            state.env["drawn"].keep(token.content, html, state.env)
            token.content, token.children = "", [Token("drawn", "", 0, content=html)]


def _remember(state: StateCore) -> None:
    for token in state.tokens:
        if token.type == "inline" and token.content:
            html = state.md.renderer.render([token], state.md.options, state.env)
            state.env["drawn"].keep(token.content, html, state.env)
            token.children = [Token("drawn", "", 0, content=html)]


def mended(content: str) -> str:
    r"""Close `code` and **strong**, hold back a lone marker, the unfinished address of a link, an unfinished \(…."""
    start = max(content.rfind("\n") + 1, len(content) - 2000)
    line = re.sub(r"(?:[*_~`\\$]+|!?\[)$", "", content[start:])
    line = re.sub(r"!?\[([^\[\]]*)\]\([^()\s]*$", r"\1", line)
    line = re.sub(r"\\[(\[](?:(?!\\[)\]]).){0,300}$", "", line)
    rest = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", line)
    if "`" in rest:
        line += re.findall("`+", rest)[-1]
    elif rest.count("**") % 2:
        line += "**"
    return content[:start] + line


# What the tokens look like, where it is not markdown-it's own way


def _fence(token: Token, env: Env) -> str:
    whole = env["final"] or token.type == "code_block" or _fence_is_closed(token)
    if whole and token.level == 0 and "paints" in env and len(token.content) > LARGE_CODE:
        env["paints"].append(code.Paint(token.info, token.content))
        whole = False
    return code.box(token.info, token.content, whole=whole)


def _cell(token: Token, env: Env) -> str:
    align = re.fullmatch(r"text-align:(center|right)", str(token.attrGet("style")))
    return f'<{token.tag} class="hr-{align[1]}">' if align else f"<{token.tag}>"


RULES: dict[str, Callable[[Token, Env], str]] = {
    "fence": _fence,
    "code_block": _fence,
    "drawn": lambda token, env: token.content,
    "table_open": lambda token, env: '<div class="hr-table" tabindex="0"><table>',
    "table_close": lambda token, env: "</table></div>",
    "th_open": _cell,
    "td_open": _cell,
    **links.RULES,
    **math.RULES,
}


# A block that goes on for more lines than these is continued by another, so that one that is open never grows beyond measure.
MOST_LINES = {"table": 1000, "list": 1000, "blockquote": 400}

Rule = Callable[[StateBlock, int, int, bool], bool]


def _capped(rule: Rule, most: int) -> Rule:
    return lambda state, start, end, silent: rule(state, start, min(end, start + most) if state.level == 0 else end, silent)


def _build() -> MarkdownIt:
    md = MarkdownIt("js-default", {"html": False, "maxNesting": DEEPEST})
    md.disable(["html_block", "html_inline", "linkify"])
    md.core.ruler.enableOnly(["inline", "text_join"])
    for core in (_tasks, _guard, _mend, _recall):
        md.core.ruler.before("inline", core.__name__, core)
    md.core.ruler.after("text_join", _remember.__name__, _remember)
    for block in list(md.block.ruler.__rules__):
        if block.name in MOST_LINES:
            md.block.ruler.at(block.name, _capped(block.fn, MOST_LINES[block.name]), {"alt": block.alt})
    links.install(md)
    math.install(md)
    for kind, rule in RULES.items():
        md.add_render_rule(kind, _renderer(rule))
    return md


def _renderer(rule: Callable[[Token, Env], str]) -> Callable[..., str]:
    return lambda self, tokens, idx, options, env: rule(tokens[idx], env)


MD = _build()
