"""Each foreign export: on the left a file as its maker writes it, on the right what Headrace keeps of it."""

import json

import pytest

from services.conversations import Node, path
from services.errors import Invalid
from services.events import Usage
from services.exchange.importing import Imported, Importer, Report, Skipped, imported
from services.exchange.tree import result
from services.messages import Attachment, Image, Part, Problem, Reasoning, Text, ToolCall
from services.store.memory import MemoryStore
from tests.exchange.conversations import HERE, NOW, PIXEL


def found(name: str) -> list[Imported | Skipped]:
    return list(imported([(HERE / f"{name}.json").read_bytes()], NOW))


def first(name: str) -> Imported:
    talk = found(name)[0]
    assert isinstance(talk, Imported)
    return talk


def shown(talk: Imported) -> list[tuple[Part, ...]]:
    return [spoken(node) for node in path(talk.nodes, talk.conversation.shown)]


def spoken(node: Node) -> tuple[Part, ...]:
    return node.message.parts if node.message else node.parts


def test_chatgpt_shows_the_branch_that_was_shown() -> None:
    talk = first("chatgpt")
    known = talk.conversation
    assert (talk.kind, known.title, known.model) == ("chatgpt", "A mill in the valley", "gpt-5-thinking")
    assert (known.created, known.updated) == (1756000000.123456, 1756000400.654321)
    assert shown(talk) == [
        (Text("[Image: file-Abc123]\n\nHow much power has this wheel?\n\n[File: wheel.png]"),),
        (
            Reasoning("**Estimating the head**\n\nThe wheel is about 3 m high.\n\n**Computing**\n\nP = rho g Q h", "summary"),
            ToolCall("code", "python", "print(1000 * 9.81 * 0.2 * 3)"),
            result("python", "5886.0\n"),
            Text("About **6 kW**: $P = \\rho g Q h$."),
        ),
    ]


def test_chatgpt_keeps_all_branches_in_their_order() -> None:
    talk = first("chatgpt")
    question, cut, long = talk.nodes[:3]
    assert spoken(question) == (Text("What is a headrace?"),)
    assert question.parent is None
    assert [(spoken(node), node.parent == question.id) for node in (cut, long)] == [
        ((Text("The water"),), True),
        ((Text("A channel that leads water"),), True),
    ]
    assert cut.reply is not None
    assert long.reply is not None
    assert (cut.reply.state, cut.reply.reason, cut.reply.created) == ("stopped", "stopped", 1756000002)
    assert (long.reply.state, long.reply.reason, long.reply.model) == ("finished", "length", "gpt-4o")
    assert talk.notes == (
        "Left out: hidden instructions (1), images, which are not in this file (1), notes on how long a model thought (1).",
    )


def test_chatgpt_says_what_it_skips() -> None:
    assert found("chatgpt")[1:] == [
        Skipped("chatgpt", "Nothing in it", "It has no messages."),
        Skipped("", "No tree", "It is no conversation of a known kind. Its fields are: title, create_time, id."),
    ]


def test_claude() -> None:
    talk = first("claude")
    assert (talk.kind, talk.conversation.title) == ("claude", "Comparing two wheels")
    assert (talk.conversation.created, talk.conversation.updated) == (1772359200.0, 1772359500.0)
    assert shown(talk) == [
        (Text("Which is better?\n\n[File: wheels.txt]\n\novershot: 80 %\nundershot: 30 %\n\n[File: photo.jpeg]"),),
        (
            Reasoning("The table gives efficiencies."),
            ToolCall("toolu_01", "repl", '{"code":"80 / 30"}', {"code": "80 / 30"}),
            result("repl", "2.67"),
            Text("The overshot one."),
        ),
        (Text("Thanks"),),
    ]
    assert talk.notes == ("Left out: blocks of an unknown kind (1), files, which are not in this file (1).",)


def test_claude_with_branches_and_without_a_name() -> None:
    skipped, talk = found("claude")[1:]
    assert skipped == Skipped("claude", "", "It has no messages.")
    assert isinstance(talk, Imported)
    assert (talk.conversation.title, talk.conversation.model) == ("Say one word.", "claude-opus-4-5")
    assert talk.notes == ()
    assert shown(talk) == [(Text("Say one word."),), (Text("Sluice"),)]
    assert [spoken(node) for node in talk.nodes] == [(Text("Say one word."),), (Text("Weir"),), (Text("Go on."),), (Text("Sluice"),)]
    assert [node.reply.reason for node in talk.nodes if node.reply] == ["length", "stop"]


