"""Conversations through the door, with the rehearsal as the model server: every operation, alone and while an answer runs."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from sqlalchemy import update

from services.chat import Asked, Chat, Retention
from services.conversations import Node
from services.errors import Conflict, Gone, Invalid, NotFound, UnknownModel
from services.events import Finished
from services.generations.memory import MemoryJournal
from services.messages import Reply, Text
from services.store import open_store
from services.store.sql import nodes
from services.talks import GO_ON
from services.upstream import READERS
from services.upstream.catalogue import Catalogue
from services.upstream.connections import InProcess, Response
from services.upstream.http import HTTPUpstream
from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.clock import Stepped
from services.upstream.rehearsal.server import Rehearsal
from tests.store.conftest import STORES, emptied

ECHO, LONG, SCENES = "rehearsal/echo", "rehearsal/longform", "rehearsal/scenes"
SQLITE = "sqlite:///data/headrace.db"
ID, OTHER = "a" * 32, "b" * 32


class Counting(InProcess):
    """The way to the rehearsal; keeps what was POSTed."""

    def __init__(self, server: Rehearsal) -> None:
        super().__init__(server.answer)
        self.posted: list[dict[str, list[dict[str, str]]]] = []

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, connect: float) -> Response:
        if method == "POST":
            self.posted.append(msgspec.json.decode(body or b""))
        return await super().send(method, url, headers, body, connect)


class House:
    """One process's worth of Headrace. The clock of its model server stands still until it is stepped."""

    def __init__(self, home: Path, url: str = SQLITE, prefilling: Iterable[str] = ("rehearsal",), keep: int = 200) -> None:
        self.clock = Stepped()
        self.way = Counting(Rehearsal(10.0, self.clock))
        upstream = HTTPUpstream("rehearsal", READERS["openai_chat"], "http://rehearsal", self.way)
        self.store = open_store(url, home)
        self.chat = Chat(
            Catalogue([upstream], fixed={"rehearsal": tuple(MODELS)}, prefilling=prefilling),
            self.store,
            MemoryJournal(),
            retention=Retention(keep),
        )

    async def ended(self, asked: Asked) -> Node:
        """The answer once it has ended, the clock running; what is stored is what is shown."""
        generation = asked.answer.generation or ""
        async with aclosing(self.chat.follow(generation)) as batches:
            ticking = asyncio.create_task(self._tick())
            async for _ in batches:
                pass
            ticking.cancel()
        return await self.kept(asked)

    async def kept(self, asked: Asked) -> Node:
        """The answer as the store has it, once it has."""
        while True:
            for node in await self.store.nodes(asked.conversation):
                if node.id == asked.answer.id and node.reply is not None and node.reply.generation == asked.answer.generation:
                    return node
            await asyncio.sleep(0)

    async def _tick(self) -> None:
        while True:
            self.clock.step(self.clock.resting)
            await asyncio.sleep(0)

    async def begun(self, asked: Asked, characters: int = 40) -> str:
        """Let the answer say that much; what it has said. Then it stands still, running."""
        generation = asked.answer.generation or ""
        while len(said := texts(self.chat.reply(generation))) < characters:
            self.clock.step(min(1, self.clock.resting))
            await asyncio.sleep(0)
        return said

    async def stopped(self, asked: Asked) -> Node:
        await self.begun(asked)
        await self.chat.stop(asked.answer.generation or "")
        return await self.kept(asked)

    async def shown(self, conversation: str) -> list[str]:
        _, nodes, _ = await self.chat.open(conversation)
        return [
            node.message.text if node.message else "".join(part.text for part in node.parts if isinstance(part, Text)) for node in nodes
        ]


def texts(reply: Reply | None) -> str:
    return "".join(part.text for part in reply.parts if isinstance(part, Text)) if reply else ""


@pytest_asyncio.fixture(params=STORES, ids=lambda url: url.partition(":")[0])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path, emptied(request.param))
    yield house
    await house.chat.close()


