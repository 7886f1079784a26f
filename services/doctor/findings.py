"""What was measured, and what is to be said of it: a name for the sentence, its values, and the lines that mend it."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

Level = Literal["good", "note", "bad"]

TICKS = 8  # of the probe, one every STEP seconds; then it is silent, and then there is one more
STEP = 0.15
LATE = 0.6  # seconds between a tick and its arrival that are no network any more
STREAMS = 12  # at the same time


class Finding(NamedTuple):
    """`name` is the sentence's; `mend` is for a settings file, of Headrace or of nginx, and empty where there is nothing to be done."""

    level: Level
    name: str
    values: Mapping[str, str] = {}
    mend: str = ""


class Tick(NamedTuple):
    """Seconds: `sent` since the probe began to answer, `came` since it was asked."""

    sent: float
    came: float


class Measured(NamedTuple):
    """`headers` by lower-case name. `error` where there was no answer: refused, timeout, tls, dns, broken."""

    status: int = 0
    headers: Mapping[str, str] = {}
    ours: bool = False
    ticks: Sequence[Tick] = ()
    ended: bool = False
    lasted: float = 0.0  # seconds until it ended, or broke
    error: str = ""


def of_proxy(url: str, measured: Measured, streams: int, pause: float) -> list[Finding]:
    """`streams` of STREAMS brought their first tick while all were open; `pause` is Headrace's heartbeat."""
    if unusable := _unusable(url, measured):
        return [unusable]
    told = []
    late = max((tick.came - tick.sent for tick in measured.ticks), default=0.0) - min(tick.came - tick.sent for tick in measured.ticks)
    heard = _milliseconds(measured.ticks[0].came)
    if late > LATE or measured.ticks[0].came > LATE + STEP * TICKS:
        held = _milliseconds(max(tick.came - tick.sent for tick in measured.ticks))
        told.append(Finding("bad", "held", {"held": held}, "proxy_buffering off;  # nginx, in the location of Headrace"))
    encoding = measured.headers.get("content-encoding", "identity")
    if encoding != "identity":
        told.append(Finding("bad", "compressed", {"encoding": encoding[:20]}, "gzip off;  # nginx, in the location of Headrace"))
    elif "no-transform" not in measured.headers.get("cache-control", ""):
        told.append(Finding("note", "transform", {}, "proxy_pass_header Cache-Control;  # nginx"))
    if not measured.ended or len(measured.ticks) <= TICKS:
        often = max(1, int((measured.lasted - TICKS * STEP) / 2))
        lines = f"proxy_read_timeout 300s;  # nginx: longer than a model is silent\n\n[server]\nheartbeat = {often}"
        told.append(Finding("bad", "cut", {"seconds": f"{measured.lasted:.1f}", "pause": f"{pause:g}"}, lines))
    if streams < STREAMS:
        told.append(
            Finding("bad", "streams", {"n": str(streams), "all": str(STREAMS)}, "limit_conn ...;  # nginx: look for it, and raise it")
        )
    if not any(finding.level == "bad" for finding in told):
        told.insert(0, Finding("good", "flows", {"first": heard}))
    return told


def of_origin(origin: str, status: int, headers: Mapping[str, str], *, post: int, address: str) -> list[Finding]:
    """Of Headrace itself: the answers to a page's preflight and to its POST. `address` is where the page would find it."""
    allowed = status == 200 and headers.get("access-control-allow-origin") in (origin, "*") and post == 200
    if not allowed:
        return [Finding("bad", "not_listed", {"origin": origin}, f'[server]\ncors_origins = ["{origin}"]')]
    return [Finding("good", "listed", {"origin": origin}), *_of_networks(origin, address)]


def of_origin_through(origin: str, direct: bool, status: int, headers: Mapping[str, str]) -> list[Finding]:
    """Through the proxy, where Headrace itself says `direct`."""
    passed = status == 200 and headers.get("access-control-allow-origin") in (origin, "*")
    if direct and not passed:
        lines = "# nginx: hand OPTIONS on to Headrace, and take out\n# proxy_hide_header Access-Control-Allow-Origin;"
        return [Finding("bad", "cors_lost", {"origin": origin, "status": str(status)}, lines)]
    return [Finding("good", "cors_passes", {"origin": origin})] if direct else []


def _unusable(url: str, measured: Measured) -> Finding | None:
    host = urlsplit(url).hostname or url
    if measured.error and not measured.status:
        return Finding("bad", f"no_answer_{measured.error}", {"url": url})
    if measured.status == 421:
        return Finding("bad", "host", {"host": host}, f'[server]\nhosts = ["{host}"]')
    if measured.status == 403:
        lines = "proxy_set_header Host $http_host;  # nginx: pages say where they are, and Headrace compares"
        return Finding("bad", "origin_of_proxy", {"host": host}, lines)
    if measured.status in (301, 302, 307, 308):
        return Finding("bad", "redirect", {"status": str(measured.status)})
    if measured.status != 200 or not measured.ours:
        return Finding("bad", "not_ours", {"url": url, "status": str(measured.status)})
    if not measured.ticks:
        return Finding("bad", "nothing", {"url": url})
    return None


def _of_networks(origin: str, address: str) -> list[Finding]:
    page, there = urlsplit(origin), urlsplit(address)
    told = []
    if page.scheme == "https" and there.scheme == "http" and not _is_loopback(there.hostname or ""):
        told.append(Finding("bad", "mixed", {"address": address}, "listen 443 ssl;  # nginx, in front of Headrace"))
    if _is_local(there.hostname or "") and not _is_local(page.hostname or ""):
        told.append(Finding("note", "private", {"origin": origin, "address": address}))
    return told


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_local(host: str) -> bool:
    """Loopback, a private network, or a name that only such a network knows."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost" or "." not in host or host.endswith((".localhost", ".local", ".internal", ".lan"))


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"
