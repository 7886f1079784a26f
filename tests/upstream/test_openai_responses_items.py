"""Items of a Responses reply that are no text: frames on the left, parts on the right."""

from typing import Any

import pytest

from services.events import Event, PartDelta, PartFinished, PartStarted, Usage
from services.messages import Attachment, Message, Reasoning, Text, ToolCall, Turn
from services.upstream.openai_responses import OpenAIResponsesReader
from services.upstream.openai_responses_items import MAX_ITEMS
from tests.upstream.reading import frames, part, read, read_all_ways, reply
from tests.upstream.response_events import COMPLETED, FINISHED, URL, added, done, ev, message, responses, said, text


def thought(**item: Any) -> dict[str, Any]:
    return {"type": "reasoning", "id": "r", "summary": [], **item}


def summed(delta: str, index: int = 0) -> dict[str, Any]:
    return ev("reasoning_summary_text.delta", item_id="r", summary_index=index, delta=delta)


def summary(*texts: str) -> list[dict[str, Any]]:
    return [{"type": "summary_text", "text": each} for each in texts]


ID = {"id": "r"}

REASONING = [
    (
        "a summary of two parts, encrypted",
        [
            added(**thought(encrypted_content="begun")),
            ev("reasoning_summary_part.added", item_id="r", summary_index=0, part={"type": "summary_text", "text": ""}),
            summed("a"),
            summed("b"),
            ev("reasoning_summary_text.done", item_id="r", summary_index=0, text="ab"),
            ev("reasoning_summary_part.done", item_id="r", summary_index=0, part={"type": "summary_text", "text": "ab"}),
            summed("c", 1),
            done(**thought(summary=summary("ab", "c"), encrypted_content="gAAA")),
            text("Hi"),
        ],
        [*part(0, "reasoning", "a", "b", "\n\n", "c", form="summary", side=ID | {"encrypted_content": "gAAA"}), *part(1, "text", "Hi")],
    ),
    (
        "a summary, whole at its end",
        [ev("reasoning_summary_text.done", item_id="r", text="hm"), done(**thought())],
        part(0, "reasoning", "hm", form="summary", side=ID),
    ),
    (
        "a summary, whole with its part",
        [ev("reasoning_summary_part.done", item_id="r", part={"text": "hm"}), done(**thought())],
        part(0, "reasoning", "hm", form="summary", side=ID),
    ),
    (
        "a summary, whole with its item",
        [done(**thought(summary=summary("a", "b")))],
        part(0, "reasoning", "a", "\n\n", "b", form="summary", side=ID),
    ),
    (
        "words of its own",
        [
            added(**thought()),
            ev("reasoning_text.delta", item_id="r", content_index=0, delta="hm"),
            done(**thought(content=[{"type": "reasoning_text", "text": "hm"}])),
        ],
        part(0, "reasoning", "hm", side=ID),
    ),
    (
        "words of its own by Open Responses' name",
        [added(**thought()), ev("reasoning.delta", item_id="r", delta="hm")],
        part(0, "reasoning", "hm", side=ID),
    ),
    (
        "words of its own, whole with a content",
        [added(**thought()), ev("content_part.done", item_id="r", part={"type": "reasoning_text", "text": "hm"})],
        part(0, "reasoning", "hm", side=ID),
    ),
    (
        "both",
        [
            summed("s"),
            ev("reasoning_text.delta", item_id="r", delta="a"),
            ev("reasoning_text.delta", item_id="r", content_index=1, delta="b"),
            done(**thought(encrypted_content="g")),
        ],
        [*part(0, "reasoning", "s", form="summary"), *part(1, "reasoning", "a", "\n\n", "b", side=ID | {"encrypted_content": "g"})],
    ),
    (
        "encrypted alone",
        [added(**thought()), done(**thought(encrypted_content="g"))],
        part(0, "reasoning", form="encrypted", side=ID | {"encrypted_content": "g"}),
    ),
    ("nothing", [added(**thought()), done(**thought())], []),
    (
        "two summaries, whole at their ends",
        [ev("reasoning_summary_text.done", item_id="r", summary_index=n, text=each) for n, each in enumerate("ab")],
        part(0, "reasoning", "a", "\n\n", "b", form="summary"),
    ),
    (
        "between texts",
        [text("a"), added(**thought()), summed("s"), done(**thought()), text("b")],
        [*part(0, "text", "a"), *part(1, "reasoning", "s", form="summary", side=ID), *part(2, "text", "b")],
    ),
    (
        "after what looked like a tag",
        [text("<t"), summed("s")],
        [*part(0, "text", "<t"), *part(1, "reasoning", "s", form="summary")],
    ),
    ("more of what is done", [done(**thought(summary=summary("s"))), summed("x")], part(0, "reasoning", "s", form="summary", side=ID)),
    ("tags", [text("<think>h"), text("m</think>a"), text("b")], [*part(0, "reasoning", "h", "m"), *part(1, "text", "a", "b")]),
    ("tags that stay open", [text("<think>h"), text("m"), done(**message(said("<think>hm")))], part(0, "reasoning", "h", "m")),
]


