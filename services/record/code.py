"""A request as code that sends it again: for a shell, for JavaScript, for Python. In the place of a key stands the variable API_KEY."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from shlex import quote
from typing import Any

from services.record.hiding import HIDDEN
from services.record.record import Exchange

LEFT_OUT = {"accept-encoding", "content-length"}  # what every client sees to by itself
CHAT = "/chat/completions"


def curl(exchange: Exchange) -> str:
    headers = _headers(exchange, "$API_KEY")
    lines = [f"curl -N {quote(exchange.url)}"]
    for name, (value, hidden) in headers.items():  # a variable means something between double quotes only
        lines.append(f'  -H "{name}: {value}"' if hidden else f"  -H {quote(f'{name}: {value}')}")
    return " \\\n".join([*lines, f"  --data-raw {quote(_body(exchange))}"]) + "\n"


def fetch(exchange: Exchange) -> str:
    lines = [
        f"    {json.dumps(name)}: {f'`{value}`' if hidden else json.dumps(value)},"
        for name, (value, hidden) in _headers(exchange, "${process.env.API_KEY}").items()
    ]
    given = _object(exchange)
    body = json.dumps(_body(exchange)) if given is None else f"JSON.stringify({_indented(given)})"
    return "\n".join(
        [
            f"const response = await fetch({json.dumps(exchange.url)}, {{",
            f"  method: {json.dumps(exchange.method)},",
            "  headers: {",
            *lines,
            "  },",
            f"  body: {body},",
            "});",
            "for await (const text of response.body.pipeThrough(new TextDecoderStream())) process.stdout.write(text);",
            "",
        ]
    )


def python(exchange: Exchange) -> str:
    """With OpenAI's SDK where the request is one of its own, else with httpx."""
    given = _object(exchange)
    if given is None or not exchange.url.endswith(CHAT) or given.get("stream") is not True:
        return _with_httpx(exchange)
    rest = {name: value for name, value in given.items() if name not in ("model", "messages", "stream")}
    return "\n".join(
        [
            "import os",
            "",
            "from openai import OpenAI",
            "",
            f'client = OpenAI(base_url={exchange.url.removesuffix(CHAT)!r}, api_key=os.environ.get("API_KEY", "none"))',
            "chunks = client.chat.completions.create(",
            f"    model={given.get('model')!r},",
            f"    messages={given.get('messages')!r},",
            "    stream=True,",
            f"    extra_body={rest!r},",
            ")",
            "for chunk in chunks:",
            "    if chunk.choices:",
            '        print(chunk.choices[0].delta.content or "", end="", flush=True)',
            "",
        ]
    )


def _with_httpx(exchange: Exchange) -> str:
    headers = _headers(exchange, "{key}")
    lines = [f"    {name!r}: {f'f{value!r}' if hidden else repr(value)}," for name, (value, hidden) in headers.items()]
    return "\n".join(
        [
            "import os",
            "",
            "import httpx",
            "",
            'key = os.environ.get("API_KEY", "none")',
            "headers = {",
            *lines,
            "}",
            f"body = {_body(exchange)!r}",
            f"with httpx.stream({exchange.method!r}, {exchange.url!r}, headers=headers, content=body.encode(), timeout=None) as response:",
            "    for text in response.iter_text():",
            '        print(text, end="", flush=True)',
            "",
        ]
    )


CODES: Mapping[str, Callable[[Exchange], str]] = {"curl": curl, "fetch": fetch, "Python": python}


def _headers(exchange: Exchange, key: str) -> dict[str, tuple[str, bool]]:
    """Their values, and whether `key` stands in the place of what was hidden."""
    found = {}
    for name, value in exchange.headers.items():
        if value == HIDDEN:
            found[name] = (f"Bearer {key}" if name.lower() == "authorization" else key, True)
        elif name.lower() not in LEFT_OUT:
            found[name] = (value, False)
    return found


def _body(exchange: Exchange) -> str:
    return exchange.body.decode("utf-8", "replace")


def _object(exchange: Exchange) -> dict[str, Any] | None:
    with suppress(ValueError, RecursionError):
        given = json.loads(_body(exchange))
        return given if isinstance(given, dict) else None
    return None


def _indented(value: object) -> str:
    return json.dumps(value, indent=2).replace("\n", "\n  ")
