"""Nobody changes anything by asking for something: browsers, proxies, link previews and crawlers GET whatever address they find."""

import asyncio
import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx

from tests.api.test_policies import table
from tests.reliability.test_conversations import house
from tests.serving import served

ASKED = {"model": "rehearsal/echo", "messages": [{"role": "user", "content": "kept as it is"}], "stream": False}
PAGES = ("/", "/c/{conversation}", "/settings", "/inspect", "/inspect/{chat}", "/lab", "/help/nothing", "/login", "/nothing")


async def begun(folder: Path) -> str:
    """A conversation of two answers, one of them not shown."""
    chat, _, journal = house(folder)
    asked = await chat.send(None, "rehearsal/echo", "kept as it is")
    await chat.stop(asked.answer.generation or "")
    again = await chat.retry(asked.conversation, "rehearsal/echo")
    await chat.stop(again.answer.generation or "")
    await chat.close()
    journal.close()
    return asked.conversation


def kept(data: Path) -> dict[str, object]:
    """All that is in the store, which replies there are, and every file. Not the journal's rows, which it tidies up when it likes."""
    found: dict[str, object] = {}
    with closing(sqlite3.connect(data / "headrace.db")) as store, closing(sqlite3.connect(data / "journal.db")) as journal:
        found["store"] = list(store.iterdump())
        found["replies"] = journal.execute("SELECT id, label, about FROM logs ORDER BY id").fetchall()
    for file in sorted(data.rglob("*")):
        if file.is_file() and not file.name.startswith(("headrace.db", "journal.db")):
            found[str(file)] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


def test_nothing_that_is_only_asked_for_changes_anything(tmp_path: Path) -> None:
    conversation = asyncio.run(begun(tmp_path))
    with served(tmp_path) as running, httpx.Client(base_url=running.url, trust_env=False, timeout=60) as client:
        chat = client.post("/chat", json=ASKED).json()["id"]
        answer = client.post("/v1/responses", json={"model": "rehearsal/echo", "input": "kept as it is"}).json()["id"]
        file = client.post("/attachments", params={"name": "kept.txt"}, content=b"kept as it is").json()["hash"]
        recording = client.post(f"/chat/{chat}/recording", json={}).json()["name"]
        things = {
            "/chat/{id}": f"/chat/{chat}",
            "/v1/responses/{id}": f"/v1/responses/{answer}",
            "/v1/models/{id:path}": "/v1/models/rehearsal/echo",
            "/attachments/{hash}": f"/attachments/{file}",
            "/recordings/{name}": f"/recordings/{recording}",
        }
        paths = [page.format(conversation=conversation, chat=chat) for page in PAGES]
        paths.append("/rehearsal/openai_chat/v1/models")
        for method, path in sorted(table()):
            if method == "GET":
                begins = next((begins for begins in things if path.startswith(begins)), path)
                paths.append(things.get(begins, path) + path[len(begins) :])
        before = kept(tmp_path / "data")
        assert "kept as it is" in str(before["store"])
        answers = {path: [client.get(path).status_code for _ in range(2)] for path in paths}
        assert kept(tmp_path / "data") == before
    assert {path: told for path, told in answers.items() if max(told) >= 500} == {}
    assert all(answers[path] == [200, 200] for path in (*things.values(), "/", f"/c/{conversation}", "/settings", f"/inspect/{chat}"))
