"""Interoperation with a server that we did not write: the LiteLLM proxy, over real HTTP and real event streams."""

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from services.wire.sse import SSEDecoder
from tests.serving import Served, served

HERE = Path(__file__).parent
REPLY = "The wheel turns — **slowly** — as long as the *headrace* has water. " * 4
CONFIG = f"""
model_list:
  - model_name: mill
    litellm_params: {{model: openai/mill, api_key: sk-unused, mock_response: "{REPLY}"}}
  - model_name: limited
    litellm_params: {{model: openai/limited, api_key: sk-unused, mock_response: "litellm.RateLimitError"}}
general_settings: {{master_key: sk-test-master}}
litellm_settings: {{num_retries: 0}}
"""


@pytest.fixture(scope="module")
def litellm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The proxy's base URL. Its environment is made by uv, once, from the project in this folder."""
    uv = shutil.which("uv")
    assert uv, "This test runs the LiteLLM proxy through uv: `pip install uv`."
    folder = tmp_path_factory.mktemp("litellm")
    (folder / "config.yaml").write_text(CONFIG)
    port = _free_port()
    run = [uv, "run", "-q", "--isolated", "--project", str(HERE), "--only-group", "interop"]
    command = [*run, "litellm", "--config", str(folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTEST_"))}
    env |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "NO_PROXY": "*"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log)
        try:
            _wait_until_it_answers(f"http://127.0.0.1:{port}/health/liveliness", process, folder / "log")
            yield f"http://127.0.0.1:{port}/v1"
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
    settings = f'[[upstreams]]\nname = "litellm"\ndialect = "openai_chat"\nbase_url = "{litellm}"\napi_key = "sk-test-master"\n'
    with served(tmp_path_factory.mktemp("gateway"), settings) as running:
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
    expect(page.get_by_text("mill · litellm")).to_be_visible()
    page.get_by_role("textbox", name="Message").fill("How is the mill?")
    page.keyboard.press("Enter")
    answer = page.locator('[data-role="assistant"]')
    expect(answer).to_have_attribute("data-state", "finished", timeout=30_000)
    expect(answer).to_contain_text("as long as the headrace has water")
    assert answer.locator("strong").count() == 4
    page.close()
