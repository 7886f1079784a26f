"""/api/chat, /api/generate and what else Ollama's own SDKs ask for, against a real server."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import ollama
import pytest

from tests.serving import Served, served

Run = Callable[[str], Any]
TEXT = "Hello wörld\u2028👋"
HELLO = [{"role": "user", "content": TEXT}]


@pytest.fixture
def client(headrace: Served) -> Iterator[ollama.Client]:
    with ollama.Client(headrace.url) as client:
        yield client


@pytest.fixture
def http(headrace: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=headrace.url, trust_env=False, timeout=20) as client:
        yield client


@pytest.fixture
def sdk(headrace: Served, node: str, node_modules: Path) -> Run:
    """Runs code with Ollama's SDK for Node; what it told."""

    def run(code: str) -> Any:
        start = """
            import {Ollama} from "ollama";
            const client = new Ollama({host: process.argv[1]});
            const tell = told => console.log(JSON.stringify(told));
            const every = async stream => { const found = []; for await (const each of await stream) found.push(each); return found; };
            const caught = work => work().then(told => ["none", told], error => [error.name, error.status_code ?? null, error.message]);
        """
        command = [node, "--input-type=module", "-e", start + code, headrace.url]
        done = subprocess.run(command, cwd=node_modules, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


# Python


def test_a_chat(client: ollama.Client) -> None:
    response = client.chat("rehearsal/echo", HELLO)
    assert (response.message.content, response.done, response.done_reason) == (TEXT, True, "stop")
    assert response.eval_count
    assert response.total_duration
    assert response.total_duration == (response.prompt_eval_duration or 0) + (response.eval_duration or 0)


def test_a_stream_is_the_same_chat(client: ollama.Client) -> None:
    lines = list(client.chat("rehearsal/thinker", HELLO, stream=True, think=True))
    whole = client.chat("rehearsal/thinker", HELLO)
    assert len(lines) > 3
    assert [line.done for line in lines] == [False] * (len(lines) - 1) + [True]
    assert "".join(line.message.content or "" for line in lines) == whole.message.content
    assert "".join(line.message.thinking or "" for line in lines) == whole.message.thinking
    assert whole.message.thinking


def test_a_generation(client: ollama.Client) -> None:
    lines = list(client.generate("rehearsal/echo", TEXT, stream=True))
    assert "".join(line.response or "" for line in lines) == TEXT
    assert client.generate("rehearsal/echo", TEXT, system="Be brief.").response == TEXT


def test_an_answer_that_ends_at_the_limit_says_so(client: ollama.Client) -> None:
    five = {"num_predict": 5}
    assert client.chat("rehearsal/longform", HELLO, options=five).done_reason == "length"
    assert list(client.generate("rehearsal/longform", TEXT, stream=True, options=five))[-1].done_reason == "length"


def test_a_loop_of_tools(client: ollama.Client) -> None:
    """The SDK loses the ids of calls: their results are matched by name and order."""

    def get_weather(city: str) -> str:
        """The weather."""
        return city

    def get_time(zone: str) -> str:
        """The time."""
        return zone

    question: Any = {"role": "user", "content": "tools"}
    first = client.chat("rehearsal/scenes", [question], tools=[get_weather, get_time])
    calls = first.message.tool_calls or []
    told = [(call.function.name, dict(call.function.arguments)) for call in calls]
    assert told == [("get_weather", {"city": "Köln"}), ("get_time", {"zone": "Europe/Berlin"})]
    results: list[Any] = [{"role": "tool", "tool_name": name, "content": f"result of {name}"} for name, _ in reversed(told)]
    last = client.chat("rehearsal/scenes", [question, first.message, *results])
    assert "result of get_weather" in str(last.message.content)
    assert "result of get_time" in str(last.message.content)


def test_what_concerns_loading_disturbs_no_other_server(client: ollama.Client) -> None:
    response = client.chat("rehearsal/echo", HELLO, keep_alive="5m", options={"num_ctx": 8192, "num_gpu": 1, "temperature": 0.5})
    assert response.message.content == TEXT


def test_what_only_ollama_can_do_is_refused_by_name(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="mirostat") as caught:
        client.chat("rehearsal/echo", HELLO, options={"mirostat": 2})
    assert caught.value.status_code == 422
    with pytest.raises(ollama.ResponseError, match="`raw`") as caught:
        client.generate("rehearsal/echo", TEXT, raw=True)
    assert caught.value.status_code == 400


def test_a_request_that_only_loads(client: ollama.Client) -> None:
    loaded = client.generate("rehearsal/echo", "")
    assert (loaded.response, loaded.done, loaded.done_reason) == ("", True, "load")
    assert client.chat("rehearsal/echo", keep_alive=0).done_reason == "unload"
    with pytest.raises(ollama.ResponseError) as caught:
        client.generate("rehearsal/ekho")
    assert caught.value.status_code == 404


def test_an_unknown_model(client: ollama.Client) -> None:
    for stream in (True, False):
        with pytest.raises(ollama.ResponseError, match="rehearsal/echo") as caught:
            list(client.chat("rehearsal/ekho", HELLO, stream=stream))
        assert caught.value.status_code == 404


def test_errors(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError) as caught:
        client.chat("rehearsal/scenes", [{"role": "user", "content": "refused"}])
    assert caught.value.status_code == 429
    pieces: list[str] = []
    with pytest.raises(ollama.ResponseError):
        pieces.extend(
            line.message.content or "" for line in client.chat("rehearsal/scenes", [{"role": "user", "content": "cut"}], stream=True)
        )
    assert "".join(pieces) == "A few words, and then"


def test_models(client: ollama.Client) -> None:
    names = [model.model for model in client.list().models]
    assert "rehearsal/echo" in names
    shown = client.show("rehearsal/echo")
    assert shown.capabilities
    assert "completion" in shown.capabilities
    assert shown.modelinfo == {"general.architecture": "rehearsal"}
    assert client.show("echo").modelinfo == shown.modelinfo
    assert list(client.ps().models) == []
    with pytest.raises(ollama.ResponseError) as caught:
        client.show("rehearsal/ekho")
    assert caught.value.status_code == 404


def test_what_headrace_does_not_do_says_so(client: ollama.Client) -> None:
    asks: list[Callable[[], object]] = [
        lambda: client.pull("x"),
        lambda: client.push("x"),
        lambda: client.create("x", from_="y"),
        lambda: client.copy("x", "y"),
        lambda: client.delete("x"),
        lambda: client.embed("x", "y"),
        lambda: client.embeddings("x", "y"),
    ]
    for ask in asks:
        with pytest.raises(ollama.ResponseError, match="This is Headrace") as caught:
            ask()
        assert caught.value.status_code == 501


def test_keep_alives_do_not_disturb_the_sdk(tmp_path: Path) -> None:
    slow: list[Any] = [{"role": "user", "content": "5 tokens at 4 tokens/s"}]
    with served(tmp_path, "[server]\nheartbeat = 0.1\n") as headrace, ollama.Client(headrace.url) as client:
        lines = list(client.chat("rehearsal/longform", slow, stream=True))
        generated = list(client.generate("rehearsal/longform", slow[0]["content"], stream=True))
    assert sum(not line.model for line in lines) > 0
    assert sum(not line.model for line in generated) > 0
    assert "".join(line.message.content or "" for line in lines)
    assert (lines[-1].done_reason, generated[-1].done_reason) == ("stop", "stop")


# The wire


def test_a_stream_is_what_is_meant_by_default(http: httpx.Client) -> None:
    response = http.post("/api/chat", json={"model": "rehearsal/echo", "messages": HELLO})
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.headers["headrace-generation"]
    assert all(json.loads(line)["model"] == "rehearsal/echo" for line in response.text.splitlines())


def test_probes(http: httpx.Client) -> None:
    major, minor, _ = map(int, http.get("/api/version").json()["version"].split("."))
    assert (major, minor) >= (0, 6)
    for path in ("/api/version", "/api/tags", "/api/ps"):
        assert http.head(path).status_code == 200
    assert all(len(model["digest"]) == 64 for model in http.get("/api/tags").json()["models"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/chat", 405), ("GET", "/api/nothing", 404), ("POST", "/api/chat", 415), ("GET", "/api", 404)],
)
def test_errors_have_ollamas_shape(http: httpx.Client, method: str, path: str, status: int) -> None:
    response = http.request(method, path)
    assert response.status_code == status
    assert isinstance(response.json()["error"], str)


# Node


def test_node_chats_and_generates(sdk: Run) -> None:
    told = sdk("""
        const asked = {model: "rehearsal/thinker", messages: [{role: "user", content: "Hello"}]};
        tell({
            whole: await client.chat(asked),
            lines: await every(client.chat({...asked, stream: true, think: true})),
            generated: await every(client.generate({model: "rehearsal/echo", prompt: "Hello\\u2028again", stream: true, keep_alive: "5m"})),
            length: (await every(client.chat({...asked, model: "rehearsal/longform", stream: true, options: {num_predict: 5}}))).at(-1),
            tools: await every(client.chat({model: "rehearsal/scenes", messages: [{role: "user", content: "tools"}], stream: true})),
        });
    """)
    message = told["whole"]["message"]
    assert "".join(line["message"]["content"] for line in told["lines"]) == message["content"] != ""
    assert "".join(line["message"].get("thinking", "") for line in told["lines"]) == message["thinking"] != ""
    assert "".join(line["response"] for line in told["generated"]) == "Hello\u2028again"
    assert told["length"]["done_reason"] == "length"
    calls = [call["function"] for line in told["tools"] for call in line["message"].get("tool_calls", ())]
    assert [(call["index"], call["name"], call["arguments"]) for call in calls] == [
        (0, "get_weather", {"city": "Köln"}),
        (1, "get_time", {"zone": "Europe/Berlin"}),
    ]


def test_node_meets_errors_and_lists_models(sdk: Run) -> None:
    told = sdk("""
        const asked = {model: "rehearsal/scenes", messages: [{role: "user", content: "error"}]};
        tell({
            unknown: await caught(() => client.chat({...asked, model: "rehearsal/ekho"})),
            middle: await caught(() => every(client.chat({...asked, stream: true}))),
            refused: await caught(() => client.chat({...asked, messages: [{role: "user", content: "refused"}], stream: true})),
            pull: await caught(() => client.pull({model: "x"})),
            models: (await client.list()).models.map(model => model.name),
            shown: (await client.show({model: "rehearsal/echo"})).capabilities,
            running: (await client.ps()).models,
            loaded: (await client.generate({model: "rehearsal/echo", prompt: ""})).done_reason,
        });
    """)
    assert told["unknown"][:2] == ["ResponseError", 404]
    assert told["middle"] == ["Error", None, "The server failed. Try again in a moment."]
    assert told["refused"][:2] == ["ResponseError", 429]
    assert told["pull"][:2] == ["ResponseError", 501]
    assert "rehearsal/echo" in told["models"]
    assert told["shown"] == ["completion"]
    assert told["running"] == []
    assert told["loaded"] == "load"
