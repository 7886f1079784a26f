"""A model server over HTTP. Bytes go into a reader, its events come out.

    HTTPUpstream.read(turn, emit)      one POST, one stream, closed at the dialect's terminator
    HTTPUpstream.models()              one GET

What it promises whatever the server does: no redirect is followed, no compression is asked for or accepted, every wait
has a limit of its own, and every failure is an UpstreamError.
"""

import asyncio
import errno
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from urllib.parse import urlsplit

import aiohttp
import msgspec

from services.errors import LimitExceeded, NotAStream, ProtocolError, TimedOut, Truncated, Unreachable, UpstreamError
from services.events import Event, Failed, Finished, Status
from services.messages import Turn
from services.models import Model
from services.record import hiding
from services.record.record import Exchange, Record
from services.upstream.connections import BROKEN, Response, Transport
from services.upstream.patience import PATIENT, Patience, Timeouts
from services.upstream.reader import Reader, Tells
from services.upstream.refusals import refusal

Emit = Callable[[Sequence[Event]], Awaitable[None] | None]  # what to await, if anything, before more is read

ERROR_BODY = 64 * 1024  # bytes read of a refusal: enough for any message, and for the title of an HTML page
MODELS_BODY = 8 << 20  # OpenRouter's list of models is 600 kB
LINGER = 0.1  # seconds that the end of a response may come after the end of its story: then the connection is used again


class HTTPUpstream:
    """One model server. `base_url` is what the vendor's own SDK takes."""

    def __init__(
        self,
        name: str,
        reader: Callable[[int], Reader],
        base_url: str,
        transport: Transport,
        *,
        api_key: str | None = None,
        timeouts: Timeouts = PATIENT,
        max_line: int = 1 << 20,
        max_reply: int = 16_000_000,
    ) -> None:
        self.name = name
        self.host = _host(base_url)
        self._reader = partial(reader, max_line)
        self._base_url = base_url.rstrip("/")
        self._transport = transport
        self._headers = {"content-type": "application/json", "accept-encoding": "identity", **reader(max_line).headers(api_key)}
        self._key = api_key
        self._secrets = [api_key.encode()] if api_key else []
        self._timeouts = timeouts
        self._max_reply = max_reply

    def __repr__(self) -> str:
        return f"<HTTPUpstream {self.name} {self.host}>"

    async def read(self, turn: Turn, emit: Emit, record: Record | None = None) -> None:
        """POST the turn and emit its story, batch by batch, up to the terminal event. The record is given every byte.

        Raises UpstreamError when the server cannot be reached, refuses, falls silent or breaks off, Invalid when its
        dialect cannot say this turn, LimitExceeded when it sends more than is allowed.
        """
        reader = self._reader()
        path, body = reader.request(turn)
        exchange = record.asks("POST", self._base_url + path, self._headers, body, secret=self._key) if record else None
        try:
            with Patience(self._timeouts) as patience:
                response = await self._send("POST", path, body)
                if exchange:
                    exchange.answered(response.status, response.headers)
                try:
                    await self._check(response, exchange)
                    emit([Status("waiting")])
                    await self._pump(response, reader, emit, patience, exchange)
                finally:
                    await response.close()
                    if exchange:
                        exchange.closed()
        except (TimedOut, Truncated):
            # The server may have said how the answer ends, and only failed to end its stream.
            held = reader.finish()
            if not held or not isinstance(held[-1], Finished):
                emit(held[:-1])
                raise
            emit(held)
        finally:
            if exchange:
                exchange.closed()  # also where no response came

    async def _pump(self, response: Response, reader: Reader, emit: Emit, patience: Patience, exchange: Exchange | None) -> None:
        left = self._max_reply
        begun = False
        took = exchange.took if exchange else None

        def into(data: bytes) -> Awaitable[None] | bool | None:
            nonlocal left, begun
            if took:
                took(data)
            left -= len(data)
            if left < 0:
                raise LimitExceeded(f"{self.name} sent more than {self._max_reply:,} bytes in one reply.")
            events = reader.feed(data)
            if not events:
                return None
            patience.heard = begun = True
            full = emit(self._hidden(events) if reader.done else events)
            return reader.done or full

        try:
            await response.pour(into)
        except BROKEN as exc:
            raise self._broken_off(begun) from exc
        if reader.done:
            await _linger(response, took)
        else:
            emit(self._hidden(reader.finish()))

    def _hidden(self, events: list[Event]) -> list[Event]:
        """What the server repeats of its key in the words of a failure is not passed on."""
        if not events or not isinstance(last := events[-1], Failed) or not last.upstream:
            return events
        said = hiding.masked(last.upstream.encode(), self._secrets).decode()
        return [*events[:-1], msgspec.structs.replace(last, upstream=said)]

    async def models(self) -> list[Model]:
        """The models the server says it has. Raises UpstreamError."""
        reader = self._reader()
        response = await self._send("GET", reader.models_path, None)
        try:
            await self._check(response)
            return reader.models(await self._body(response, MODELS_BODY))
        finally:
            await response.close()

    async def learn(self, known: Model) -> Model:
        """What the server tells of one model besides its list, where its dialect has words for that. Raises UpstreamError."""
        reader = self._reader()
        if not isinstance(reader, Tells):
            return known
        response = await self._send("POST", *reader.ask(known.name))
        try:
            await self._check(response)
            return reader.tell(known, await self._body(response, MODELS_BODY))
        finally:
            await response.close()

    async def _send(self, method: str, path: str, body: bytes | None) -> Response:
        try:
            return await self._transport.send(method, self._base_url + path, self._headers, body, self._timeouts.connect)
        except BROKEN as exc:
            raise self._not_answered(exc) from exc

    async def _check(self, response: Response, exchange: Exchange | None = None) -> None:
        if 300 <= response.status < 400:
            target = _host(response.headers.get("location", "")) or "another path"
            raise NotAStream(f"{self.name} redirects to {target}. Put the final address into base_url.", code="redirect")
        if response.status != 200:
            body = await self._body(response, ERROR_BODY, exchange)
            raise refusal(response.status, response.headers, hiding.masked(body, self._secrets))
        encoding = response.headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise NotAStream(f"{self.name} answered with a compressed body ({encoding[:40]}) that was not asked for.", code="encoding")

    async def _body(self, response: Response, limit: int, exchange: Exchange | None = None) -> bytes:
        body = b""
        try:
            while data := await response.read():
                if exchange:
                    exchange.took(data)
                body += data
                if len(body) > limit:
                    break
        except BROKEN as exc:
            raise self._broken_off(bool(body)) from exc
        return body[:limit]

    def _not_answered(self, exc: Exception) -> UpstreamError:
        """What a failure before the response's headers means."""
        match exc:
            case aiohttp.ClientConnectorDNSError():
                return Unreachable(
                    f"The host name of {self.name} ({self.host}) was not found. Check its base_url in settings.toml.",
                    code="dns",
                    retryable=False,
                )
            case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError() | ssl.SSLError():
                told = f"No secure connection to {self.name} ({self.host}){_insecure(exc)}. Nothing was sent."
                return Unreachable(told, code="tls", retryable=False, upstream=str(exc)[:300])
            case aiohttp.ConnectionTimeoutError():
                seconds = f"{self._timeouts.connect:g} s"
                return TimedOut(f"{self.name} at {self.host} did not accept a connection within {seconds}.", code="connect_timeout")
            case aiohttp.ClientConnectorError(os_error=OSError(errno=errno.EMFILE | errno.ENFILE)):
                return Unreachable("Headrace may open no more files or connections: raise its limit (ulimit -n).", code="too_many_files")
            case aiohttp.ClientConnectorError(os_error=OSError(errno=errno.ENETUNREACH | errno.EHOSTUNREACH)):
                return Unreachable(f"There is no way to {self.name} at {self.host}. Is this computer connected?", code="no_route")
            case aiohttp.ClientConnectorError():
                return Unreachable(f"{self.name} is not running at {self.host}. Start it, then retry.", code="connect_refused")
            case aiohttp.ClientResponseError() | aiohttp.http.HttpProcessingError():
                return ProtocolError(f"{self.name} did not answer like an HTTP server.")
        return Unreachable(f"{self.name} closed the connection before it answered.", code="reset")

    def _broken_off(self, begun: bool) -> UpstreamError:
        when = "in the middle of the answer" if begun else "before the first word of the answer"
        return Truncated(
            f"The connection to {self.name} was lost {when}.", code="connection_lost", phase="streaming" if begun else "waiting"
        )


