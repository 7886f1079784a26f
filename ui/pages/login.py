"""The way in, and a page of one sentence, as HTML that needs nothing but a stylesheet: no script, no page of the framework's, nothing
that is not escaped here.
"""

from html import escape

from services.persons import Entrance
from ui.language import LANGUAGES, Code, preferred, say_in
from ui.theme import FAVICON, address

SIGN = FAVICON.replace("<svg ", '<svg aria-hidden="true" width="44" height="44" ')


def login_page(entrance: Entrance) -> str:
    code = preferred(entrance.accepted) or "en"
    wrong = f'<p class="wrong" role="alert">{escape(entrance.wrong)}</p>' if entrance.wrong else ""
    next = escape(entrance.next, quote=True)
    if entrance.kind == "oidc":
        way = f'<a class="enter" href="/login/oidc?next={next}">{escape(say_in(code, "Log in"))}</a>'
    else:
        named = entrance.named or bool(entrance.name)
        name = _field("name", say_in(code, "Name"), "text", "username", entrance.name, focus=not entrance.name) if named else ""
        word = _field("password", say_in(code, "Password"), "password", "current-password", focus=not named or bool(entrance.name))
        way = (
            f'<form method="post" action="/login"><input type="hidden" name="next" value="{next}">{name}{word}'
            f'<button class="enter">{escape(say_in(code, "Log in"))}</button></form>'
        )
    return _page(code, say_in(code, "Log in"), f"{wrong}{way}")


def sentence_page(sentence: str) -> str:
    """Instead of a page that cannot be had now."""
    return _page("en", sentence, f'<p role="alert">{escape(sentence)}</p>')


def _page(code: Code, title: str, inner: str) -> str:
    return (
        f'<!doctype html><html lang="{LANGUAGES[code].lang}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)} · Headrace</title>'
        f'<link rel="stylesheet" href="{address("login.css")}"><link rel="icon" href="/favicon.ico"></head>'
        f"<body><main>{SIGN}<h1>Headrace</h1>{inner}</main></body></html>"
    )


def _field(name: str, label: str, kind: str, filled: str, value: str = "", *, focus: bool) -> str:
    return (
        f'<label>{escape(label)}<input name="{name}" type="{kind}" autocomplete="{filled}" value="{escape(value, quote=True)}" required'
        f"{' autofocus' if focus else ''}></label>"
    )
