"""Titles: of the first question at once, then a better one from the model that answered."""

import asyncio
import gc
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest

from services.chat import Asked, Chat
from services.generations.memory import MemoryJournal
from services.library.titles import title_of
from services.store import open_store
from services.talks.naming import named_after
from services.upstream import READERS
from services.upstream.catalogue import Catalogue
from services.upstream.connections import InProcess
from services.upstream.http import HTTPUpstream
from services.upstream.rehearsal.script import Answer
from tests.store.harm import connection, unreadable

NAMED = [
    ("Hello", "Hello"),
    ("two\n lines", "two lines"),
    ("How does a water wheel turn? " + "Tell me all about it, please. " * 5, "How does a water wheel turn?"),
    ("# The mill at the river\n\n" + "It has a wheel and a weir, " * 5, "The mill at the river"),
    (
        "Explain to me in simple words why the wheel of an overshot mill turns so slowly",
        "Explain to me in simple words why the wheel of an overshot…",
    ),
    ("水車はどうして回るのですか。" + "川の水はどこから来て、どこへ行くのでしょうか、" * 5, "水車はどうして回るのですか。"),
    ("x" * 100, "x" * 59 + "…"),
    ("", ""),
]
TITLES = [
    ("The Water Wheel", "The Water Wheel"),
    ('"The Water Wheel."\n', "The Water Wheel"),
    ("\n**Title: The Water Wheel**\nSome more.", "The Water Wheel"),
    ("# Das Wasserrad", "Das Wasserrad"),
    ("標題", "標題"),
    ("「水車の話」。", "水車の話"),
    ("Sure! Here is a title for the conversation that you have shown to me", ""),
    ("x" * 80, ""),
    ("***", ""),
    ("", ""),
    ("a\0b \ud800", "a\ufffdb \ufffd"),
]


@pytest.mark.parametrize(("text", "title"), NAMED)
def test_the_first_title_is_made_of_the_question(text: str, title: str) -> None:
    assert named_after(text) == title


@pytest.mark.parametrize(("answer", "title"), TITLES)
def test_an_answer_is_a_title_or_it_is_not(answer: str, title: str) -> None:
    assert title_of(answer) == title


class Lab:
    """A Headrace with a model server that answers questions, and says a title when it is told to."""

    def __init__(self, home: Path, *, wanted: bool = True, model: str = "lab/m", store: str = "memory") -> None:
        self.title = "The Water Wheel"
        self.status = 200
        self.asked = 0
        self.may_say = asyncio.Event()
        self.model = model
        name = model.partition("/")[0]
        upstream = HTTPUpstream(name, READERS["openai_chat"], f"http://{name}", InProcess(self._answer))
        self.store = open_store(store, home)
        self.chat = Chat(Catalogue([upstream], fixed={name: ("m",)}), self.store, MemoryJournal(), titles=lambda: wanted)

    async def _answer(self, method: str, path: str, body: bytes) -> Answer:
        wants_title = "Write a title" in body.decode()
        self.asked += wants_title
        return Answer(self.status if wants_title else 200, {}, self._said(wants_title))

    async def _said(self, wants_title: bool) -> AsyncGenerator[bytes, None]:
        if wants_title:
            await self.may_say.wait()
        for delta in ({"content": self.title if wants_title else "It turns."}, {}):
            reason = None if delta else "stop"
            yield b"data: " + msgspec.json.encode({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}) + b"\n\n"
        yield b"data: [DONE]\n\n"

    async def ask(self, text: str, conversation: str | None = None) -> Asked:
        """Asked and answered."""
        asked = await self.chat.send(conversation, self.model, text)
        async with aclosing(self.chat.follow(asked.answer.generation or "")) as batches:
            async for _ in batches:
                pass
        return asked

    async def turns(self, many: int = 200) -> None:
        for _ in range(many):
            await asyncio.sleep(0)

    async def known_as(self) -> str:
        (known,) = await self.chat.conversations()
        return known.title


async def test_the_model_that_answered_is_asked_once_and_in_no_list(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    asked = await lab.ask("How does it work?")
    await lab.turns()
    assert lab.asked == 1
    assert not lab.chat.is_answering(asked.conversation)
    assert len(lab.chat.generations()) == 1
    assert await lab.known_as() == "How does it work?"
    lab.may_say.set()
    await lab.turns()
    assert await lab.known_as() == "The Water Wheel"
    await lab.ask("And then?", asked.conversation)
    await lab.turns()
    assert lab.asked == 1
    await lab.chat.close()


@pytest.mark.parametrize("title", ["Mine", "How does it work?"])
async def test_a_title_that_a_person_gave_stays(tmp_path: Path, title: str) -> None:
    lab = Lab(tmp_path)
    asked = await lab.ask("How does it work?")
    await lab.turns()
    await lab.chat.rename(asked.conversation, title)
    lab.may_say.set()
    await lab.turns()
    assert (lab.asked, await lab.known_as()) == (1, title)
    await lab.chat.close()


async def test_a_store_that_does_not_tell_the_first_one_is_no_error_of_ours(tmp_path: Path) -> None:
    lab, errors = Lab(tmp_path, store="sqlite:///lab.db"), list[str]()
    asyncio.get_running_loop().set_exception_handler(lambda _, told: errors.append(str(told)))
    database = await connection(lab.store)
    asked = await lab.ask("How does it work?")
    with unreadable("conversations", "title", database):
        while lab.chat._tasks:
            await asyncio.wait(lab.chat._tasks)
        await lab.turns()
    await lab.chat.close()
    gc.collect()
    assert (lab.asked, errors) == (0, [])
    again = open_store("sqlite:///lab.db", tmp_path)
    assert [known.title for known in await again.list()] == ["How does it work?"]
    assert [node.reply is not None for node in await again.nodes(asked.conversation)] == [False, True]
    await again.close()


@pytest.mark.parametrize(("title", "status"), [("T", 500), ("", 200), ("word " * 30, 200)], ids=["refused", "nothing", "no title"])
async def test_whatever_goes_wrong_the_first_title_stays(tmp_path: Path, title: str, status: int) -> None:
    lab = Lab(tmp_path)
    lab.title, lab.status = title, status
    lab.may_say.set()
    await lab.ask("How does it work?")
    await lab.turns()
    assert (lab.asked, await lab.known_as()) == (1, "How does it work?")
    await lab.chat.close()


@pytest.mark.parametrize(("wanted", "model"), [(False, "lab/m"), (True, "rehearsal/m")])
async def test_nobody_is_asked_where_it_is_switched_off_or_only_rehearsed(tmp_path: Path, wanted: bool, model: str) -> None:
    lab = Lab(tmp_path, wanted=wanted, model=model)
    lab.may_say.set()
    await lab.ask("How does it work?")
    await lab.turns()
    assert lab.asked == 0
    await lab.chat.close()


async def test_the_next_question_and_the_end_do_not_wait_for_a_title(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    asked = await lab.ask("How does it work?")
    await lab.turns()
    await lab.ask("And then?", asked.conversation)
    lab.may_say.set()
    await lab.turns()
    assert (lab.asked, await lab.known_as()) == (1, "How does it work?")
    lab.may_say.clear()
    other = await lab.ask("Another one")
    await lab.turns()
    assert lab.asked == 2
    await lab.chat.close(patience=60.0)
    known = await lab.store.get(other.conversation)
    assert known is not None
    assert known.title == "Another one"
