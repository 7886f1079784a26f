"""What a dialect cannot carry, and what becomes of it. Nothing else may be missing from what a client shows.

Each loss is a function of the story: the matrix applies it to know what to expect, and docs/dialects.md prints its sentence.
"""

from collections.abc import Callable
from typing import NamedTuple

from tests.matrix.story import Counts, Failure, Told

Change = Callable[[Told], Told]


class Loss(NamedTuple):
    dialect: str
    what: str
    becomes: str
    change: Change


def _counts(change: Callable[[Counts], Counts]) -> Change:
    return lambda told: told._replace(counts=change(told.counts)) if told.counts else told


def _without_reasoning(told: Told) -> Told:
    return told._replace(reasoning="")


def _without_calls(told: Told) -> Told:
    return _without_end(told)._replace(calls=(), ids=0, answer=None)


def _without_end(told: Told) -> Told:
    return told._replace(reason="stop" if told.reason == "tool_calls" else told.reason)


def _without_ids(told: Told) -> Told:
    return told._replace(ids=0)


def _without_status(told: Told) -> Told:
    return told._replace(failure=told.failure._replace(status=None)) if told.failure else told


def _server_status_only(told: Told) -> Told:
    return _without_status(told) if told.failure and told.failure.code == "invalid" else told


def _refused(dialect: str) -> Change:
    sentence = f"tools cannot be sent to this server: its dialect ({dialect}) has no such option."
    return lambda told: Told(failure=Failure("invalid", sentence, 422)) if told.calls else told


def _without_word(told: Told) -> Told:
    """Ollama's errors are a sentence, without a status or a type."""
    if not told.failure or told.failure.code != "server_error":
        return told
    failure = told.failure._replace(code="upstream", sentence="The server reported an error. Try again.")
    return told._replace(failure=failure)


_no_total = _counts(lambda counts: counts._replace(total=None))
_no_reasoning_count = _counts(lambda counts: counts._replace(reasoning=None))
_sums_up = _counts(lambda counts: counts._replace(total=counts.total or (counts.input or 0) + (counts.output or 0)))
_zero = _counts(lambda counts: counts._replace(reasoning=counts.reasoning or 0))


@_counts
def _thoughts_apart(counts: Counts) -> Counts:
    thought = counts.reasoning or 0
    return counts._replace(output=(counts.output or 0) - thought, reasoning=thought or None)


@_counts
def _thoughts_added(counts: Counts) -> Counts:
    given, said, thought = counts.input or 0, counts.output or 0, counts.reasoning or 0
    return counts._replace(output=said + thought) if counts.total == given + said + thought else counts


_no_zero = _counts(lambda counts: counts._replace(reasoning=counts.reasoning or None))


NO_SUM = Loss("", "the sum of the tokens", "not told, and not made up", _no_total)
NO_THOUGHT_COUNT = Loss("", "how many tokens were reasoning", "they are among the output, and not told apart", _no_reasoning_count)

UPSTREAMS: tuple[Loss, ...] = (
    Loss("openai_completions", "reasoning", "such a server keeps it to itself; its tokens are counted", _without_reasoning),
    Loss("openai_completions", "tools", "a turn that offers any is refused by name", _refused("openai_completions")),
    Loss("gemini", "tokens of reasoning among the output", "they are counted apart, as Google does it", _thoughts_apart),
    NO_THOUGHT_COUNT._replace(dialect="anthropic", becomes="among the output; told apart only by those servers that tell it"),
    NO_SUM._replace(dialect="anthropic"),
    NO_THOUGHT_COUNT._replace(dialect="ollama"),
    NO_SUM._replace(dialect="ollama"),
    Loss("ollama", "the kind of an error in the middle", "it is `upstream`, with the server's own words", _without_word),
    Loss("ollama_generate", "tools", "a turn that offers any is refused by name", _refused("ollama_generate")),
    NO_THOUGHT_COUNT._replace(dialect="ollama_generate"),
    NO_SUM._replace(dialect="ollama_generate"),
    Loss("ollama_generate", "the kind of an error in the middle", "as in `ollama`", _without_word),
)

APART = Loss("", "that a server counts reasoning apart", "added to the output, where the server's own sum shows it", _thoughts_added)
ENDS = Loss("", "that an answer ended with tool calls", "", _without_end)
ADDED = Loss("", "a sum that nobody told", "input and output, added", _sums_up)
NO_MORE_COUNTS = Loss("", "how many tokens were reasoning, and the sum", "not told", lambda told: _no_total(_no_reasoning_count(told)))
NO_TOOLS = Loss("", "tool calls", "not told, and the answer ends with `stop`; tools cannot be offered", _without_calls)

CLIENTS: tuple[Loss, ...] = (
    Loss(
        "events",
        "a refusal before the first byte",
        "the stream has begun before the server is asked: `failed` has the server's status in it",
        _server_status_only,
    ),
    APART._replace(dialect="openai_chat"),
    ADDED._replace(dialect="openai_chat"),
    Loss("openai_completions", "reasoning", "not told; its tokens are counted", _without_reasoning),
    NO_TOOLS._replace(dialect="openai_completions"),
    APART._replace(dialect="openai_completions"),
    ADDED._replace(dialect="openai_completions"),
    ENDS._replace(dialect="openai_responses", becomes="`completed`, as at OpenAI; the calls are there"),
    APART._replace(dialect="openai_responses"),
    ADDED._replace(dialect="openai_responses"),
    Loss("openai_responses", "a count of reasoning that nobody told", "0, as the SDKs want an integer", _zero),
    APART._replace(dialect="anthropic"),
    Loss("anthropic", "the sum of the tokens", "not told", _no_total),
    Loss("anthropic", "that no token was reasoning", "not told", _no_zero),
    ENDS._replace(dialect="ollama_chat", becomes="`stop`, as at Ollama; the calls are there"),
    Loss("ollama_chat", "ids of tool calls", "Ollama's SDKs drop them; results are matched by name and order", _without_ids),
    APART._replace(dialect="ollama_chat"),
    NO_MORE_COUNTS._replace(dialect="ollama_chat"),
    NO_TOOLS._replace(dialect="ollama_generate"),
    APART._replace(dialect="ollama_generate"),
    NO_MORE_COUNTS._replace(dialect="ollama_generate"),
    APART._replace(dialect="ai_sdk"),
    Loss("ai_sdk", "the status of a refusal", "HTTP has it; the SDK shows the sentence alone", _without_status),
)


def told(story: Told, upstream: str, surface: str, *, offers_tools: bool) -> Told:
    """What is left of a story on its way. A client that cannot offer tools has none refused, and is told of none."""
    if not offers_tools:
        story = _without_calls(story)
    return left(left(story, UPSTREAMS, upstream), CLIENTS, surface)


def left(story: Told, losses: tuple[Loss, ...], dialect: str) -> Told:
    for loss in losses:
        if loss.dialect == dialect:
            story = loss.change(story)
    return story
