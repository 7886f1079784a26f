"""People who come in by an OpenID Connect provider, which is a real one in another process, and whose word is not taken unseen."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from services.people.oidc import Provider, Registration, covers
from tests.oidc_provider import CLIENT, SECRET
from tests.serving import ROOT, Served, served

SETTINGS = """
[login]
kind = "oidc"
issuer = "{issuer}"
client_id = "{client}"
client_secret = "{secret}"
public_url = "http://127.0.0.1:{port}"
allow = ["@example.org"]
admins = ["ada@example.org"]
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-m", "tests.oidc_provider"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    yield process.stdout.readline().strip()
    process.terminate()
    process.wait(10)
    process.stdout.close()


@pytest.fixture(scope="module")
def house(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("oidc")
    settings = SETTINGS.format(issuer=provider, client=CLIENT, secret=SECRET, port=port)
    with served(folder, settings, "--server.port", str(port)) as running:
        yield running
    assert "Traceback" not in (folder / "log").read_text()


@pytest.fixture
def browser(house: Served) -> Iterator[httpx.Client]:
    """What a browser does, but for what it shows."""
    with httpx.Client(base_url=house.url, follow_redirects=True, timeout=20) as client:
        yield client


def says(provider: str, **claims: Any) -> None:
    httpx.post(f"{provider}/set", json=claims)


def test_somebody_comes_in_and_is_who_the_provider_says(provider: str, house: Served, browser: httpx.Client) -> None:
    """An admin first, who has what was here before; then somebody else, who has nothing of it."""
    body = {"model": "rehearsal/echo", "messages": [{"role": "user", "content": "hers"}], "stream": False}
    says(provider)
    page = browser.get("/login?next=/settings")
    assert re.search(r'href="/login/oidc\?next=/settings"', page.text)
    browser.get("/login/oidc", params={"next": "/models"})
    assert browser.get("/chat").json() == {"generations": []}
    generation = browser.post("/chat", json=body).json()["id"]
    with httpx.Client(base_url=house.url, follow_redirects=True) as other:
        says(provider, sub="2", email="bob@example.org", name="Bob")
        other.get("/login/oidc", params={"next": "/models"})
        assert other.get(f"/chat/{generation}").status_code == 404
        assert other.get("/metrics").status_code == 403, "no admin"
    assert browser.get("/metrics").status_code == 200
    with httpx.Client(base_url=house.url, follow_redirects=True) as again:
        says(provider, name="Ada Again")
        again.get("/login/oidc", params={"next": "/models"})
        assert again.get(f"/chat/{generation}").status_code == 200, "she is the same person"


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"email": "eve@elsewhere.org"}, "You are not among those who may come in here."),
        ({"email": "eve@evil.org@example.org"}, "You are not among those who may come in here."),
        ({"email_verified": False}, "The provider has not verified your address."),
        ({"email_verified": None}, "The provider has not verified your address."),
        ({"email": None}, "The provider does not say who you are"),
        ({"nonce": "another"}, "cannot be used"),
        ({"nonce": None}, "cannot be used"),
        ({"aud": "another"}, "cannot be used"),
        ({"aud": [CLIENT, "another"]}, "cannot be used"),
        ({"azp": "another"}, "cannot be used"),
        ({"iss": "http://127.0.0.1:1"}, "cannot be used"),
        ({"exp": 1_700_000_000}, "cannot be used"),
        ({"sub": None}, "cannot be used"),
        ({"fault": "other key"}, "cannot be used"),
        ({"fault": "alg none"}, "cannot be used"),
        ({"fault": "shared secret"}, "cannot be used"),
        ({"fault": "no HTTP"}, "cannot be reached, or does not answer as it should"),
    ],
    ids=str,
)
def test_a_word_that_is_not_good_lets_nobody_in(provider: str, browser: httpx.Client, claims: dict[str, Any], sentence: str) -> None:
    says(provider, **claims)
    answer = browser.get("/login/oidc")
    assert answer.status_code == 401
    assert sentence in answer.text
    assert "headrace" not in browser.cookies
    assert browser.get("/chat").status_code == 401


def test_only_the_browser_that_began_it_may_come_back(provider: str, house: Served, browser: httpx.Client) -> None:
    """Else somebody could be made to log in as another: the callback is an address that anybody may send."""
    says(provider)
    begun = browser.get("/login/oidc", follow_redirects=False)
    there = urlsplit(begun.headers["location"])
    assert parse_qs(there.query)["code_challenge_method"] == ["S256"]
    back = httpx.get(begun.headers["location"]).headers["location"]
    flow = browser.cookies["headrace-login"]
    body, _, signature = flow.partition(".")
    for forged in ("", "nothing", body, f"{body}.", f"{'a' + body[1:]}.{signature}", f"{body}.{'0' * 64}", httpx.Cookies()):
        cookies = {"headrace-login": forged} if isinstance(forged, str) else forged
        assert httpx.get(back, cookies=cookies).status_code == 401
    other = httpx.get(f"{house.url}/login/oidc").cookies["headrace-login"]
    assert httpx.get(back, cookies={"headrace-login": other}).status_code == 401, "signed by us, and another's"
    assert browser.get("/login/callback?error=access_denied").status_code == 401
    assert browser.get("/login/callback").status_code == 401


async def test_however_many_begin_a_login_nobody_is_pushed_out(provider: str) -> None:
    says(provider)
    here = Provider(Registration(provider, CLIENT, SECRET, "http://127.0.0.1:1/login/callback", "email", ["*"], []))
    there, flow = await here.begin("/models")
    others = [await here.begin("/" + "a" * 5000) for _ in range(1_100)]
    assert len(others[0][1]) < 4000, "it fits into a cookie"
    async with httpx.AsyncClient() as browser:
        back = parse_qs(urlsplit((await browser.get(there)).headers["location"]).query)
    claimed, wanted = await here.finish(back["state"][0], back["code"][0], flow)
    assert (claimed.name, wanted) == ("Ada", "/models")


def test_without_its_library_it_says_what_to_do(provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jwt").mkdir()
    settings = SETTINGS.format(issuer=provider, client=CLIENT, secret=SECRET, port=1)
    missing = "import importlib.util as u; found = u.find_spec; u.find_spec = lambda n, *a: None if n == 'jwt' else found(n, *a)"
    (tmp_path / "sitecustomize.py").write_text(missing)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(AssertionError, match="uv run --extra oidc"), served(tmp_path, settings):
        pass


@pytest.mark.parametrize(
    ("whom", "value", "covered"),
    [
        (["*"], "anybody", True),
        (["ada@example.org"], "Ada@Example.org", True),
        (["ada@example.org"], "ada@example.org.evil", False),
        (["@example.org"], "ada@example.org", True),
        (["@example.org"], "ada@sub.example.org", False),
        (["@example.org"], "@example.org", False),
        ([], "ada@example.org", False),
        (["@strasse.example"], "ada@STRASSE.example", True),
        (["@strasse.example"], "ada@straße.example", False),
    ],
)
def test_who_may_come_in(whom: list[str], value: str, covered: bool) -> None:
    assert covers(whom, value) is covered
