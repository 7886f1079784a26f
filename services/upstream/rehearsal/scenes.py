"""The model that plays one scene of a model server's life, for trying out clients: the last message of the user names it.

The history decides one thing only: once tools have answered, `tools` quotes them, so that a whole loop of an SDK can run.
"""

from collections.abc import Callable, Iterator
from itertools import chain, repeat

from services.upstream.rehearsal.script import Delta, End, Fault, Question, Script, call, say, think

QUOTED = 200  # characters of a tool's answer that are repeated
MOST_QUOTED = 8
SLOW = 10.0  # tokens per second
PATIENCE = 1  # seconds that the server asks for when it refuses
CALLS = 200  # more than servers allow tools
ROUNDS = 200  # of the slow scene: about three minutes

ANSWER = "The mill wheel turns as long as water flows over it. “Köln” and 水車 are in here, and a 👋, so that encodings show."
THOUGHTS = "The user wants to see reasoning. So I think for a moment, and then answer."
PLAN = "Weather and time are two different tools, and neither needs the other: both at once."
OVERLOADED = "The model is overloaded. Please try again later."
LIMITED = "Rate limit reached: this scene refuses every request. Please try again in 1 s."
SEPARATED = (
    "Lines end at LF only. Not at these:"
    + "".join(f" {ord(mark):04X} {mark}," for mark in "\v\f\x1c\x1d\x1e\x85\u2028\u2029")
    + " so this is one line."
)
SLOWLY = " One drop after the other falls into the pond."


def play(question: Question) -> Script | Fault:
    scene = SCENES.get(question.text.strip().lower())
    return scene(question) if scene else Script(say(f"I play scenes. Name one of them: {', '.join(SCENES)}."))


def _text(question: Question) -> Script:
    return Script(say(ANSWER))


def _reasoning(question: Question) -> Script:
    return Script(chain(think(THOUGHTS), say(ANSWER)))


def _tools(question: Question) -> Script:
    if question.results:
        quotes = " and ".join(map(_quoted, question.results[:MOST_QUOTED]))
        return Script(say(f"The tools have answered: {quotes}."))
    return Script(chain(think(PLAN), say("I ask both tools at once."), _calls(question)), end="tool_calls")


def _calls(question: Question) -> Iterator[Delta]:
    random = question.random
    yield from call(f"{random.getrandbits(96):024x}", "get_weather", '{"city":"Köln"}')
    yield from call(f"{random.getrandbits(96):024x}", "get_time", '{"zone":"Europe/Berlin"}')


def _many_calls(question: Question) -> Iterator[Delta]:
    random = question.random
    for number in range(CALLS):
        yield from call(f"{random.getrandbits(96):024x}", "get_weather", f'{{"city":"Köln {number}"}}')


def _quoted(result: str) -> str:
    line = " ".join(result.split())
    return f"“{line}”" if len(line) <= QUOTED else f"“{line[:QUOTED]}…”"


def _ends(text: str, end: End) -> Callable[[Question], Script]:
    return lambda question: Script(say(text), end=end)


def _slow(question: Question) -> Script:
    return Script(chain.from_iterable(map(say, repeat(SLOWLY, ROUNDS))), pause=1, speed=SLOW)


SCENES: dict[str, Callable[[Question], Script | Fault]] = {
    "text": _text,
    "reasoning": _reasoning,
    "tools": _tools,
    "length": _ends("This answer ends in the middle of a", "length"),
    "error": _ends("A few words, and then", Fault(503, OVERLOADED)),
    "cut": _ends("A few words, and then", "cut"),
    "refused": lambda question: Fault(429, LIMITED, "rate_limit_exceeded", PATIENCE),
    "overloaded": lambda question: Fault(503, OVERLOADED),
    "slow": _slow,
    "calls": lambda question: Script(_many_calls(question), end="tool_calls"),
    "separators": lambda question: Script(say(SEPARATED)),
}
