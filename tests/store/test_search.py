"""Searching: the same on all stores, whatever is looked for."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from services.conversations import Conversation, Node
from services.messages import Message, Reply, Text
from services.store import open_store
from services.store.finding import look, sought
from services.store.store import Store
from services.store.upgrade import upgrade


def asked(id: str, text: str) -> Node:
    return Node(id, None, Message("user", (Text(text),)))


def answered(id: str, text: str) -> Node:
    return Node(id, "q", generation=f"g{id}", reply=Reply(f"g{id}", "m", 1, "finished", 3, (Text(text),)))


async def filled(store: Store, *texts: str) -> None:
    """One conversation each, the first one the newest."""
    for number, text in enumerate(texts):
        await store.create(Conversation(f"c{number}", "", 0.0, 100.0 - number, "m"), [asked(f"n{number}", text)])


async def nodes(store: Store, query: str) -> list[str]:
    return [hit.node for hit in await store.search(query)]


CASES = [
    ("wheel", ["n0", "n1", "n4"]),
    ("WHEEL", ["n0", "n1", "n4"]),
    ("heel", ["n0", "n1", "n4"]),  # inside a word
    ("water wheel", ["n1", "n0"]),  # both words, next to each other first
    ('"water wheel"', ["n1"]),
    ("wh", ["n0", "n1", "n4"]),  # shorter than what an index knows
    ("at", ["n4", "n0", "n1"]),  # at the beginning of a word first
    ("水車", ["n2"]),
    ("車", ["n2"]),
    ("水車は回", ["n2"]),
    ("straße", ["n3"]),
    ("STRASSE", ["n3"]),
    ("50%", ["n4"]),
    ("wheel nothing", []),
    ("", []),
    ("   ", []),
    ('""', []),
]


@pytest.mark.parametrize(("query", "found"), CASES)
async def test_what_is_found_and_in_what_order(store: Store, query: str, found: list[str]) -> None:
    texts = (
        "A wheel that turns in water",
        "about the water wheel",
        "その水車は回っています",
        "Die Straße am Bach",
        "at 50% the wheel stops",
    )
    await filled(store, *texts)
    assert await nodes(store, query) == found


HOSTILE = [
    '"',
    '"a',
    "'",
    "a'b",
    "*",
    "a*",
    "NEAR(a b)",
    "a AND",
    "OR",
    "NOT x",
    "text:wheel",
    "^wheel",
    "(wheel",
    "a\0b",
    "\ud800",
    "%",
    "_",
    "\\",
]
HOSTILE += [
    "' OR 1=1 --",
    "wheel;DROP TABLE nodes",
    "-wheel",
    "+wheel",
    "a" * 10_000,
    "w " * 5_000,
    "🎡",
    ":*",
    "a & | !",
    "{}",
    "<->",
    "\u202e",
    "{wheel}",
]


@pytest.mark.parametrize("query", HOSTILE)
async def test_a_query_means_nothing_but_its_words(store: Store, query: str) -> None:
    await filled(store, "A wheel", f"before {query[:200]} after")
    hits = await store.search(query)
    assert [hit.node for hit in hits] in ([], ["n1"], ["n0", "n1"], ["n1", "n0"])
    assert bool(hits) == bool(sought(query))


async def test_what_changes_is_found_as_it_is_then(store: Store) -> None:
    await store.create(Conversation("c", "", 0.0, 1.0, "m"), [asked("q", "the first"), Node("a", "q", generation="ga")])
    assert await store.settle("c", answered("a", "the settled one"))
    assert await nodes(store, "settled") == ["a"]
    await store.put("c", answered("a", "the replaced one"))
    assert await nodes(store, "settled") == []
    assert await nodes(store, "replaced") == ["a"]
    await store.change("c", deleted=True)
    assert await nodes(store, "replaced") == []
    await store.change("c", deleted=False)
    assert await nodes(store, "replaced") == ["a"]
    await store.delete("c")
    assert await nodes(store, "replaced") == []
    assert await nodes(store, "th") == []


async def test_one_conversation_does_not_hide_the_others(store: Store) -> None:
    await store.create(Conversation("c", "", 0.0, 9.0, "m"), [asked(f"n{number:02}", f"wheel {number}") for number in range(80)])
    await store.create(Conversation("d", "", 0.0, 1.0, "m"), [asked("other", "wheel")])
    assert await nodes(store, "wheel") == ["n79", "n78", "n77", "other"]


async def test_the_snippet_shows_what_was_found(store: Store) -> None:
    await filled(store, "x " * 500 + "The Water\n Wheel turns. " + "y " * 500)
    (hit,) = await store.search("wheel water")
    marked = [piece for piece, found in hit.snippet if found]
    assert marked == ["Water", "Wheel"]
    shown = "".join(piece for piece, _ in hit.snippet)
    assert "The Water Wheel turns." in shown
    assert shown[0] == shown[-1] == "…"
    assert len(shown) < 250


def test_a_snippet_of_a_text_that_grows_when_it_is_folded() -> None:
    assert look(sought("bach"), "ßßß am Bach") == (1, (("ssssss am ", False), ("bach", True)))


async def test_an_older_database_is_indexed_by_and_by_and_so_is_what_another_left_out(tmp_path: Path) -> None:
    file = tmp_path / "data" / "headrace.db"
    file.parent.mkdir()
    upgrade(f"sqlite:///{file}", "0002")
    rows = [
        (f"n{number}", f'{{"v":1,"message":{{"role":"user","parts":[{{"type":"text","text":"wheel {number} turns"}}]}}}}'.encode())
        for number in range(450)
    ]
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("INSERT INTO conversations (id, title, model, created, updated) VALUES ('c', '', 'm', 1.0, 2.0)")
        connection.executemany("INSERT INTO nodes (id, conversation, body) VALUES (?, 'c', ?)", rows)
    await expect_found(tmp_path, "wheel 449", "wheel 0")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM texts WHERE rowid IN (3, 7)")
    await expect_found(tmp_path, "wheel 2", "wheel 6")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DROP TABLE texts")
    await expect_found(tmp_path, "wheel 449", "wheel 0")


async def expect_found(home: Path, *queries: str) -> None:
    store = open_store("sqlite:///data/headrace.db", home)
    await store.list()
    for query in queries:
        while not any(hit.node == f"n{query.split()[1]}" for hit in await store.search(f'"{query} turns"')):
            pass
    await store.close()


async def test_nothing_of_a_deleted_conversation_stays_in_the_index(tmp_path: Path) -> None:
    store = open_store("sqlite:///data/headrace.db", tmp_path)
    await filled(store, "A wheel", "about the water wheel")
    await store.delete("c0")
    await store.close()
    with closing(sqlite3.connect(tmp_path / "data" / "headrace.db")) as connection:
        assert connection.execute("SELECT text FROM texts").fetchall() == [("about the water wheel",)]


async def test_without_an_index_everything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "services.store.index._SQLITE", "CREATE VIRTUAL TABLE temp.attempt USING fts5(text, tokenize = 'nobody knows this')"
    )
    store = open_store("sqlite:///data/headrace.db", tmp_path)
    await filled(store, "A wheel", "about the water wheel")
    await store.put("c0", answered("a", "of wheels"))
    assert await nodes(store, "wheel") == ["a", "n0", "n1"]
    assert await nodes(store, "water wheel") == ["n1"]
    await store.delete("c0")
    assert await nodes(store, "wheel") == ["n1"]
    await store.close()
