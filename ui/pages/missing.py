"""The answer where there is no page: a sentence and the way home, with status 404. No page of the framework, which lives for a minute."""

from html import escape
from typing import Any

from nicegui import app

from services.chat import Chat
from services.persons import WHO, Who
from ui.frames import ASGIApp, Message, Receive, Send
from ui.language import LANGUAGES, phrase, say_in, tongue

DOCUMENT = """<!doctype html>
<html lang="{lang}">
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.65 system-ui, sans-serif; }}
body {{ display: grid; place-content: center; min-height: 90vh; margin: 0; padding: 0 20px; text-align: center; }}
h1 {{ margin: 0; font-size: 24px; font-weight: 500; }}
p {{ margin: 8px 0 20px; overflow-wrap: anywhere; opacity: .75; }}
a {{ color: inherit; }}
</style>
<main><h1>{title}</h1><p>{path}</p><a href="{home}">{back}</a></main>
</html>
"""
TITLE, BACK = phrase("There is no such page."), phrase("Back to the chat")
LONGEST = 300  # characters of a path that are repeated


def register(chat: Chat) -> None:
    @app.exception_handler(404)
    async def missing(request: Any, _: Exception) -> ASGIApp:
        path = request.url.path[:LONGEST]
        if "text/html" not in request.headers.get("accept", ""):
            return _answer("text/plain", f"There is nothing at {path}.\n")
        who: Who | None = request.scope.get(WHO)  # none of who has not logged in, and looks for a part of a page
        wished = (await chat.of(who).wishes.get()).language if who else ""
        code = tongue(wished, request.headers.get("accept-language", ""))
        prefix = request.headers.get("x-forwarded-prefix", "").strip("/")
        told = {"lang": LANGUAGES[code].lang, "title": say_in(code, TITLE), "path": path, "back": say_in(code, BACK)}
        told["home"] = f"/{prefix}/" if prefix else "/"
        return _answer("text/html", DOCUMENT.format_map({name: escape(value) for name, value in told.items()}))


def _answer(kind: str, text: str) -> ASGIApp:
    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", f"{kind}; charset=utf-8".encode())]
        await send({"type": "http.response.start", "status": 404, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode()})

    return answer
