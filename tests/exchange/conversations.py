"""Conversations for the tests of this room: one with everything in it, and any that Headrace could have made."""

from pathlib import Path

from hypothesis import strategies as st

from services.conversations import Conversation, Node
from services.events import Usage
from services.messages import Attachment, Image, Message, Part, Problem, Reasoning, Refusal, Reply, Stop, Text, ToolCall, ToolResult

HERE = Path(__file__).parent
NOW = 1_800_000_000.0
PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="


def id(number: int) -> str:
    return f"{number:032x}"


MILL = Conversation(id(1), "The mill: 水車", 1_700_000_000.5, 1_700_000_900.25, "lab/large", id(5))

TREE = (
    Node(id(2), None, Message("user", (Text("How does a *mill* work?"), Image(PIXEL)))),
    Node(
        id(3),
        id(2),
        generation=id(31),
        reply=Reply(
            id(31),
            "lab/large",
            1_700_000_001,
            "finished",
            9,
            (
                Reasoning("Water, then </details> a wheel.", "summary", {"signature": "c2ln"}),
                ToolCall("t1", "measure", '{"head":3}', {"head": 3}, {"thought_signature": "x"}),
                Attachment("opaque", {"tool_result": "3 m", "name": "measure"}),
                Text(
                    "Water turns it:\n\n```python\nprint(3)\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n$P = \\rho g Q h$", {"citations": []}
                ),
                Attachment("source", {"url": "https://wheels.example/a", "title": "Wheels [1]"}),
            ),
            Usage(10, 20, 5, total_tokens=30),
            "stop",
            "end_turn",
            ttft_ms=120.5,
            ms=900.0,
        ),
    ),
    Node(id(4), id(3), Message("user", (Text("And then?"),))),
    Node(
        id(5),
        id(4),
        generation=id(51),
        reply=Reply(
            id(51),
            "lab/small",
            1_700_000_100,
            "failed",
            4,
            (Text(" is ground."),),
            problem=Problem("truncated", "It broke off.", retryable=True),
        ),
        said=(Text("The corn"),),
    ),
    Node(
        id(6), id(4), generation=id(61), reply=Reply(id(61), "lab/small", 1_700_000_200, "stopped", 3, reason="stopped", stop=Stop(12.5, 1))
    ),
    Node(id(7), None, generation=id(71), damaged=True),
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TEXTS = st.text(max_size=60).map(lambda text: text.replace("\0", ""))
CLEAN = JSON.map(lambda value: _clean(value))
SIDES = st.none() | st.dictionaries(TEXTS, CLEAN, max_size=2)
COUNTS = st.none() | st.integers(0, 2**53)
TIMES = st.floats(1.0, NOW)

PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, TEXTS, SIDES),
    st.builds(Reasoning, TEXTS, st.sampled_from(["plain", "summary", "encrypted"]), SIDES),
    st.builds(ToolCall, TEXTS, TEXTS, TEXTS, CLEAN, SIDES),
    st.builds(ToolResult, TEXTS, TEXTS, st.none() | TEXTS, st.booleans()),
    st.builds(Refusal, TEXTS),
    st.builds(Image, TEXTS, st.none() | TEXTS),
    st.builds(Attachment, st.sampled_from(["image", "file", "source", "opaque"]), CLEAN, SIDES),
)
SEQUENCES = st.lists(PARTS, max_size=4).map(tuple)
ROLES = st.sampled_from(["user", "system", "assistant", "tool"])
REPLIES = st.builds(
    Reply,
    TEXTS,
    TEXTS,
    st.integers(0, 2**53),
    st.sampled_from(["waiting", "streaming", "finished", "stopped", "failed", "interrupted"]),
    st.integers(0, 2**31),
    SEQUENCES,
    st.none() | st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS),
    st.none() | st.sampled_from(["stop", "length", "tool_calls", "content_filter", "stopped"]),
    st.none() | TEXTS,
    st.none() | st.builds(Problem, TEXTS, TEXTS, st.booleans(), st.none() | st.integers(100, 599), st.none() | TEXTS),
    st.none() | TIMES,
    st.none() | TIMES,
    st.none() | st.builds(Stop, TIMES, st.integers(0, 99)),
)


@st.composite
def talks(draw: st.DrawFn, number: int) -> tuple[Conversation, tuple[Node, ...]]:
    """Any tree: each node has one of those before it as its parent, or none. No two numbers have an id in common."""
    base = (number + 1) << 64
    nodes: list[Node] = []
    for at in range(base + 1, base + 1 + draw(st.integers(0, 8))):
        parent = draw(st.none() | st.sampled_from([node.id for node in nodes])) if nodes else None
        match draw(st.sampled_from(["question", "answer", "running", "damaged"])):
            case "question":
                nodes.append(Node(id(at), parent, draw(st.builds(Message, ROLES, SEQUENCES))))
            case "answer":
                nodes.append(Node(id(at), parent, generation=id(at + 1000), reply=draw(REPLIES), said=draw(SEQUENCES)))
            case "running":
                nodes.append(Node(id(at), parent, generation=id(at + 1000)))
            case _:
                nodes.append(Node(id(at), parent, damaged=True))
    shown = draw(st.sampled_from([None, *(node.id for node in nodes)]))
    created = draw(TIMES)
    title = " ".join(draw(TEXTS).split())
    folder = " ".join(draw(TEXTS).split())
    pinned, archived, named = draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
    updated = draw(st.floats(created, NOW))
    about = Conversation(id(base), title, created, updated, draw(TEXTS), shown, pinned, folder, archived, named, draw(TEXTS))
    return about, tuple(nodes)


FILES = st.integers(1, 3).flatmap(lambda number: st.tuples(*(talks(at) for at in range(number))))


def _clean(value: object) -> object:
    match value:
        case str():
            return value.replace("\0", "")
        case dict():
            return {key.replace("\0", ""): _clean(each) for key, each in value.items()}
        case list():
            return [_clean(each) for each in value]
    return value
