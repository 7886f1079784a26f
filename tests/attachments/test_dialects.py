"""What is attached, as every dialect's server gets it: the picture in its own form, then one text with the file ahead of the question."""

import base64
from typing import Any

import msgspec
import pytest

from services.attachments.attachments import Attachments
from services.errors import Invalid
from services.messages import Message, Text, Turn
from services.upstream import READERS
from tests.attachments.samples import png

DATA = base64.b64encode(png()).decode()
URL = f"data:image/png;base64,{DATA}"
WORDS = "File: a.py\n```py\nAlpha\n```\n\nWhat?"
GOT: dict[str, Any] = {
    "openai_chat": {"messages": [{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": URL}}, {"type": "text", "text": WORDS}]}]},
    "openai_responses": {"input": [{"role": "user", "content": [
        {"type": "input_image", "image_url": URL, "detail": "auto"}, {"type": "input_text", "text": WORDS}]}]},
    "anthropic": {"messages": [{"role": "user", "content": [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}}, {"type": "text", "text": WORDS}]}]},
    "gemini": {"contents": [{"role": "user", "parts": [
        {"inlineData": {"mimeType": "image/png", "data": DATA}}, {"text": WORDS}]}]},
    "ollama": {"messages": [{"role": "user", "content": WORDS, "images": [DATA]}]},
    "ollama_generate": {"prompt": WORDS, "images": [DATA]},
}  # fmt: skip


async def asked(*names: str) -> Turn:
    files = Attachments()
    bodies = {"b.png": png(), "a.py": b"Alpha\n"}
    parts = [await files.take(name, bodies[name]) for name in names]
    return Turn("m", await files.resolved([Message("user", (*parts, Text("What?")))], model="m", sees=None))


@pytest.mark.parametrize("dialect", sorted(GOT))
async def test_a_server_gets_picture_and_text_in_its_own_form(dialect: str) -> None:
    body = msgspec.json.decode(READERS[dialect]().request(await asked("a.py", "b.png")).body)
    for name, value in GOT[dialect].items():
        assert body[name] == value


async def test_where_there_are_only_words_the_file_is_told_and_the_picture_refused_by_name() -> None:
    assert sorted(GOT) == sorted(set(READERS) - {"openai_completions"})
    reader = READERS["openai_completions"]()
    assert WORDS in msgspec.json.decode(reader.request(await asked("a.py")).body)["prompt"]
    with pytest.raises(Invalid, match="image"):
        reader.request(await asked("b.png"))
