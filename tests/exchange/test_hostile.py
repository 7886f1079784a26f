"""Files that mean harm: nothing raises but Invalid, nothing hangs, a text stays a text."""

import json
import math
import time
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.conversations import Node, path
from services.errors import Invalid
from services.exchange.exporting import exported
from services.exchange.importing import Imported, Importer, Skipped, imported
from services.exchange.pieces import DEEPEST
from services.messages import Text
from tests.exchange.conversations import HERE, NOW

NAMES = ["chatgpt", "claude", "open_webui"]
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def taken(value: object) -> list[Imported | Skipped]:
    return list(imported([json.dumps(value).encode()], NOW))


def one(value: object) -> Imported:
    (talk,) = taken(value)
    assert isinstance(talk, Imported)
    return talk


def chatgpt(links: dict[str, str | None], **about: object) -> dict[str, object]:
    """A tree of questions, by the parent of each."""
    content = {"content_type": "text", "parts": ["said"]}
    nodes = {
        name: {"id": name, "parent": parent, "message": {"author": {"role": "user"}, "content": content}} for name, parent in links.items()
    }
    return {"id": "c", "title": "T", "mapping": nodes} | about


def in_order(nodes: tuple[Node, ...]) -> bool:
    seen: set[str | None] = {None}
    for node in nodes:
        if node.parent not in seen or node.id in seen:
            return False
        seen.add(node.id)
    return True


# Links


@pytest.mark.parametrize(
    ("links", "notes"),
    [
        ({"a": "a"}, ("1 message starts anew: it comes before itself.",)),
        ({"a": "b", "b": "a"}, ("1 message starts anew: it comes before itself.",)),
        ({"a": "c", "b": "a", "c": "b", "d": "c"}, ("1 message starts anew: it comes before itself.",)),
        ({"a": None, "b": "nowhere", "c": "b"}, ("1 message starts anew: the one before it is not in the file.",)),
        ({"a": "b", "b": "a", "c": "d", "d": "c"}, ("2 messages start anew: they come before themselves.",)),
    ],
    ids=str,
)
def test_every_message_has_its_place_however_the_links_lie(links: dict[str, str | None], notes: tuple[str, ...]) -> None:
    talk = one(chatgpt(links, current_node=next(iter(links))))
    assert len(talk.nodes) == len(links)
    assert in_order(talk.nodes)
    assert talk.notes == notes
    assert path(talk.nodes, talk.conversation.shown)


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.none() | st.sampled_from("abcdefghx")), st.sampled_from("abcdefghx"))
def test_any_links_whatever(links: dict[str, str | None], current: str) -> None:
    value = chatgpt(links, current_node=current)
    if not links:
        assert taken(value) == [Skipped("chatgpt", "T", "It has no messages.")]
        return
    talk = one(value)
    assert len(talk.nodes) == len(links)
    assert in_order(talk.nodes)


def test_a_conversation_of_a_hundred_thousand_messages_in_a_row() -> None:
    talk = one(chatgpt({str(n): str(n - 1) if n else None for n in range(100_000)}, current_node="99999"))
    assert len(path(talk.nodes, talk.conversation.shown)) == 100_000


def test_what_branches_off_in_the_middle_of_an_answer_is_a_branch() -> None:
    links: dict[str, str | None] = {"q": None, "thought": "q", "call": "thought", "one": "call", "other": "call", "goes on": "other"}
    value = chatgpt(links, current_node="goes on")
    whole = json.loads(json.dumps(value).replace('"user"', '"assistant"'))
    whole["mapping"]["q"]["message"]["author"]["role"] = "user"
    talk = one(whole)
    question, begun, first, second = talk.nodes
    assert [node.parent for node in talk.nodes] == [None, question.id, begun.id, begun.id]
    assert [len(node.parts) for node in (begun, first, second)] == [2, 1, 2]
    assert path(talk.nodes, talk.conversation.shown) == [question, begun, second]


# Values

WRONG: list[object] = [None, True, -1, 1e300, "", "x" * 500, [], [[]], {}, {"a": 1}, [None, 1, "a", {}], "NaN", "\ud800\0", 10**30]


