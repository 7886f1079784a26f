"""POST /v1/messages, used by Anthropic's own SDKs, against a real server."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import httpx
import pytest

from tests.serving import Served, served

Run = Callable[[str], Any]
TEXT = "Hello wörld 👋"
TOOLS: list[Any] = [
    {"name": name, "description": name, "input_schema": {"type": "object", "properties": {}}} for name in ("get_weather", "get_time")
]


@pytest.fixture
def client(headrace: Served) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=headrace.url, api_key="anything", max_retries=0) as client:
        yield client


@pytest.fixture
def http(headrace: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=headrace.url, trust_env=False, timeout=20) as client:
        yield client


@pytest.fixture
def sdk(headrace: Served, node: str, node_modules: Path) -> Run:
    """Runs code with Anthropic's SDK for Node; what it told."""

    def run(code: str) -> Any:
        start = """
            import Anthropic from "@anthropic-ai/sdk";
            const client = new Anthropic({baseURL: process.argv[1], apiKey: "anything", maxRetries: 0});
            const tell = told => console.log(JSON.stringify(told));
        """
        command = [node, "--input-type=module", "-e", start + code, headrace.url]
        done = subprocess.run(command, cwd=node_modules, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def asked(model: str, text: str = TEXT, **more: Any) -> dict[str, Any]:
    return {"model": f"rehearsal/{model}", "max_tokens": 1000, "messages": [{"role": "user", "content": text}], **more}


# Python


def test_a_message(client: anthropic.Anthropic) -> None:
    message = client.messages.create(**asked("echo"))
    assert [(block.type, block.text) for block in message.content if block.type == "text"] == [("text", TEXT)]
    assert (message.role, message.model, message.stop_reason) == ("assistant", "rehearsal/echo", "end_turn")
    assert message.usage.output_tokens > 0


def test_a_stream_is_the_same_message(client: anthropic.Anthropic) -> None:
    whole = client.messages.create(**asked("echo"))
    with client.messages.stream(**asked("echo")) as stream:
        pieces = list(stream.text_stream)
        message = stream.get_final_message()
    assert len(pieces) > 1
    assert "".join(pieces) == TEXT
    assert (message.stop_reason, message.usage, message.model) == (whole.stop_reason, whole.usage, whole.model)
    assert [block.to_dict() for block in message.content] == [block.to_dict() for block in whole.content]


def test_raw_events_come_in_anthropics_order(client: anthropic.Anthropic) -> None:
    kinds = [event.type for event in client.messages.create(**asked("thinker"), stream=True)]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert [kind for kind in kinds if kind != "content_block_delta"][1:-2] == ["content_block_start", "content_block_stop"] * 2


def test_thinking_is_a_block_of_its_own(client: anthropic.Anthropic) -> None:
    with client.messages.stream(**asked("thinker", thinking={"type": "enabled", "budget_tokens": 1024})) as stream:
        message = stream.get_final_message()
    thinking, text = message.content
    assert thinking.type == "thinking"
    assert TEXT in thinking.thinking
    assert text.type == "text"
    assert text.text


def test_an_answer_that_ends_at_the_limit_says_so(client: anthropic.Anthropic) -> None:
    message = client.messages.create(**asked("longform") | {"max_tokens": 5})
    assert message.stop_reason == "max_tokens"


def test_a_loop_of_tools(client: anthropic.Anthropic) -> None:
    """Two calls at once, answered, and the answer to that: everything that came goes back as it came."""
    first = asked("scenes", "tools", tools=TOOLS)
    with client.messages.stream(**first) as stream:
        message = stream.get_final_message()
    assert message.stop_reason == "tool_use"
    calls = [block for block in message.content if block.type == "tool_use"]
    assert [(call.name, call.input) for call in calls] == [("get_weather", {"city": "Köln"}), ("get_time", {"zone": "Europe/Berlin"})]
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": f"result of {call.name}"} for call in calls]
    said = [*first["messages"], {"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
    last = client.messages.create(**{**first, "messages": said})
    (text,) = [block.text for block in last.content if block.type == "text"]
    assert "result of get_weather" in text
    assert "result of get_time" in text


def test_an_unknown_model(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.messages.create(**asked("ekho"))
    assert caught.value.type == "not_found_error"
    assert "rehearsal/echo" in caught.value.message


def test_a_refusal_keeps_its_status(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.RateLimitError) as caught, client.messages.stream(**asked("scenes", "refused")):
        pass
    assert caught.value.type == "rate_limit_error"
    assert caught.value.response.headers["retry-after"] == "1"


@pytest.mark.parametrize("scene", ["error", "cut"])
def test_an_error_in_the_middle_is_raised_after_the_text(client: anthropic.Anthropic, scene: str) -> None:
    pieces: list[str] = []
    with pytest.raises(anthropic.APIStatusError), client.messages.stream(**asked("scenes", scene)) as stream:
        pieces.extend(stream.text_stream)
    assert "".join(pieces) == "A few words, and then"


def test_what_is_wrong_is_400(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match="web_search_20250305"):
        client.messages.create(**asked("echo", tools=[{"type": "web_search_20250305", "name": "web_search"}]))


def test_tokens_are_not_counted(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="does not count tokens"):
        client.messages.count_tokens(model="rehearsal/echo", messages=[{"role": "user", "content": TEXT}])


def test_models_page_by_page(client: anthropic.Anthropic) -> None:
    every = [model.id for model in client.models.list()]
    assert "rehearsal/echo" in every
    page = client.models.list(limit=2)
    assert (len(page.data), page.has_more, page.first_id, page.last_id) == (2, True, every[0], every[1])
    assert [model.id for model in page] == every  # the SDK turns the pages itself
    assert [model.id for model in client.models.list(limit=2, before_id=every[3]).data] == every[1:3]
    assert client.models.retrieve("rehearsal/echo").display_name == "rehearsal/echo"
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("rehearsal/ekho")


def test_pings_do_not_disturb_the_sdk(tmp_path: Path) -> None:
    slow = asked("longform", "5 tokens at 4 tokens/s", stream=True)
    with (
        served(tmp_path, "[server]\nheartbeat = 0.1\n") as headrace,
        anthropic.Anthropic(base_url=headrace.url, api_key="anything", max_retries=0) as client,
        client.messages.stream(**{name: value for name, value in slow.items() if name != "stream"}) as stream,
    ):
        message = stream.get_final_message()
        raw = httpx.post(f"{headrace.url}/v1/messages", json=slow, trust_env=False, timeout=20).text
    assert (message.stop_reason, len(message.content)) == ("end_turn", 1)
    assert 'event: ping\ndata: {"type":"ping"}\n\n' in raw


# Both generations of headers


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": "k", "anthropic-version": "2023-06-01"},
        {"authorization": "Bearer k", "anthropic-version": "2026-10-21", "anthropic-beta": "a,b"},
        {},
    ],
)
def test_headers_of_every_generation(http: httpx.Client, headers: dict[str, str]) -> None:
    assert http.post("/v1/messages?beta=true", json=asked("echo"), headers=headers).json()["content"] == [{"type": "text", "text": TEXT}]


def test_max_tokens_is_required(http: httpx.Client) -> None:
    response = http.post("/v1/messages", json={"model": "rehearsal/echo", "messages": [{"role": "user", "content": "x"}]})
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert "max_tokens" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/messages", 405), ("POST", "/v1/messages/batches", 404), ("POST", "/v1/messages", 415)],
)
def test_errors_have_anthropics_shape(http: httpx.Client, method: str, path: str, status: int) -> None:
    response = http.request(method, path)
    assert response.status_code == status
    assert response.json()["type"] == "error"


def test_the_list_of_models_has_the_shape_that_the_client_reads(http: httpx.Client) -> None:
    versioned = {"anthropic-version": "2023-06-01"}
    assert http.get("/v1/models").json()["object"] == "list"
    page = http.get("/v1/models", headers=versioned).json()
    assert set(page) == {"data", "has_more", "first_id", "last_id"}
    assert [model["id"] for model in page["data"]] == [model["id"] for model in http.get("/v1/models").json()["data"]]
    assert http.get("/v1/models/rehearsal/ekho").json()["error"]["code"] == "not_found"
    assert http.get("/v1/models/rehearsal/ekho", headers=versioned).json()["error"]["type"] == "not_found_error"
    for query in ("limit=0", "limit=1001", "limit=x", "after_id=nobody", "before_id=nobody"):
        assert http.get(f"/v1/models?{query}", headers=versioned).status_code == 400


# Node


def test_node_creates_and_streams(sdk: Run) -> None:
    told = sdk("""
        const asked = {model: "rehearsal/thinker", max_tokens: 1000, messages: [{role: "user", content: "Hello wörld 👋"}]};
        const message = await client.messages.create(asked);
        const texts = [], thoughts = [];
        const stream = client.messages.stream(asked)
            .on("text", text => texts.push(text)).on("thinking", thinking => thoughts.push(thinking));
        const final = await stream.finalMessage();
        const raw = [];
        for await (const event of await client.messages.create({...asked, stream: true})) raw.push(event.type);
        tell({message, final, text: texts.join(""), thinking: thoughts.join(""), raw});
    """)
    assert told["final"]["content"] == told["message"]["content"]
    assert [block["type"] for block in told["final"]["content"]] == ["thinking", "text"]
    assert [told["thinking"], told["text"]] == [told["message"]["content"][0]["thinking"], told["message"]["content"][1]["text"]]
    assert told["final"]["stop_reason"] == "end_turn"
    assert told["final"]["usage"]["output_tokens"] == told["message"]["usage"]["output_tokens"] > 0
    assert (told["raw"][0], told["raw"][-1]) == ("message_start", "message_stop")


def test_node_runs_a_loop_of_tools(sdk: Run) -> None:
    told = sdk("""
        const tools = ["get_weather", "get_time"].map(name => ({name, input_schema: {type: "object", properties: {}}}));
        const asked = {model: "rehearsal/scenes", max_tokens: 1000, tools, messages: [{role: "user", content: "tools"}]};
        const first = await client.messages.stream(asked).finalMessage();
        const results = first.content.filter(block => block.type === "tool_use")
            .map(({id, name}) => ({type: "tool_result", tool_use_id: id, content: [{type: "text", text: "result of " + name}]}));
        const messages = [...asked.messages, {role: "assistant", content: first.content}, {role: "user", content: results}];
        const last = await client.messages.stream({...asked, messages}).finalText();
        tell({first, last});
    """)
    calls = [(block["name"], block["input"]) for block in told["first"]["content"] if block["type"] == "tool_use"]
    assert calls == [("get_weather", {"city": "Köln"}), ("get_time", {"zone": "Europe/Berlin"})]
    assert told["first"]["stop_reason"] == "tool_use"
    assert "result of get_weather" in told["last"]
    assert "result of get_time" in told["last"]


def test_node_meets_errors_and_lists_models(sdk: Run) -> None:
    told = sdk("""
        const asked = {model: "rehearsal/scenes", max_tokens: 5, messages: [{role: "user", content: "error"}]};
        const caught = work => work().then(told => ["none", told], error => [error.constructor.name, error.status ?? null]);
        const unknown = await caught(() => client.messages.create({...asked, model: "rehearsal/ekho"}));
        const refused = await caught(() => client.messages.create({...asked, messages: [{role: "user", content: "refused"}]}));
        const middle = await caught(() => client.messages.stream({...asked, max_tokens: 1000}).finalMessage());
        const length = await client.messages.stream({...asked, model: "rehearsal/longform"}).finalMessage();
        const models = [];
        for await (const model of client.models.list({limit: 2})) models.push(model.id);
        tell({unknown, refused, middle, length: length.stop_reason, models});
    """)
    assert told["unknown"] == ["NotFoundError", 404]
    assert told["refused"] == ["RateLimitError", 429]
    assert told["middle"][0] == "APIError"
    assert told["length"] == "max_tokens"
    assert "rehearsal/echo" in told["models"]
    assert len(told["models"]) == len(set(told["models"])) > 2
