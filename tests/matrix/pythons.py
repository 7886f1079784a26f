"""Reading the cells with the official SDKs for Python. Each reader writes into `seen` as it reads; what it raises is part of that."""

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anthropic
import ollama
import openai

Seen = dict[str, Any]
Job = dict[str, Any]
Cell = dict[str, Any]
Reader = Callable[[Cell, Seen], None]


def read(job: Job, readers: dict[str, Reader]) -> list[dict[str, Any]]:
    with ThreadPoolExecutor(6) as threads:
        return list(threads.map(lambda cell: _read(cell, readers[cell["client"]]), job["cells"]))


def _read(cell: Cell, reader: Reader) -> dict[str, Any]:
    seen: Seen = {"text": "", "reasoning": "", "calls": [], "ids": [], "finish": None, "usage": None, "error": None, "answer": None}
    asked = {**cell, "scene": cell["scene"].removeprefix("whole "), "whole": cell["scene"].startswith("whole ")}
    try:
        reader(asked, seen)
    except Exception as exc:  # also what an SDK trips over: it belongs to its cell, and hides no other one
        status = getattr(exc, "status_code", None)
        seen["error"] = {"kind": type(exc).__name__, "status": status if status != -1 else None, "message": _message(exc)}
    return {**cell, "seen": seen}


def _message(error: Exception) -> str:
    return error.error if isinstance(error, ollama.ResponseError) else str(getattr(error, "message", error))


def enough(cell: Cell, seen: Seen) -> bool:
    return cell["scene"] == "slow" and len(seen["text"]) > 8


def joined(cell: Cell, seen: Seen, text: str, reasoning: str) -> None:
    """What an SDK made of the pieces, or was given whole. It must be what the pieces say."""
    if not cell["whole"] and (seen["text"], seen["reasoning"]) != (text, reasoning):
        raise ValueError(f"in pieces {seen['text']!r} and {seen['reasoning']!r}, joined {text!r} and {reasoning!r}")
    seen["text"], seen["reasoning"] = text, reasoning


def openai_sdk(job: Job) -> list[dict[str, Any]]:
    with openai.OpenAI(base_url=f"{job['url']}/v1", api_key="none", max_retries=0, timeout=30) as client:
        reading = OpenAI(job, client)
        readers = {"chat": reading.chat, "completions": reading.completions, "responses": reading.responses}
        return read(job, {f"python openai {name}": reader for name, reader in readers.items()})


def anthropic_sdk(job: Job) -> list[dict[str, Any]]:
    with anthropic.Anthropic(base_url=job["url"], api_key="none", max_retries=0, timeout=30) as client:
        return read(job, {"python anthropic": Anthropic(job, client).messages})


def ollama_sdk(job: Job) -> list[dict[str, Any]]:
    with ollama.Client(job["url"], timeout=30) as client:
        reading = Ollama(job, client)
        return read(job, {"python ollama chat": reading.chat, "python ollama generate": reading.generate})


