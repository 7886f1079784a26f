"""POST /ai/chat, used by the AI SDK itself: the chat state behind useChat, its transport and its stream readers, in Node."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serving import Served, served

Run = Callable[[str], Any]
LONG = "20000 tokens at 400 tokens/s"
IMPORTS = """
import {DefaultChatTransport, readUIMessageStream} from "ai";
import {Chat, api, tell, until, whenToolsAnswered} from "./ui_chat.mjs";
"""


@pytest.fixture
def sdk(headrace: Served, node: str, node_modules: Path) -> Run:
    """Runs code of a web app; what it told."""
    return lambda code: run(headrace, node, node_modules, code)


@pytest.fixture
def client(headrace: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=headrace.url, trust_env=False, timeout=20) as client:
        yield client


def run(headrace: Served, node: str, folder: Path, code: str) -> Any:
    command = [node, "--input-type=module", "-e", IMPORTS + code, f"{headrace.url}/ai/chat"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_chat_of_two_turns(sdk: Run) -> None:
    told = sdk("""
        const finishes = [];
        const chat = new Chat({api, body: {model: "rehearsal/echo"}, onFinish: ({finishReason}) => finishes.push(finishReason)});
        await chat.sendMessage({text: "Hello wörld 👋"});
        const first = chat.text;
        await chat.sendMessage({text: "And\\u2028again"});
        tell({first, second: chat.text, finishes, status: chat.status, messages: chat.messages});
    """)
    assert (told["first"], told["second"]) == ("Hello wörld 👋", "And\u2028again")
    assert (told["finishes"], told["status"]) == (["stop", "stop"], "ready")
    assert [message["role"] for message in told["messages"]] == ["user", "assistant", "user", "assistant"]
    metadata = told["messages"][1]["metadata"]
    assert metadata["model"] == "rehearsal/echo"
    assert metadata["generation"] == told["messages"][1]["id"]
    assert metadata["usage"]["outputTokens"] > 0
    assert metadata["ttftMs"] <= metadata["ms"]


def test_reasoning_is_a_part_of_its_own(sdk: Run) -> None:
    parts = sdk("""
        const chat = new Chat({api, body: {model: "rehearsal/thinker"}});
        await chat.sendMessage({text: "Why is the sky blue?"});
        await chat.sendMessage({text: "And at night?"});
        tell(chat.messages.at(-1).parts);
    """)
    assert [part["type"] for part in parts] == ["step-start", "reasoning", "text"]
    assert all(part["text"] and part["state"] == "done" for part in parts[1:])


def test_the_stream_without_a_chat(sdk: Run) -> None:
    told = sdk("""
        const transport = new DefaultChatTransport({api, body: {model: "rehearsal/echo", temperature: 0.5}});
        const messages = [{id: "1", role: "user", parts: [{type: "text", text: "one two three"}]}];
        const stream = await transport.sendMessages({chatId: "plain", messages, trigger: "submit-message", messageId: undefined});
        const [chunks, shown] = stream.tee();
        let last, states = 0;
        for await (const message of readUIMessageStream({stream: shown})) { last = message; states++; }
        const types = [];
        for await (const chunk of chunks) types.push(chunk.type);
        tell({types, states, text: last.parts.at(-1).text});
    """)
    assert told["text"] == "one two three"
    assert told["states"] > 3
    assert [kind for kind in told["types"] if kind != "text-delta"] == [
        "start",
        "start-step",
        "text-start",
        "text-end",
        "finish-step",
        "finish",
    ]


def test_a_tool_runs_in_the_app_and_the_message_goes_on(sdk: Run) -> None:
    told = sdk("""
        const chat = new Chat({
          api, body: {model: "rehearsal/scenes"},
          sendAutomaticallyWhen: whenToolsAnswered,
          onToolCall: ({toolCall}) => {
            chat.addToolOutput({tool: toolCall.toolName, toolCallId: toolCall.toolCallId, output: {told: toolCall.input}});
          },
        });
        await chat.sendMessage({text: "tools"});
        await until(() => chat.status === "error" || (chat.status === "ready" && chat.text.includes("answered")));
        tell({error: chat.error?.message, messages: chat.messages});
    """)
    assert "error" not in told
    answer = told["messages"][1]
    assert len(told["messages"]) == 2
    kinds = [part["type"] for part in answer["parts"]]
    assert kinds == ["step-start", "reasoning", "text", "tool-get_weather", "tool-get_time", "step-start", "text"]
    assert answer["parts"][3]["input"] == {"city": "Köln"}
    assert answer["parts"][3]["state"] == "output-available"
    assert '{"told":{"city":"Köln"}}' in answer["parts"][-1]["text"]
    assert '{"told":{"zone":"Europe/Berlin"}}' in answer["parts"][-1]["text"]


# Errors


def test_a_refusal_is_shown_as_the_sentence_it_is(sdk: Run) -> None:
    told = sdk("""
        const chat = new Chat({api, body: {model: "rehearsal/ecko"}});
        await chat.sendMessage({text: "Hello"});
        tell({status: chat.status, message: chat.error.message});
    """)
    assert told["status"] == "error"
    assert told["message"].startswith("No model is called 'rehearsal/ecko'. Nearest: rehearsal/echo")


def test_an_upstreams_refusal_keeps_its_status(client: httpx.Client) -> None:
    message = {"role": "user", "parts": [{"type": "text", "text": "refused"}]}
    response = client.post("/ai/chat?model=rehearsal/scenes", json={"messages": [message]})
    assert response.status_code == 429
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["retry-after"] == "1"
    assert response.text.endswith(".")


def test_a_reply_that_breaks_off_is_an_error_and_its_text_is_kept(sdk: Run) -> None:
    told = sdk("""
        const chat = new Chat({api, body: {model: "rehearsal/scenes"}});
        await chat.sendMessage({text: "cut"});
        const broken = {status: chat.status, message: chat.error.message, text: chat.text};
        await chat.sendMessage({text: "text"});
        tell({...broken, then: chat.status});
    """)
    assert told["status"] == "error"
    assert told["message"]
    assert told["text"] == "A few words, and then"
    assert told["then"] == "ready"


# Stopping and coming back


def test_stop_aborts_and_the_model_server_is_left(sdk: Run, client: httpx.Client) -> None:
    told = sdk(f"""
        const chat = new Chat({{api, body: {{model: "rehearsal/longform"}}}});
        const sending = chat.sendMessage({{text: "{LONG}"}});
        await until(() => chat.status === "streaming" && chat.text.length > 50);
        await chat.stop();
        await sending;
        tell({{status: chat.status, generation: chat.messages.at(-1).metadata.generation}});
    """)
    assert told["status"] == "ready"
    events = client.get(f"/chat/{told['generation']}", headers={"accept": "text/event-stream"}).text
    assert '"reason":"stopped"' in events


def test_a_page_that_comes_back_gets_its_running_reply_from_the_start(sdk: Run, client: httpx.Client) -> None:
    told = sdk("""
        const about = {api, id: "a chat/with ümlauts", body: {model: "rehearsal/longform", on_disconnect: "keep"}};
        const before = new Chat(about);
        const sending = before.sendMessage({text: "400 tokens at 200 tokens/s"});
        await until(() => before.status === "streaming" && before.text.length > 50);
        const asked = before.messages.slice(0, 1);
        await before.stop();
        await sending;
        const after = new Chat({...about, messages: asked});
        await after.resumeStream();
        const again = await new DefaultChatTransport(about).reconnectToStream({chatId: about.id});
        tell({seen: before.text, text: after.text, message: after.messages.at(-1), again});
    """)
    assert told["text"].startswith(told["seen"])
    assert len(told["text"]) > len(told["seen"])
    assert told["message"]["metadata"]["reason"] == "stop"
    assert client.get(f"/chat/{told['message']['id']}").json()["text"] == told["text"]
    assert told["again"] is None, "a reply that has ended is not running"


def test_nobody_resumes_what_was_never_started(sdk: Run) -> None:
    assert sdk('tell(await new DefaultChatTransport({api}).reconnectToStream({chatId: "nobody"}));') is None


def test_a_kept_reply_is_stopped_by_its_chat(sdk: Run) -> None:
    told = sdk(f"""
        const chat = new Chat({{api, id: "kept", body: {{model: "rehearsal/longform", on_disconnect: "keep"}}}});
        const sending = chat.sendMessage({{text: "{LONG}"}});
        await until(() => chat.status === "streaming" && chat.text.length > 50);
        const stopped = await (await fetch(`${{api}}/kept/stream`, {{method: "DELETE"}})).json();
        await sending;
        const none = await fetch(`${{api}}/kept/stream`, {{method: "DELETE"}});
        tell({{state: stopped.state, reason: chat.messages.at(-1).metadata.reason, status: none.status, sentence: await none.text()}});
    """)
    assert told == {"state": "stopped", "reason": "stopped", "status": 404, "sentence": "No reply is running in this chat."}


# Around it


def test_keep_alives_do_not_disturb_the_sdk(tmp_path: Path, node: str, node_modules: Path) -> None:
    with served(tmp_path, "[server]\nheartbeat = 0.1\n") as headrace:
        text = run(
            headrace,
            node,
            node_modules,
            """
            let raw = "";
            const tap = async (...asked) => {
              const response = await fetch(...asked);
              const [kept, read] = response.body.tee();
              new Response(kept).text().then((all) => { raw = all; });
              return new Response(read, response);
            };
            const transport = new DefaultChatTransport({api, fetch: tap, body: {model: "rehearsal/longform"}});
            const messages = [{id: "1", role: "user", parts: [{type: "text", text: "5 tokens at 4 tokens/s"}]}];
            const stream = await transport.sendMessages({chatId: "slow", messages, trigger: "submit-message"});
            let last;
            for await (const message of readUIMessageStream({stream})) last = message;
            await until(() => raw);
            tell({comments: raw.split("\\n").filter((line) => line.startsWith(":")).length, text: last.parts.at(-1).text});
        """,
        )
    assert text["comments"] > 0
    assert text["text"]


def test_the_head_and_the_answer_as_one_message(client: httpx.Client) -> None:
    turn = {"messages": [{"role": "user", "parts": [{"type": "text", "text": "Hello"}]}]}
    streamed = client.post("/ai/chat?model=rehearsal/echo", json={**turn, "model": "rehearsal/thinker"})
    assert streamed.headers["x-vercel-ai-ui-message-stream"] == "v1"
    assert streamed.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert streamed.text.endswith("data: [DONE]\n\n")
    whole = client.post("/ai/chat?model=rehearsal/echo", json={**turn, "stream": False}).json()
    assert whole["parts"] == [{"type": "step-start"}, {"type": "text", "text": "Hello", "state": "done"}]
    assert whole["metadata"]["model"] == "rehearsal/echo"


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/ai/chat", 405), ("GET", "/ai/nothing", 404), ("POST", "/ai/chat?x=1", 400)]
)
def test_what_is_wrong_is_told_in_a_plain_sentence(client: httpx.Client, method: str, path: str, status: int) -> None:
    response = client.request(method, path, json={"messages": []})
    assert response.status_code == status
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.text.endswith(".")
