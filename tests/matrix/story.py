"""What is told: the scenes of the rehearsal as values, in words that belong to no dialect."""

from typing import Any, NamedTuple

from services.upstream.rehearsal.pieces import size
from services.upstream.rehearsal.scenes import ANSWER, PLAN, SLOWLY, THOUGHTS

FEW = "A few words, and then"
ASKS = "I ask both tools at once."
HALF = "This answer ends in the middle of a"
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (("get_weather", {"city": "Köln"}), ("get_time", {"zone": "Europe/Berlin"}))
ARGUMENTS = ('{"city":"Köln"}', '{"zone":"Europe/Berlin"}')
RESULTS = {"get_weather": "12 °C", "get_time": "14:05"}
QUOTED = "The tools have answered: “12 °C” and “14:05”."
SLOW = SLOWLY * 3  # more than anybody reads before he stops


class Counts(NamedTuple):
    """Tokens. None: nobody said. `output` includes `reasoning`, as it does at OpenAI."""

    input: int | None
    output: int | None
    reasoning: int | None
    total: int | None


class Failure(NamedTuple):
    """`status` is None where the answer had begun; `code` is Headrace's own word."""

    code: str
    sentence: str
    status: int | None = None


class Told(NamedTuple):
    """`ids` is how many different ids the calls have, `answer` the second turn's text, after the results of the tools.

    Counts of a reply that failed are not compared.
    """

    text: str = ""
    reasoning: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    ids: int = 0
    reason: str | None = None
    counts: Counts | None = None
    answer: str | None = None
    failure: Failure | None = None


def _told(question: str, text: str, reason: str, reasoning: str = "", calls: bool = False) -> Told:
    thought = size(reasoning)
    output = thought + size(text) + (sum(1 + size(arguments) for arguments in ARGUMENTS) if calls else 0)
    counts = Counts(size(question), output, thought, size(question) + output)
    if calls:
        return Told(text, reasoning, CALLS, len(CALLS), reason, counts, QUOTED)
    return Told(text, reasoning, reason=reason, counts=counts)


TRUNCATED = Failure("truncated", "The answer ended in the middle: the server closed the connection.")
FAILED = Failure("server_error", "The server failed. Try again in a moment.")
LIMITED = Failure("rate_limited", "The server takes no more requests for now. Try again in 1 s.", 429)

STREAMED: dict[str, Told] = {
    "text": _told("text", ANSWER, "stop"),
    "reasoning": _told("reasoning", ANSWER, "stop", THOUGHTS),
    "tools": _told("tools", ASKS, "tool_calls", PLAN, calls=True),
    "length": _told("length", HALF, "length"),
    "error": Told(FEW, failure=FAILED),
    "cut": Told(FEW, failure=TRUNCATED),
    "refused": Told(failure=LIMITED),
    "slow": Told(SLOW),
}
BAD_GATEWAY = 502
# The same without streaming: what fails is an error with a status, and shows nothing of what was said before.
WHOLE: dict[str, Told] = {
    f"whole {scene}": Told(failure=told.failure._replace(status=told.failure.status or BAD_GATEWAY)) if told.failure else told
    for scene, told in STREAMED.items()
    if scene != "slow"
}
SCENES = STREAMED | WHOLE