class OpenAI:
    def __init__(self, job: Job, client: openai.OpenAI) -> None:
        self._job = job
        self._client = client

    def chat(self, cell: Cell, seen: Seen) -> None:
        messages: list[Any] = [{"role": "user", "content": cell["scene"]}]
        asked: dict[str, Any] = {"model": cell["model"], "messages": messages, "max_tokens": cell["limit"]}
        if cell["scene"] == "tools":
            asked["tools"] = self._job["tools"]
        completion: Any = self._client.chat.completions.create(**asked) if cell["whole"] else self._chat_streamed(cell, seen, asked)
        if completion is None:
            return
        message = completion.choices[0].message
        calls = message.tool_calls or []
        joined(cell, seen, message.content or "", getattr(message, "reasoning_content", ""))
        seen["finish"] = completion.choices[0].finish_reason
        seen["usage"] = _counts(completion.usage, "prompt_tokens", "completion_tokens", "completion_tokens_details")
        seen["calls"] = [[call.function.name, json.loads(call.function.arguments)] for call in calls]
        seen["ids"] = [call.id for call in calls]
        if calls:
            results = [{"role": "tool", "tool_call_id": call.id, "content": self._job["results"][call.function.name]} for call in calls]
            asked["messages"] = [*messages, message, *results]
            seen["answer"] = self._client.chat.completions.create(**asked).choices[0].message.content

    def _chat_streamed(self, cell: Cell, seen: Seen, asked: dict[str, Any]) -> Any:
        with self._client.chat.completions.stream(**asked, stream_options={"include_usage": True}) as stream:
            for event in stream:
                if event.type == "chunk" and event.chunk.choices:
                    delta = event.chunk.choices[0].delta
                    seen["text"] += delta.content or ""
                    seen["reasoning"] += getattr(delta, "reasoning_content", None) or ""
                if enough(cell, seen):
                    return None
            try:
                return stream.get_final_completion()
            except openai.LengthFinishReasonError as exc:
                return exc.completion

    def completions(self, cell: Cell, seen: Seen) -> None:
        asked = {"model": cell["model"], "prompt": cell["scene"], "max_tokens": cell["limit"]}
        if cell["whole"]:
            self._completion(cell, seen, [self._client.completions.create(**asked)])
        else:
            with self._client.completions.create(**asked, stream=True, stream_options={"include_usage": True}) as stream:
                self._completion(cell, seen, stream)

    def _completion(self, cell: Cell, seen: Seen, stream: Iterable[Any]) -> None:
        for chunk in stream:
            for choice in chunk.choices:
                seen["text"] += choice.text
                seen["finish"] = choice.finish_reason or seen["finish"]
            seen["usage"] = _counts(chunk.usage, "prompt_tokens", "completion_tokens", "completion_tokens_details") or seen["usage"]
            if enough(cell, seen):
                return

    def responses(self, cell: Cell, seen: Seen) -> None:
        said: list[Any] = [{"role": "user", "content": cell["scene"]}]
        asked: dict[str, Any] = {"model": cell["model"], "input": said, "max_output_tokens": cell["limit"]}
        if cell["scene"] == "tools":
            asked["tools"] = [{"type": "function", **tool["function"], "strict": False} for tool in self._job["tools"]]
        response: Any = self._client.responses.create(**asked) if cell["whole"] else self._response_streamed(cell, seen, asked)
        if response is None:
            return
        calls = [item for item in response.output if item.type == "function_call"]
        thoughts = "".join(part.text for item in response.output if item.type == "reasoning" for part in item.summary)
        joined(cell, seen, response.output_text, thoughts)
        seen["finish"] = response.incomplete_details.reason if response.incomplete_details else response.status
        seen["usage"] = _counts(response.usage, "input_tokens", "output_tokens", "output_tokens_details")
        seen["calls"] = [[call.name, json.loads(call.arguments)] for call in calls]
        seen["ids"] = [call.call_id for call in calls]
        if calls:
            results = [
                {"type": "function_call_output", "call_id": call.call_id, "output": self._job["results"][call.name]} for call in calls
            ]
            seen["answer"] = self._client.responses.create(**{**asked, "input": [*said, *response.output, *results]}).output_text

    def _response_streamed(self, cell: Cell, seen: Seen, asked: dict[str, Any]) -> Any:
        with self._client.responses.stream(**asked) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    seen["text"] += event.delta
                if event.type == "response.reasoning_summary_text.delta":
                    seen["reasoning"] += event.delta
                if event.type == "response.incomplete":
                    return event.response  # get_final_response() knows no other end than `response.completed`
                if enough(cell, seen):
                    return None
            return stream.get_final_response()


