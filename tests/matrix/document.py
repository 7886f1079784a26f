"""docs/dialects.md, from what the clients of this run saw and what readers and writers make of parts and options. Text in, text out."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from services.downstream import WRITERS
from services.errors import Invalid
from services.events import Event, Finished, PartDelta, PartFinished, PartKind, PartStarted
from services.messages import Message, Options, Text, Turn
from services.upstream import READERS
from tests.downstream.stories import STARTED, story
from tests.matrix.clients import CLIENTS, SURFACES
from tests.matrix.losses import CLIENTS as CLIENT_LOSSES
from tests.matrix.losses import UPSTREAMS as UPSTREAM_LOSSES
from tests.matrix.losses import Loss
from tests.matrix.reading import UPSTREAMS, Matrix, Place, Seen
from tests.matrix.story import CALLS, QUOTED, STREAMED
from tests.upstream.test_options import ASKED

Tell = Callable[[dict[str, Seen]], str]

TITLES = {
    "python openai": "`openai` (Python)",
    "python anthropic": "`anthropic` (Python)",
    "python ollama": "`ollama` (Python)",
    "node openai": "`openai` (Node)",
    "node anthropic": "`@anthropic-ai/sdk` (Node)",
    "node ollama": "`ollama` (Node)",
    "node ai": "`ai` (Node): `DefaultChatTransport`, as `useChat` has it, and `readUIMessageStream`",
    "node eventsource": "`eventsource` (Node)",
    "node eventsource-parser": "`eventsource-parser` (Node)",
    "browser EventSource": "a browser's `EventSource`",
}


class Part(NamedTuple):
    """These events in an answer, against others instead: `same` is what it means when both are told alike."""

    events: tuple[Event, ...]
    instead: tuple[Event, ...] = ()
    same: str = "left out"
    different: str = "yes"
    ends: bool = True


def _thing(kind: PartKind, **value: str) -> tuple[Event, ...]:
    return PartStarted(1, kind), PartFinished(1, value)


def _said(kind: PartKind) -> tuple[Event, ...]:
    return PartStarted(1, kind), PartDelta(1, "I cannot.")


REFUSAL = "a refusal"
PARTS = {
    REFUSAL: Part(_said("refusal"), _said("text"), "text", "as a refusal", ends=False),
    "a source": Part(_thing("source", url="https://mill.example/", title="The mill")),
    "an image": Part(_thing("image", url="data:image/png;base64,iVBORw0KGgo=")),
    "a file": Part(_thing("file", url="data:application/pdf;base64,JVBERi0=", media_type="application/pdf")),
    "what a server wants back with its reasoning": Part(
        (*_said("reasoning"), PartFinished(1, side={"signature": "s"})), (*_said("reasoning"), PartFinished(1))
    ),
}

COMMAND = "uv run pytest tests/matrix --write-docs"

PAGE = """# Every dialect to every client

Headrace asks a model server in the server's dialect and answers a client in the client's. This page says what arrives. Tests read the
same story from a server of each dialect with the vendors' official SDKs, and this page is written from what those showed:
`{command}`. Without that option, the tests compare it.

## What arrives

The story is text, reasoning, two tool calls at once and the turn after their results, ends by themselves and at a limit, errors
before the first byte and in the middle, an answer that breaks off, and a client that stops. **All** is: text to the character, arguments
as objects, what broke off as an error and never as a success, a refusal with its status, and a stop that closes the connection to the
model server. What is missing is named.

{arrives}

## Tokens

What is told of the tokens of a reply that reasoned: those that went in, those that came out, how many of these were reasoning, and the sum.

{tokens}

## Read with

{clients}

The browser is Chromium. What the SDKs themselves make of some of it: the stream helpers of `openai` for Python raise when an answer ends
at its limit (`LengthFinishReasonError`, and for Responses `RuntimeError`; the events before hold it all), and the one of `openai` for
Node keeps only the last piece of fields that are not OpenAI's own, like `reasoning_content`: read it from the chunks.

## What a model server's dialect does not carry

{upstream}

Options that a dialect has no word for are refused by name, before the server is asked:

{options}

## What a client's dialect does not carry

{downstream}

What else a model may say, as parts of an answer. *text*: among the answer's text. What `/chat` leaves out is in the reply's snapshot,
`GET /chat/{{id}}`.