@pytest.mark.parametrize(("payloads", "parts"), [case[1:] for case in REASONING], ids=[case[0] for case in REASONING])
def test_reasoning(payloads: list[Any], parts: list[Event]) -> None:
    assert responses(*payloads, COMPLETED) == [*parts, FINISHED]


def called(id: str = "f", **item: Any) -> dict[str, Any]:
    return {"type": "function_call", "id": id, "call_id": f"call_{id}", "name": "look", "arguments": "", **item}


def argued(delta: str, id: str = "f") -> dict[str, Any]:
    return ev("function_call_arguments.delta", item_id=id, delta=delta)


WHOLE = called(arguments='{"n":1}')
LOOK = ToolCall("call_f", "look", '{"n":1}', {"n": 1})

CALLS = [
    ("fragments", [added(**called()), argued('{"n'), argued('":1}'), done(**WHOLE)], [LOOK]),
    (
        "whole at the done of its arguments",
        [added(**called()), ev("function_call_arguments.done", item_id="f", arguments='{"n":1}')],
        [LOOK],
    ),
    ("whole at the done of the item", [added(**called()), done(**WHOLE)], [LOOK]),
    ("whole from the beginning", [added(**WHOLE), done(**WHOLE)], [LOOK]),
    ("nothing before it is done", [done(**WHOLE)], [LOOK]),
    ("nothing before the end", [ev("completed", response={"output": [WHOLE]})], [LOOK]),
    (
        "in another order at the end",
        [
            added(**called("a")),
            added(**called("b")),
            ev("completed", response={"output": [called("b", arguments="{}"), called("a", arguments='{"n":1}')]}),
        ],
        [ToolCall("call_a", "look", '{"n":1}', {"n": 1}), ToolCall("call_b", "look", "{}", {})],
    ),
    ("never done", [added(**called()), argued('{"n":1}')], [LOOK]),
    (
        "fragments, then all of it again and again",
        [added(**called()), argued('{"n":1}'), done(**WHOLE), ev("completed", response={"output": [WHOLE]})],
        [LOOK],
    ),
    ("a name that comes late", [argued('{"n'), argued('":1}'), done(**WHOLE)], [LOOK]),
    ("a name that never comes", [argued('{"n":1}')], [ToolCall("call00000", "", '{"n":1}', {"n": 1})]),
    ("more of what is done", [done(**WHOLE), argued("}")], [LOOK]),
    ("arguments as an object", [done(**called(arguments={"n": 1}))], [LOOK]),
    ("no arguments", [done(**called())], [ToolCall("call_f", "look", "", {})]),
    ("no JSON", [done(**called(arguments='{"n'))], [ToolCall("call_f", "look", '{"n', None)]),
    (
        "no ids",
        [done(type="function_call", name="look", arguments="{}"), done(type="function_call", name="look", arguments="{}")],
        [ToolCall("call00000", "look", "{}", {}), ToolCall("call00001", "look", "{}", {})],
    ),
    (
        "parallel, their fragments mixed",
        [added(**called("a")), added(**called("b")), argued('{"n":', "a"), argued('{"n":', "b"), argued("1}", "a"), argued("2}", "b")],
        [ToolCall("call_a", "look", '{"n":1}', {"n": 1}), ToolCall("call_b", "look", '{"n":2}', {"n": 2})],
    ),
    (
        "parallel, by index alone",
        [
            *(ev("output_item.added", output_index=n, item={"type": "function_call", "call_id": f"c{n}", "name": "look"}) for n in (0, 1)),
            *(ev("function_call_arguments.delta", output_index=n, delta=f'{{"n":{n}}}') for n in (0, 1)),
        ],
        [ToolCall("c0", "look", '{"n":0}', {"n": 0}), ToolCall("c1", "look", '{"n":1}', {"n": 1})],
    ),
    (
        "the same id for each, one after the other",
        [ev("output_item.done", output_index=n, item=called("f", call_id=f"c{n}", arguments=f'{{"n":{n}}}')) for n in (0, 1)],
        [ToolCall("c0", "look", '{"n":0}', {"n": 0}), ToolCall("c1", "look", '{"n":1}', {"n": 1})],
    ),
    (
        "the same id for each",
        [
            *(ev("output_item.added", output_index=n, item=called("f", call_id=f"c{n}")) for n in (0, 1)),
            *(ev("output_item.done", output_index=n, item=called("g", call_id=f"c{n}", arguments=f'{{"n":{n}}}')) for n in (0, 1)),
        ],
        [ToolCall("c0", "look", '{"n":0}', {"n": 0}), ToolCall("c1", "look", '{"n":1}', {"n": 1})],
    ),
    (
        "free text",
        [
            added(**called(type="custom_tool_call", name="sql")),
            ev("custom_tool_call_input.delta", item_id="f", delta="SELECT 1"),
            done(**called(type="custom_tool_call", name="sql", input="SELECT 1")),
        ],
        [ToolCall("call_f", "sql", "SELECT 1", None, {"type": "custom"})],
    ),
    (
        "free text, whole",
        [done(**called(type="custom_tool_call", name="sql", input="SELECT 1"))],
        [ToolCall("call_f", "sql", "SELECT 1", None, {"type": "custom"})],
    ),
]


