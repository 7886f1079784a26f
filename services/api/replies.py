"""A generation as a response: streamed or whole, in any dialect. All surfaces answer through this."""

import re
from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from services.api.access import generates
from services.api.errors import ClientGone, UpstreamFailure, json_response
from services.api.keys import started_once
from services.api.passes import PASS, REVOKED, Pass, Until
from services.api.policies import mine
from services.api.stream import Batches, EventStream, Presence
from services.chat import Chat
from services.downstream import WRITERS
from services.downstream.turns import wants_stream
from services.downstream.writer import Writer
from services.errors import BadRequest, Unauthorized
from services.events import Entry, Failed, Retrying, Started, Status
from services.messages import Turn
from services.record.record import Reader

Write = Callable[[Sequence[Entry]], bytes]

NAMES = {writer: name for name, writer in WRITERS.items()}
SECONDS = re.compile(r"\d{1,6}(\.\d{1,6})?")


class Writing(Protocol):
    """What a stream needs of a writer."""

    @property
    def heartbeat(self) -> bytes: ...

    def write(self, entries: Sequence[Entry]) -> bytes: ...


class Replies:
    """`idle` and `write_timeout` in seconds, as settings have them."""

    def __init__(self, *, idle: float, write_timeout: float) -> None:
        self._idle = idle
        self._write_timeout = write_timeout

    async def answer(
        self, request: Request, writer: type[Writer], body: Mapping[str, Any], *, at_once: bool = False, turn: Turn | None = None
    ) -> ASGIApp:
        """Start the generation that the body asks for and answer with it; `turn` is there if the body alone does not say it all.

        A stream begins `at_once`, or waits for the upstream's first word, so that a refusal keeps its status.
        """
        streams = wants_stream(body, default=writer.streams)
        started = await self.start(request, body, _bounded(request, turn or writer.turn(body), at_once=at_once))
        if not streams:
            return await self.whole(request, writer, started, body)
        if at_once:
            return self.stream(request, writer, writer(started, body), started)
        batches = mine(request).follow(started.generation)
        try:
            async with Presence(request.receive) as presence:
                first = await _first_word(batches)
        except UpstreamFailure:
            await batches.aclose()
            raise
        if presence.gone:
            await batches.aclose()
            mine(request).left(started.generation)
            raise ClientGone
        return self.stream(request, writer, writer(started, body), started, batches, first)

    async def start(self, request: Request, body: Mapping[str, Any], turn: Turn) -> Started:
        """The generation of a turn, or the one that the same request with the same `Idempotency-Key` has started before.

        Returns when a restart would know of it: only then may the client hear its name.
        """
        started = await started_once(request, body, turn)
        await mine(request).recall(started.generation)
        generates(request.scope, started.model)
        return started

    def stream(
        self,
        request: Request,
        dialect: type[Writer],
        writing: Writing,
        started: Started,
        batches: Batches | None = None,
        first: Sequence[Entry] = (),
    ) -> EventStream:
        """A generation from its first entry as a stream; `first` are entries that were taken from `batches` already."""
        id, chat = started.generation, mine(request)
        reader = chat.reads(id, NAMES[dialect], _agent(request))
        return EventStream(
            _until(request, batches or chat.follow(id), chat, id, first),
            _noted(writing.write, reader) if reader else writing.write,
            headers=[(b"content-type", dialect.media), *dialect.headers, (b"headrace-generation", id.encode()), (b"location", _place(id))],
            first=first,
            heartbeat=writing.heartbeat,
            idle=self._idle,
            write_timeout=self._write_timeout,
            left=lambda: _left(chat, id, reader),
        )

    async def whole(self, request: Request, writer: type[Writer], started: Started, body: Mapping[str, Any]) -> Response:
        """A generation as one JSON object, once it has ended. Raises UpstreamFailure."""
        id, chat = started.generation, mine(request)
        async with aclosing(chat.follow(id)) as batches, Presence(request.receive) as presence:
            async for _ in batches:
                pass
        if presence.gone:
            chat.left(id)
            raise ClientGone
        if (given := request.scope.get(PASS)) and given.ended:
            raise Unauthorized(REVOKED)
        await chat.recall(id)
        reply = chat.reply(id)
        reader = chat.reads(id, NAMES[writer], _agent(request))
        if reply.problem:
            problem = reply.problem
            raise UpstreamFailure(problem.message, problem.code, problem.status, problem.retry_after)
        answer = writer.whole(reply, body)
        if reader:
            reader.wrote(reply.seq, answer)
        return json_response(answer, headers={"headrace-generation": id, "location": _place(id).decode()})


def _until(request: Request, batches: Batches, chat: Chat, id: str, first: Sequence[Entry]) -> Batches:
    """Who has come in by nothing that could end reads without a look at it."""
    given: Pass | None = request.scope.get(PASS)
    return Until(batches, given, lambda: chat.entries(id), first[-1].seq if first else 0) if given else batches


def _left(chat: Chat, id: str, reader: Reader | None) -> None:
    if reader:
        reader.left()
    chat.left(id)


def _bounded(request: Request, turn: Turn, *, at_once: bool) -> Turn:
    """How often and how long: official SDKs ask again by themselves, so for them we do not; `Headrace-Timeout` is in seconds."""
    given = request.headers.get("headrace-timeout")
    if given is not None and not (SECONDS.fullmatch(given) and float(given) > 0):
        raise BadRequest(f"Headrace-Timeout is a number of seconds above 0, such as 30; got {given[:40]!r}.")
    return msgspec.structs.replace(turn, tries=turn.tries if at_once else 1, within=float(given) if given else turn.within)


def _noted(write: Write, reader: Reader) -> Write:
    """The same, and what is written is on record. An answer that sends nothing for some entries writes nothing for them."""
    wrote = reader.wrote

    def noting(entries: Sequence[Entry]) -> bytes:
        if data := write(entries):
            wrote(entries[-1].seq, data)
        return data

    return noting


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")


def _place(id: str) -> bytes:
    return b"/chat/" + id.encode()


async def _first_word(batches: AsyncIterable[list[Entry]]) -> list[Entry]:
    """Everything up to the first entry that comes from the upstream. Raises when that entry is a failure."""
    first: list[Entry] = []
    async for entries in batches:
        first += entries
        match next((entry.event for entry in entries if not isinstance(entry.event, Started | Status | Retrying)), None):
            case None:
                continue
            case Failed() as failed:
                raise UpstreamFailure(failed.message, failed.code, failed.status, failed.retry_after)
        break
    return first
