"""What every store does: the same tests on all of them."""

import asyncio

import msgspec

from services.conversations import Conversation, Node
from services.events import Usage
from services.messages import Attachment, File, Message, Problem, Reasoning, Refusal, Reply, Text, ToolCall
from services.store.store import Store

CONVERSATION = Conversation("c1", "The mill", 1.5, 2.5, "rehearsal/echo", "n2")
QUESTION = Node("n1", None, Message("user", (Text("Hello, 水車 👋"),)))
ANSWER = Node(
    "n2",
    "n1",
    generation="g1",
    reply=Reply(
        "g1",
        "rehearsal/echo",
        1,
        "failed",
        9,
        (
            Reasoning("hm", "summary", {"signature": "s"}),
            Text("Hi", {"citations": [1, {"a": None}]}),
            ToolCall("t", "f", '{"x":1}', {"x": 1}),
            Refusal("no"),
            Attachment("source", {"url": "http://a"}),
        ),
        Usage(1, 2),
        problem=Problem("truncated", "It broke off.", retryable=True, status=200),
        ttft_ms=1.5,
        ms=2.5,
    ),
    said=(Text("Once"),),
)


async def test_what_was_stored_comes_back(store: Store) -> None:
    await store.create(CONVERSATION, [QUESTION, ANSWER])
    assert await store.get("c1") == CONVERSATION
    assert await store.nodes("c1") == [QUESTION, ANSWER]
    assert await store.find("n2") == "c1"


async def test_what_is_not_there_is_none(store: Store) -> None:
    assert await store.get("c1") is None
    assert await store.nodes("c1") == []
    assert await store.find("n1") is None
    assert await store.list() == []
    assert not await store.delete("c1")


async def test_the_conversation_updated_last_is_first(store: Store) -> None:
    for id, updated in (("a", 1.0), ("b", 3.0), ("c", 2.0)):
        await store.create(Conversation(id, id, 0.0, updated, "m"))
    assert [known.id for known in await store.list()] == ["b", "c", "a"]
    await store.change("a", updated=4.0)
    assert [known.id for known in await store.list()] == ["a", "b", "c"]


async def test_a_change_leaves_everything_else(store: Store) -> None:
    await store.create(CONVERSATION, [QUESTION])
    assert await store.change("c1", [ANSWER], title="Other")
    assert await store.get("c1") == Conversation("c1", "Other", 1.5, 2.5, "rehearsal/echo", "n2")
    assert await store.change("c1", model="m", shown="n1", updated=9.0)
    assert await store.get("c1") == Conversation("c1", "Other", 1.5, 9.0, "m", "n1")
    assert await store.nodes("c1") == [QUESTION, ANSWER]


ORDERED = msgspec.structs.replace(CONVERSATION, pinned=True, folder="Wheels", archived=True, named=True, manner='{"a":1}', deleted=True)


async def test_how_conversations_are_kept_in_order_comes_back(store: Store) -> None:
    await store.create(ORDERED)
    assert await store.get("c1") == ORDERED
    assert await store.change("c1", pinned=False, folder="", archived=False, named=False, manner="", deleted=False)
    assert await store.get("c1") == CONVERSATION
    assert await store.change("c1", pinned=True, folder="a\0b")
    assert await store.get("c1") == msgspec.structs.replace(CONVERSATION, pinned=True, folder="a\ufffdb")


async def test_those_about_to_be_deleted_are_a_list_of_their_own(store: Store) -> None:
    await store.create(CONVERSATION)
    await store.create(msgspec.structs.replace(CONVERSATION, id="c2"))
    await store.change("c2", deleted=True)
    assert [known.id for known in await store.list()] == ["c1"]
    assert [known.id for known in await store.list(deleted=True)] == ["c2"]


async def test_nodes_come_in_the_order_they_were_added(store: Store) -> None:
    said = [Node(id, None, Message("user", (Text(text),))) for id, text in (("z", "b"), ("a", "c"), ("m", "a"))]
    await store.create(CONVERSATION, said[:2])
    await store.put("c1", said[2])
    assert await store.nodes("c1") == said


async def test_a_node_that_is_put_again_keeps_its_place(store: Store) -> None:
    await store.create(CONVERSATION, [QUESTION, Node("n2", "n1", generation="g1"), Node("n3", "n1", generation="g2")])
    assert await store.put("c1", ANSWER)
    assert [node.id for node in await store.nodes("c1")] == ["n1", "n2", "n3"]
    assert (await store.nodes("c1"))[1] == ANSWER


async def test_nothing_comes_back_to_a_deleted_conversation(store: Store) -> None:
    await store.create(CONVERSATION, [QUESTION])
    await store.create(Conversation("c2", "", 0.0, 0.0, ""), [Node("m1", None, Message("user", (Text("stays"),)))])
    assert await store.delete("c1")
    assert not await store.put("c1", ANSWER)
    assert not await store.change("c1", [ANSWER], title="back")
    assert await store.get("c1") is None
    assert await store.nodes("c1") == []
    assert await store.find("n2") is None
    assert [known.id for known in await store.list()] == ["c2"]
    assert len(await store.nodes("c2")) == 1


