"""The gate: "it only listens on loopback" protects nothing from the web pages in the user's own browser."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.serving import QUIET, Served, served

FRIEND = "http://localhost:5173"
HELLO = {"messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = f'[server]\ncors_origins = ["{FRIEND}"]\nmax_body = 5000\n{QUIET}'
    with served(tmp_path_factory.mktemp("guarded"), settings) as running:
        yield running


@pytest.fixture
def client(guarded: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=guarded.url, trust_env=False, timeout=20) as client:
        yield client


@pytest.mark.parametrize(
    "host", ["evil.test", "evil.test:8080", "127.0.0.1.evil.test", "127.0.0.1:80@evil", "x/healthz?", "", "localhost:80:80"]
)
@pytest.mark.parametrize("path", ["/", "/healthz", "/chat"])
def test_a_strange_host_is_refused(client: httpx.Client, host: str, path: str) -> None:
    assert client.get(path, headers={"host": host}).status_code in (400, 421)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080"])
def test_loopback_has_several_names(client: httpx.Client, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["null", "http://evil.test", "http://127.0.0.1:1", "http://localhost:5174", "http://127.0.0.1.evil.test"]
)
def test_another_origin_may_not_act(client: httpx.Client, origin: str) -> None:
    response = client.post("/chat?model=rehearsal/echo", json=HELLO, headers={"origin": origin})
    assert (response.status_code, response.json()["error"]["code"]) == (403, "forbidden")
    assert client.get("/_nicegui_ws/socket.io/?EIO=4&transport=polling", headers={"origin": origin}).status_code == 403


@pytest.mark.parametrize(
    ("path", "begins"),
    [
        ("/v1/chat/completions", '{"error":{"message":"The origin'),
        ("/v1/messages", '{"type":"error","error":'),
        ("/api/chat", '{"error":"The origin'),
        ("/ai/chat", "The origin"),
    ],
)
def test_every_surface_is_refused_in_its_own_shape(client: httpx.Client, path: str, begins: str) -> None:
    response = client.post(path, json=HELLO, headers={"origin": "http://evil.test"})
    assert response.status_code == 403
    assert response.text.startswith(begins)


def test_our_own_origin_and_a_configured_one_may(client: httpx.Client, guarded: Served) -> None:
    for origin in (guarded.url, FRIEND):
        assert client.post("/chat?model=rehearsal/echo", json=HELLO, headers={"origin": origin}).status_code == 200


def test_a_cross_site_request_without_an_origin_is_refused(client: httpx.Client) -> None:
    assert client.post("/chat", json=HELLO, headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_preflights(client: httpx.Client) -> None:
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "content-type,last-event-id"}
    listed = client.options("/chat", headers={"origin": FRIEND, **asks})
    assert (listed.status_code, listed.headers["access-control-allow-origin"]) == (200, FRIEND)
    unlisted = client.options("/chat", headers={"origin": "http://evil.test", **asks})
    assert "access-control-allow-origin" not in unlisted.headers


def test_a_listed_origin_may_read_where_the_stream_is(client: httpx.Client) -> None:
    response = client.post("/chat?model=rehearsal/echo", json=HELLO, headers={"origin": FRIEND})
    assert response.headers["access-control-allow-origin"] == FRIEND
    assert "headrace-generation" in response.headers["access-control-expose-headers"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_413(client: httpx.Client, chunked: bool) -> None:
    body = b'{"messages": [{"role": "user", "content": "' + b"x" * 6000 + b'"}]}'
    content = iter([body]) if chunked else body
    response = client.post("/chat", content=content, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")


def test_another_address_is_refused_until_there_is_a_login(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"login\.kind is none"), served(tmp_path, '[server]\nhost = "0.0.0.0"\n'):
        pass
