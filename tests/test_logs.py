"""The log: one record is one line whatever is in it, keys never get in, and a request is found in it by its id."""

import io
import json
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from services.logs import SAME, Flood, Formatter, request, request_id, told
from services.redaction import escaped, without_secrets
from tests.serving import Served, served

KEY = "long-and-secret"
HOSTILE = "a\n2026-11-21T00:00:00.000Z ERROR forged\r\x1b[31mred\x9b\u2028\u202eevil\x00\ud800"


def written(format: str, message: str, *args: object, exc: BaseException | None = None, **fields: object) -> str:
    record = logging.LogRecord(
        "services.x", logging.WARNING, __file__, 1, message, args, (type(exc), exc, exc.__traceback__) if exc else None
    )
    record.__dict__.update(told(**fields))
    return Formatter("json" if format == "json" else "text", lambda: [KEY]).format(record)


def failed() -> BaseException:
    try:
        raise ValueError(f"{KEY} {HOSTILE}")
    except ValueError as exc:
        return exc


@pytest.mark.parametrize("format", ["text", "json"])
def test_nobodys_words_forge_a_line_or_colour_a_terminal(format: str) -> None:
    lines = written(format, "said %s", HOSTILE, exc=failed(), model=HOSTILE).split("\n")
    text = "\n".join(lines)
    assert text.isascii() or not re.search("[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\ud800]", text)
    assert [line for line in lines[1:] if not line.startswith("    ")] == []
    assert format == "text" or len(lines) == 1
    assert "forged" in text


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize(
    "secret", [KEY, "sk-proj-abc123", "Bearer abcdef123", "https://me:hunter2@db", "api_key=hunter22", "hr_0123456789abcdef"]
)
def test_keys_never_get_in(format: str, secret: str) -> None:
    line = written(format, "said %s", secret, exc=failed(), model=secret)
    assert KEY not in line
    assert not any(word in line for word in ("sk-proj-abc123", "abcdef123", "hunter2", "0123456789abcdef"))
    assert "redacted" in line


def test_a_line_for_programs_has_fields_of_their_own() -> None:
    token = request.set("req_1")
    line = json.loads(written("json", "%d of %d", 1, 2, status=200, model=None))
    request.reset(token)
    assert {**line, "time": ""} == {
        "time": "", "level": "warning", "logger": "services.x", "message": "1 of 2", "status": 200, "request": "req_1"
    }  # fmt: skip
    assert "(cannot be formatted: TypeError)" in written("text", "%d", "no number")


@pytest.mark.parametrize("given", ["", None, "a b", "-a", "a" * 65, "a\n", "a\x1b", "ä", "<a>"])
def test_an_id_that_is_no_plain_word_is_not_taken(given: str | None) -> None:
    assert request_id("mine-7.a_B") == "mine-7.a_B"
    assert re.fullmatch(r"req_[0-9a-f]{16}", request_id(given))


def test_the_same_complaint_again_and_again_is_counted() -> None:
    now = [0.0]
    flood, stream = Flood(lambda: now[0]), io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(flood)
    for number in range(SAME + 5):
        handler.handle(logging.makeLogRecord({"name": "a", "msg": "no %d", "args": (number,), "levelno": logging.WARNING}))
    assert len(stream.getvalue().splitlines()) == SAME
    now[0] = 61.0
    handler.handle(logging.makeLogRecord({"name": "a", "msg": "no %d", "args": (99,), "levelno": logging.WARNING}))
    assert stream.getvalue().splitlines()[-1] == "no 99 (and 5 more like it before)"


def test_escaping_and_redacting_leave_plain_text_alone() -> None:
    plain = "Ein Satz, with 你好 and 🙂: a key of a map, tokens=12, a basic idea."
    assert escaped(plain) == without_secrets(plain) == plain


# A real server


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    folder = tmp_path_factory.mktemp("logged")
    with served(folder, '[log]\nformat = "json"\n[rehearsal]\nspeed = 1e9\n') as running:
        yield running, folder / "log"


def calls(log: Path, *wanted: str) -> dict[object, dict[str, object]]:
    """The lines of these calls by their ids. A line is written when its answer is over, so a moment after the client has it."""
    deadline = time.monotonic() + 10
    while True:
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        found = {line["request"]: line for line in lines if line["logger"] == "headrace.access"}
        if found.keys() >= set(wanted) or time.monotonic() > deadline:
            return found
        time.sleep(0.02)


ASKED = {"model": "rehearsal/echo", "messages": [{"role": "user", "content": "whisper"}], "stream": True}


def test_a_call_is_one_line_and_its_id_is_everywhere(house: tuple[Served, Path]) -> None:
    running, log = house
    with httpx.Client(base_url=running.url, trust_env=False) as client:
        answer = client.post("/v1/chat/completions", json=ASKED, headers={"x-request-id": "mine-1"})
        assert answer.headers["x-request-id"] == "mine-1"
        client.get("/nowhere?api_key=hunter22")
        client.get("/v1/nowhere?api_key=hunter22", headers={"x-request-id": "mine-4"})
        gone = client.get("/chat/nothing")
        assert gone.json()["request_id"] == gone.headers["x-request-id"] != "mine-1"
        wrong = client.post("/v1/messages", json={}, headers={"x-request-id": "mine-2"})
        assert wrong.json()["request_id"] == "mine-2"
        foreign = client.get("/models", headers={"host": "evil.example", "x-request-id": "mine-3"})
        assert foreign.status_code == 421
        assert foreign.json()["request_id"] == "mine-3"
    told = calls(log, "mine-1", "mine-2", "mine-3", "mine-4")
    assert told["mine-1"]["message"] == "POST /v1/chat/completions 200"
    assert told["mine-1"]["model"] == "rehearsal/echo"
    assert told["mine-1"]["generation"] == answer.headers["headrace-generation"]
    assert told[gone.headers["x-request-id"]]["message"] == "GET /chat/{id} 404"
    assert told["mine-3"]["message"] == "GET /models 421"
    assert not any(word in log.read_text() for word in ("whisper", "hunter22"))


FORGE = """() => {
    window.socket.emit("log", {client_id: window.clientId, level: "error", message: "forged by a page"});
    return new Promise(done => setTimeout(done, 300));
}"""


def test_a_page_cannot_write_into_the_log(house: tuple[Served, Path], browser: Browser) -> None:
    running, log = house
    page = browser.new_page()
    page.goto(running.url)
    page.get_by_role("textbox").first.wait_for()
    assert page.evaluate("() => window.socket && window.clientId") is not None
    page.evaluate(FORGE)
    page.close()
    assert "forged by a page" not in log.read_text()
