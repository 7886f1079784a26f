"""The doctor: real requests, to Headrace itself and through a proxy in front of it. No secret is sent, no redirect followed.

What comes from elsewhere is measured, never shown: only the answer to a ticket that was just made counts. Addresses that hand out
a cloud machine's credentials are not asked, whatever name they have.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from services.doctor.findings import STEP, STREAMS, TICKS, Finding, Measured, Tick, of_origin, of_origin_through, of_proxy
from services.doctor.inflated import Inflated
from services.doctor.tickets import Tickets
from services.errors import Invalid
from services.settings.values import ORIGIN, metadata, server_url
from services.upstream.connections import BROKEN, Response, Transport
from services.wire.sse import SSEDecoder

CONNECT = 5.0  # seconds
PATIENCE = 10.0  # seconds on top of what the probe takes
MOST = 65_536  # bytes of an answer
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}


class Doctor:
    """`here` is where this Headrace listens, such as http://127.0.0.1:8080."""

    def __init__(self, transport: Transport, tickets: Tickets, here: str) -> None:
        self._transport = transport
        self.tickets = tickets
        self._here = here

    async def examine(self, origin: str, proxy: str) -> list[Finding]:
        """A page's origin, a proxy's address, or both: then pages of that origin come through this proxy. Raises Invalid."""
        origin, proxy = origin.strip(), proxy.strip()
        if not origin and not proxy:
            raise Invalid("Expected an origin, such as https://app.example.org, or the address of a proxy, or both.")
        if origin and not ORIGIN.fullmatch(origin):
            raise Invalid(f"Expected an origin as browsers send it, such as https://app.example.org; got {origin[:80]!r}.")
        url = await _checked(proxy) if proxy else ""
        told: list[Finding] = []
        if url:
            told += await self._of_proxy(url)
        if origin:
            direct = await self._of_origin(origin, url or self._here)
            told += direct
            if url and not any(finding.name.startswith(("no_answer", "not_ours", "host", "redirect")) for finding in told):
                status, headers = await self._ask("OPTIONS", f"{url}/lab/probe/{self.tickets.issue()}", {"origin": origin, **PREFLIGHT})
                told += of_origin_through(origin, direct[0].level == "good", status, headers)
        return told

    async def _of_origin(self, origin: str, address: str) -> list[Finding]:
        probe = f"{self._here}/lab/probe/{self.tickets.issue()}"
        status, headers = await self._ask("OPTIONS", probe, {"origin": origin, **PREFLIGHT})
        post, _ = await self._ask("POST", probe, {"origin": origin})
        return of_origin(origin, status, headers, post=post, address=address)

    async def _of_proxy(self, url: str) -> list[Finding]:
        ticket = self.tickets.issue()
        split = urlsplit(url)
        post, _ = await self._ask("POST", f"{url}/lab/probe/{ticket}", {"origin": f"{split.scheme}://{split.netloc}"})
        if post in (403, 421):  # that of a page of its own
            return of_proxy(url, Measured(post), 0, self.tickets.pause)
        measured, streams = await asyncio.gather(self._measure(url, ticket), self._streams(url, ticket))
        return of_proxy(url, measured, streams, self.tickets.pause)

    async def _ask(self, method: str, url: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str]]:
        """Status and headers; 0 where there is no answer."""
        body = b"{}" if method == "POST" else None
        more = {"content-type": "application/json"} if body else {}
        with suppress(TimeoutError, *BROKEN):
            async with asyncio.timeout(PATIENCE):
                response = await self._transport.send(method, url, {**headers, **more}, body, CONNECT)
                await response.close()
                return response.status, response.headers
        return 0, {}

    async def _streams(self, url: str, ticket: str) -> int:
        """How many of STREAMS that are open together bring something."""
        await asyncio.sleep(STEP)  # not in the way of the one that is measured

        async def one() -> bool:
            return bool((await self._measure(url, ticket, "?short", ticks=TICKS)).ticks)

        return sum(await asyncio.gather(*(one() for _ in range(STREAMS))))

    async def _measure(self, url: str, ticket: str, query: str = "", ticks: int = TICKS + 1) -> Measured:
        now = asyncio.get_running_loop().time
        asked = now()
        headers = {"accept": "text/event-stream", "accept-encoding": "gzip" if not query else "identity"}
        try:
            async with asyncio.timeout(PATIENCE):
                response = await self._transport.send("GET", f"{url}/lab/probe/{ticket}{query}", headers, None, CONNECT)
        except (TimeoutError, *BROKEN) as exc:
            return Measured(error=_why(exc))
        try:
            async with asyncio.timeout(PATIENCE + TICKS * STEP + self.tickets.pause):
                return await self._heard(response, ticket, ticks, asked)
        except TimeoutError:
            return Measured(response.status, response.headers, error="timeout", lasted=now() - asked)
        finally:
            await response.close()

    async def _heard(self, response: Response, ticket: str, most: int, asked: float) -> Measured:
        now = asyncio.get_running_loop().time
        decoder, inflated = SSEDecoder(), Inflated(response.headers.get("content-encoding", ""))
        told: list[Tick] = []
        ours, ended, size = False, False, 0
        with suppress(*BROKEN):
            while len(told) < most and size < MOST:
                data = await response.read()
                ended = not data
                if ended:
                    break
                size += len(data)
                for _, said, _ in decoder.feed(inflated.feed(data)):
                    tick = _tick(said, ticket)
                    if tick is None:
                        return Measured(response.status, response.headers)
                    ours = True
                    told.append(Tick(tick, now() - asked))
        return Measured(response.status, response.headers, ours, told, ended or len(told) == most, now() - asked)


def _tick(said: bytes, ticket: str) -> float | None:
    """When it was sent; None for what is not our own."""
    try:
        told = json.loads(said)
        return float(told["at"]) if told["ticket"] == ticket else None
    except (ValueError, KeyError, TypeError):
        return None


def _why(exc: Exception) -> str:
    name = type(exc).__name__
    if isinstance(exc, TimeoutError):
        return "timeout"
    return "dns" if "DNS" in name else "tls" if "SSL" in name or "Certificate" in name else "refused"


async def _checked(url: str) -> str:
    """Raises Invalid for what is no plain address, or one that may hand out credentials, also by way of a name."""
    try:
        plain = server_url(url)
    except ValueError as exc:
        raise Invalid(f"Expected the address that clients use, such as https://chat.example.org: {exc}.") from exc
    split = urlsplit(plain)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(split.hostname, split.port or (443 if split.scheme == "https" else 80))
    except OSError:
        return plain  # it is not found: the measuring says so
    if any(metadata(str(address[4][0])) for address in found):
        raise Invalid("That name leads to a link-local or cloud metadata address, which may hand out credentials.")
    return plain