async def test_a_conversation_is_asked_on_and_on(house: House) -> None:
    first = await house.chat.send(None, ECHO, "One")
    await house.ended(first)
    second = await house.chat.send(first.conversation, ECHO, "Two")
    answer = await house.ended(second)
    assert await house.shown(first.conversation) == ["One", "One", "Two", "Two"]
    assert [said["content"] for said in house.way.posted[-1]["messages"]] == ["One", "One", "Two"]
    assert answer.reply is not None
    assert answer.reply.state == "finished"
    (known,) = await house.chat.conversations()
    assert (known.id, known.title, known.model, known.shown) == (first.conversation, "One", ECHO, answer.id)


async def test_while_an_answer_runs_nothing_else_is_asked(house: House) -> None:
    asked = await house.chat.send(None, LONG, "300 tokens")
    said = await house.begun(asked)
    before = await house.store.nodes(asked.conversation)
    for refused in (
        house.chat.send(asked.conversation, ECHO, "More"),
        house.chat.retry(asked.conversation, ECHO),
        house.chat.regenerate(asked.conversation, asked.answer.id, ECHO),
        house.chat.edit(asked.conversation, asked.question.id, ECHO, "Other"),
        house.chat.go_on(asked.conversation, asked.answer.id, ECHO, after=asked.answer.generation or ""),
    ):
        with pytest.raises(Conflict):
            await refused
    assert await house.store.nodes(asked.conversation) == before
    assert len(house.way.posted) == 1
    answer = await house.ended(asked)
    assert texts(answer.reply).startswith(said)
    assert await house.shown(asked.conversation) == ["300 tokens", texts(answer.reply)]


async def test_of_two_tabs_that_send_at_once_one_wins(house: House) -> None:
    first = await house.chat.send(None, ECHO, "One")
    await house.ended(first)
    outcomes = await asyncio.gather(
        *(house.chat.send(first.conversation, ECHO, text) for text in ("Left", "Right")), return_exceptions=True
    )
    (won,) = [outcome for outcome in outcomes if isinstance(outcome, Asked)]
    (lost,) = [outcome for outcome in outcomes if not isinstance(outcome, Asked)]
    assert isinstance(lost, Conflict)
    await house.ended(won)
    assert (await house.shown(first.conversation))[2:] == [won.question.message.text] * 2 if won.question.message else False
    assert len(await house.store.nodes(first.conversation)) == 4


async def test_two_conversations_answer_at_once(house: House) -> None:
    one, two = [await house.chat.send(None, LONG, text) for text in ("100 tokens", "120 tokens")]
    await house.begun(one)
    await house.begun(two)
    assert len({texts((await house.ended(asked)).reply) for asked in (one, two)}) == 2


async def test_an_answer_is_regenerated_beside_the_old_one(house: House) -> None:
    first = await house.chat.send(None, LONG, "30 tokens")
    old = await house.ended(first)
    later = await house.chat.send(first.conversation, ECHO, "And then?")
    await house.ended(later)
    again = await house.chat.regenerate(first.conversation, old.id, ECHO)
    await house.ended(again)
    assert [said["content"] for said in house.way.posted[-1]["messages"]] == ["30 tokens"]
    assert await house.shown(first.conversation) == ["30 tokens", "30 tokens"]
    _, _, siblings = await house.chat.open(first.conversation)
    assert siblings == {again.answer.id: (old.id, again.answer.id)}

    await house.chat.choose(first.conversation, old.id)
    assert await house.shown(first.conversation) == ["30 tokens", texts(old.reply), "And then?", "And then?"]
    await house.chat.send(first.conversation, ECHO, "On this branch")
    assert [said["content"] for said in house.way.posted[-1]["messages"]][1:] == [
        texts(old.reply),
        "And then?",
        "And then?",
        "On this branch",
    ]


async def test_a_question_is_edited_beside_the_old_one(house: House) -> None:
    first = await house.chat.send(None, ECHO, "One")
    await house.ended(first)
    second = await house.chat.send(first.conversation, ECHO, "Two")
    await house.ended(second)
    edited = await house.chat.edit(first.conversation, second.question.id, ECHO, "Zwei")
    await house.ended(edited)
    assert await house.shown(first.conversation) == ["One", "One", "Zwei", "Zwei"]
    root = await house.chat.edit(first.conversation, first.question.id, ECHO, "Eins")
    await house.ended(root)
    assert await house.shown(first.conversation) == ["Eins", "Eins"]
    _, _, siblings = await house.chat.open(first.conversation)
    assert siblings == {root.question.id: (first.question.id, root.question.id)}
    await house.chat.choose(first.conversation, first.question.id)
    assert await house.shown(first.conversation) == ["One", "One", "Zwei", "Zwei"]


