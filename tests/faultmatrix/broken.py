"""B. In the middle of an answer: how it ends."""

from itertools import repeat

from tests.faultmatrix.behaviours import GIANT, HEAD, HEL, freezes, slowly, stream
from tests.faultmatrix.row import Case, Fails, Row
from tests.upstream.model_server import DONE, WHOLE, chunk, delta, sends

LOST = "The connection to {name} was lost in the middle of the answer."
CUT = "The answer ended in the middle: the server closed the connection."
GAP = "No new text came for 0.5 s."


def ending(reason: str) -> bytes:
    return delta("Hel") + delta("lo", f'"{reason}"') + DONE


BROKEN = (
    Row(
        29,
        "reset after the headers",
        "as 5: nothing was said yet",
        "connection_lost, 3 tries",
        (
            Fails(
                name="reset-headers",
                behave=sends(HEAD, then="reset"),
                tries=3,
                code="connection_lost",
                says="The connection to {name} was lost before the first word of the answer.",
            ),
        ),
    ),
    Row(
        30,
        "reset or closed in the middle of a frame",
        "the text so far, \u201cThe connection to X was lost\u201d, Retry and Continue; half a frame is never shown",
        "connection_lost, 1 try",
        (
            Fails(
                name="reset-frame",
                behave=sends(HEAD + chunk(HEL) + chunk(GIANT + b"and"), then="reset"),
                code="connection_lost",
                says=LOST,
                text="Hel",
            ),
            Fails(
                name="closed-frame",
                behave=sends(HEAD + chunk(HEL) + b"400\r\n" + GIANT + b"and"),
                code="connection_lost",
                says=LOST,
                text="Hel",
            ),
        ),
    ),
    Row(
        31,
        "the stream ends without a terminator, in HTTP/1.1 and 1.0",
        "the text so far, \u201cThe answer ended in the middle\u201d; never a success",
        "truncated, 1 try",
        (
            Fails(name="no-end", behave=stream(HEL), code="truncated", says=CUT, text="Hel"),
            Fails(
                name="no-end-1.0",
                behave=sends(b"HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + HEL),
                code="truncated",
                says=CUT,
                text="Hel",
            ),
        ),
        ("faults/test_readers.py::test_a_reader_makes_of_it_what_a_correct_client_does",),
    ),
    Row(
        32,
        "silence in the middle",
        "the text so far, \u201cNo new text came for 60 s\u201d",
        "gap_timeout, 1 try",
        (Fails(name="stalls", behave=stream(HEL, then="stay"), timeouts={"gap": 0.5}, code="gap_timeout", says=GAP, text="Hel"),),
    ),
    Row(
        33,
        "a drip: a few bytes now and then; a word now and then, for ever",
        "the answer; an error where it takes longer than allowed in all",
        "finished; total_timeout",
        (
            Case(name="drip", behave=slowly((bytes([byte]) for byte in WHOLE), 0.002)),
            Fails(
                name="for-ever",
                behave=slowly(repeat(delta("word ")), 0.05),
                timeouts={"total": 2.0},
                code="total_timeout",
                says="The answer took longer than 2 s in all.",
                text=None,
            ),
        ),
    ),
    Row(
        34,
        "the server is gone without a word: its process stands still",
        "as 32",
        "gap_timeout, 1 try",
        (
            Fails(
                name="stands-still",
                at="a mill of its own",
                behave=freezes(HEL),
                timeouts={"gap": 0.5},
                code="gap_timeout",
                says=GAP,
                text="Hel",
            ),
        ),
    ),
    Row(
        35,
        "an error inside the stream, as data and as an event",
        "the text so far, and the server's words",
        "the error's own code, 1 try",
        (
            Fails(
                name="error-data",
                behave=stream(HEL, b'data: {"error":{"message":"out of memory","type":"server_error"}}\n\n'),
                code="server_error",
                says="The server failed. Try again in a moment.",
                quotes="out of memory",
                text="Hel",
            ),
            Fails(
                name="error-event",
                behave=stream(HEL, b"event: error\ndata: out of memory\n\n"),
                code="upstream",
                says="The server reported an error. Try again.",
                quotes="out of memory",
                text="Hel",
            ),
        ),
        ("upstream/test_openai_failures.py::test_errors_keep_what_was_told",),
    ),
    Row(
        36,
        "finish reasons: length, content_filter, tool_calls without a tool, a word nobody knows",
        "the text, and \u201cCut off: the limit of tokens was reached\u201d, \u201cby the provider's content filter\u201d",
        "finished, with the reason and the server's own word",
        (
            Case(name="length", behave=stream(ending("length")), reason="length", keeps={"raw_reason": "length"}),
            Case(name="filtered", behave=stream(ending("content_filter")), reason="content_filter"),
            Case(name="no-tool", behave=stream(ending("tool_calls")), keeps={"raw_reason": "tool_calls"}),
            Case(name="odd-reason", behave=stream(ending("bananas")), keeps={"raw_reason": "bananas"}),
        ),
    ),
)
