"""The AI SDK's providers for OpenAI's and Anthropic's dialects, with their default settings, against a real server."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.upstream.rehearsal.scenes import ANSWER, PLAN, THOUGHTS
from tests.serving import Served

Run = Callable[..., Any]
PROVIDERS = ["openai", "chat", "compatible", "anthropic"]
SHOWING = sorted(set(PROVIDERS) - {"chat"})  # @ai-sdk/openai reads no reasoning of Chat Completions
FEW = "A few words, and then"
QUOTED = "The tools have answered: “rain in Köln” and “noon in Europe/Berlin”."
IMPORTS = """
import {generateText, jsonSchema, Output, stepCountIs, streamText, tool} from "ai";
import {createAnthropic} from "@ai-sdk/anthropic";
import {createOpenAI} from "@ai-sdk/openai";
import {createOpenAICompatible} from "@ai-sdk/openai-compatible";

globalThis.AI_SDK_LOG_WARNINGS = false;
const [provider, scene, baseURL] = process.argv.slice(1);
const bodies = [];
const settings = {baseURL, apiKey: "none", fetch: (url, init) => { bodies.push(JSON.parse(init.body)); return fetch(url, init); }};
const models = {
  openai: createOpenAI(settings),
  chat: createOpenAI(settings).chat,
  compatible: createOpenAICompatible({...settings, name: "headrace", includeUsage: true, supportsStructuredOutputs: true}),
  anthropic: createAnthropic(settings),
};
const model = models[provider]("rehearsal/scenes");
const asks = (name) => jsonSchema({type: "object", properties: {[name]: {type: "string"}}, required: [name], additionalProperties: false});
const tools = {
  get_weather: tool({inputSchema: asks("city"), execute: ({city}) => `rain in ${city}`}),
  get_time: tool({inputSchema: asks("zone"), execute: ({zone}) => `noon in ${zone}`}),
};
const asked = {model, prompt: scene, maxRetries: 0, stopWhen: stepCountIs(3), ...(scene === "tools" ? {tools} : {})};
const tell = (told) => console.log(JSON.stringify(told));
const meant = (steps) => steps.map(({text, reasoningText, finishReason, usage, toolCalls, warnings}) => (
  {text, reasoning: reasoningText ?? "", finishReason, usage, calls: toolCalls.map(({toolName, input}) => [toolName, input]), warnings}
));
const streamed = async () => {
  const errors = [];
  const result = streamText({...asked, onError: ({error}) => errors.push([error.message, error.statusCode ?? null])});
  let text = "";
  let reasoning = "";
  for await (const part of result.fullStream) {
    if (part.type === "text-delta") text += part.text;
    if (part.type === "reasoning-delta") reasoning += part.text;
  }
  let steps = [];
  try { steps = meant(await result.steps); } catch (error) { errors.push([error.constructor.name]); }
  return {text, reasoning, errors, steps};
};
const whole = async () => {
  try { return {steps: meant((await generateText(asked)).steps), error: null}; }
  catch (error) { return {steps: [], error: [error.message, error.statusCode]}; }
};
// A server that has failed often is left alone, so a good answer follows each bad one.
const failing = async () => {
  const told = [];
  for (const go of [streamed, whole]) {
    told.push(await go());
    await generateText({...asked, prompt: "text"});
  }
  return told;
};
"""


@pytest.fixture
def sdk(swift: Served, node: str, node_modules: Path) -> Run:
    """Runs code with a provider and a scene; what it told."""

    def run(provider: str, scene: str, code: str) -> Any:
        command = [node, "--input-type=module", "-e", IMPORTS + code, provider, scene, f"{swift.url}/v1"]
        done = subprocess.run(command, cwd=node_modules, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("scene", "text", "thoughts", "reason"),
    [
        ("text", ANSWER, "", "stop"),
        ("reasoning", ANSWER, THOUGHTS, "stop"),
        ("length", "This answer ends in the middle of a", "", "length"),
    ],
)
def test_answers(sdk: Run, provider: str, scene: str, text: str, thoughts: str, reason: str) -> None:
    told = sdk(provider, scene, "tell([await streamed(), await whole()]);")
    shown = thoughts if provider in SHOWING else ""
    assert (told[0]["text"], told[0]["reasoning"], told[0]["errors"], told[1]["error"]) == (text, shown, [], None)
    for answer in told:
        (step,) = answer["steps"]
        assert (step["text"], step["reasoning"], step["finishReason"]) == (text, shown, reason)
        assert step["usage"]["outputTokens"] > 5
    assert told[0]["steps"][0]["usage"]["totalTokens"] == told[1]["steps"][0]["usage"]["totalTokens"]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("way", ["streamed", "whole"])
def test_a_loop_of_tools(sdk: Run, provider: str, way: str) -> None:
    told = sdk(provider, "tools", f"tell({{...await {way}(), bodies}});")
    first, second = told["steps"]
    assert first["calls"] == [["get_weather", {"city": "Köln"}], ["get_time", {"zone": "Europe/Berlin"}]]
    assert (first["text"], first["reasoning"]) == ("I ask both tools at once.", PLAN if provider in SHOWING else "")
    assert (first["finishReason"], second["finishReason"], second["text"]) == ("tool-calls", "stop", QUOTED)
    assert [warning for step in (first, second) for warning in step["warnings"] if warning["type"] == "other"] == []
    _, body = told["bodies"]
    if provider == "openai":
        kinds = [item.get("type") for item in body["input"]]
        assert kinds == [None, *["item_reference"] * 2, *["function_call"] * 2, *["function_call_output"] * 2]
    elif provider != "chat":
        assert PLAN in json.dumps(body["messages"])


def test_what_is_not_stored_is_sent(sdk: Run) -> None:
    code = """
        const {text} = await generateText({...asked, providerOptions: {openai: {store: false}}});
        tell([text, bodies[1].input.map(({type}) => type)]);
    """
    text, kinds = sdk("openai", "tools", code)
    assert text == QUOTED
    assert "item_reference" not in kinds
    assert kinds.count("function_call") == 2


@pytest.mark.parametrize("provider", PROVIDERS)
def test_turns_after_turns(sdk: Run, provider: str) -> None:
    code = """
        const messages = [{role: "user", content: "reasoning"}];
        for (const next of ["tools", "text"]) {
            const {response} = await generateText({...asked, prompt: undefined, tools, messages});
            messages.push(...response.messages, {role: "user", content: next});
        }
        tell((await generateText({...asked, prompt: undefined, tools, messages})).text);
    """
    assert sdk(provider, "", code) == ANSWER


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_object(sdk: Run, provider: str) -> None:
    code = """
        const output = Output.object({schema: asks("city")});
        tell((await generateText({...asked, model: models[provider]("rehearsal/echo"), prompt: '{"city": "Köln"}', output})).output);
    """
    assert sdk(provider, "", code) == {"city": "Köln"}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("scene", "status", "words"), [("refused", 429, "no more requests"), ("overloaded", 503, "The server failed")])
def test_errors_before_the_first_word(sdk: Run, provider: str, scene: str, status: int, words: str) -> None:
    stream, answer = sdk(provider, scene, "tell(await failing());")
    assert (stream["text"], stream["steps"]) == ("", [])
    for message, told in (stream["errors"][0], answer["error"]):
        assert words in message
        assert told == status


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("scene", "words"), [("error", "The server failed"), ("cut", "The answer ended in the middle")])
def test_errors_in_the_middle(sdk: Run, provider: str, scene: str, words: str) -> None:
    stream, answer = sdk(provider, scene, "tell(await failing());")
    assert stream["text"] == FEW
    # Of Responses it hears both, `response.failed` and the `error` that other SDKs need.
    assert len(stream["errors"]) == (2 if provider == "openai" else 1)
    assert all(words in message for message, _ in stream["errors"])
    assert [step["finishReason"] for step in stream["steps"]] == ["error"]
    assert words in answer["error"][0]
    assert answer["error"][1] == 502


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_unknown_model(sdk: Run, provider: str) -> None:
    code = """
        try { await generateText({...asked, model: models[provider]("rehearsal/scene")}); }
        catch (error) { tell([error.message, error.statusCode]); }
    """
    message, status = sdk(provider, "text", code)
    assert "Nearest: rehearsal/scenes" in message
    assert status == 404


def test_an_item_that_is_no_longer_known(sdk: Run) -> None:
    code = """
        const said = {type: "text", text: "Hi.", providerOptions: {openai: {itemId: "msg_68af"}}};
        const messages = [{role: "assistant", content: [said]}, {role: "user", content: "text"}];
        try { await generateText({...asked, prompt: undefined, messages}); }
        catch (error) { tell([error.message, error.statusCode]); }
    """
    message, status = sdk("openai", "", code)
    assert "`input[0]` refers to the item 'msg_68af'" in message
    assert status == 404