async def test_another_branch_is_looked_at_while_an_answer_runs(house: House) -> None:
    first = await house.chat.send(None, ECHO, "One")
    await house.ended(first)
    running = await house.chat.regenerate(first.conversation, first.answer.id, LONG)
    await house.begun(running)
    await house.chat.choose(first.conversation, first.answer.id)
    assert await house.shown(first.conversation) == ["One", "One"]
    answer = await house.ended(running)
    assert await house.shown(first.conversation) == ["One", "One"]
    await house.chat.choose(first.conversation, running.answer.id)
    assert await house.shown(first.conversation) == ["One", texts(answer.reply)]


async def test_a_failed_answer_is_retried_and_says_nothing_later(house: House) -> None:
    failed = await house.chat.send(None, SCENES, "overloaded")
    assert (await house.ended(failed)).reply is not None
    again = await house.chat.retry(failed.conversation, ECHO)
    await house.ended(again)
    assert again.question.id == failed.question.id
    assert await house.shown(failed.conversation) == ["overloaded", "overloaded"]
    await house.chat.choose(failed.conversation, failed.answer.id)
    await house.ended(await house.chat.send(failed.conversation, ECHO, "Hello?"))
    assert [said["content"] for said in house.way.posted[-1]["messages"]] == ["overloaded", "Hello?"]


@pytest.mark.parametrize("cuts", [1, 3])
async def test_a_stopped_answer_goes_on_as_one_message(house: House, cuts: int) -> None:
    """To the very text that it would have been."""
    whole = texts((await house.ended(await house.chat.send(None, LONG, "300 tokens"))).reply)
    asked = await house.chat.send(None, LONG, "300 tokens")
    for _ in range(cuts):
        stopped = await house.stopped(asked)
        said = await house.shown(asked.conversation)
        assert stopped.reply is not None
        assert stopped.reply.state == "stopped"
        assert stopped.may_go_on
        asked = await house.chat.go_on(asked.conversation, stopped.id, LONG, after=stopped.generation or "")
        assert asked.answer.id == stopped.id
        await house.begun(asked, 1)
        assert house.way.posted[-1]["messages"][-1] == {"role": "assistant", "content": said[-1]}
    answer = await house.ended(asked)
    assert answer.parts == (Text(whole),)
    assert answer.whole is not None
    assert answer.whole.state == "finished"
    assert not answer.may_go_on
    assert len(await house.store.nodes(asked.conversation)) == 2
    await house.ended(await house.chat.send(asked.conversation, ECHO, "Thanks"))
    assert [said["content"] for said in house.way.posted[-1]["messages"]] == ["300 tokens", whole, "Thanks"]


async def test_where_a_server_does_not_go_on_by_itself_it_is_asked_to_in_words(tmp_path: Path) -> None:
    house = House(tmp_path, "memory", prefilling=())
    stopped = await house.stopped(asked := await house.chat.send(None, LONG, "300 tokens"))
    await house.begun(await house.chat.go_on(asked.conversation, stopped.id, LONG, after=stopped.generation or ""), 1)
    said = house.way.posted[-1]["messages"]
    assert [message["role"] for message in said] == ["user", "assistant", "user"]
    assert said[1]["content"] == texts(stopped.reply)
    assert said[2]["content"] == GO_ON
    assert len(await house.store.nodes(asked.conversation)) == 2
    await house.chat.close()


@pytest.mark.parametrize(("scene", "state"), [("length", "finished"), ("error", "failed"), ("cut", "failed")])
async def test_what_was_cut_off_may_go_on(house: House, scene: str, state: str) -> None:
    answer = await house.ended(asked := await house.chat.send(None, SCENES, scene))
    assert answer.reply is not None
    assert answer.reply.state == state
    assert answer.may_go_on
    again = await house.chat.go_on(asked.conversation, answer.id, SCENES, after=answer.generation or "")
    assert texts(answer.reply) == "".join(part.text for part in again.answer.said if isinstance(part, Text))


