"""What somebody brings, as recordings: a file of ours, a body as it was saved, or a HAR. Pure functions.

find(body) -> [Found]     one for each answer in it; raises Invalid when there is none
"""

from services.errors import Invalid
from services.recordings import har
from services.recordings.bodies import GAP, Found, recorded, untimed
from services.recordings.file import decode, is_ours
from services.recordings.guess import Guess, framed, guess
from services.recordings.recording import End

EXPECTED = "expected server-sent events (data: ...), lines of JSON, a JSON answer, a HAR, or a recording of Headrace"
UNTIMED = f"It has no times: each frame is given {GAP:g} ms."
UNTOLD = "Nothing in it tells its dialect: choose one."


def find(body: bytes, *, now: str = "") -> list[Found]:
    """`now` is when it was brought, ISO 8601, for what does not say when it was recorded."""
    if is_ours(body):
        recording = decode(body)
        return [Found(recording, Guess(recording.dialect, "", framed(recording.body)))]
    if (log := har.read(body)) is not None:
        return har.find(log)
    guessed = guess(body)
    if guessed.framing == "unknown":
        raise Invalid(f"Nothing in it looks like a model server's answer: {EXPECTED}.")
    reads = untimed(body, guessed.framing)
    notes = ((UNTIMED,) if guessed.framing != "whole" else ()) + (() if guessed.dialect else (UNTOLD,))
    return [Found(recorded(guessed, reads, End(reads[-1].at), moment=now, timed=False), guessed, "", notes)]
