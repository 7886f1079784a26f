"""Ollama's /api/generate: a prompt instead of messages. Sans-IO: bytes in, events out, read as ollama.py reads them.

What a system message at the beginning says is `system`. A single user message is the prompt as it is. Any other conversation
becomes this text, its blocks one empty line apart, because the dialect remembers none:

    User: Hello

    Assistant: Hi.

    User: How are you?

    Assistant:

There `\\nUser:` ends the answer, unless the turn has its own `stop`. Images go beside the prompt, of all messages in order.
Reasoning is left out: it was no part of the answer. Tools, their calls and their results the dialect does not know.
https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-completion
"""

from collections.abc import Sequence

import msgspec

from services.errors import Invalid
from services.messages import Attachment, Image, Message, Part, Reasoning, Refusal, Text, Turn
from services.upstream import ollama_turns, requests
from services.upstream.ollama import OllamaReader
from services.upstream.reader import Request
from services.upstream.requests import Object

STOP = "\nUser:"
NAMES = {"user": "User: ", "assistant": "Assistant: ", "system": ""}


class OllamaGenerateReader(OllamaReader):
    def request(self, turn: Turn) -> Request:
        return Request("/api/generate", msgspec.json.encode(_body(turn)))


def _body(turn: Turn) -> Object:
    """Raises Invalid, naming the thing, for what the dialect cannot say."""
    given = turn.options
    requests.refuse(msgspec.structs.replace(given, vendor=None), "ollama_generate", "tool_choice", "parallel_tool_calls", "tools")
    first = next((at for at, message in enumerate(turn.messages) if message.role != "system"), len(turn.messages))
    system, said = turn.messages[:first], turn.messages[first:]
    alone = len(said) == 1 and said[0].role == "user"
    prompt = _text(said[0]) if alone else _conversation(said)
    asked: Object = {"model": turn.model, "prompt": prompt, "stream": True}
    if system:
        asked["system"] = "\n\n".join(map(_text, system))
    if images := [ollama_turns.image(url) for message in said for part in message.parts if (url := _url(part))]:
        asked["images"] = images
    return asked | ollama_turns.asked(given if alone or given.stop else msgspec.structs.replace(given, stop=(STOP,)))


def _conversation(messages: Sequence[Message]) -> str:
    return "\n\n".join([*(NAMES.get(message.role, "") + _text(message) for message in messages), "Assistant:"])


def _text(message: Message) -> str:
    return "".join(_piece(message.role, part) for part in message.parts)


def _piece(role: str, part: Part) -> str:
    match part:
        case Text(text) | Refusal(text):
            return text
        case Reasoning():
            return ""
        case Image() if role != "system":
            return ""  # beside the prompt
        case Attachment("image", {"url": str()}) if role != "system":
            return ""
        case Attachment("source" | "opaque") if role == "assistant":
            return ""  # what a server notes about its own words is not asked for again
    raise Invalid(f"{requests.part_name(part)} in a message of role {role!r} cannot be sent to Ollama's /api/generate.")


def _url(part: Part) -> str | None:
    match part:
        case Image(url) | Attachment("image", {"url": str(url)}):
            return url
    return None
