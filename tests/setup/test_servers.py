"""Model servers set on the page: kept, held to at once, tried out, and their keys told to nobody but them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from services.chat import Chat, Installed
from services.errors import Conflict, Rejected, UnknownModel
from services.generations.memory import MemoryJournal
from services.messages import Message, Text, Turn
from services.models import Trial
from services.settings import read
from services.store.memory import MemoryStore
from services.upstream.configured import Assembly
from services.upstream.connections import Connections
from tests.upstream.model_server import DONE, HEAD, Behave, answer, chunk, delta, sends, upstream

SECRET = "sk-do-not-show-me"
TOML = '[rehearsal]\nspeed = 10000.0\n[[upstreams]]\nname = "mill"\ndialect = "openai_chat"\nbase_url = "http://127.0.0.1:9/v1"\n'
LAB: dict[str, object] = {"name": "lab", "dialect": "openai_chat", "base_url": "http://127.0.0.1:9/v1", "models": ["m"]}
MODELS = b'{"data": [{"id": "text-embedding-3"}, {"id": "gpt"}]}'


@asynccontextmanager
async def installed(home: Path, *flags: str) -> AsyncIterator[Chat]:
    (home / "settings.toml").write_text(TOML)
    (home / "settings.toml").chmod(0o600)
    layers, connections = read(flags, home=home), Connections()
    assembly = Assembly(connections, 8080)
    chat = Chat(assembly.catalogue(layers.settings), MemoryStore(), MemoryJournal(), installed=Installed(layers, assembly))
    try:
        yield chat
    finally:
        await chat.close()
        await connections.close()


def kept(home: Path) -> object:
    return json.loads((home / "data" / "settings.json").read_text())["upstreams"]


def names(chat: Chat) -> list[str]:
    return [listing.name for listing in chat.models()]


async def test_a_server_is_added_changed_and_removed(tmp_path: Path) -> None:
    async with installed(tmp_path) as chat:
        changes: list[list[str]] = []
        chat.watch_models(lambda: changes.append(names(chat)))
        await chat.servers.put("", LAB, SECRET)
        assert changes == [["mill", "lab", "rehearsal"]]
        assert kept(tmp_path) == [{**LAB, "api_key": SECRET}]
        [lab] = [server for server in chat.servers.list() if server.name == "lab"]
        assert (lab.key, lab.origin, lab.models) == ("set", "page", ("m",))
        await chat.servers.put("lab", {**LAB, "name": "den", "timeouts": {"gap": 5.0}})
        assert kept(tmp_path) == [{**LAB, "name": "den", "timeouts": {"gap": 5.0}, "api_key": SECRET}]
        await chat.servers.put("den", LAB, "")
        assert kept(tmp_path) == [LAB]
        assert SECRET not in repr([chat.servers, chat.servers.list(), chat.models(), vars(chat)])
        await chat.servers.remove("lab")
        assert kept(tmp_path) == []
        assert names(chat) == ["mill", "rehearsal"]


async def test_a_server_of_the_file_is_switched_off_and_changed_but_the_file_is_left_alone(tmp_path: Path) -> None:
    async with installed(tmp_path) as chat:
        await chat.servers.switch("mill", False)
        assert kept(tmp_path) == [{"name": "mill", "enabled": False}]
        assert names(chat) == ["rehearsal"]
        await chat.servers.switch("rehearsal", False)
        assert names(chat) == []
        await chat.servers.switch("mill", True)
        assert kept(tmp_path) == []
        same = {"name": "mill", "dialect": "openai_chat", "base_url": "http://127.0.0.1:9/v1", "models": [], "timeouts": {}}
        await chat.servers.put("mill", {**same, "base_url": "http://gpu.lan/v1"})
        assert kept(tmp_path) == [{"name": "mill", "base_url": "http://gpu.lan/v1"}]
        assert [(server.name, server.origin) for server in chat.servers.list()] == [("mill", "both"), ("rehearsal", "builtin")]
        await chat.servers.remove("mill")
        assert [server.base_url for server in chat.servers.list()] == ["http://127.0.0.1:9/v1", ""]
        assert (tmp_path / "settings.toml").read_text() == TOML


async def test_what_is_wrong_stands_at_its_field(tmp_path: Path) -> None:
    async with installed(tmp_path) as chat:
        cases: list[tuple[dict[str, object], str | None, set[str]]] = [
            ({**LAB, "base_url": "gpu", "dialect": "telnet"}, None, {"base_url", "dialect"}),
            ({**LAB, "name": "my lab"}, None, {"name"}),
            ({**LAB, "name": "mill"}, None, {"name"}),
            ({**LAB, "name": "Mill"}, None, {"name"}),
            ({**LAB, "timeouts": {"gap": "long"}}, None, {"timeouts.gap"}),
            (LAB, f"{SECRET} {SECRET}", {"api_key"}),
            (LAB, "${NO_SUCH_KEY}", {"api_key"}),
        ]
        for fields, key, wrong in cases:
            with pytest.raises(Rejected) as caught:
                await chat.servers.put("", fields, key)
            assert {str(loc[0]) for loc in caught.value.fields} == wrong
            assert SECRET not in f"{caught.value} {caught.value.fields}"
        assert names(chat) == ["mill", "rehearsal"]
        assert not (tmp_path / "data").exists()


async def test_servers_that_a_variable_names_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_UPSTREAMS", json.dumps([{**LAB, "api_key": SECRET}]))
    async with installed(tmp_path) as chat:
        [lab, _] = chat.servers.list()
        assert (lab.name, lab.key, lab.origin, lab.fixed) == ("lab", "set", "variable", "environment variable HEADRACE_UPSTREAMS")
        with pytest.raises(Conflict, match="HEADRACE_UPSTREAMS"):
            await chat.servers.switch("lab", False)


def half(go: asyncio.Event) -> Behave:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(delta("Hel")))
        await go.wait()
        writer.write(chunk(delta("lo", '"stop"') + DONE) + chunk(b""))
        await writer.drain()

    return behave


@pytest.mark.parametrize("after", ["removed", "moved"])
async def test_a_reply_that_runs_goes_on_when_its_server_is_another_one(after: str, tmp_path: Path) -> None:
    go = asyncio.Event()
    async with upstream(half(go)) as (mill, _), installed(tmp_path) as chat:
        await chat.servers.put("", {**LAB, "base_url": f"http://{mill.host}/v1"})
        started = chat.start(Turn("lab/m", (Message("user", (Text("Hello"),)),)))
        async with aclosing(chat.follow(started.generation)) as batches:
            while not chat.reply(started.generation).message.text:
                await anext(batches)
            if after == "removed":
                await chat.servers.remove("lab")
                with pytest.raises(UnknownModel):
                    chat.start(Turn("lab/m", (Message("user", (Text("Hello"),)),)))
            else:
                await chat.servers.put("lab", LAB)
            go.set()
            async for _ in batches:
                pass
        assert chat.reply(started.generation).message.text == "Hello"


async def test_a_server_is_tried_out_before_it_is_kept(tmp_path: Path) -> None:
    streamed = HEAD + chunk(delta("Hello")) + chunk(delta(" there", '"stop"') + DONE) + chunk(b"")

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = served.requests[-1]
        await sends(answer("200 OK", MODELS, "content-type: application/json") if request.startswith(b"GET") else streamed)(reader, writer)

    async with upstream(behave) as (mill, served), installed(tmp_path) as chat:
        tried = await chat.servers.try_out("", {**LAB, "models": [], "base_url": f"http://{mill.host}/v1"}, SECRET)
        assert (tried.model, tried.problem) == ("gpt", None)
        assert tried.text.startswith("Hello")
        assert tried.ttft_ms is not None
        assert all(b"Bearer " + SECRET.encode() in request for request in served.requests)
        assert not (tmp_path / "data").exists()
        assert names(chat) == ["mill", "rehearsal"]


async def test_a_server_that_does_not_answer_says_why(tmp_path: Path) -> None:
    async with installed(tmp_path) as chat:
        tried = await chat.servers.try_out("mill")
        assert tried.problem
        assert "127.0.0.1:9" in tried.problem
        assert (await chat.servers.try_out("rehearsal")) != Trial()
    refused = sends(answer("401 Unauthorized", b'{"error": {"message": "Bad key"}}', "content-type: application/json"))
    async with upstream(refused) as (mill, _), installed(tmp_path) as chat:
        tried = await chat.servers.try_out("", {**LAB, "base_url": f"http://{mill.host}/v1"}, SECRET)
        assert "Bad key" in (tried.problem or "")
        assert SECRET not in (tried.problem or "")