def _host(url: str) -> str:
    """The host and port of a URL; nothing when it has none, or is no URL at all."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2][:200]
    except ValueError:
        return ""


# OpenSSL's numbers of what is wrong with a certificate (openssl/x509_vfy.h).
_CERTIFICATES = {
    9: "its certificate is not valid yet: is the clock of this computer right?",
    10: "its certificate has expired",
    **dict.fromkeys((18, 19, 20, 21), "its certificate is signed by nobody whom this computer trusts"),
    **dict.fromkeys((62, 64), "its certificate is for another host"),
}


def _insecure(exc: Exception) -> str:
    """Why there is no TLS, where that can be said; what OpenSSL says is for those who know it."""
    match exc:
        case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError(verify_code=number)):
            return f": {_CERTIFICATES[number]}" if number in _CERTIFICATES else ""
        case aiohttp.ClientConnectorSSLError(
            os_error=ssl.SSLError(reason="WRONG_VERSION_NUMBER" | "RECORD_LAYER_FAILURE" | "HTTP_REQUEST")
        ):
            return ": it does not speak TLS, so base_url may have to begin with http://"
    return ""


async def _linger(response: Response, took: Callable[[bytes], object] | None) -> None:
    """Most servers end their response a moment after the last word of their dialect."""
    with suppress(TimeoutError, *BROKEN):
        async with asyncio.timeout(LINGER):
            while not response.at_end and (data := await response.read()):
                if took:
                    took(data)
