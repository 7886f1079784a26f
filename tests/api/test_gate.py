"""The gate: "it only listens on loopback" protects nothing from the web pages in the user's own browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.api.proxies import Proxies
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


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages": NaN}',
        b'{"messages": [], "messages": []}',
        b'{"messages": [{"role": "user", "content": "\\ud800"}]}',
        b'{"seed": 99999999999999999999}',
        b'{"temperature": 1e999}',
        b'{"a": ' * 40 + b"1" + b"}" * 40,
        b"[" * 100_000,
        b"\xef\xbb\xbf{}",
        '{"messages": []}'.encode("utf-16"),
        b'{"messages": []',
        b"",
        b"[]",
    ],
    ids=lambda body: repr(body[:24]),
)
@pytest.mark.parametrize("path", ["/chat", "/v1/chat/completions", "/v1/responses", "/v1/messages", "/api/chat", "/ai/chat"])
def test_what_two_readers_could_read_in_two_ways_is_400(client: httpx.Client, path: str, body: bytes) -> None:
    assert client.post(path, content=body if len(body) < 5000 else body[:4000], headers=JSON).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=a"},
        {"content-type": "application/json; charset=utf-16"},
        {**JSON, "content-encoding": "gzip"},
    ],
    ids=str,
)
def test_a_body_that_is_not_said_to_be_json_is_415(client: httpx.Client, headers: dict[str, str]) -> None:
    assert client.post("/chat", content=b'{"messages": []}', headers=headers).status_code == 415


@pytest.mark.parametrize("field", ["base_url", "api_base", "url", "endpoint", "proxy"])
@pytest.mark.parametrize("path", ["/chat", "/v1/chat/completions"])
def test_no_request_says_where_a_model_server_is(client: httpx.Client, path: str, field: str) -> None:
    response = client.post(path, json={**HELLO, "model": "rehearsal/echo", field: "http://127.0.0.1:9/"})
    assert response.status_code == 422
    assert field in response.json()["error"]["message"]


def test_a_listed_origin_may_call_the_api_and_no_page(client: httpx.Client) -> None:
    sockets = "/_nicegui_ws/socket.io/?EIO=4&transport=polling"
    assert client.get(sockets, headers={"origin": FRIEND}).status_code == 403
    assert "access-control-allow-origin" not in client.get("/_nicegui_ws/socket.io/", headers={"origin": "http://evil.test"}).headers


def test_what_nobody_may_forward_changes_nothing(client: httpx.Client) -> None:
    def page(headers: dict[str, str]) -> str:
        return re.sub(r'nonce="[^"]*"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', "", client.get("/inspect", headers=headers).text)

    told = {
        "x-forwarded-prefix": "//evil.test/x",
        "x-forwarded-host": "evil.test",
        "x-forwarded-for": "10.9.8.7",
        "forwarded": "host=evil.test",
    }
    assert page(told) == page({})


EVERY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200), ("GET", "/inspect", 200), ("GET", "/settings", 200), ("GET", "/nowhere", 404),
        ("GET", "/static/headrace.css", 200), ("GET", "/favicon.ico", 200), ("GET", "/healthz", 200),
        ("GET", "/models", 200), ("GET", "/chat/none", 404), ("PUT", "/chat", 405),
        ("POST", "/chat", 415), ("GET", "/attachments/none", 404), ("GET", "/rehearsal/none", 404), ("OPTIONS", "/chat", 405),
    ],
)  # fmt: skip
def test_every_answer_says_what_a_browser_may_do_with_it(client: httpx.Client, method: str, path: str, status: int) -> None:
    response = client.request(method, path)
    assert response.status_code == status
    assert {name: response.headers.get(name) for name in EVERY} == EVERY
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "server" not in response.headers
    if "html" in response.headers.get("content-type", ""):
        assert response.headers["cache-control"] == "no-store"


def test_what_is_refused_says_it_too(client: httpx.Client) -> None:
    for headers in ({"host": "evil.test"}, {"origin": "http://evil.test"}, {"sec-fetch-site": "same-site"}):
        response = client.post("/chat", headers=headers)
        assert response.status_code in (403, 421)
        assert "default-src 'none'" in response.headers["content-security-policy"]


def test_every_script_of_a_page_has_the_nonce_of_this_answer_and_no_other(client: httpx.Client) -> None:
    nonces = set()
    for path in ("/", "/inspect", "/settings", "/lab"):
        response = client.get(path)
        (nonce,) = re.findall(r"'nonce-([\w-]+)'", response.headers["content-security-policy"])
        scripts = re.findall(r"<script[^>]*>", response.text)
        assert len(scripts) >= 12
        assert [script for script in scripts if f'nonce="{nonce}"' not in script] == []
        nonces.add(nonce)
    assert len(nonces) == 4


@pytest.mark.parametrize(
    ("peer", "said", "client_is"),
    [
        ("10.0.0.2", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.2", "1.2.3.4, 203.0.113.9, 10.0.0.3", "203.0.113.9"),  # what stands before it, the client has said itself
        ("10.0.0.2", "not an address", "10.0.0.2"),
        ("10.0.0.2", "", "10.0.0.2"),
        ("10.9.9.9", "203.0.113.9", "10.9.9.9"),
        ("::1", "203.0.113.9", "::1"),
    ],
)
def test_who_a_client_is_is_believed_of_our_own_proxies(peer: str, said: str, client_is: str) -> None:
    headers = [
        (b"host", b"a"),
        (b"x-forwarded-for", said.encode()),
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-prefix", b"//evil.test"),
    ]
    scope = {"type": "http", "scheme": "http", "client": (peer, 1), "headers": headers}
    Proxies(["10.0.0.2", "10.0.0.3"]).apply(scope)
    assert (scope["client"][0], scope["headers"]) == (client_is, [(b"host", b"a")])
    assert scope["scheme"] == ("https" if peer == "10.0.0.2" else "http")


def test_another_address_is_refused_until_there_is_a_login(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"login\.kind is none"), served(tmp_path, '[server]\nhost = "0.0.0.0"\n'):
        pass
