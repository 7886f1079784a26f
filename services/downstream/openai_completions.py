"""OpenAI's legacy Completions, as its official SDKs read them: a prompt in, `data:` frames of text out, then `[DONE]`.

What the dialect cannot carry: reasoning, sources, images and tool calls are not told, a refusal is text, and the end after tool
calls is a `stop`. The prompt becomes a message of the user. `suffix` goes to servers of this very dialect only.
"""

from typing import Any

import msgspec

from services.downstream import openai_answers as answers
from services.downstream import turns
from services.downstream.writer import Body, Writer
from services.errors import HeadraceError, Invalid
from services.events import Entry, Failed, Finished, PartDelta, PartStarted, Reason, Started, Usage
from services.messages import Message, Reply, Text, Turn, Vendor
from services.wire.sse import frame, one_line

HARMLESS = {"model", "prompt", "suffix", "stream", "stream_options", "user"}
OPTIONS = {
    "temperature", "top_p", "top_k", "min_p", "max_tokens", "stop", "seed", "presence_penalty", "frequency_penalty",
    "repeat_penalty", "repetition_penalty",
}  # fmt: skip
DEFAULTS: dict[str, tuple[object, ...]] = {"n": (1,), "best_of": (1,), "echo": (False,), "logit_bias": ({},), "logprobs": ()}
REASONS: dict[Reason, str] = {"length": "length", "content_filter": "content_filter"}  # everything else is "stop"
EMPTY = '`prompt` is missing or empty: send a text, such as {"prompt": "Once upon a time"}.'
DONE = frame(b"[DONE]")

encode = msgspec.json.encode


class OpenAICompletionsWriter(Writer):
    def __init__(self, started: Started, body: Body) -> None:
        self._head = _head(started)
        self._template = answers.template({**self._head, "choices": [_choice(answers.HOLE)]})
        self._told: set[int] = set()  # parts whose text is the answer
        self._usage = Usage()
        self._wants_usage = answers.stream_options(body).include_usage

    @staticmethod
    def turn(body: Body) -> Turn:
        given = answers.without_nulls(body)
        for name, value in given.items():
            if name not in HARMLESS and name not in OPTIONS and not answers.is_default(value, *DEFAULTS.get(name, ())):
                raise Invalid(f"{name!r} is not supported here" + (" with this value." if name in DEFAULTS else "."))
        if answers.stream_options(given).include_obfuscation:
            raise Invalid("`stream_options.include_obfuscation` is not supported here.")
        options = turns.options({name: value for name, value in given.items() if name in OPTIONS})
        if suffix := turns.convert(given.get("suffix", ""), str, "suffix"):
            options = msgspec.structs.replace(options, vendor=Vendor("openai_completions", {"suffix": suffix}))
        model = turns.convert(given.get("model", ""), str, "model")
        message = Message("user", (Text(_prompt(given.get("prompt"))),))
        return Turn(model, (message,), options, on_disconnect="stop", client="openai_completions")

    def _frame(self, entry: Entry) -> bytes:
        event = entry.event
        if type(event) is PartDelta:  # 99 of 100 entries
            return self._template % one_line(encode(event.text)) if event.part in self._told else b""
        match event:
            case PartStarted(part, "text" | "refusal"):
                self._told.add(part)
            case Usage():
                self._usage = event
            case Finished(reason):
                return self._finished(reason)
            case Failed(code, message):
                return frame(encode(answers.error(message, code, event.status)))
        return b""

    def _finished(self, reason: Reason) -> bytes:
        frames = frame(encode({**self._head, "choices": [_choice("", REASONS.get(reason, "stop"))]}))
        if self._wants_usage:
            frames += frame(encode({**self._head, "choices": [], "usage": answers.usage(self._usage)}))
        return frames + DONE

    @staticmethod
    def whole(reply: Reply, body: Body) -> bytes:
        choice = _choice(reply.message.text, REASONS.get(reply.reason or "stop", "stop"))
        head = _head(Started(reply.generation, reply.model, reply.created))
        return encode({**head, "choices": [choice], "usage": answers.usage(reply.usage or Usage())})

    @staticmethod
    def refusal(error: HeadraceError) -> bytes:
        return answers.refusal(error)


def _prompt(given: object) -> str:
    """One text, also as a list of one. Raises Invalid for several prompts and for tokens."""
    if isinstance(given, list) and len(given) > 1 and all(isinstance(each, str) for each in given):
        raise Invalid("`prompt` holds several prompts: send one at a time.")
    match given:
        case str(prompt) | [str(prompt)] if prompt:
            return prompt
        case None | "" | [] | [""]:
            raise Invalid(EMPTY)
    raise Invalid("`prompt` is not a text: tokens cannot be sent here.")


def _head(started: Started) -> dict[str, Any]:
    return {"id": f"cmpl-{started.generation}", "object": "text_completion", "created": started.created, "model": started.model}


def _choice(text: str, finish_reason: str | None = None) -> dict[str, Any]:
    return {"text": text, "index": 0, "logprobs": None, "finish_reason": finish_reason}