@pytest.mark.parametrize(("payloads", "calls"), [case[1:] for case in CALLS], ids=[case[0] for case in CALLS])
def test_calls(payloads: list[Any], calls: list[ToolCall]) -> None:
    told = reply(responses(*payloads, *([] if payloads[-1]["type"] == "response.completed" else [COMPLETED])))
    assert told.parts == tuple(calls)
    assert (told.reason, told.raw_reason) == ("tool_calls", "completed")


def test_a_call_comes_after_the_text_before_it() -> None:
    assert reply(responses(text("<t"), done(**WHOLE), COMPLETED)).parts == (Text("<t"), LOOK)


def test_made_up_ids_are_unique_in_a_conversation() -> None:
    reader = OpenAIResponsesReader()
    reader.request(Turn("m", (Message("user", (Text("?"),)),) * 3))
    assert reader.feed(frames(added(type="function_call", name="look"))) == [PartStarted(0, "tool_call", "call00300", "look")]


def test_a_call_is_told_while_it_comes() -> None:
    reader = OpenAIResponsesReader()
    assert reader.feed(frames(added(**called()))) == [PartStarted(0, "tool_call", "call_f", "look")]
    assert reader.feed(frames(argued('{"n'))) == [PartDelta(0, '{"n')]
    assert reader.feed(frames(argued('":1}'), done(**WHOLE))) == [PartDelta(0, '":1}'), PartFinished(0, {"n": 1})]


SEARCH = {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"type": "search", "query": "q"}}
PICTURE = {"type": "image_generation_call", "id": "ig", "result": "AAAA", "output_format": "webp"}

SERVERS_OWN = [
    (
        "a search",
        [added(type="web_search_call", id="ws"), ev("web_search_call.searching", item_id="ws"), done(**SEARCH)],
        Attachment("opaque", SEARCH),
    ),
    ("told once", [done(**SEARCH), ev("completed", response={"output": [SEARCH]})], Attachment("opaque", SEARCH)),
    (
        "code",
        [ev("code_interpreter_call_code.delta", item_id="c", delta="1+1"), done(type="code_interpreter_call", id="c", code="1+1")],
        Attachment("opaque", {"type": "code_interpreter_call", "id": "c", "code": "1+1"}),
    ),
    (
        "a picture",
        [ev("image_generation_call.partial_image", item_id="ig", partial_image_b64="AA"), done(**PICTURE)],
        Attachment("image", {"url": "data:image/webp;base64,AAAA"}, {"id": "ig"}),
    ),
    (
        "a picture of no format",
        [done(type="image_generation_call", id="ig", result="AAAA")],
        Attachment("image", {"url": "data:image/png;base64,AAAA"}, {"id": "ig"}),
    ),
    (
        "a picture that was not made",
        [done(type="image_generation_call", id="ig", result=None)],
        Attachment("opaque", {"type": "image_generation_call", "id": "ig", "result": None}),
    ),
]


@pytest.mark.parametrize(("payloads", "own"), [case[1:] for case in SERVERS_OWN], ids=[case[0] for case in SERVERS_OWN])
def test_what_the_server_did_by_itself(payloads: list[Any], own: Attachment) -> None:
    """No call of ours: the reply ends as any other, and the text goes on in a part of its own."""
    told = reply(responses(text("a"), *payloads[:-1], payloads[-1], text("b"), COMPLETED))
    if payloads[-1]["type"] == "response.completed":
        assert told.parts == (Text("a"), own)
    else:
        assert told.parts == (Text("a"), own, Text("b"))
    assert told.reason == "stop"


def test_a_whole_response_is_an_answer() -> None:
    output = [thought(summary=summary("hm"), encrypted_content="g"), SEARCH, message(said("Hi", annotations=[URL])), WHOLE]
    body = {"id": "resp", "object": "response", "status": "completed", "error": None, "output": output, "usage": {"input_tokens": 9}}
    told = reply(read_all_ways("openai_responses", frames(body)[6:]))
    side: dict[str, object] = {"id": "r", "encrypted_content": "g"}
    assert told.parts == (Reasoning("hm", "summary", side), Attachment("opaque", SEARCH), Text("Hi"), Attachment("source", URL), LOOK)
    assert (told.reason, told.raw_reason, told.usage) == ("tool_calls", "completed", Usage(9))


def test_a_reply_has_so_many_items_at_most() -> None:
    many = [message(said("a"), id=f"m{number}") for number in range(2 * MAX_ITEMS)]
    told = reply(read("openai_responses", [frames(ev("completed", response={"output": many}))]))
    assert told.problem
    assert told.problem.code == "limit"
    assert len(told.parts) == MAX_ITEMS
