"""A Turn as the body of a legacy Completions request. What cannot be said is refused by name, nothing is dropped. No I/O.

The dialect has a prompt and no messages. A single user message is the prompt as it is. Any other conversation becomes this
text, its blocks one empty line apart, and the model goes on after the last colon:

    You are brief.                      what the system says, without a name

    User: Hello

    Assistant: Hi.

    User: How are you?

    Assistant:

There a model that only continues text would write the user's next line too, so `\\nUser:` ends the answer unless the turn
has its own `stop`. Reasoning is left out, as the words of a reply that it was not. OpenAI's and vLLM's own default of
max_tokens is 16: a turn that wants more has to say so.
"""

import msgspec

from services.errors import Invalid
from services.messages import Attachment, Message, Options, Part, Reasoning, Refusal, Text, Turn
from services.upstream import requests
from services.upstream.requests import Object, without_nones

_STOP = "\nUser:"
_NAMES = {"user": "User: ", "assistant": "Assistant: ", "system": ""}


def body(turn: Turn) -> bytes:
    """Raises Invalid, naming the thing, for what the dialect cannot say."""
    prompt, stop = _prompt(turn.messages)
    asked: Object = {"model": turn.model, "prompt": prompt, "stream": True, "stream_options": {"include_usage": True}}
    return msgspec.json.encode(asked | stop | _options(turn.options))


def _options(given: Options) -> Object:
    refused = ("tool_choice", "parallel_tool_calls", "tools", "format", "reasoning_effort", "reasoning_budget")
    requests.refuse(given, "openai_completions", *refused)
    return without_nones(requests.sampling(given)) | requests.vendor(given)


def _prompt(messages: tuple[Message, ...]) -> tuple[str, Object]:
    """The prompt, and the end that its form asks for."""
    if len(messages) == 1 and messages[0].role == "user":
        return _text(messages[0]), {}
    said = [_NAMES.get(message.role, "") + _text(message) for message in messages]
    return "\n\n".join([*said, "Assistant:"]), {"stop": [_STOP]}


def _text(message: Message) -> str:
    return "".join(_piece(message.role, part) for part in message.parts)


def _piece(role: str, part: Part) -> str:
    match part:
        case Text(text) | Refusal(text):
            return text
        case Reasoning():
            return ""
        case Attachment("source" | "opaque") if role == "assistant":
            return ""  # what a server notes about its own words is not asked for again
    raise Invalid(f"{requests.part_name(part)} in a message of role {role!r} cannot be sent: this server takes text alone.")
