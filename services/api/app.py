"""Which request goes where: one ASGI app that puts the gate in front and parts the API from the pages.

API paths never enter the page framework's app: its middleware costs a stream two to three times as much CPU per chunk.
"""

import asyncio
from collections.abc import Mapping, Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.access import Access
from services.api.capacity import USUAL, Capacity
from services.api.crowd import Crowd, Sentence
from services.api.faults import Faults
from services.api.gate import Gate
from services.api.guard import Guard
from services.api.lab import Cases
from services.api.login import Draw, Login
from services.api.metrics import Metrics
from services.api.rehearsal import Mock
from services.api.routes import is_api, router
from services.api.shield import Shield
from services.chat import Chat
from services.people.oidc import Provider

EXPOSED = ("headrace-generation", "location", "retry-after", "x-request-id")


def build(
    chat: Chat,
    pages: ASGIApp,
    *,
    draw_login: Draw,
    draw_sentence: Sentence,
    provider: Provider | None = None,
    secure: bool = False,
    mock: Mock | None = None,
    scenes: Mapping[str, Mock] | None = None,
    hosts: Sequence[str] = (),
    cors_origins: Sequence[str] = (),
    proxies: Sequence[str] = (),
    capacity: Capacity = USUAL,
    max_body: int = 20_000_000,
    idle: float = 15.0,
    write_timeout: float = 30.0,
    faults: bool = True,
    figures: bool = True,
) -> ASGIApp:
    """The whole of Headrace as one ASGI app; `mock` is the public rehearsal, if there is one; `faults` can be asked for.

    `scenes` are rehearsals that say the same whatever they are asked, for the check of clients. `draw_login` makes the HTML of the way in,
    `draw_sentence` that of a page of nothing but a sentence; `secure`: it is reached over TLS, as is all else.
    """
    lab = {name: Faults(app, write_timeout=write_timeout) for name, app in (scenes or {}).items()} if faults else {}
    login = Login(chat.people, draw_login, secure=secure, provider=provider)
    metrics = Metrics(chat.house, on=figures)
    tickets = chat.doctor.tickets if chat.doctor else None
    api: ASGIApp = router(login=login, metrics=metrics, mock=mock, lab=bool(lab), tickets=tickets, idle=idle, write_timeout=write_timeout)
    if faults:
        api = Faults(api, write_timeout=write_timeout)  # inside the gate: not for pages of other origins
    api = Cases(api, chat, lab)
    switch = _Switch(chat, api, Crowd(pages, capacity, draw_sentence), metrics)
    gate: ASGIApp = Gate(
        Guard(switch, chat, secure=secure),
        is_api=is_api,
        hosts=hosts,
        origins=cors_origins,
        proxies=proxies,
        max_body=max_body,
        body_time=capacity.body_time,
    )
    if cors_origins:  # outside the gate, so that a listed origin can read what the gate refuses it
        methods = ("GET", "POST", "PUT", "DELETE")
        gate = CORSMiddleware(gate, cors_origins, allow_methods=methods, allow_headers=("*",), expose_headers=EXPOSED, max_age=600)
    return Access(Shield(gate), is_api, metrics)


class _Switch:
    def __init__(self, chat: Chat, api: ASGIApp, pages: ASGIApp, metrics: Metrics) -> None:
        self._metrics = metrics
        self._chat = chat
        self._api = api
        self._pages = pages

    async def _ask_for_models(self) -> None:
        await self._chat.refresh_models()
        await self._chat.keep_models_fresh()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            loop = asyncio.get_running_loop()
            always = [loop.create_task(work) for work in (self._ask_for_models(), self._metrics.watch_the_loop())]
            try:
                await self._pages(scope, receive, send)
            finally:
                for task in always:
                    task.cancel()
        elif scope["type"] == "http" and is_api(scope["path"]):
            await self._api(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "HEAD":
            await self._pages({**scope, "method": "GET"}, receive, _without_body(send))
        else:
            await self._pages(scope, receive, send)


def _without_body(send: Send) -> Send:
    async def headless(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return headless
