"""A conversation whose process was killed in the middle of an answer: what was shown of it is in the conversation."""

import asyncio
import shutil
from contextlib import aclosing
from pathlib import Path

from services.chat import Chat
from services.generations import JOURNALS
from services.generations.journal import Journal
from services.store import open_store
from services.store.store import Store
from services.upstream import READERS
from services.upstream.catalogue import Catalogue
from services.upstream.connections import InProcess
from services.upstream.http import HTTPUpstream
from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.server import Rehearsal

FILES = ("journal.db", "journal.db-wal", "headrace.db", "headrace.db-wal")


def house(home: Path) -> tuple[Chat, Store, Journal]:
    upstream = HTTPUpstream("rehearsal", READERS["openai_chat"], "http://rehearsal", InProcess(Rehearsal(500.0).answer))
    store, journal = open_store("sqlite:///data/headrace.db", home), JOURNALS["sqlite"](home / "data", False)
    return Chat(Catalogue([upstream], fixed={"rehearsal": tuple(MODELS)}), store, journal), store, journal


def killed(home: Path, copy: Path) -> Path:
    """The files as a kill would leave them now."""
    (copy / "data").mkdir(parents=True)
    for name in FILES:
        if (home / "data" / name).exists():
            shutil.copy(home / "data" / name, copy / "data")
    return copy


async def test_what_was_shown_of_an_answer_is_in_its_conversation(tmp_path: Path) -> None:
    chat, _, journal = house(tmp_path / "one")
    asked = await chat.send(None, "rehearsal/longform", "5000 tokens at 500 tokens/s")
    generation = asked.answer.generation or ""
    async with aclosing(chat.follow(generation)) as batches:
        async for batch in batches:
            if batch[-1].seq > 50:
                break
    shown = chat.reply(generation)
    left = await asyncio.to_thread(killed, tmp_path / "one", tmp_path / "two")

    second, store, reopened = house(left)
    await second.restore()
    await asyncio.gather(*second._tasks)
    (kept,) = [node for node in await store.nodes(asked.conversation) if node.id == asked.answer.id]
    assert kept.reply is not None
    assert kept.reply.state == "interrupted"
    assert kept.reply.message.text.startswith(shown.message.text)
    nodes = (await second.open(asked.conversation)).nodes
    assert nodes[-1].reply == kept.reply
    assert nodes[-1].may_go_on
    again = await second.retry(asked.conversation, "rehearsal/echo")
    assert (await second.stop(again.answer.generation or "")).message.text in "5000 tokens at 500 tokens/s"
    for ending, files in ((chat, journal), (second, reopened)):
        await ending.close()
        files.close()


async def test_an_answer_that_ended_just_before_the_kill_finds_its_conversation(tmp_path: Path) -> None:
    """Its log had its end; the store had not heard of it."""
    chat, store, journal = house(tmp_path / "one")
    asked = await chat.send(None, "rehearsal/echo", "Hello")
    before = await asyncio.to_thread(killed, tmp_path / "one", tmp_path / "before")
    async with aclosing(chat.follow(asked.answer.generation or "")) as batches:
        async for _ in batches:
            pass
    await chat.close()
    journal.close()
    for name in ("journal.db", "journal.db-wal"):
        (before / "data" / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "one" / "data" / "journal.db", before / "data")

    second, store, reopened = house(before)
    assert [node.reply for node in await store.nodes(asked.conversation)] == [None, None]
    await second.restore()
    await asyncio.gather(*second._tasks)
    _, answer = await store.nodes(asked.conversation)
    assert answer.reply is not None
    assert (answer.reply.state, answer.reply.message.text) == ("finished", "Hello")
    await second.close()
    reopened.close()
