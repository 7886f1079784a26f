"""The way in: what it gives, what it refuses, and what is over with a logout."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from starlette.requests import Request

from services.api.login import Login
from services.errors import Invalid
from services.people.attempts import FOR_ONE, FROM_ONE, Attempts
from services.people.passwords import hashed
from services.people.people import People
from services.people.roll import Terms
from services.store.memory import MemoryStore
from tests.access import ADA, ADMIN, BOB, Guarded
from tests.serving import ROOT

WRONG = "The name or the password is wrong."


@contextmanager
def elsewhere(access: Guarded, address: str) -> Iterator[httpx.Client]:
    """A client at another address of this machine."""
    with httpx.Client(base_url=access.url, transport=httpx.HTTPTransport(local_address=address), timeout=20) as client:
        yield client


def test_the_cookie_of_a_login(access: Guarded) -> None:
    with access.client(cookie="headrace=planted-by-somebody") as client:
        answer = client.post("/login", data={"name": "ada", "password": ADA[1], "next": "/settings"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings")
    name, value, attributes = re.fullmatch(r"(\w+)=([^;]+); (.*)", answer.headers["set-cookie"]).groups()  # type: ignore[union-attr]
    assert name == "headrace"
    assert len(value) >= 43
    assert set(attributes.split("; ")) == {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=lax"}


def test_a_login_over_another_one_ends_it(access: Guarded) -> None:
    with access.logged_in(ADA) as client:
        before = client.cookies["headrace"]
        client.post("/login", data={"name": ADA[0], "password": ADA[1]})
        assert client.cookies["headrace"] != before
        assert client.get("/chat").status_code == 200
    with access.client(cookie=f"headrace={before}") as client:
        assert client.get("/chat").status_code == 401


def test_a_wrong_password_and_a_name_that_nobody_has_look_the_same(access: Guarded) -> None:
    with elsewhere(access, "127.0.0.2") as client:
        told = [client.post("/login", data={"name": name, "password": "wrong"}) for name in ("Ada", "Eve")]
    assert [answer.status_code for answer in told] == [401, 401]
    assert WRONG in told[0].text
    assert told[0].text.replace("Ada", "") == told[1].text.replace("Eve", "")
    assert all("set-cookie" not in answer.headers for answer in told)


def test_the_sixth_wrong_try_waits_and_others_do_not(access: Guarded) -> None:
    with elsewhere(access, "127.0.0.3") as client:
        tries = [client.post("/login", data={"name": "Bob", "password": f"wrong {n}"}).status_code for n in range(FROM_ONE)]
        sixth = client.post("/login", data={"name": "Bob", "password": BOB[1]})
    assert tries == [401] * FROM_ONE
    assert sixth.status_code == 429
    assert 1 <= int(sixth.headers["retry-after"]) <= 60
    with access.logged_in(BOB):
        pass


def test_a_proxy_says_who_comes_and_nobody_else_does(access: Guarded) -> None:
    """The proxy is at 127.0.0.5. What stands before the address that it has added itself is somebody's own word."""
    for address, named, last in (
        ("127.0.0.5", "10.0.0.1, 10.0.0.{n}", 401),
        ("127.0.0.6", "10.0.0.{n}", 429),
        ("127.0.0.5", "10.0.0.{n}, 10.1.0.1", 429),
    ):
        with elsewhere(access, address) as client:
            for number in range(FROM_ONE + 1):
                headers = {"x-forwarded-for": named.format(n=number)}
                answer = client.post("/login", data={"name": f"nobody {address} {last}", "password": "wrong"}, headers=headers)
        assert answer.status_code == last


def test_many_addresses_together_wait_too() -> None:
    attempts = Attempts()
    for number in range(FOR_ONE):
        assert attempts.wait(f"10.0.0.{number}", "ada", 1.0) == 0
        attempts.wrong(f"10.0.0.{number}", "ada", 1.0)
    assert attempts.wait("10.1.1.1", "ada", 1.0) == 60
    assert attempts.wait("10.1.1.1", "bob", 1.0) == 0
    assert attempts.wait("10.1.1.1", "ada", 61.5) == 0


def test_a_network_of_ipv6_is_one_address() -> None:
    attempts = Attempts()
    for number in range(FROM_ONE):
        attempts.wrong(f"2001:db8:1:2::{number:x}", f"somebody {number}", 1.0)
        attempts.wrong(f"::ffff:10.0.0.{number}", f"somebody {number}", 1.0)
    assert attempts.wait("2001:db8:1:2:9::1", "ada", 1.0) == 60
    assert attempts.wait("2001:db8:1:3::1", "ada", 1.0) == attempts.wait("::ffff:10.0.0.9", "ada", 1.0) == 0


