"""OpenAI Chat Completions, as its official SDKs read them: `data:` frames without ids or names, then `[DONE]`.

What SDKs choke on and is therefore never sent (each found by running them): `id:` and `event:` lines, frames without
`choices`, a null `delta`, `"error": null`, a repeated tool id or name, a piece of a call without `function`, anything after `[DONE]`.

Beyond OpenAI's own fields: `reasoning_content`, `images` and `reasoning_details` as OpenRouter has them, `extra_content`
beside tool calls as Google has it. Sources go out once, as url_citations: helpers of the SDKs cannot join lists. Files, opaque
parts and sources without an address are left out.
"""

from typing import Any

import msgspec

from services.downstream import openai_answers as answers
from services.downstream import openai_sides as sides
from services.downstream import turns
from services.downstream.writer import Body, Writer
from services.errors import HeadraceError, Invalid
from services.events import Entry, Failed, Finished, PartDelta, PartFinished, PartStarted, Reason, Started, Usage
from services.messages import Attachment, Part, Reasoning, Refusal, Reply, Text, ToolCall, Turn
from services.wire.sse import frame, one_line

# Fields that change nothing in what we send: identification, billing, caching, storage on OpenAI's side.
HARMLESS = {
    "metadata", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "service_tier", "store", "stream",
    "stream_options", "user", "verbosity", "model", "messages",
}  # fmt: skip
# Fields whose default is harmless: refused by name with any other value.
DEFAULTS: dict[str, tuple[object, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "modalities": (["text"],),
    "logit_bias": ({},),
}
HINTS = {"functions": " Send `tools` instead.", "function_call": " Send `tool_choice` instead."}
REASONS: dict[Reason, str] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "stopped": "stop",
}
FIELDS = {"text": "content", "reasoning": "reasoning_content", "refusal": "refusal"}
DONE = frame(b"[DONE]")

encode = msgspec.json.encode