async def test_going_on_that_fails_keeps_what_was_said(house: House) -> None:
    stopped = await house.stopped(asked := await house.chat.send(None, LONG, "300 tokens"))
    with pytest.raises(UnknownModel):
        await house.chat.go_on(asked.conversation, stopped.id, "rehearsal/nobody", after=stopped.generation or "")
    assert await house.kept(asked) == stopped
    again = await house.chat.go_on(asked.conversation, stopped.id, LONG, after=stopped.generation or "")
    await house.chat.stop(again.answer.generation or "")
    node = await house.kept(again)
    assert node.parts == stopped.parts
    assert node.may_go_on


async def test_going_on_twice_goes_on_once(house: House) -> None:
    stopped = await house.stopped(asked := await house.chat.send(None, LONG, "300 tokens"))
    again = await house.chat.go_on(asked.conversation, stopped.id, LONG, after=stopped.generation or "")
    await house.ended(again)
    joined = await house.chat.go_on(asked.conversation, stopped.id, LONG, after=stopped.generation or "")
    assert joined.answer.generation == again.answer.generation
    assert len(house.way.posted) == 2


async def test_what_cannot_go_on_is_refused(house: House) -> None:
    asked = await house.chat.send(None, ECHO, "One")
    await house.ended(asked)
    go_on = house.chat.go_on
    with pytest.raises(Conflict, match="was not cut off"):
        await go_on(asked.conversation, asked.answer.id, ECHO, after=asked.answer.generation or "")
    stopped = await house.stopped(long := await house.chat.send(asked.conversation, LONG, "300 tokens"))
    await house.ended(await house.chat.send(asked.conversation, ECHO, "Next"))
    with pytest.raises(Conflict, match="messages after it"):
        await go_on(asked.conversation, stopped.id, ECHO, after=stopped.generation or "")
    with pytest.raises(Invalid, match="Only an answer"):
        await house.chat.regenerate(asked.conversation, long.question.id, ECHO)
    with pytest.raises(Invalid, match="Only a question"):
        await house.chat.edit(asked.conversation, long.answer.id, ECHO, "text")
    with pytest.raises(NotFound):
        await house.chat.choose(asked.conversation, "nobody")


async def test_a_conversation_is_deleted_while_it_streams(house: House) -> None:
    """The upstream is left, its readers are told, and its logs are gone."""
    changed: list[str] = []
    house.chat.watch(changed.append)
    first = await house.chat.send(None, ECHO, "One")
    await house.ended(first)
    asked = await house.chat.send(first.conversation, LONG, "300 tokens")
    await house.begun(asked)
    assert house.clock.resting == 1
    del changed[:]
    async with aclosing(house.chat.follow(asked.answer.generation or "")) as batches:
        await house.chat.delete(asked.conversation)
        last = [entries[-1].event async for entries in batches][-1]
    assert isinstance(last, Finished)
    assert last.reason == "stopped"
    assert house.clock.resting == 0
    assert asked.conversation in changed
    for answer in (first.answer, asked.answer):
        with pytest.raises(Gone):
            house.chat.reply(answer.generation or "")


async def test_nothing_resurrects_a_deleted_conversation(tmp_path: Path) -> None:
    house = House(tmp_path)
    asked = await house.chat.send(None, LONG, "300 tokens")
    other = await house.chat.send(None, ECHO, "Stays")
    await house.begun(asked)
    await asyncio.gather(house.chat.delete(asked.conversation), house.chat.rename(asked.conversation, "Back"), return_exceptions=True)
    with pytest.raises(NotFound):
        await house.chat.open(asked.conversation)
    with pytest.raises(NotFound):
        await house.chat.send(asked.conversation, ECHO, "Hello?")
    with pytest.raises(NotFound):
        await house.chat.delete(asked.conversation)
    await house.ended(other)
    await house.chat.close()
    house = House(tmp_path)
    assert [known.id for known in await house.chat.conversations()] == [other.conversation]
    assert await house.store.nodes(asked.conversation) == []
    await house.chat.close()