def test_open_webui() -> None:
    talk = first("open_webui")
    known = talk.conversation
    assert (talk.kind, known.title, known.model) == ("open_webui", "A wheel on the screen", "deepseek-r1")
    assert (known.created, known.updated) == (1700000000.0, 1700000011.0)
    question, old, again, failed, new = talk.nodes
    asked = "What is this?\n\n[Image: https://tracker.example/pixel.png]\n\n[File: notes.md]\n\n# Wheels"
    assert spoken(question) == (Text(asked), Image(PIXEL))
    assert old.reply is not None
    assert old.reply.usage == Usage(12, 5, total_tokens=17)
    assert spoken(old) == (
        Reasoning("It is round.\nIt <turns>."),
        Text("A wheel."),
        ToolCall("call_1", "look", '{"at": 1}', {"at": 1}),
        result("look", "wood"),
        Text("Of wood."),
        Attachment("source", {"url": "https://wheels.example/a", "title": "Wheels"}),
    )
    assert spoken(again) == (Text("And its age?"),)
    assert failed.reply is not None
    assert (failed.reply.state, failed.reply.problem) == ("failed", Problem("imported", "Model not found"))
    assert shown(talk)[-1] == spoken(new)
    assert spoken(new) == (
        Reasoning("It turns."),
        ToolCall("call_1", "look", '{"at":2}', {"at": 2}),
        result("", "wood"),
        Text("A wheel of wood."),
    )
    assert talk.notes == ("Left out: files, which are not in this file (1), system prompts (1).",)


def test_open_webui_before_there_were_trees() -> None:
    talk = found("open_webui")[1]
    assert isinstance(talk, Imported)
    assert talk.conversation.title == "Before there were trees"
    assert shown(talk) == [(Text("Hello"),), (Text("Hi"),)]
    assert [(node.reply.model, node.reply.state) for node in talk.nodes if node.reply] == [("llama2", "interrupted")]


@pytest.mark.parametrize("name", ["chatgpt", "claude", "open_webui"])
async def test_the_same_file_is_the_same_conversations_and_a_store_takes_them(name: str) -> None:
    assert found(name) == found(name)
    store = MemoryStore()
    for talk in found(name):
        if isinstance(talk, Imported):
            assert await store.get(talk.conversation.id) is None
            await store.create(talk.conversation, talk.nodes)
            assert await store.get(talk.conversation.id) == talk.conversation
            assert await store.nodes(talk.conversation.id) == list(talk.nodes)


def test_ids_of_different_exports_never_meet() -> None:
    ids = [
        node.id for name in ("chatgpt", "claude", "open_webui") for talk in found(name) if isinstance(talk, Imported) for node in talk.nodes
    ]
    assert len(set(ids)) == len(ids) > 15


@pytest.mark.parametrize("name", ["chatgpt", "claude", "open_webui"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_how_a_file_is_cut_does_not_matter(name: str, size: int) -> None:
    body = (HERE / f"{name}.json").read_bytes()
    assert list(imported((body[at : at + size] for at in range(0, len(body), size)), NOW)) == found(name)


def test_conversations_come_one_by_one_and_progress_is_seen() -> None:
    body = (HERE / "claude.json").read_bytes()
    importer = Importer(NOW)
    seen = []
    for at in range(0, len(body), 100):
        for _ in importer.feed(body[at : at + 100]):
            seen.append(importer.read)
    assert list(importer.finish()) == []
    assert importer.read == len(body)
    assert len(seen) == 3
    assert seen[0] < seen[1] < seen[2] <= len(body)


def test_one_conversation_alone_and_several_in_lines() -> None:
    talks = json.loads((HERE / "claude.json").read_bytes())
    assert list(imported([json.dumps(talks[0]).encode()], NOW)) == [first("claude")]
    lines = "\n".join(json.dumps(talk) for talk in talks)
    assert list(imported([b"\xef\xbb\xbf\n" + lines.encode()], NOW)) == found("claude")


def test_the_report_says_what_was_done() -> None:
    report = Report()
    for talk in found("chatgpt"):
        report.add(talk)
    assert report.summary == "1 conversation imported from ChatGPT's export, 2 skipped."
    assert report.lines == [
        "A mill in the valley: Left out: hidden instructions (1), images, which are not in this file (1), "
        "notes on how long a model thought (1).",
        "Nothing in it: skipped. It has no messages.",
        "No tree: skipped. It is no conversation of a known kind. Its fields are: title, create_time, id.",
    ]


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (b"", "The file is empty."),
        (b" \n", "The file is empty."),
        (b"PK\x03\x04...", "This is a ZIP archive. Unpack it, and choose the conversations.json in it."),
        (b"<!DOCTYPE html>", "This is a web page, not JSON. Of an export's files, choose conversations.json."),
        ('[{"a": 1}]'.encode("utf-16"), "This file is not UTF-8, but UTF-16. Save it as UTF-8 first."),
        (b'"text"', "This file is not JSON, or not the kind of JSON that exports of conversations are."),
        (b'{"user": 1}', "No conversation was found. Known are Headrace's JSON, ChatGPT's export, Claude's export, Open WebUI's export."),
        (b"[1, 2]", "No conversation was found."),
        (b"{", "No conversation was found."),
        (b"[}", "No conversation was found."),
    ],
)
def test_what_is_no_export_is_refused_in_one_sentence(file: bytes, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        list(imported([file], NOW))
    assert refused.value.message.startswith(sentence)


def test_a_file_that_was_cut_off_keeps_what_is_whole() -> None:
    body = (HERE / "claude.json").read_bytes()
    assert list(imported([body[:-200]], NOW)) == [*found("claude")[:2], Skipped("", "", "The file ends in the middle: it was cut off.")]
