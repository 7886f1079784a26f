"""The official SDKs for Python as their own READMEs read a stream: what they say is told by `text`, what they raise is the error.

Only where an SDK hands a failure on as an event, and raises nothing, its type is looked at, too.
"""

from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import ollama
import openai
from google import genai
from google.genai import types

Reader = Callable[[str], Iterator[str]]  # a base URL in, pieces of text out; what is raised is the error

ASKED = "Hello"
SAID: list[Any] = [{"role": "user", "content": ASKED}]


class SaysSo(Exception):
    """An event that tells of a failure."""


def openai_chat(url: str) -> Iterator[str]:
    yield from _openai_chat(url, careful=False)


def openai_chat_careful(url: str) -> Iterator[str]:
    yield from _openai_chat(url, careful=True)


def _openai_chat(url: str, *, careful: bool) -> Iterator[str]:
    reason = None
    with openai.OpenAI(base_url=url, api_key="none") as client:
        for chunk in client.chat.completions.create(model="any", messages=SAID, stream=True):
            if chunk.choices:
                yield chunk.choices[0].delta.content or ""
                reason = chunk.choices[0].finish_reason or reason
    if careful and reason is None:
        raise SaysSo("no finish_reason")


def openai_responses(url: str) -> Iterator[str]:
    with openai.OpenAI(base_url=url, api_key="none") as client:
        for event in client.responses.create(model="any", input=ASKED, stream=True):
            if event.type == "response.output_text.delta":
                yield event.delta
            elif event.type in ("error", "response.failed", "response.incomplete"):
                raise SaysSo(event.type)


def openai_completions(url: str) -> Iterator[str]:
    with openai.OpenAI(base_url=url, api_key="none") as client:
        for chunk in client.completions.create(model="any", prompt=ASKED, stream=True):
            yield chunk.choices[0].text if chunk.choices else ""


def anthropic_messages(url: str) -> Iterator[str]:
    with (
        anthropic.Anthropic(base_url=url, api_key="none") as client,
        client.messages.stream(model="any", max_tokens=500, messages=[{"role": "user", "content": ASKED}]) as stream,
    ):
        yield from stream.text_stream
        stream.get_final_message()


def gemini(url: str) -> Iterator[str]:
    with genai.Client(api_key="none", http_options=types.HttpOptions(base_url=url)) as client:
        for chunk in client.models.generate_content_stream(model="any", contents=ASKED):
            yield chunk.text or ""


def ollama_chat(url: str) -> Iterator[str]:
    with ollama.Client(url) as client:
        for line in client.chat("any", SAID, stream=True):
            yield line.message.content or ""


def ollama_generate(url: str) -> Iterator[str]:
    with ollama.Client(url) as client:
        for line in client.generate("any", ASKED, stream=True):
            yield line.response