async def test_a_question_that_is_on_its_way_into_a_deleted_conversation_asks_nobody(house: House) -> None:
    first = await house.chat.send(None, ECHO, "One")
    await house.ended(first)
    sent, deleted = await asyncio.gather(
        house.chat.send(first.conversation, LONG, "300 tokens"), house.chat.delete(first.conversation), return_exceptions=True
    )
    assert isinstance(sent, NotFound)
    assert deleted is None
    assert await house.chat.conversations() == []
    assert len(house.way.posted) == 1


@pytest.mark.parametrize("moment", [*range(12), 20, 40, 80])
async def test_at_whatever_moment_it_is_deleted_nothing_of_it_is_left_running(house: House, moment: int) -> None:
    first = await house.chat.send(None, ECHO, "One")
    await house.ended(first)
    sending = asyncio.create_task(house.chat.send(first.conversation, LONG, "300 tokens"))
    for _ in range(moment):
        await asyncio.sleep(0)
    await house.chat.delete(first.conversation)
    await asyncio.gather(sending, return_exceptions=True)
    assert not house.chat.is_answering(first.conversation)
    assert await house.chat.conversations() == []
    assert await house.store.nodes(first.conversation) == []
    assert house.clock.resting == 0


async def test_it_is_renamed_while_it_answers(house: House) -> None:
    asked = await house.chat.send(None, LONG, "30 tokens")
    await house.begun(asked)
    await house.chat.rename(asked.conversation, "  The\n mill  ")
    await house.ended(asked)
    assert (await house.chat.open(asked.conversation)).conversation.title == "The mill"
    with pytest.raises(Invalid):
        await house.chat.rename(asked.conversation, " ")
    with pytest.raises(NotFound):
        await house.chat.rename("nobody", "x")


@pytest.mark.parametrize("tries", [2, 20])
async def test_the_same_message_is_sent_once(house: House, tries: int) -> None:
    """Double clicks, resent events: at once and later, in a new conversation and in a known one."""
    sent = await asyncio.gather(*(house.chat.send(None, ECHO, "One", id=ID) for _ in range(tries)))
    assert len({asked.conversation for asked in sent}) == 1
    await house.ended(sent[0])
    joined = await house.chat.send(None, ECHO, "One", id=ID)
    assert (joined.conversation, joined.question.id, joined.answer.id) == (sent[0].conversation, ID, sent[0].answer.id)
    more = await asyncio.gather(*(house.chat.send(joined.conversation, ECHO, "Two", id=OTHER) for _ in range(tries)))
    await house.ended(more[0])
    again = await asyncio.gather(*(house.chat.regenerate(joined.conversation, sent[0].answer.id, ECHO, id="c" * 32) for _ in range(tries)))
    await house.ended(again[0])
    assert {asked.answer.id for asked in again} == {"c" * 32}
    assert len(house.way.posted) == 3
    assert len(await house.store.nodes(joined.conversation)) == 5
    with pytest.raises(Invalid, match="another message"):
        await house.chat.send(None, ECHO, "Other", id=ID)
    with pytest.raises(Invalid, match="hexadecimal"):
        await house.chat.send(None, ECHO, "Other", id="x")


async def test_a_message_that_was_refused_may_be_sent_again(house: House) -> None:
    with pytest.raises(UnknownModel):
        await house.chat.send(None, "rehearsal/nobody", "One", id=ID)
    assert await house.chat.conversations() == []
    asked = await house.chat.send(None, ECHO, "One", id=ID)
    await house.ended(asked)
    assert await house.shown(asked.conversation) == ["One", "One"]


