"""What these tests share: bodies of real servers, and a rehearsal that plays recordings."""

import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from services.recordings.bodies import Found
from services.recordings.bringing import find
from services.recordings.file import encode
from services.recordings.keeper import Recordings
from services.upstream.rehearsal.clock import Stepped
from services.upstream.rehearsal.repertoire import Repertoire
from services.upstream.rehearsal.server import Rehearsal

ROOT = Path(__file__).parent.parent / "recordings"
LISTS = ("tags.json", "models.json")


def bodies() -> list[Any]:
    told = [(path, json.loads(path.read_bytes())) for path in sorted(ROOT.rglob("*.expected.json"))]
    found = [(path.with_name(one["file"]), one["dialect"]) for path, one in told if one["file"] not in LISTS]
    return [pytest.param(path, dialect, id=f"{path.parent.name}/{path.name}") for path, dialect in found]


BODIES = bodies()


def body(folder: str, name: str) -> bytes:
    [path] = [path for path in (ROOT / folder).glob(f"{name}.*") if ".expected." not in path.name]
    return path.read_bytes()


def found(folder: str, name: str) -> Found:
    [one] = find(body(folder, name))
    return one


def repertoire(**kept: Found) -> Repertoire:
    """Of these recordings, by their names with - for _."""
    recordings = Recordings()
    for name, one in kept.items():
        recordings.put(name.replace("_", "-"), encode(one.recording))
    return Repertoire(recordings)


def asked(dialect: str, model: str, *, stream: bool) -> tuple[str, bytes]:
    """A path and a body."""
    said = [{"role": "user", "content": "Hello"}]
    match dialect:
        case "openai_chat":
            return "/chat/completions", _json(
                model=model, messages=said, stream=stream, stream_options={"include_usage": True} if stream else None
            )
        case "openai_responses":
            return "/responses", _json(model=model, input="Hello", stream=stream)
        case "openai_completions":
            return "/completions", _json(model=model, prompt="Hello", stream=stream)
        case "anthropic":
            return "/v1/messages", _json(model=model, messages=said, max_tokens=9, stream=stream)
        case "gemini":
            doing = "streamGenerateContent?alt=sse" if stream else "generateContent"
            return f"/v1beta/models/{model.replace('#', '%23')}:{doing}", _json(contents=[{"role": "user", "parts": [{"text": "Hello"}]}])
        case "ollama":
            return "/api/chat", _json(model=model, messages=said, stream=stream)
        case "ollama_generate":
            return "/api/generate", _json(model=model, prompt="Hello", stream=stream)
    raise AssertionError(dialect)


def _json(**fields: object) -> bytes:
    return json.dumps(fields).encode()


async def play(
    repertoire: Repertoire, dialect: str, model: str, *, stream: bool = True, faithful: bool = False
) -> tuple[int, dict[str, str], list[bytes]]:
    clock = Stepped()
    clock.step(1_000_000)
    server = Rehearsal(60.0, clock, dialect, repertoire=repertoire, faithful=faithful)
    path, request = asked(dialect, model, stream=stream)
    answer = await server.answer("POST", path, request)
    async with aclosing(answer.chunks) as chunks:
        return answer.status, answer.headers, [chunk async for chunk in chunks]