class Anthropic:
    def __init__(self, job: Job, client: anthropic.Anthropic) -> None:
        self._job = job
        self._client = client

    def messages(self, cell: Cell, seen: Seen) -> None:
        said: list[Any] = [{"role": "user", "content": cell["scene"]}]
        asked: dict[str, Any] = {"model": cell["model"], "messages": said, "max_tokens": cell["limit"]}
        if cell["scene"] == "tools":
            tools = [tool["function"] for tool in self._job["tools"]]
            asked["tools"] = [
                {"name": tool["name"], "description": tool["description"], "input_schema": tool["parameters"]} for tool in tools
            ]
        # The client's timeout is given because the SDK will not wait for long answers without one.
        message = self._client.messages.create(**asked, timeout=30) if cell["whole"] else self._streamed(cell, seen, asked)
        if message is None:
            return
        blocks: list[Any] = list(message.content)
        calls = [block for block in blocks if block.type == "tool_use"]
        text = "".join(block.text for block in blocks if block.type == "text")
        joined(cell, seen, text, "".join(block.thinking for block in blocks if block.type == "thinking"))
        seen["finish"] = message.stop_reason
        details = getattr(message.usage, "output_tokens_details", None)
        thought = getattr(details, "thinking_tokens", None)
        counts = {"input": message.usage.input_tokens, "output": message.usage.output_tokens}
        seen["usage"] = {**counts, "reasoning": thought, "total": None}
        seen["calls"] = [[call.name, call.input] for call in calls]
        seen["ids"] = [call.id for call in calls]
        if calls:
            results = [{"type": "tool_result", "tool_use_id": call.id, "content": self._job["results"][call.name]} for call in calls]
            asked["messages"] = [*said, {"role": "assistant", "content": blocks}, {"role": "user", "content": results}]
            last: list[Any] = list(self._client.messages.create(**asked, timeout=30).content)
            seen["answer"] = "".join(block.text for block in last if block.type == "text")

    def _streamed(self, cell: Cell, seen: Seen, asked: dict[str, Any]) -> Any:
        with self._client.messages.stream(**asked) as stream:
            for event in stream:
                if event.type == "text":
                    seen["text"] += event.text
                if event.type == "thinking":
                    seen["reasoning"] += event.thinking
                if enough(cell, seen):
                    return None
            return stream.get_final_message()


class Ollama:
    def __init__(self, job: Job, client: ollama.Client) -> None:
        self._job = job
        self._client: Any = client  # whether it streams is decided cell by cell, which its overloads cannot say

    def chat(self, cell: Cell, seen: Seen) -> None:
        said: list[Any] = [{"role": "user", "content": cell["scene"]}]
        asked: dict[str, Any] = {"model": cell["model"], "options": {"num_predict": cell["limit"]}}
        if cell["scene"] == "tools":
            asked["tools"] = self._job["tools"]
        calls: list[Any] = []
        stream = self._client.chat(**asked, messages=said, stream=not cell["whole"])
        for line in [stream] if cell["whole"] else stream:
            seen["text"] += line.message.content or ""
            seen["reasoning"] += line.message.thinking or ""
            calls += line.message.tool_calls or []
            _ended(line, seen)
            if enough(cell, seen):
                stream.close()
                return
        seen["calls"] = [[call.function.name, dict(call.function.arguments)] for call in calls]
        if calls:
            answer = {"role": "assistant", "content": seen["text"], "thinking": seen["reasoning"], "tool_calls": calls}
            names = [call.function.name for call in calls]
            results = [{"role": "tool", "tool_name": name, "content": self._job["results"][name]} for name in names]
            seen["answer"] = self._client.chat(**asked, messages=[*said, answer, *results]).message.content

    def generate(self, cell: Cell, seen: Seen) -> None:
        asked: dict[str, Any] = {"model": cell["model"], "prompt": cell["scene"], "options": {"num_predict": cell["limit"]}}
        stream = self._client.generate(**asked, stream=not cell["whole"])
        for line in [stream] if cell["whole"] else stream:
            seen["text"] += line.response
            seen["reasoning"] += line.thinking or ""
            _ended(line, seen)
            if enough(cell, seen):
                stream.close()
                return


def _ended(line: Any, seen: Seen) -> None:
    if line.done:
        seen["finish"] = line.done_reason
        seen["usage"] = {"input": line.prompt_eval_count, "output": line.eval_count, "reasoning": None, "total": None}


def _counts(usage: Any, into: str, out: str, details: str) -> dict[str, Any] | None:
    if usage is None:
        return None
    told = getattr(usage, details, None)
    thought = told.reasoning_tokens if told else None
    return {"input": getattr(usage, into), "output": getattr(usage, out), "reasoning": thought, "total": usage.total_tokens}
