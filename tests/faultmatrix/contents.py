"""B. In the middle of an answer: what is in it."""

import json

from tests.faultmatrix.behaviours import GIANT, HEL, LO, MB, PLAIN_HEAD, bytewise, flood, stream
from tests.faultmatrix.row import Case, Fails, Row
from tests.upstream.model_server import DONE, WHOLE, delta

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\x1b]0;title\x07 [a](javascript:alert(3))"


def chunked_json(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def choices(*given: object) -> bytes:
    return chunked_json(choices=given)


def said(text: object, reason: str | None = None, index: int = 0) -> object:
    return {"index": index, "delta": {"content": text}, "finish_reason": reason}


def calls(*given: object, reason: str | None = None) -> bytes:
    return choices({"index": 0, "delta": {"tool_calls": given}, "finish_reason": reason})


CONTENTS = (
    Row(
        37,
        "bytes that are no UTF-8; a character in two pieces",
        "U+FFFD for the bytes; the character",
        "finished",
        (
            Case(name="no-utf8", behave=stream(delta("@").replace(b"@", b"H\xff\xfel"), LO, DONE), text="H\ufffd\ufffdllo"),
            Case(name="cut-characters", behave=bytewise(delta("H\u00e9\U0001f600l"), LO, DONE), text="H\u00e9\U0001f600llo"),
        ),
    ),
    Row(
        38,
        "half a character, NUL, C1, a flood of characters without width",
        "the text without halves and NUL",
        "finished",
        (
            Case(name="half", behave=stream(delta("H\\ud83dl"), LO, DONE), text="H\ufffdllo"),
            Case(name="nul", behave=stream(delta("H\\u0000e\\u0085l"), LO, DONE), text="H\ufffde\x85llo"),
            Case(name="no-width", behave=stream(delta("\u200b" * 300_000), LO, DONE), text="\u200b" * 300_000 + "lo"),
        ),
    ),
    Row(
        39,
        "frames that are no JSON",
        "three are passed over; at the fourth the text so far, and an error",
        "finished; protocol with the frame",
        (
            Case(name="three-odd", behave=stream(HEL, b"data: {oops\n\n" * 3, LO, DONE)),
            Fails(
                name="four-odd",
                behave=stream(HEL, b"data: {oops\n\n" * 4, LO, DONE),
                code="protocol",
                says="The server sends frames that are not JSON.",
                quotes="{oops",
                text="Hel",
            ),
        ),
    ),
    Row(
        40,
        "a line of 200 MB",
        "the text so far, and which limit; memory stays as it was",
        "limit, 1 try",
        (
            Fails(
                name="giant-line",
                behave=flood(PLAIN_HEAD + HEL + GIANT, b"x" * MB, 200 * MB),
                code="limit",
                says="One line of the stream is longer than 1,048,576 bytes, the limit.",
                text="Hel",
                heavy=True,
            ),
        ),
    ),
    Row(
        41,
        "a stream without end",
        "the text up to the limit, and which limit; the server's connection is closed",
        "limit, 1 try",
        (
            Fails(
                name="endless",
                behave=flood(PLAIN_HEAD, delta("word " * 200) * 64, 400 * MB),
                code="limit",
                says="{name} sent more than 2,000,000 bytes in one reply.",
                text=None,
                heavy=True,
            ),
        ),
    ),
    Row(
        42,
        "[DONE] twice; anything after it; a connection that stays open",
        "the answer, at the first [DONE]",
        "finished",
        (
            Case(name="done-twice", behave=stream(WHOLE, DONE)),
            Case(name="more-after", behave=stream(WHOLE + delta(" and more") + b"\x00\xff{{{")),
            Case(name="stays-open", behave=stream(WHOLE, then="stay"), timeouts={"gap": 60.0, "total": 120.0}),
        ),
    ),
    Row(
        43,
        "no [DONE], but a finish reason",
        "the answer",
        "finished",
        (Case(name="no-done", behave=stream(HEL, LO)),),
    ),
    Row(
        44,
        "CR, CR LF, a byte order mark, comments, data over several lines, no space after the colon",
        "the same answer each time",
        "finished",
        (
            Case(name="cr", behave=stream(WHOLE.replace(b"\n", b"\r"))),
            Case(name="crlf", behave=bytewise(WHOLE.replace(b"\n", b"\r\n"))),
            Case(name="bom", behave=stream(b"\xef\xbb\xbf" + WHOLE)),
            Case(name="comments", behave=stream(b": hello\n\n" + HEL, b": ping\n", b": ping\n\n", LO, DONE)),
            Case(name="lines-of-data", behave=stream(WHOLE.replace(b'"choices":', b'\ndata: "choices":'))),
            Case(name="no-space", behave=stream(WHOLE.replace(b"data: ", b"data:"))),
        ),
        ("faults/test_readers.py::test_a_reader_makes_of_it_what_a_correct_client_does",),
    ),
    Row(
        45,
        "no choices, no content, a role alone, usage alone, another choice",
        "the answer",
        "finished",
        (
            Case(
                name="odd-chunks",
                behave=stream(
                    choices(),
                    choices({"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}),
                    choices(said(None)),
                    choices(said("Hel"), said("Nobody asked", index=1)),
                    choices({"index": 0, "delta": None}),
                    chunked_json(choices=None),
                    choices(said("lo", "stop")),
                    chunked_json(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 2}),
                    DONE,
                ),
            ),
        ),
    ),
    Row(
        46,
        "words faster than anybody reads",
        "the page draws what it can, and ends with all of it",
        "finished",
        (Case(name="fast", behave=stream(*[delta("word ") * 500] * 40, delta("", '"stop"'), DONE), text="word " * 20_000),),
        ("ui/test_slow.py::test_the_end_arrives", "ui/test_slow.py::test_stop_works"),
    ),
    Row(
        47,
        "an answer that would break a renderer",
        "plain text, all of it; the page opens again",
        "finished",
        (
            Case(
                name="deep",
                behave=stream(delta("> " * 164 + "x"), delta("[a](" * 5_000, '"stop"'), DONE),
                text="> " * 164 + "x" + "[a](" * 5_000,
            ),
        ),
        (
            "ui/test_hostile.py::test_a_flood_is_rendered_in_bounded_time",
            "ui/test_hostile.py::test_what_is_too_deep_or_too_large_is_plain_text_and_complete",
        ),
    ),
    Row(
        48,
        "a tool call whose JSON never closes; 10,000 calls",
        "the call as it came; an error at the 129th",
        "tool_calls; limit",
        (
            Case(
                name="open-call",
                behave=stream(
                    calls({"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"city": "K'}}), calls(reason="tool_calls"), DONE
                ),
                text="",
                reason="tool_calls",
            ),
            Fails(
                name="many-calls",
                behave=stream(
                    *(
                        b"".join(
                            calls({"index": n, "id": f"c{n}", "function": {"name": "f", "arguments": "{}"}}) for n in range(at, at + 500)
                        )
                        for at in range(0, 10_000, 500)
                    )
                ),
                code="limit",
                says="The model called more than 128 tools in one reply.",
            ),
        ),
        ("faults/test_readers.py::test_more_calls_than_there_may_be",),
    ),
    Row(
        49,
        "HTML, JavaScript and escape sequences of terminals, in the text and in an error",
        "as text; none of it is believed",
        "as it came; in errors without control characters",
        (
            Case(name="hostile", behave=stream(choices(said(HOSTILE)), choices(said("", "stop")), DONE), text=HOSTILE),
            Fails(
                name="hostile-error",
                behave=stream(chunked_json(error={"message": HOSTILE + "\nINFO a line of ours?", "type": "bad_request"})),
                code="upstream",
                says="The server reported an error. Try again.",
                quotes="]0;title [a](javascript:alert(3)) INFO a line of ours?",
            ),
        ),
        ("ui/test_chat_page.py::test_hostile_text_stays_text", "ui/test_hostile.py::test_nothing_in_a_hostile_text_is_believed"),
    ),
)
