"""Interoperation with a server that we did not write: the LiteLLM proxy, over real HTTP and real event streams.

Its own mocked replies exist in Chat Completions alone. For the rest its providers are a second Headrace's rehearsal: what the proxy
is told in Chat Completions it tells on in Responses and in Anthropic's Messages, in bytes of its own.
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from services.upstream.rehearsal.scenes import ANSWER, OVERLOADED, PLAN, THOUGHTS
from services.wire.sse import SSEDecoder
from tests.serving import Served, served

HERE = Path(__file__).parent
REPLY = "The wheel turns — **slowly** — as long as the *headrace* has water. " * 4
# `scenes` is of a provider whose Responses the proxy takes as they are, `bridged` of one that it knows no Responses of.
CONFIG = """
model_list:
  - model_name: mill
    litellm_params: {{model: openai/mill, api_key: sk-unused, mock_response: "{reply}"}}
  - model_name: limited
    litellm_params: {{model: openai/limited, api_key: sk-unused, mock_response: "litellm.RateLimitError"}}
  - model_name: scenes
    litellm_params: {{model: openai/scenes, api_key: sk-unused, api_base: "{rehearsal}"}}
  - model_name: bridged
    litellm_params: {{model: lm_studio/scenes, api_key: sk-unused, api_base: "{rehearsal}"}}