class OpenAIChatWriter(Writer):
    def __init__(self, started: Started, body: Body) -> None:
        self._head = _head(started, "chat.completion.chunk")
        self._parts: dict[int, PartStarted] = {}
        self._templates: dict[int, bytes] = {}  # of the deltas of a part
        self._texts: dict[int, list[str]] = {}  # of reasoning: it may have to be sent once more
        self._calls: dict[int, int] = {}  # part -> index among tool calls
        self._unsaid: set[int] = set()  # tool calls without any argument yet
        self._images = 0
        self._details: list[Any] = []
        self._sources: list[Any] = []
        self._usage = Usage()
        self._wants_usage = answers.stream_options(body).include_usage

    @staticmethod
    def turn(body: Body) -> Turn:
        given = answers.without_nulls(body)
        _refuse_what_cannot_be_said(given)
        if answers.stream_options(given).include_obfuscation:
            raise Invalid("`stream_options.include_obfuscation` is not supported here.")
        model = turns.convert(given.get("model", ""), str, "model")
        return Turn(model, turns.messages(given), turns.options(given), on_disconnect="stop", client="openai_chat")

    def _frame(self, entry: Entry) -> bytes:
        event = entry.event
        if type(event) is PartDelta:  # 99 of 100 entries
            return self._delta(event.part, event.text)
        match event:
            case PartStarted():
                return self._part_started(event)
            case PartFinished():
                return self._part_finished(event)
            case Usage():
                self._usage = event
            case Started():
                return self._chunk({"role": "assistant", "content": ""})
            case Finished(reason):
                return self._finished(reason)
            case Failed(code, message):
                return frame(encode(answers.error(message, code, event.status)))
        return b""

    def _delta(self, part: int, text: str) -> bytes:
        template = self._templates.get(part)
        if template is None:
            return b""
        if part in self._texts:
            self._texts[part].append(text)
        self._unsaid.discard(part)
        return template % one_line(encode(text))

    def _part_started(self, event: PartStarted) -> bytes:
        self._parts[event.part] = event
        if event.kind in FIELDS:
            self._templates[event.part] = self._template({FIELDS[event.kind]: answers.HOLE})
            if event.kind == "reasoning":
                self._texts[event.part] = []
        elif event.kind == "tool_call":
            index = self._calls[event.part] = len(self._calls)
            self._unsaid.add(event.part)
            self._templates[event.part] = self._template({"tool_calls": [{"index": index, "function": {"arguments": answers.HOLE}}]})
            call = {"index": index, "id": event.id, "type": "function", "function": {"name": event.name, "arguments": ""}}
            return self._chunk({"tool_calls": [call]})
        return b""

    def _part_finished(self, event: PartFinished) -> bytes:
        start = self._parts[event.part]
        match start.kind:
            case "reasoning":
                text = "".join(self._texts[event.part])
                self._details += sides.details(Reasoning(text, start.form or "plain", event.side))
            case "tool_call":
                return self._call_finished(event)
            case "image" if image := _image(event.value):
                self._images += 1
                return self._chunk({"images": [{"index": self._images - 1, **image}]})
            case "source" if told := answers.citation(event.value):
                self._sources.append({"type": "url_citation", "url_citation": told})
        return b""

    def _call_finished(self, event: PartFinished) -> bytes:
        """Arguments, if there were none, and what has to come back; helpers of the SDKs want a `function` every time."""
        extra, left = sides.extra(event.side), "{}" if event.part in self._unsaid else ""
        if not extra and not left:
            return b""
        return self._chunk({"tool_calls": [{"index": self._calls[event.part], "function": {"arguments": left}, **extra}]})

    def _finished(self, reason: Reason) -> bytes:
        extras = {"annotations": self._sources, "reasoning_details": self._details}
        told = {name: values for name, values in extras.items() if values}
        frames = (self._chunk(told) if told else b"") + self._chunk({}, REASONS[reason])
        if self._wants_usage:
            frames += frame(encode({**self._head, "choices": [], "usage": answers.usage(self._usage)}))
        return frames + DONE

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        return frame(encode({**self._head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}))

    def _template(self, delta: dict[str, Any]) -> bytes:
        return answers.template({**self._head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})

    @staticmethod
    def whole(reply: Reply, body: Body) -> bytes:
        started = Started(reply.generation, reply.model, reply.created)
        choice = {"index": 0, "message": _message(reply.parts), "logprobs": None, "finish_reason": REASONS[reply.reason or "stop"]}
        return encode({**_head(started, "chat.completion"), "choices": [choice], "usage": answers.usage(reply.usage or Usage())})

    @staticmethod
    def refusal(error: HeadraceError) -> bytes:
        return answers.refusal(error)


def _refuse_what_cannot_be_said(given: dict[str, Any]) -> None:
    for name, value in given.items():
        if name in HARMLESS or name in turns.Sampling.__struct_fields__ or answers.is_default(value, *DEFAULTS.get(name, ())):
            continue
        how = " with this value" if name in DEFAULTS else ""
        raise Invalid(f"{name!r} is not supported here{how}.{HINTS.get(name, '')}")


def _head(started: Started, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{started.generation}", "object": kind, "created": started.created, "model": started.model}


def _message(parts: tuple[Part, ...]) -> dict[str, Any]:
    reasoning = [part for part in parts if isinstance(part, Reasoning)]
    refusal = "".join(part.text for part in parts if isinstance(part, Refusal))
    text = "".join(part.text for part in parts if isinstance(part, Text))
    calls = [_call(part) for part in parts if isinstance(part, ToolCall)]
    things = [part for part in parts if isinstance(part, Attachment)]
    message: dict[str, Any] = {"role": "assistant", "content": (text or None) if calls or refusal else text, "refusal": refusal or None}
    sources = [told for thing in things if thing.kind == "source" and (told := answers.citation(thing.value))]
    extras = {
        "reasoning_content": "".join(part.text for part in reasoning),
        "reasoning_details": [detail for part in reasoning for detail in sides.details(part)],
        "tool_calls": calls,
        "images": [image for thing in things if thing.kind == "image" and (image := _image(thing.value))],
        "annotations": [{"type": "url_citation", "url_citation": told} for told in sources],
    }
    return message | {name: value for name, value in extras.items() if value}


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": call.id, "type": "function", "function": function, **sides.extra(call.side)}


def _image(value: object) -> dict[str, Any] | None:
    url = value.get("url") if isinstance(value, dict) else None
    return {"type": "image_url", "image_url": {"url": url}} if isinstance(url, str) else None
