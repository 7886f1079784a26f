"""/v1/responses, /v1/completions and /v1/chat/completions with OpenAI's SDK for Node, against a real server."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.upstream.rehearsal.scenes import ANSWER, THOUGHTS
from tests.serving import Served

Run = Callable[[str], Any]
LENGTH = "This answer ends in the middle of a"
FEW = "A few words, and then"
IMPORTS = """
import OpenAI from "openai";
const client = new OpenAI({baseURL: process.argv[1], apiKey: "none", maxRetries: 0, timeout: 20000});
const model = "rehearsal/scenes";
const tell = (told) => console.log(JSON.stringify(told));
const all = async (stream) => { const seen = []; for await (const event of stream) seen.push(event); return seen; };
const failing = async (work) => { try { await work(); } catch (error) { return [error.constructor.name, error.message]; } };
"""


@pytest.fixture
def sdk(headrace: Served, node: str, node_modules: Path) -> Run:
    """Runs code with the SDK; what it told."""

    def run(code: str) -> Any:
        command = [node, "--input-type=module", "-e", IMPORTS + code, f"{headrace.url}/v1"]
        done = subprocess.run(command, cwd=node_modules, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_streams_and_whole_answers(sdk: Run) -> None:
    told = sdk("""
        const told = [];
        for (const input of ["text", "reasoning", "length"]) {
            const events = await all(await client.responses.create({model, input, stream: true}));
            const helped = client.responses.stream({model, input});
            const deltas = [];
            helped.on("response.output_text.delta", ({delta}) => deltas.push(delta));
            const responses = [events.at(-1).response, await helped.finalResponse(), await client.responses.create({model, input})];
            told.push({responses, deltas, numbers: events.map((event) => event.sequence_number)});
        }
        tell(told);
    """)
    expected = [(ANSWER, [], "completed"), (ANSWER, [THOUGHTS], "completed"), (LENGTH, [], "incomplete")]
    for scene, (text, thoughts, status) in zip(told, expected, strict=True):
        assert scene["numbers"] == list(range(len(scene["numbers"])))
        assert "".join(scene["deltas"]) == text
        for response in scene["responses"]:
            said = "".join(part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"])
            summaries = [item["summary"][0]["text"] for item in response["output"] if item["type"] == "reasoning"]
            assert (said, summaries, response["status"]) == (text, thoughts, status)


def test_a_tool_loop(sdk: Run) -> None:
    told = sdk("""
        const first = await client.responses.stream({model, input: "tools"}).finalResponse();
        const calls = first.output.filter((item) => item.type === "function_call");
        const results = calls.map(({call_id, name}) => ({type: "function_call_output", call_id, output: name}));
        const history = [{role: "user", content: "tools"}, ...first.output, ...results];
        const second = await client.responses.create({model, input: history});
        const again = await client.responses.create({model, input: results, previous_response_id: first.id});
        tell({calls, answers: [second.output_text, again.output_text]});
    """)
    assert [json.loads(call["arguments"]) for call in told["calls"]] == [{"city": "Köln"}, {"zone": "Europe/Berlin"}]
    assert told["answers"] == ["The tools have answered: “get_weather” and “get_time”."] * 2


def test_errors(sdk: Run) -> None:
    told = sdk("""
        const seen = [];
        const read = async (input) => {
            for await (const event of await client.responses.create({model, input, stream: true})) seen.push(event);
        };
        tell({
            unknown: await failing(() => client.responses.create({model: "nope", input: "x"})),
            refused: await failing(() => read("refused")),
            middle: await failing(() => read("error")),
            helper: await failing(() => client.responses.stream({model, input: "cut"}).finalResponse()),
            seen,
        });
    """)
    assert told["unknown"][0] == "NotFoundError"
    assert told["refused"][0] == "RateLimitError"
    assert told["middle"][0] == told["helper"][0] == "APIError"
    failed = told["seen"][-1]
    assert (failed["type"], failed["response"]["output"][0]["content"][0]["text"]) == ("response.failed", FEW)


def test_resuming_and_cancelling(sdk: Run) -> None:
    told = sdk("""
        const running = {model: "rehearsal/longform", input: "20000 tokens at 200 tokens/s"};
        const started = await client.responses.create({...running, background: true, stream: true});
        const seen = [];
        for await (const event of started) {
            seen.push(event);
            if (seen.length === 8) break;
        }
        const id = seen[0].response.id;
        const resumed = await client.responses.retrieve(id, {stream: true, starting_after: 3});
        const rest = [];
        for await (const event of resumed) {
            rest.push(event);
            if (rest.length === 20) break;
        }
        const whileRunning = await client.responses.retrieve(id);
        const cancelled = await client.responses.cancel(id);
        const helped = client.responses.stream({response_id: id, starting_after: 10});
        const numbers = (await all(helped)).map((event) => event.sequence_number);
        tell({seen, rest, statuses: [whileRunning.status, cancelled.status, (await helped.finalResponse()).status], numbers});
    """)
    assert told["rest"][:4] == told["seen"][4:]
    assert [event["sequence_number"] for event in told["rest"]] == list(range(4, 24))
    assert told["statuses"] == ["in_progress", "cancelled", "cancelled"]
    assert told["numbers"] == list(range(11, 11 + len(told["numbers"])))


def test_chat_and_completions(sdk: Run) -> None:
    told = sdk("""
        const messages = [{role: "user", content: "tools"}];
        const {choices: [first]} = await client.chat.completions.stream({model, messages}).finalChatCompletion();
        const results = first.message.tool_calls.map(({id, function: {name}}) => ({role: "tool", tool_call_id: id, content: name}));
        const second = await client.chat.completions.create({model, messages: [...messages, first.message, ...results]});
        const chunks = await all(await client.completions.create({model, prompt: "length", stream: true}));
        tell({first, answer: second.choices[0].message.content, choices: chunks.map((chunk) => chunk.choices[0])});
    """)
    assert told["first"]["finish_reason"] == "tool_calls"
    assert told["answer"] == "The tools have answered: “get_weather” and “get_time”."
    assert "".join(choice["text"] for choice in told["choices"]) == LENGTH
    assert told["choices"][-1]["finish_reason"] == "length"