general_settings: {{master_key: sk-test-master}}
litellm_settings: {{num_retries: 0}}
"""
UPSTREAM = """
[[upstreams]]
name = "{name}"
dialect = "{dialect}"
base_url = "{url}"
api_key = "sk-test-master"
"""
UPSTREAMS = {"litellm": ("openai_chat", "/v1"), "litellm_responses": ("openai_responses", "/v1"), "litellm_messages": ("anthropic", "")}

TOOLS: list[Any] = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
    for name in ("get_weather", "get_time")
]
every_surface = pytest.mark.parametrize("upstream", UPSTREAMS)
every_provider = pytest.mark.parametrize("model", ["scenes", "bridged"])


@pytest.fixture(scope="module")
def litellm(headrace: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The proxy's base URL. Its environment is made by uv, once, from the project in this folder."""
    uv = shutil.which("uv")
    assert uv, "This test runs the LiteLLM proxy through uv: `pip install uv`."
    folder = tmp_path_factory.mktemp("litellm")
    (folder / "config.yaml").write_text(CONFIG.format(reply=REPLY, rehearsal=f"{headrace.url}/rehearsal/openai_chat/v1"))
    port = _free_port()
    run = [uv, "run", "-q", "--isolated", "--project", str(HERE), "--only-group", "interop"]
    command = [*run, "litellm", "--config", str(folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTEST_"))}
    env |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "NO_PROXY": "*"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log)
        try:
            _wait_until_it_answers(f"http://127.0.0.1:{port}/health/liveliness", process, folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + 240  # the first time uv installs its packages
    while time.monotonic() < end:
        assert process.poll() is None, f"the proxy ended: {log.read_text()[-2000:]}"
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise AssertionError(f"the proxy does not answer: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def gateway(litellm: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    tables = [UPSTREAM.format(name=name, dialect=dialect, url=litellm + path) for name, (dialect, path) in UPSTREAMS.items()]
    with served(tmp_path_factory.mktemp("gateway"), "".join(tables)) as running:
        yield running


def test_its_models_are_found(gateway: Served) -> None:
    models = httpx.get(f"{gateway.url}/models?refresh=1", trust_env=False, timeout=20).json()
    assert {"litellm/mill", "litellm/limited"} <= set(models["models"])


def test_by_post(gateway: Served) -> None:
    asked = {"messages": [{"role": "user", "content": "How is the mill?"}]}
    response = httpx.post(f"{gateway.url}/chat?model=litellm/mill&format=text", json=asked, trust_env=False, timeout=30)
    *pieces, done = [data.decode() for _, data, _ in SSEDecoder().feed(response.content)]
    assert done == "DONE"
    assert len(pieces) > 5
    assert "".join(pieces) == REPLY


def test_by_the_compatible_endpoint(gateway: Served) -> None:
    asked = {"model": "litellm/mill", "messages": [{"role": "user", "content": "How is the mill?"}]}
    reply = httpx.post(f"{gateway.url}/v1/chat/completions", json=asked, trust_env=False, timeout=30).json()
    assert reply["choices"][0]["message"]["content"] == REPLY
    assert reply["choices"][0]["finish_reason"] == "stop"


def test_a_refusal_keeps_its_status(gateway: Served) -> None:
    asked = {"model": "litellm/limited", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
    response = httpx.post(f"{gateway.url}/v1/chat/completions", json=asked, trust_env=False, timeout=30)
    assert (response.status_code, response.json()["error"]["code"]) == (429, "rate_limited")


def test_by_the_page(gateway: Served, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(gateway.url)
    page.wait_for_function("window.did_handshake === true")
    expect(page.get_by_role("combobox", name="Model")).to_contain_text("litellm")
    page.get_by_role("textbox", name="Message").fill("How is the mill?")
    page.keyboard.press("Enter")
    answer = page.locator('[data-role="assistant"]')
    expect(answer).to_have_attribute("data-state", "finished", timeout=30_000)
    expect(answer).to_contain_text("as long as the headrace has water")
    assert answer.locator("strong").count() == 4
    page.close()


# Every surface of the proxy as a model server


def reply(gateway: Served, upstream: str, model: str, messages: list[Any], **more: Any) -> tuple[int, dict[str, Any]]:
    asked = {"messages": messages, "stream": False, **more}
    response = httpx.post(f"{gateway.url}/chat?model={upstream}/{model}", json=asked, trust_env=False, timeout=30)
    return response.status_code, response.json()


def question(scene: str) -> list[Any]:
    return [{"role": "user", "content": scene}]


def parts(told: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [part for part in told["parts"] if part["type"] == kind]


@every_provider
@every_surface
@pytest.mark.parametrize(
    ("scene", "text", "thoughts", "reason"),
    [
        ("text", ANSWER, "", "stop"),
        ("reasoning", ANSWER, THOUGHTS, "stop"),
        ("length", "This answer ends in the middle of a", "", "length"),
    ],
)
def test_an_answer(gateway: Served, upstream: str, model: str, scene: str, text: str, thoughts: str, reason: str) -> None:
    status, told = reply(gateway, upstream, model, question(scene))
    assert status == 200
    assert (told["text"], told["reason"], told["error"]) == (text, reason, None)
    assert "".join(part["text"] for part in parts(told, "reasoning")) == thoughts
    assert told["usage"]["input_tokens"] > 0
    assert told["usage"]["output_tokens"] >= 10


@every_provider
@every_surface
def test_a_loop_of_tools(gateway: Served, upstream: str, model: str) -> None:
    status, told = reply(gateway, upstream, model, question("tools"), tools=TOOLS)
    calls = parts(told, "tool_call")
    assert (status, told["reason"], told["text"]) == (200, "tool_calls", "I ask both tools at once.")
    assert "".join(part["text"] for part in parts(told, "reasoning")) == PLAN
    assert [(call["name"], call["input"]) for call in calls] == [("get_weather", {"city": "Köln"}), ("get_time", {"zone": "Europe/Berlin"})]
    assert len({call["id"] for call in calls}) == 2
    said = [{"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": call["arguments"]}} for call in calls]
    results = [{"role": "tool", "tool_call_id": call["id"], "content": f"result of {call['name']}"} for call in calls]
    history = [*question("tools"), {"role": "assistant", "content": told["text"], "tool_calls": said}, *results]
    status, answer = reply(gateway, upstream, model, history, tools=TOOLS)
    assert (status, answer["reason"]) == (200, "stop")
    assert answer["text"] == "The tools have answered: “result of get_weather” and “result of get_time”."


@every_provider
@every_surface
def test_an_error_in_the_middle_is_no_success(gateway: Served, upstream: str, model: str) -> None:
    url = f"{gateway.url}/chat?model={upstream}/{model}&format=messages"
    response = httpx.post(url, json={"messages": question("error")}, trust_env=False, timeout=30)
    told = [json.loads(data) for _, data, _ in SSEDecoder().feed(response.content)]
    assert "".join(event["text"] for event in told if event["type"] == "delta") == "A few words, and then"
    assert (told[-1]["type"], told[-1]["code"], told[-1]["phase"]) == ("failed", "server_error", "streaming")
    assert OVERLOADED in told[-1]["upstream"]


@every_provider
@every_surface
def test_a_refusal_before_the_first_byte(gateway: Served, upstream: str, model: str) -> None:
    status, told = reply(gateway, upstream, model, question("refused"))
    assert (status, told["error"]["code"]) == (429, "rate_limited")


# Recorded and played again


def events(gateway: Served, generation: str) -> list[dict[str, Any]]:
    """All that it said, without when, and by which model."""
    url = f"{gateway.url}/chat/{generation}?after=0&format=messages"
    told = [json.loads(data) for _, data, _ in SSEDecoder().feed(httpx.get(url, trust_env=False, timeout=30).content)]
    changing = {"id", "seq", "at", "model", "created", "generation", "ttft_ms", "ms", "conversation"}
    return [{key: value for key, value in event.items() if key not in changing} for event in told]


@every_surface
@pytest.mark.parametrize(("model", "scene"), [("scenes", "reasoning"), ("bridged", "tools"), ("scenes", "error")])
def test_a_recording_has_identical_events(gateway: Served, upstream: str, model: str, scene: str) -> None:
    def ask(full: str) -> str:
        answer = httpx.post(f"{gateway.url}/chat?model={full}", json={"messages": question(scene)}, trust_env=False, timeout=30)
        return str(answer.headers["headrace-generation"])

    first, name = ask(f"{upstream}/{model}"), f"{upstream}-{model}-{scene}"
    kept = httpx.post(f"{gateway.url}/chat/{first}/recording", json={"name": name}, trust_env=False)
    assert (kept.status_code, kept.json()["dialect"]) == (201, UPSTREAMS[upstream][0])
    again = ask(f"rehearsal/replay:{name}@instant")
    assert events(gateway, again) == events(gateway, first)
    reads = [httpx.get(f"{gateway.url}/chat/{one}/upstream", trust_env=False).content for one in (first, again)]
    assert reads[0] == reads[1] != b""