async def test_half_a_character_and_nul_reach_neither_store_nor_model(house: House) -> None:
    asked = await house.chat.send(None, ECHO, "a\0\ud800b")
    await house.ended(asked)
    assert await house.shown(asked.conversation) == ["a\ufffd\ufffdb"] * 2


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    house = House(tmp_path)
    first = await house.chat.send(None, ECHO, "One")
    await house.ended(first)
    running = await house.chat.send(first.conversation, LONG, "300 tokens", id=ID)
    said = await house.begun(running)
    await house.chat.close()  # as on SIGTERM

    house = House(tmp_path)
    assert await house.shown(first.conversation) == ["One", "One", "300 tokens", said]
    (_, nodes, _) = await house.chat.open(first.conversation)
    assert nodes[-1].reply is not None
    assert nodes[-1].reply.state == "interrupted"
    joined = await house.chat.send(None, LONG, "300 tokens", id=ID)
    assert joined.answer.id == running.answer.id
    assert house.way.posted == []
    on = await house.chat.go_on(first.conversation, nodes[-1].id, LONG, after=nodes[-1].generation or "")
    answer = await house.ended(on)
    assert (await house.shown(first.conversation))[-1].startswith(said)
    assert isinstance(answer.parts[0], Text)
    await house.chat.close()


async def test_an_answer_of_which_nothing_was_kept_is_interrupted_and_can_be_retried(tmp_path: Path) -> None:
    """A process that was killed, with a journal that keeps nothing."""
    killed = House(tmp_path)
    asked = await killed.chat.send(None, LONG, "300 tokens")
    await killed.begun(asked)

    house = House(tmp_path)
    _, nodes, _ = await house.chat.open(asked.conversation)
    assert nodes[-1].reply is not None
    assert nodes[-1].reply.state == "interrupted"
    assert nodes[-1].reply.problem is not None
    assert not nodes[-1].may_go_on
    again = await house.chat.retry(asked.conversation, ECHO)
    await house.ended(again)
    assert await house.shown(asked.conversation) == ["300 tokens", "300 tokens"]
    await house.chat.close()
    await killed.chat.close()


async def test_a_reply_outlives_its_log(house: House) -> None:
    asked = [await house.chat.send(None, ECHO, text) for text in ("One", "Two")]
    for each in asked:
        await house.ended(each)
    house.chat._generations._retention = Retention(keep=0)
    house.chat.generations()
    assert await house.shown(asked[0].conversation) == ["One", "One"]


async def test_a_reply_that_a_full_disk_refused_is_stored_when_it_is_opened(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    house = House(tmp_path)
    asked = await house.chat.send(None, LONG, "5000 tokens")
    generation = asked.answer.generation or ""
    await house.begun(asked)
    limit(house, "(SELECT page_count FROM pragma_page_count)")
    house.clock.step(1_000_000)
    async with aclosing(house.chat.follow(generation)) as batches:
        async for _ in batches:
            pass
    while True:
        await asyncio.sleep(0)
        if "the disk is full" in caplog.text:
            break
    assert len((await house.shown(asked.conversation))[1]) > 10_000
    limit(house, "100000")
    assert (await house.store.nodes(asked.conversation))[1].reply is None
    await house.shown(asked.conversation)
    await house.kept(asked)
    await house.chat.close()


def limit(house: House, pages: str) -> None:
    with house.store._database.result()._engine.connect() as connection:  # type: ignore[attr-defined]
        number = connection.exec_driver_sql(f"SELECT {pages}").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {number}")


async def test_a_damaged_message_is_passed_over(house: House) -> None:
    asked = await house.chat.send(None, ECHO, "One")
    await house.ended(asked)
    if house.store.__class__.__name__ == "MemoryStore":
        rows = house.store._rows[asked.conversation]  # type: ignore[attr-defined]
        rows[asked.answer.id] = rows[asked.answer.id]._replace(body=b"{")
    else:
        with house.store._database.result()._engine.begin() as connection:  # type: ignore[attr-defined]
            connection.execute(update(nodes).where(nodes.c.id == asked.answer.id).values(body=b"{"))
    _, shown, _ = await house.chat.open(asked.conversation)
    assert [node.damaged for node in shown] == [False, True]
    await house.ended(await house.chat.send(asked.conversation, ECHO, "Two"))
    assert [said["content"] for said in house.way.posted[-1]["messages"]] == ["One", "Two"]
    again = await house.chat.regenerate(asked.conversation, shown[1].id, ECHO)
    await house.ended(again)
    assert await house.shown(asked.conversation) == ["One", "One"]
