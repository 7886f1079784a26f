"""The only file that opens a connection to a model server. Bytes go into a reader, its events come out.

    HTTPUpstream.read(turn, emit)      one POST, one stream, closed at the dialect's terminator
    HTTPUpstream.models()              one GET

What it promises whatever the server does: no redirect is followed, no proxy from the environment is used, no
compression is asked for or accepted, every wait has a limit of its own, and every failure is an UpstreamError.
"""

import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from urllib.parse import urlsplit

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from services.errors import LimitExceeded, NotAStream, ProtocolError, TimedOut, Truncated, Unreachable, UpstreamError
from services.events import Event, Finished, Status
from services.messages import Turn
from services.models import Model
from services.upstream.patience import PATIENT, Patience, Timeouts
from services.upstream.reader import Reader
from services.upstream.refusals import refusal
from services.upstream.rehearsal.script import Answer

Emit = Callable[[Sequence[Event]], None]

BROKEN = (httpx.HTTPError, aiohttp.ClientError)  # the transport lets some of aiohttp's own errors through
ERROR_BODY = 64 * 1024  # bytes read of a refusal: enough for any message, and for the title of an HTML page
MODELS_BODY = 8 << 20  # OpenRouter's list of models is 600 kB


def open_transport() -> httpx.AsyncBaseTransport:
    """The one pool of connections, HTTP/1.1 through aiohttp. Close it with `aclose()`.

    A bare transport, without httpx's client around it: what the client adds (redirects, cookies, proxies from the
    environment, authentication) is what must not happen here.
    """
    transport: httpx.AsyncBaseTransport = AiohttpTransport(verify=True, trust_env=False, client=_session)
    return transport


def in_process(answer: Callable[[str, str, bytes], Awaitable[Answer]]) -> httpx.AsyncBaseTransport:
    """A transport whose server is a function in this process: same requests, same responses, no socket."""
    return _InProcess(answer)