async def test_a_reply_that_comes_late_does_not_overwrite_what_went_on(store: Store) -> None:
    on = Node("n2", "n1", generation="g2", said=(Text("Once"),))
    await store.create(CONVERSATION, [QUESTION, Node("n2", "n1", generation="g1")])
    assert await store.settle("c1", ANSWER)
    assert (await store.nodes("c1"))[1] == ANSWER
    await store.put("c1", on)
    assert not await store.settle("c1", ANSWER)
    assert (await store.nodes("c1"))[1] == on
    assert not await store.settle("c2", on)
    await store.delete("c1")
    assert not await store.settle("c1", on)
    assert await store.nodes("c1") == []


HOSTILE = "a\0b \ud800 \udfff\ud800 \ud83d\ude00 \\u0000 \\ud800 c"
CLEAN = "a\ufffdb \ufffd \ufffd\ufffd 😀 \\u0000 \\ud800 c"


async def test_texts_come_back_without_nul_and_halves_of_characters(store: Store) -> None:
    reply = Reply("g", "m", 1, "finished", 3, (Text(HOSTILE), ToolCall("t", "f", HOSTILE, {HOSTILE: [HOSTILE, 1, None]})))
    await store.create(Conversation("c", HOSTILE, 0.0, 0.0, "m"), [Node("q", None, Message("user", (Text(HOSTILE),)))])
    await store.put("c", Node("a", "q", generation="g", reply=reply, said=(Text(HOSTILE),)))
    known = await store.get("c")
    assert known is not None
    assert known.title == CLEAN
    question, answer = await store.nodes("c")
    assert question.message == Message("user", (Text(CLEAN),))
    assert answer.said == (Text(CLEAN),)
    assert answer.reply is not None
    assert answer.reply.parts == (Text(CLEAN), ToolCall("t", "f", CLEAN, {CLEAN: [CLEAN, 1, None]}))
    assert await store.change("c", title=HOSTILE)
    assert (await store.list())[0].title == CLEAN


async def test_a_nul_alone_is_cleaned_too(store: Store) -> None:
    await store.create(CONVERSATION, [Node("q", None, Message("user", (Text("a\0b \\u0000"),)))])
    assert (await store.nodes("c1"))[0].message == Message("user", (Text("a\ufffdb \\u0000"),))


def deep(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


async def test_what_is_nested_too_deeply_is_left_out_and_the_words_are_kept(store: Store) -> None:
    reply = Reply("g", "m", 1, "finished", 3, (Text("words", {"x": deep(100_000)}), ToolCall("t", "f", "{}", deep(100_000))))
    await store.create(CONVERSATION, [QUESTION, Node("n2", "n1", generation="g", reply=reply)])
    answer = (await store.nodes("c1"))[1]
    assert answer.reply is not None
    assert answer.reply.parts == (Text("words"),)


async def test_preferences_belong_to_a_person(store: Store) -> None:
    await store.prefer("ada", "theme", "dark")
    await store.prefer("ada", "theme", "light")
    await store.prefer("ada", "model", "m\0")
    await store.prefer("bob", "theme", "dark")
    assert await store.preferences("ada") == {"theme": "light", "model": "m\ufffd"}
    await store.prefer("ada", "theme", None)
    assert await store.preferences("ada") == {"model": "m\ufffd"}
    assert await store.preferences("bob") == {"theme": "dark"}
    assert await store.preferences("eve") == {}


async def test_many_at_once_lose_nothing(store: Store) -> None:
    await store.create(CONVERSATION)
    await asyncio.gather(*(store.put("c1", Node(f"n{number}", None, generation=f"g{number}")) for number in range(50)))
    assert {node.id for node in await store.nodes("c1")} == {f"n{number}" for number in range(50)}


async def test_the_files_of_a_conversation_are_known_until_it_is_deleted(store: Store) -> None:
    def asked(id: str, *hashes: str) -> Node:
        return Node(id, None, Message("user", (*(File(hash, "a.txt", "text/plain", 1) for hash in hashes), Text("?"))))

    await store.create(msgspec.structs.replace(CONVERSATION, id="a"), [asked("n1", "h1", "h2")])
    await store.create(msgspec.structs.replace(CONVERSATION, id="b"))
    assert await store.change("b", [asked("n2", "h2", "h3")])
    assert await store.put("b", asked("n2", "h2", "h3"))
    assert await store.refer("b", {"h3", "h4"})
    assert not await store.refer("nobody", {"h5"})
    assert await store.files("a") == {"h1", "h2"}
    assert await store.files() == {"h1", "h2", "h3", "h4"}
    assert await store.delete("b")
    assert await store.files() == {"h1", "h2"}
