"""Faults on demand: what servers and the networks in front of them do to an answer, done on purpose. Sans-IO, no asyncio.

    chosen = choose("crlf, stall-middle=30")       what a request asks for, or Invalid
    chain = chosen.chain(family, now)              for one answer
    chain.feed(action) -> actions                  Asked, Head, Write, Wait, End: actions.py

A fault is a line in FAULTS; its stage is in the file of what it concerns, and takes and gives actions. The order of the table is the
order in which they are applied, whatever order they are named in: what is told, how it is framed, when it breaks, in which bytes.

    answers.py     in the place of the server      points.py     pauses and broken connections
    stories.py     what the stream tells           codings.py    bytes, writes, pace
    framings.py    how frames are written          shapes.py     the errors of each vendor
    choosing.py    which ones a request asks for
"""

from services.faults import answers, codings, framings, points, shapes, stories
from services.faults.actions import End, Wait
from services.faults.fault import STREAMS, Fault, Outcome, Parameter

EVENTS = STREAMS[:1]
FOR_EVER = Parameter("10", "seconds", 0, 3600)
THEN = ", and then the response ends"
RETRY = Parameter("", "seconds in Retry-After", 0, 86_400, ("date", "ms", "soon"))


OUTCOMES: dict[points.Moment, Outcome] = {"first-byte": "before", "headers": "before", "middle": "after", "end": "same"}


def _refused(status: int, does: str) -> Fault:
    takes = RETRY if status in (429, 503, 529) else None
    wait = "; the header Retry-After as the parameter says: seconds, a date, retry-after-ms, or a word that means nothing" if takes else ""
    return Fault(
        f"http-{status}",
        f"{does}, in the dialect's shape{wait}",
        ("before",),
        lambda given: answers.refused(status, given.family, given.value, given.now),
        takes=takes,
        note="it may ask again, after the time it was told" if takes else "it may ask again" if status >= 500 else "it does not ask again",
    )


def _stall(moment: points.Moment) -> Fault:
    waits, ends = "it waits, or gives up at a limit of its own with an error", "it does not wait for the end of the response"
    return Fault(
        f"stall-{moment}",
        f"nothing comes for so many seconds, {points.WORDS[moment]}",
        ("same",),
        lambda given: points.at(moment, Wait(given.number)),
        takes=FOR_EVER,
        note=ends if moment == "end" else waits,
    )


def _broken(name: str, moment: points.Moment, how: End, does: str) -> Fault:
    note = "it may ask again" if OUTCOMES[moment] == "before" else ""
    return Fault(name, f"{does} {points.WORDS[moment]}", (OUTCOMES[moment],), lambda given: points.at(moment, how), note=note)


def _error(name: str, family: str, does: str) -> Fault:
    return Fault(name, f"in the middle {does}{THEN}", ("after",), lambda given: stories.error_frame(family or given.family), STREAMS)