{parts}
"""


def page(matrix: Matrix) -> str:
    paths = [f"`{surface.path}`" for surface in SURFACES.values()]
    return PAGE.format(
        command=COMMAND,
        arrives=_table(["`dialect`", *paths], ([f"`{name}`", *_cells(matrix, name, _arrives)] for name in UPSTREAMS)),
        tokens=_table(["`dialect`", *paths], ([f"`{name}`", *_cells(matrix, name, _tokens)] for name in UPSTREAMS)),
        clients=_table(["path", "clients"], ([f"`{about.path}`", ", ".join(_clients(name))] for name, about in SURFACES.items())),
        upstream=_table(["`dialect`", "not carried", "what happens"], _losses(UPSTREAM_LOSSES, {name: name for name in UPSTREAMS})),
        options=_table(["option", *(f"`{name}`" for name in UPSTREAMS)], map(_option, sorted(set(ASKED) - {"vendor"}))),
        downstream=_table(
            ["path", "not carried", "what happens"],
            _losses(CLIENT_LOSSES, {name: surface.path for name, surface in SURFACES.items()}),
        ),
        parts=_table(["part", *paths], ([name, *(_part(surface, name) for surface in SURFACES)] for name in PARTS)),
    )


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)])


def _cells(matrix: Matrix, upstream: str, tell: Tell) -> list[str]:
    """What the clients of each surface saw; they are named where they do not agree."""
    cells = []
    for surface in SURFACES:
        saw = {
            name: tell({scene: matrix.seen(Place(upstream, name, scene)) for scene in STREAMED})
            for name, client in CLIENTS.items()
            if client.surface == surface
        }
        agreed = len(set(saw.values())) == 1
        cells.append(next(iter(saw.values())) if agreed else "; ".join(f"{name}: {cell}" for name, cell in saw.items()))
    return cells


def _arrives(seen: dict[str, Seen]) -> str:
    tools = seen["tools"]
    good = {
        "text": all(seen[scene]["text"] == STREAMED[scene].text for scene in ("text", "reasoning", "length", "error", "cut")),
        "reasoning": seen["reasoning"]["reasoning"] == STREAMED["reasoning"].reasoning,
        "tools (refused)": not tools["error"],
        "tool calls": bool(tools["error"]) or tools["calls"] == [list(call) for call in CALLS],
        "results of tools": not tools["calls"] or tools["answer"] == QUOTED,
        "the limit": seen["length"]["finish"] != seen["text"]["finish"],
        "errors": all(seen[scene]["error"] and not seen[scene]["finish"] for scene in ("error", "cut", "refused")),
        "a stop": seen["slow"]["closed"],
        "the status of a refusal": seen["refused"]["error"]["status"] == 429,
    }
    missing = [name for name, is_good in good.items() if not is_good]
    return f"not: {', '.join(missing)}" if missing else "**all**"


def _tokens(seen: dict[str, Seen]) -> str:
    told, counts = seen["reasoning"]["usage"], STREAMED["reasoning"].counts
    assert counts
    apart = told["output"] != counts.output
    names = {
        "in": told["input"] == counts.input,
        "out without reasoning" if apart else "out": told["output"] in (counts.output, (counts.output or 0) - (counts.reasoning or 0)),
        "reasoning": told["reasoning"] == counts.reasoning,
        "reasoning as 0": told["reasoning"] == 0,
        "sum": told["total"] == counts.total,
    }
    return ", ".join(name for name, is_told in names.items() if is_told)


def _clients(surface: str) -> list[str]:
    named = [(name, client.program) for name, client in CLIENTS.items() if client.surface == surface]
    return [TITLES.get(name) or TITLES[program] for name, program in named]


def _losses(losses: tuple[Loss, ...], names: dict[str, str]) -> list[list[str]]:
    return [[f"`{name}`", loss.what, loss.becomes] for dialect, name in names.items() for loss in losses if loss.dialect == dialect]


def _option(name: str) -> list[str]:
    return [f"`{name}`", *("refused" if _refuses(dialect, ASKED[name]) else "sent" for dialect in UPSTREAMS)]


def _refuses(dialect: str, options: Options) -> bool:
    try:
        READERS[dialect]().request(Turn("m", (Message("user", (Text("Hello"),)),), options))
    except Invalid:
        return True
    return False


def _part(surface: str, name: str) -> str:
    """Found by writing the part, and something else in its place: is it told, and as what?"""
    part = PARTS[name]
    if name == REFUSAL and b'"refusal"' in _written(surface, part._replace(events=(*part.events, PartFinished(1)), ends=True)):
        part = part._replace(same="text, and the end is `refusal`")
    return part.same if _written(surface, part) == _written(surface, part._replace(events=part.instead)) else part.different


def _written(surface: str, part: "Part") -> bytes:
    hello: tuple[Event, ...] = (PartStarted(0, "text"), PartDelta(0, "Hello"), PartFinished(0))
    end = (Finished("stop"),) if part.ends else ()
    written = WRITERS[surface](STARTED, {}).write(story(*hello, *part.events, *end))
    return b"".join(line for line in written.splitlines() if not line.startswith(b"id:"))
