"""Requests without end at every route of the API, made up by schemathesis from a description that is made up from the table of routes.

    uv run --with schemathesis python -m benchmarks.fuzz.api [CASES] [PATH]      2,000 of each route and method, if nothing is said

A real server, with rehearsal models only. What must not happen: an answer of 5xx, a Traceback in the log, the end of the process.
(501 is what documents promise for calls that are a matter of Ollama itself: those are left out.)
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from starlette.routing import Mount, Route

from services.api.errors import Methods
from services.api.listings import NOT_HERE
from services.api.routes import router
from tests.serving import ROOT, served

SETTINGS = "[rehearsal]\nspeed = 1e9\n[log]\nlevel = 'warning'\n[storage]\nkeep = 50\ndatabase = 'memory'\n"

TEXT: dict[str, Any] = {"type": "string"}
ANY: dict[str, Any] = {}
PART = {
    "type": "object",
    "properties": {"type": {"enum": ["text", "image_url", "input_text", "tool_use", "thinking", "file"]}, "text": TEXT},
}
MESSAGE = {
    "type": "object",
    "properties": {
        "role": {"enum": ["system", "user", "assistant", "tool", "developer"]},
        "content": {"anyOf": [TEXT, {"type": "array", "items": PART}, {"type": "null"}]},
        "parts": {"type": "array", "items": PART},
        "tool_calls": ANY,
        "tool_call_id": TEXT,
    },
    "required": ["role", "content"],
}
BODY = {
    "type": "object",
    "required": ["model", "messages", "input", "prompt"],
    "properties": {
        "model": {"enum": ["rehearsal/echo", "rehearsal/guide", "echo", "nobody/nothing"]},
        "messages": {"type": "array", "items": MESSAGE, "minItems": 1},
        "input": {"anyOf": [TEXT, {"type": "array", "items": MESSAGE}]},
        "prompt": TEXT,
        "stream": {"type": "boolean"},
        "max_tokens": {"anyOf": [{"type": "integer"}, TEXT]},
        "temperature": {"type": "number"},
        "stop": {"anyOf": [TEXT, {"type": "array", "items": TEXT}]},
        "tools": ANY,
        "tool_choice": ANY,
        "options": ANY,
        "metadata": ANY,
        "id": TEXT,
        "previous_response_id": TEXT,
    },
}
# What a route takes besides its body; all others refuse what they do not know, which one case in a while is enough for.
QUERY = {
    "/chat": {"format": ["events", "messages", "text", "ollama", "none"], "model": ["rehearsal/echo", "nobody/nothing"]},
    "/chat/{id}": {"after": ["0", "1", "99", "-1", "x"], "format": ["events", "text"]},
    "/chat/{id}/upstream": {"attempt": ["1", "0", "x"]},
    "/v1/responses/{id}": {"stream": ["true", "false"], "starting_after": ["0", "x"]},
}


def operation(path: str, method: str) -> dict[str, Any]:
    given = [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in named(path)]
    given += [{"name": name, "in": "query", "schema": {"enum": values}} for name, values in QUERY.get(path, {}).items()]
    given += [{"name": name, "in": "header", "schema": TEXT} for name in ("X-Request-Id", "Last-Event-ID")] if method == "GET" else []
    body = {"requestBody": {"content": {"application/json": {"schema": BODY}}}} if method == "POST" else {}
    return {"parameters": given, "responses": {"default": {"description": "anything but 5xx"}}, **body}


def named(path: str) -> list[str]:
    return [piece.strip("{}") for piece in path.split("/") if piece.startswith("{")]


def described() -> dict[str, Any]:
    """OpenAPI of all routes: as loose as can be, for what is refused has to be refused well."""
    paths: dict[str, dict[str, Any]] = {}
    for route in router().routes:
        if isinstance(route, Route) and isinstance(route.app, Methods) and route.path not in NOT_HERE:
            path = route.path.replace(":path", "")
            paths[path] = {method.lower(): operation(path, method) for method in route.app.by_method if method != "HEAD"}
        assert isinstance(route, Route | Mount)
    for path in ("/rehearsal/openai_chat/v1/chat/completions", "/rehearsal/anthropic/v1/messages", "/rehearsal/{dialect}/{place}"):
        paths[path] = {"post": operation(path, "POST")}
    return {"openapi": "3.1.0", "info": {"title": "Headrace", "version": "1"}, "paths": paths}


def main(cases: int, only: str | None) -> int:
    with tempfile.TemporaryDirectory() as name, served(Path(name), SETTINGS) as running:
        document = Path(name) / "openapi.json"
        document.write_text(json.dumps(described()))
        flags = ["--max-examples", str(cases), "--phases", "coverage,fuzzing", "--checks", "not_a_server_error", "--continue-on-failure"]
        flags += ["--request-timeout", "60", "--suppress-health-check", "all", "--no-color", *(["--include-path", only] if only else [])]
        command = [sys.executable, "-m", "schemathesis.cli", "run", str(document), "--url", running.url, *flags]
        done = subprocess.run(command, cwd=ROOT, check=False)
        log = (Path(name) / "log").read_text()
        alive = running.process.poll() is None
    told = {"routes and methods": sum(map(len, described()["paths"].values())), "cases of each, at most": cases}
    sys.stdout.write(f"{log[-3000:]}\n{told}\nalive: {alive}; tracebacks in the log: {log.count('Traceback')}\n")
    return done.returncode or (0 if alive and "Traceback" not in log else 1)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000, sys.argv[2] if len(sys.argv) > 2 else None))