_FRAMES: tuple[Fault, ...] = (
    # In the place of the server
    _refused(401, "the key is refused"),
    _refused(403, "not allowed"),
    _refused(404, "no such model"),
    _refused(413, "the request is too large"),
    _refused(429, "too many requests"),
    _refused(500, "the server failed"),
    Fault("http-502", "a proxy's page: Bad Gateway, in HTML", ("before",), lambda given: answers.gateway(502), note="it shows no HTML"),
    _refused(503, "the server is busy"),
    _refused(529, "overloaded, as Anthropic says it"),
    Fault("html-200", "status 200 and a page to log in", ("before",), lambda given: answers.login()),
    Fault(
        "json-error-200",
        "status 200 and a JSON error in the dialect's shape",
        ("before",),
        lambda given: answers.error_with_200(given.family),
    ),
    # What is told
    Fault(
        "no-terminator",
        "nothing that says how the answer ends: no finish reason, no last event",
        ("after",),
        lambda given: stories.without_end(),
        STREAMS,
    ),
    Fault("no-done", "no `[DONE]`; the finish reason is there", ("same",), lambda given: stories.without_done(), EVENTS),
    Fault("terminator-twice", "all that says how the answer ends, twice", ("same",), lambda given: stories.end_twice(), STREAMS),
    Fault("garbage-after", "bytes that are no frames, after the end", ("same",), lambda given: stories.garbage_after(), STREAMS),
    Fault(
        "text-after",
        "the last piece of text three times more, after the last frame; not in Gemini's, which has none: what comes there is answer still",
        ("same",),
        lambda given: stories.text_after(),
        STREAMS,
    ),
    _error("error-frame", "", "an error in the dialect's own shape"),
    *(_error(f"error-{family}", family, f"an error in the shape of {vendor}") for family, vendor in shapes.VENDORS.items()),
    _error("error-words", "words", "a sentence that is no JSON"),
    Fault(
        "error-event",
        f"in the middle a sentence that is no JSON, as `event: error`{THEN}",
        ("after",),
        lambda given: stories.error_event(),
        EVENTS,
    ),
    Fault(
        "endless",
        "instead of the end the last piece of text again and again, so many MB, then a reset",
        ("after",),
        lambda given: stories.endless(given.number),
        STREAMS,
        Parameter("64", "MB", 0, 1024),
        "it has a limit",
    ),
    Fault(
        "giant-line",
        "in the middle one frame with so many MB of white space in its JSON",
        ("same", "after"),
        lambda given: stories.giant(given.number),
        STREAMS,
        Parameter("8", "MB", 0, 64),
        "it has a limit for a line",
    ),
    Fault(
        "surrogates",
        "of every character of four bytes one half only, escaped",
        ("same",),
        lambda given: stories.half_characters(),
        STREAMS,
        note="U+FFFD in the place of the halves; no crash",
    ),
    Fault(
        "raw-separators",
        "U+2028, U+2029 and U+0085 as they are, not escaped: ask for the scene `separators`",
        ("same",),
        lambda given: stories.raw_separators(),
        STREAMS,
    ),
    # How frames are written
    Fault("comments", "comments between events and inside of them", ("same",), lambda given: framings.comments(), EVENTS),
    Fault("blank-lines", "blank lines between frames", ("same",), lambda given: framings.blank_lines(), STREAMS),
    Fault("empty-data", "events with empty data", ("same",), lambda given: framings.empty_data(), EVENTS),
    Fault("ids", "an id in every event", ("same",), lambda given: framings.ids(lambda place: place), EVENTS),
    Fault("ids-repeated", "the same id in every event", ("same",), lambda given: framings.ids(lambda place: 7), EVENTS),
    Fault("ids-reordered", "ids that go down", ("same",), lambda given: framings.ids(lambda place: 1_000_000 - place), EVENTS),
    Fault(
        "multi-line-data",
        "JSON laid out over several `data:` lines of one event",
        ("same",),
        lambda given: framings.lines_of_data(),
        EVENTS,
    ),
    Fault("no-space", "no space after the colon", ("same",), lambda given: framings.without_space(), EVENTS),
    Fault(
        "no-last-blank-line",
        "the line end that closes the last frame is missing",
        ("same", "after"),
        lambda given: framings.without_last_line_end(),
        STREAMS,
    ),
    # When it breaks
    *map(_stall, points.MOMENTS),
    *(_broken(f"reset-{moment}", moment, End("reset"), "the connection is reset (RST)") for moment in points.MOMENTS),
    *(
        _broken(f"cut-{moment}", moment, End("unfinished"), "the connection is closed, without the last chunk,")
        for moment in points.MOMENTS
    ),
    *(_broken(f"end-{moment}", moment, End(), "the response ends as if it were whole,") for moment in points.MOMENTS[1:3]),
    _broken("half-close", "middle", End("half"), "the server sends FIN and leaves the other direction open,"),
)

_BYTES: tuple[Fault, ...] = (
    Fault("bom", "a byte order mark at the start", ("same",), lambda given: codings.bom(), STREAMS),
    Fault("crlf", "lines end with CR LF", ("same",), lambda given: codings.line_ends(b"\r\n"), STREAMS),
    Fault("cr", "lines end with CR", ("same",), lambda given: codings.line_ends(b"\r"), EVENTS),
    Fault("mixed-line-ends", "LF, CR LF and CR in turn", ("same",), lambda given: codings.mixed_line_ends(), EVENTS),
    Fault(
        "gzip",
        "compressed, though nobody asked for it",
        ("same", "before"),
        lambda given: codings.gzipped(),
        note="with `Accept-Encoding: identity` an error is right",
    ),
    Fault(
        "split-bytes",
        "every write has so many bytes",
        ("same",),
        lambda given: codings.cut_every(int(given.number)),
        takes=Parameter("1", "bytes", 1, 65_536),
    ),
    Fault(
        "split-utf8",
        "every write ends within a character, where there is one of several bytes",
        ("same",),
        lambda given: codings.cut_in_characters(),
    ),
    Fault("split-crlf", "lines end with CR LF, in two writes", ("same",), lambda given: codings.cut_in_line_ends(), STREAMS),
    Fault("split-names", "writes end within the names of fields", ("same",), lambda given: codings.cut_in_names(), EVENTS),
    Fault(
        "drip",
        "so many bytes a second, a few at a time",
        ("same",),
        lambda given: codings.drip(given.number),
        takes=Parameter("1000", "bytes a second", 1, 1_000_000),
        note="it shows what is there",
    ),
    Fault("burst", "everything at once at the end, as a buffering proxy has it", ("same",), lambda given: codings.burst()),
)

FAULTS: dict[str, Fault] = {fault.name: fault for fault in (*_FRAMES, *_BYTES)}
BYTEWISE = frozenset(fault.name for fault in _BYTES)  # after these nobody finds a frame any more

__all__ = ["BYTEWISE", "FAULTS", "Fault"]
