"""Attached files over HTTP: taken as they are, and given back in a way in which no browser runs them."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.attachments.samples import pdf, png
from tests.serving import Served


@pytest.fixture
def client(headrace: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=headrace.url, trust_env=False, timeout=20) as client:
        yield client


def expect_harmless(response: httpx.Response) -> None:
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"


def test_a_picture_is_shown(client: httpx.Client) -> None:
    made = client.post("/attachments", params={"name": "../mill.png"}, content=png(3, 2))
    assert made.status_code == 201
    assert made.json() | {"hash": ""} == {
        "type": "file", "hash": "", "name": "mill.png", "media": "image/png", "size": len(png(3, 2)), "width": 3, "height": 2,
    }  # fmt: skip
    shown = client.get(made.headers["location"])
    assert (shown.content, shown.headers["content-type"], shown.headers["content-disposition"]) == (png(3, 2), "image/png", "inline")
    expect_harmless(shown)


@pytest.mark.parametrize(
    "body", [b"<html><script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", pdf("Hi")]
)
def test_anything_else_is_only_saved(client: httpx.Client, body: bytes) -> None:
    made = client.post("/attachments?name=picture.png", content=body, headers={"content-type": "image/png"})
    saved = client.get(made.headers["location"])
    assert saved.content == body
    assert (saved.headers["content-type"], saved.headers["content-disposition"]) == ("application/octet-stream", "attachment")
    expect_harmless(saved)


def test_how_far_a_pdf_is_read_is_told(client: httpx.Client) -> None:
    lines = {"accept": "application/x-ndjson"}
    told = [json.loads(line) for line in client.post("/attachments?name=a.pdf", content=pdf("One", "Two", "3"), headers=lines).iter_lines()]
    assert told[:4] == [{"read": number, "pages": 3} for number in range(4)]
    assert (told[4]["media"], told[4]["pages"]) == ("application/pdf", 3)
    (refused,) = client.post("/attachments?name=a.bin", content=b"\0", headers=lines).iter_lines()
    assert "a.bin is a binary file" in json.loads(refused)["error"]["message"]


def test_refusals(client: httpx.Client) -> None:
    assert client.post("/attachments", content=b"a").status_code == 400
    assert client.post("/attachments?name=a.exe", content=b"MZ\0").status_code == 422
    assert client.post("/attachments?name=a.txt", content=b"a" * 20_000_001).status_code == 413
    assert client.post("/attachments?name=a.txt", content=b"a", headers={"origin": "https://evil.example"}).status_code == 403
    assert client.get(f"/attachments/{'0' * 64}").status_code == 404
    assert client.get("/attachments/..%2f..%2fsettings.toml").status_code == 404
