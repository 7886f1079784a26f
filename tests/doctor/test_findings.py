"""What is said of what was measured; real proxies are in tests/ui/test_doctor.py."""

import pytest

from services.doctor.doctor import Doctor
from services.doctor.findings import STREAMS, TICKS, Finding, Measured, Tick, of_origin, of_origin_through, of_proxy
from services.doctor.tickets import MOST, USES, Tickets
from services.errors import Invalid
from services.settings.values import metadata
from services.upstream.connections import Connections

URL = "http://proxy.example.org"
APP = "https://app.example.org"
PLAIN = {"cache-control": "no-cache, no-transform"}
TOLD = tuple(Tick(at, at + 0.01) for at in (*[step * 0.15 for step in range(TICKS)], 16.0))
WELL = Measured(200, PLAIN, True, TOLD, True, 16.0)


def names(found: list[Finding]) -> list[str]:
    return [f"{finding.level} {finding.name}" for finding in found]


@pytest.mark.parametrize(
    ("measured", "streams", "said"),
    [
        (WELL, STREAMS, ["good flows"]),
        (WELL, STREAMS - 1, ["bad streams"]),
        (WELL._replace(ticks=[Tick(tick.sent, 16.01) for tick in TOLD]), STREAMS, ["bad held"]),
        (WELL._replace(headers=PLAIN | {"content-encoding": "gzip"}), STREAMS, ["bad compressed"]),
        (WELL._replace(headers={}), STREAMS, ["good flows", "note transform"]),
        (WELL._replace(ticks=TOLD[:TICKS], ended=False, lasted=6.2), STREAMS, ["bad cut"]),
        (WELL._replace(ticks=TOLD[:TICKS], lasted=6.2), STREAMS, ["bad cut"]),
        (Measured(error="refused"), 0, ["bad no_answer_refused"]),
        (Measured(421), 0, ["bad host"]),
        (Measured(403), 0, ["bad origin_of_proxy"]),
        (Measured(302), 0, ["bad redirect"]),
        (Measured(502), 0, ["bad not_ours"]),
        (WELL._replace(ours=False), STREAMS, ["bad not_ours"]),
    ],
)
def test_of_a_proxy(measured: Measured, streams: int, said: list[str]) -> None:
    assert names(of_proxy(URL, measured, streams, 15.0)) == said


@pytest.mark.parametrize(
    ("origin", "address", "allowed", "said"),
    [
        (APP, "https://chat.example.org", True, ["good listed"]),
        (APP, "https://chat.example.org", False, ["bad not_listed"]),
        (APP, "http://chat.example.org", True, ["good listed", "bad mixed"]),
        (APP, "http://127.0.0.1:8080", True, ["good listed", "note private"]),
        (APP, "https://192.168.1.4", True, ["good listed", "note private"]),
        ("http://localhost:3000", "http://127.0.0.1:8080", True, ["good listed"]),
    ],
)
def test_of_an_origin(origin: str, address: str, allowed: bool, said: list[str]) -> None:
    headers = {"access-control-allow-origin": origin} if allowed else {}
    assert names(of_origin(origin, 200, headers, post=200 if allowed else 403, address=address)) == said


def test_what_a_proxy_does_to_an_origin() -> None:
    assert names(of_origin_through(APP, True, 200, {"access-control-allow-origin": APP})) == ["good cors_passes"]
    assert names(of_origin_through(APP, True, 405, {})) == ["bad cors_lost"]
    assert names(of_origin_through(APP, False, 405, {})) == []  # Headrace's own refusal was said already


def test_tickets_end() -> None:
    now = 0.0
    tickets = Tickets(lambda: now)
    first = tickets.issue()
    assert [tickets.use(first) for _ in range(USES + 1)] == [True] * USES + [False]
    second = tickets.issue()
    now = 61.0
    assert not tickets.use(second)
    third = tickets.issue()
    for _ in range(MOST):
        tickets.issue()
    assert not tickets.use(third)
    assert not tickets.use("")


@pytest.mark.parametrize(
    ("origin", "proxy"),
    [
        ("", ""),
        ("app.example.org", ""),
        ("https://app.example.org/path", ""),
        ("", "ftp://127.0.0.1"),
        ("", "http://user:password@127.0.0.1"),
        ("", "http://169.254.169.254"),
        ("", "http://2852039166"),
        ("", "http://[fe80::1]"),
        ("", "http://metadata.google.internal"),
    ],
)
async def test_what_is_not_asked(origin: str, proxy: str) -> None:
    connections = Connections()
    with pytest.raises(Invalid):
        await Doctor(connections, Tickets(lambda: 0.0), "http://127.0.0.1:1").examine(origin, proxy)
    await connections.close()


def test_addresses_that_hand_out_credentials() -> None:
    assert metadata("169.254.169.254")
    assert metadata("::ffff:169.254.169.254")
    assert not metadata("127.0.0.1")
    assert not metadata("example.org")
