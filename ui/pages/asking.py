"""Whose page it is: each page asks the Chat of who has asked for it, and so do its sockets and uploads, for as long as their login holds.

The framework takes a page's id for all the proof it needs. Here the socket, too, has to be of the session that has asked for the page, each
event has to come over the page's own socket, and a page ends with its session.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from nicegui import Client, background_tasks, core, ui
from socketio.exceptions import ConnectionRefusedError

from services.chat import Chat
from services.persons import WHO, Who
from ui.frames import ASGIApp, Message, Receive, Send

Mine = Callable[[], Chat]
OF_A_PAGE = re.compile(r"/_nicegui/client/([^/]+)/.*")
LAST_WORD = 0.3  # seconds that a page has to hear that it is over


def asking(chat: Chat) -> Mine:
    """The Chat of who has asked for the page that is being built. Pages get no other."""

    def mine() -> Chat:
        return chat.of(ui.context.client.request.scope[WHO])

    return mine


def name_of(chat: Chat) -> str:
    """Of the person whose page it is."""
    person = chat.people.person(chat.who.person)
    return person.name if person else ""


def guard(chat: Chat) -> None:
    """Once, before the first page: between the framework and its sockets."""
    sio, people = core.sio, chat.people
    theirs = dict(sio.handlers["/"])
    seated: dict[str, str] = {}  # socket -> page

    def may_sit(sid: str, page: object) -> bool:
        client = Client.instances.get(str(page))
        who = _who(client) if client else None
        return who is not None and who == sio.get_environ(sid)["asgi.scope"].get(WHO) and people.alive(who)

    async def connect(sid: str, environ: dict[str, Any], auth: object = None) -> None:
        query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        implicit = query.get("implicit_handshake") == "true"
        if implicit and not may_sit(sid, query.get("client_id")):
            raise ConnectionRefusedError("Implicit handshake failed")  # the framework's own words: window.js knows them
        await theirs["connect"](sid, environ, auth)
        if implicit:
            seated[sid] = query["client_id"]

    async def handshake(sid: str, message: dict[str, Any]) -> bool:
        page = message.get("client_id")
        if not may_sit(sid, page) or not await theirs["handshake"](sid, message):
            return False
        seated[sid] = str(page)
        return True

    def disconnect(sid: str, *reason: object) -> None:
        seated.pop(sid, None)
        theirs["disconnect"](sid)

    def only_seated(name: str) -> Callable[[str, dict[str, Any]], None]:
        def heard(sid: str, message: dict[str, Any]) -> None:
            client = Client.instances.get(seated.get(sid, ""))
            if client and message.get("client_id") == client.id and (who := _who(client)) and people.alive(who):
                theirs[name](sid, message)

        return heard

    for name, handler in {"connect": connect, "handshake": handshake, "disconnect": disconnect}.items():
        sio.on(name, handler)
    for name in ("event", "javascript_response", "ack"):
        sio.on(name, only_seated(name))

    def ended(id: str) -> None:
        for client in list(Client.instances.values()):
            if (who := _who(client)) and who.session == id:
                sockets = [sid for sid, page in seated.items() if page == client.id]
                background_tasks.create(_send_away(client, sockets), name=f"end {client.id}")

    people.watch(ended)


def apart(pages: ASGIApp) -> ASGIApp:
    """What is sent to a page, such as a file, is sent by who has asked for it."""

    async def checked(scope: Message, receive: Receive, send: Send) -> None:
        found = OF_A_PAGE.fullmatch(scope.get("path", ""))
        client = Client.instances.get(found[1]) if found else None
        if found and (client is None or _who(client) != scope.get(WHO)):
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await pages(scope, receive, send)

    return checked


def _who(client: Client) -> Who | None:
    who: Who | None = client.request.scope.get(WHO)
    return who


async def _send_away(client: Client, sockets: list[str]) -> None:
    """Nothing that it says counts any more; what it shows goes. Without a socket the framework drops it in its own time."""
    with client:
        ui.run_javascript("location.assign('/login')")
    await asyncio.sleep(LAST_WORD)
    for sid in sockets:
        await core.sio.disconnect(sid)