class HTTPUpstream:
    """One model server. `base_url` is what the vendor's own SDK takes."""

    def __init__(
        self,
        name: str,
        reader: Callable[[int], Reader],
        base_url: str,
        transport: httpx.AsyncBaseTransport,
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
        self._timeouts = timeouts
        self._max_reply = max_reply

    def __repr__(self) -> str:
        return f"<HTTPUpstream {self.name} {self.host}>"

    async def read(self, turn: Turn, emit: Emit) -> None:
        """POST the turn and emit its story, batch by batch, up to the terminal event.

        Raises UpstreamError when the server cannot be reached, refuses, falls silent or breaks off, Invalid when its
        dialect cannot say this turn, LimitExceeded when it sends more than is allowed.
        """
        reader = self._reader()
        path, body = reader.request(turn)
        try:
            with Patience(self._timeouts) as patience:
                response = await self._send("POST", path, body)
                try:
                    await self._check(response)
                    emit([Status("waiting")])
                    await self._pump(response, reader, emit, patience)
                finally:
                    await response.aclose()
        except (TimedOut, Truncated):
            # The server may have said how the answer ends, and only failed to end its stream.
            held = reader.finish()
            if not held or not isinstance(held[-1], Finished):
                emit(held[:-1])
                raise
            emit(held)

    async def _pump(self, response: httpx.Response, reader: Reader, emit: Emit, patience: Patience) -> None:
        left = self._max_reply
        try:
            async for data in response.stream:  # type: ignore[union-attr]
                left -= len(data)
                if left < 0:
                    raise LimitExceeded(f"{self.name} sent more than {self._max_reply:,} bytes in one reply.")
                events = reader.feed(data)
                if events:
                    patience.renew()
                    emit(events)
                    if reader.done:
                        return
        except BROKEN as exc:
            raise self._broken_off() from exc
        emit(reader.finish())

    async def models(self) -> list[Model]:
        """The models the server says it has. Raises UpstreamError."""
        reader = self._reader()
        response = await self._send("GET", reader.models_path, None)
        try:
            await self._check(response)
            return reader.models(await self._body(response, MODELS_BODY))
        finally:
            await response.aclose()

    async def _send(self, method: str, path: str, body: bytes | None) -> httpx.Response:
        request = httpx.Request(method, self._base_url + path, headers=self._headers, content=body)
        request.extensions["timeout"] = {"connect": self._timeouts.connect}
        try:
            return await self._transport.handle_async_request(request)
        except BROKEN as exc:
            raise self._not_answered(exc) from exc

    async def _check(self, response: httpx.Response) -> None:
        if response.is_redirect:
            target = _host(response.headers.get("location", "")) or "another path"
            raise NotAStream(f"{self.name} redirects to {target}. Put the final address into base_url.", code="redirect")
        if response.status_code != 200:
            body = await self._body(response, ERROR_BODY)
            raise refusal(response.status_code, dict(response.headers), body)
        encoding = response.headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise NotAStream(f"{self.name} answered with a compressed body ({encoding[:40]}) that was not asked for.", code="encoding")

    async def _body(self, response: httpx.Response, limit: int) -> bytes:
        body = b""
        try:
            async for data in response.stream:  # type: ignore[union-attr]
                body += data
                if len(body) > limit:
                    break
        except BROKEN as exc:
            raise self._broken_off() from exc
        return body[:limit]

    def _not_answered(self, exc: Exception) -> UpstreamError:
        """What a failure before the response's headers means."""
        cause = exc if isinstance(exc, aiohttp.ClientError) else exc.__cause__
        match cause:
            case aiohttp.ClientConnectorDNSError():
                return Unreachable(
                    f"The host name of {self.name} ({self.host}) was not found. Check its base_url in settings.toml.",
                    code="dns",
                    retryable=False,
                )
            case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError() | ssl.SSLError():
                words = str(cause)[:300]
                return Unreachable(f"No secure connection to {self.name} ({self.host}).", code="tls", retryable=False, upstream=words)
            case aiohttp.ConnectionTimeoutError():
                seconds = f"{self._timeouts.connect:g} s"
                return TimedOut(f"{self.name} at {self.host} did not accept a connection within {seconds}.", code="connect_timeout")
            case aiohttp.ClientConnectorError():
                return Unreachable(f"{self.name} is not running at {self.host}. Start it, then retry.", code="connect_refused")
            case aiohttp.ClientResponseError() | aiohttp.http.HttpProcessingError():
                return ProtocolError(f"{self.name} did not answer like an HTTP server.")
        return Unreachable(f"{self.name} closed the connection before it answered.", code="reset")

    def _broken_off(self) -> UpstreamError:
        return Truncated(f"The connection to {self.name} was lost in the middle of the answer.", code="connection_lost")


def _host(url: str) -> str:
    """The host and port of a URL; nothing when it has none, or is no URL at all."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2][:200]
    except ValueError:
        return ""


def _session() -> aiohttp.ClientSession:
    """Servers that close idle connections do so after 5 s (uvicorn, Node): give ours up earlier than they do."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=4.0, socket_factory=_socket)
    return aiohttp.ClientSession(connector=connector, trust_env=False, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())


def _socket(address: "aiohttp.typedefs.AddrInfoType") -> socket.socket:  # type: ignore[name-defined]
    """A socket that notices a peer that vanished without a word (sleep, cable, NAT)."""
    family, kind, proto, *_ = address
    sock = socket.socket(family=family, type=kind, proto=proto)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 30_000)):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return sock


class _InProcess(httpx.AsyncBaseTransport):
    def __init__(self, answer: Callable[[str, str, bytes], Awaitable[Answer]]) -> None:
        self._answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._answer(request.method, request.url.raw_path.decode("ascii"), request.content)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Chunks(answer), request=request)


class _Chunks(httpx.AsyncByteStream):
    def __init__(self, answer: Answer) -> None:
        self._chunks = answer.chunks

    def __aiter__(self):  # type: ignore[no-untyped-def]
        return self._chunks

    async def aclose(self) -> None:
        await self._chunks.aclose()