@pytest.mark.parametrize("target", ["//evil.test", "https://evil.test", "/\\evil.test", "/login?next=/", "/a\r\nset-cookie: a=b", "é"])
def test_a_login_leads_nowhere_else(access: Guarded, target: str) -> None:
    with access.client() as client:
        answer = client.post("/login", data={"name": ADA[0], "password": ADA[1], "next": target})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_the_page_runs_nothing_and_says_nothing_back_as_markup(access: Guarded) -> None:
    with elsewhere(access, "127.0.0.4") as client:
        page = client.post("/login", data={"name": '"><script>x</script>', "password": "<b>", "next": '/"><i>'})
    assert "<script" not in page.text
    assert "<i>" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"origin": "http://evil.test"}, "name=Ada&password=x", 403),
        ({"origin": "null"}, "name=Ada&password=x", 403),
        ({"content-type": "text/plain"}, "name=Ada&password=x", 415),
        ({}, "name=" + "x" * 20_000, 413),
        ({}, "&".join(f"f{n}=1" for n in range(50)), 413),
    ],
)
def test_only_the_form_of_our_own_page(access: Guarded, headers: dict[str, str], body: str, status: int) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert httpx.post(f"{access.url}/login", content=body, headers={**kind, **headers}).status_code == status


def test_a_cookie_counts_only_for_our_own_pages(access: Guarded) -> None:
    with access.logged_in(ADA) as client:
        assert client.get("/chat", headers={"sec-fetch-site": "same-origin"}).status_code == 200
        assert client.get("/chat", headers={"sec-fetch-site": "same-site"}).status_code == 401
        assert client.get("/chat", headers={"origin": "http://localhost:1"}).status_code == 401


def test_a_logout_ends_the_session_and_its_streams(access: Guarded) -> None:
    body = {
        "model": "rehearsal/longform",
        "messages": [{"role": "user", "content": "20000 tokens at 200 tokens/s"}],
        "on_disconnect": "keep",
    }
    with access.logged_in(ADA) as client, client.stream("POST", "/chat", json=body) as stream:
        pieces = stream.iter_text()
        told = next(pieces)
        cookie = client.cookies["headrace"]
        assert httpx.post(f"{access.url}/logout", cookies={"headrace": cookie}).status_code == 303
        told += "".join(pieces)
    last = told.rstrip().rsplit("\n\n", 1)[-1]
    assert "event: failed" in last
    assert '"code":"revoked"' in last
    with access.client(cookie=f"headrace={cookie}") as client:
        assert client.get("/chat").status_code == 401
    with access.client("ada") as client:
        client.delete(f"/chat/{stream.headers['headrace-generation']}")


def test_pages_lead_to_the_way_in(access: Guarded) -> None:
    with access.client() as client:
        answer = client.get("/c/some?at=x")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fc%2Fsome%3Fat%3Dx")
        assert client.get("/_nicegui/client/some/upload/1").status_code == 401
        assert client.get("/static/headrace.css").status_code == 200
        missing = client.get("/static/nothing.css", headers={"accept": "text/html", "accept-language": "de"})
        assert (missing.status_code, "Diese Seite gibt es nicht." in missing.text) == (404, True)
    with access.client("admin") as client:
        assert client.get("/settings").status_code == 303, "a key opens no pages"


def test_a_password_is_typed_in_and_a_hash_comes_out() -> None:
    command = [sys.executable, str(ROOT / "main.py"), "password"]
    done = subprocess.run(command, input=ADMIN[1], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("$argon2id$")
    with pytest.raises(Invalid, match="at least 8 characters"):
        hashed("short")


async def test_over_tls_the_cookie_is_for_this_host_alone() -> None:
    people = People(MemoryStore(), Terms("password"))
    _, token = await people.enter(await people.subject("https://issuer.test 1", "Ada", admin=False))
    login = Login(people, lambda _: "", secure=True)
    request = Request({"type": "http", "headers": [(b"cookie", b"__Host-headrace=" + token.encode())]})
    session, another = await people.enter(await people.subject("https://issuer.test 1", "Ada", admin=False))
    answer = await login.entered(request, session, another, "/")
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name == f"__Host-headrace={another}"
    assert set(attributes) == {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=lax", "Secure"}
    assert await people.by_cookie(token) is None, "what the browser had before is over"
    await people.close()