def places(value: object, above: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """The way to everything in a value, from above."""
    yield above
    if isinstance(value, dict):
        for name, each in value.items():
            yield from places(each, (*above, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from places(each, (*above, number))


def put(value: object, way: tuple[object, ...], other: object) -> object:
    if not way:
        return other
    step, rest = way[0], way[1:]
    if isinstance(value, dict):
        return {name: put(each, rest, other) if name == step else each for name, each in value.items()}
    assert isinstance(value, list)
    return [put(each, rest, other) if number == step else each for number, each in enumerate(value)]


@pytest.mark.parametrize("name", [*NAMES, "headrace"])
def test_anything_may_stand_in_the_place_of_anything(name: str) -> None:
    if name == "headrace":
        talk = next(iter(imported([(HERE / "chatgpt.json").read_bytes()], NOW)))
        assert isinstance(talk, Imported)
        whole = json.loads(exported("headrace", [(talk.conversation, talk.nodes)]).body)
    else:
        whole = json.loads((HERE / f"{name}.json").read_bytes())
    tried = 0
    for way in places(whole):
        for other in WRONG:
            tried += 1
            try:
                for found in taken(put(whole, way, other)):
                    if isinstance(found, Imported):
                        assert in_order(found.nodes)
                        json.dumps(found.conversation.title).encode()
            except Invalid:
                assert len(way) < 3
    assert tried > 500


@pytest.mark.parametrize(
    "bad", ["NaN", "Infinity", "-Infinity", "1e999", "-1", "0", "1e19", "99999999999999999999999999", '"9999-99-99"', '"2999-01-01"', "[]"]
)
def test_absurd_times_become_times(bad: str) -> None:
    body = json.dumps(chatgpt({"a": None}) | {"create_time": "@", "update_time": "@"}).replace('"@"', bad)
    (talk,) = imported([body.encode()], NOW)
    assert isinstance(talk, Imported)
    for seconds in (talk.conversation.created, talk.conversation.updated):
        assert math.isfinite(seconds)
        assert 0 < seconds <= NOW + 86400


@pytest.mark.parametrize(
    ("told", "seconds"),
    [(1700000000, 1.7e9), (1700000000.5, 1.7e9 + 0.5), (1700000000123, 1700000000.123), (1700000000123456789, 1700000000.123456789),
     ("2023-11-14T22:13:20Z", 1.7e9), ("2023-11-14T23:13:20+01:00", 1.7e9), ("2023-11-14 22:13:20", 1.7e9)],
)  # fmt: skip
def test_times_in_every_unit(told: object, seconds: float) -> None:
    assert one(chatgpt({"a": None}) | {"create_time": told}).conversation.created == pytest.approx(seconds)


def test_texts_stay_texts() -> None:
    value = chatgpt({"a": None})
    talk = one(json.loads(json.dumps(value).replace("said", SCRIPT.replace('"', '\\"'))) | {"title": SCRIPT + "\n\0\x1b[2J \ud800"})
    assert talk.conversation.title == SCRIPT + " \ufffd [2J \ufffd"
    assert talk.nodes[0].message is not None
    assert talk.nodes[0].message.parts == (Text(SCRIPT),)


def test_bytes_that_are_no_characters() -> None:
    body = json.dumps(chatgpt({"a": None})).encode().replace(b"said", b"\xff\xfe\xed\xa0\x80")
    (talk,) = imported([body], NOW)
    assert isinstance(talk, Imported)
    assert talk.nodes[0].message is not None
    assert set(talk.nodes[0].message.text) == {"\ufffd"}


# Shapes

GOOD = json.dumps(chatgpt({"a": None})).encode()


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b"[" * 1_000_000 + b"]" * 1_000_000, "It is nested too deeply."),
        (b'{"mapping":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1), "It is nested too deeply."),
        (b"[1]", "It is a list, not a conversation."),
        (b"{]", "It is not JSON."),
        (b'{"mapping": {}, "mapping" 1}', "It is not JSON."),
        (b"{" + b'"a":' + b"9" * 5000 + b"}", "It is not JSON."),
        (b"7", "Something between the conversations is none."),
        (b'"a [ { \\" } ] b"', "Something between the conversations is none."),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes) else "",
)
@pytest.mark.parametrize("size", [1 << 30, 3])
def test_what_is_broken_costs_no_other_conversation(bad: bytes, why: str, size: int) -> None:
    body = b"[" + bad + b"," + GOOD + b"]"
    if len(body) > 100_000:
        size = max(size, 1000)
    found = list(imported((body[at : at + size] for at in range(0, len(body), size)), NOW))
    assert {each.why for each in found if isinstance(each, Skipped)} == {why}
    assert sum(isinstance(each, Imported) for each in found) == 1


def test_what_is_too_large_is_skipped_and_never_kept() -> None:
    importer = Importer(NOW, largest=100_000)
    tracemalloc.start()
    for _ in importer.feed(b'[{"mapping": {"a": "'):
        pass
    for _ in range(200):
        assert list(importer.feed(b"x" * 100_000)) == []
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
    assert list(importer.feed(b'"}},' + GOOD + b"]")) == [Skipped("", "", "It is larger than 64 MiB."), one(json.loads(GOOD))]


def test_a_large_file_needs_what_its_largest_conversation_needs() -> None:
    """30 MB of conversations of 100 kB each."""

    def pieces() -> Iterator[bytes]:
        for number in range(300):
            value = chatgpt({"a": None}, id=f"c{number}") | {"moderation_results": ["x" * 100] * 1000}
            yield (b"," if number else b"[") + json.dumps(value).encode()
        yield b"]"

    tracemalloc.start()
    assert sum(isinstance(each, Imported) for each in imported(pieces(), NOW)) == 300
    assert tracemalloc.get_traced_memory()[1] < 1_500_000
    tracemalloc.stop()


def test_a_large_conversation_needs_a_few_times_its_size() -> None:
    """10 MB in one, and in each text a character that makes Python use four bytes for all of them."""
    value = chatgpt({str(number): None for number in range(100)})
    body = json.dumps([value, "\U0001f600"], ensure_ascii=False).replace("said", "x" * 100_000 + "\U0001f600").encode()
    size = len(body)
    tracemalloc.start()
    found = list(imported((body[at : at + 65536] for at in range(0, size, 65536)), NOW))
    assert isinstance(found[0], Imported)
    assert 10_000_000 < size < tracemalloc.get_traced_memory()[1] < 8 * size
    tracemalloc.stop()


LONG = 3_000_000
FLOODS: dict[str, object] = {
    "details": '<details type="reasoning"' * (LONG // 25),
    "open details": '<details type="reasoning">' * (LONG // 26),
    "closed details": '<details type="reasoning"></details>' * (LONG // 36),
    "a long attribute": f'<details type="reasoning" {"a" * LONG}>x</details>',
    "quotes": f'<details type="reasoning" {"a=" * (LONG // 2)}>x</details>',
    "open quotes": '<details type="reasoning" ' + 'a="' * (LONG // 3) + ">x</details>",
    "brackets": "[{" * (LONG // 2),
    "backslashes": "\\" * LONG,
    "lines": "\n" * LONG,
    "backticks": "`" * LONG,
    "data": "data:image/png;base64," + "A" * LONG + "!",
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_is_read_and_written_in_bounded_time(flood: str) -> None:
    message = {"id": "a", "role": "assistant", "content": FLOODS[flood], "files": [{"url": FLOODS[flood]}], "childrenIds": ["a"] * 100_000}
    value = {"id": "c", "title": FLOODS[flood], "chat": {"history": {"messages": {"a": message}}}}
    start = time.thread_time()
    talk = one(value)
    for format in ("markdown", "html", "headrace"):
        exported(format, [(talk.conversation, talk.nodes)])
    assert time.thread_time() - start < 8  # 0.5 s here at worst; a quadratic one takes hours


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from([b"[", b"]", b"{", b"}", b'"', b"\\", b",", b":", b"a", b"1", b"null", b" ", b"\xff", GOOD]), max_size=30),
    st.integers(1, 9),
)
def test_any_bytes_whatever_and_however_they_are_cut(tokens: list[bytes], size: int) -> None:
    body = b"[" + b"".join(tokens)

    def told(pieces: Iterator[bytes]) -> list[Imported | Skipped] | str:
        try:
            return list(imported(pieces, NOW))
        except Invalid as exc:
            return exc.message

    assert told(body[at : at + size] for at in range(0, len(body), size)) == told(iter([body]))
