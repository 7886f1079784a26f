"""What the requests of all dialects have in common. Pure functions: nothing that was asked for is dropped in silence.

A dialect maps an option, or names it in `refuse`; tests/upstream/test_options.py holds every reader to that.
"""

from typing import Any

from services.errors import Invalid
from services.messages import Attachment, Options, Part

Object = dict[str, Any]

# How many tokens a word for effort stands for, where a dialect counts what another one names.
BUDGETS = {"none": 0, "minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576, "max": 32768}


def refuse(given: Options, dialect: str, *names: str) -> None:
    """Raises Invalid for these options, if they are given: the dialect cannot say them. And for fields of another dialect."""
    for name in names:
        if getattr(given, name) not in (None, ()):
            raise Invalid(f"{name} cannot be sent to this server: its dialect ({dialect}) has no such option.")
    if given.vendor and given.vendor.fields and given.vendor.dialect != dialect:
        fields = ", ".join(sorted(_names(given.vendor.fields)))[:200]
        raise Invalid(f"{fields}: only servers that speak {given.vendor.dialect} know this; the server of this model speaks {dialect}.")


def _names(fields: Object) -> list[str]:
    """The names of fields; of an object those of its own, as in `options.mirostat`."""
    inner = {name: list(value) if isinstance(value, dict) else [] for name, value in fields.items()}
    return [f"{name}.{each}" if each else name for name, names in inner.items() for each in names or [""]]


def vendor(given: Options) -> Object:
    """The fields of the dialect's own, checked by `refuse`."""
    return dict(given.vendor.fields) if given.vendor else {}


def hints(given: Options, dialect: str) -> Object:
    """The hints for servers of this dialect."""
    return dict(given.vendor.hints) if given.vendor and given.vendor.dialect == dialect else {}


def sampling(given: Options) -> Object:
    """As OpenAI's dialects have it, with None for what nobody asked for.

    top_k, min_p and repeat_penalty are not OpenAI's, but every server that copies its dialects has them, the last by two names.
    """
    return {
        "temperature": given.temperature,
        "top_p": given.top_p,
        "top_k": given.top_k,
        "min_p": given.min_p,
        "max_tokens": given.max_tokens,
        "stop": list(given.stop) or None,
        "seed": given.seed,
        "presence_penalty": given.presence_penalty,
        "frequency_penalty": given.frequency_penalty,
        "repeat_penalty": given.repeat_penalty,
        "repetition_penalty": given.repeat_penalty,
    }


def effort(given: Options) -> str | None:
    """The effort asked for in a word; a budget is the smallest word that stands for as many tokens."""
    if given.reasoning_effort is not None or given.reasoning_budget is None:
        return given.reasoning_effort
    return next((word for word, tokens in BUDGETS.items() if tokens >= given.reasoning_budget), "max")


def budget(given: Options) -> int | None:
    """The effort asked for in tokens. Raises Invalid for a word that stands for no number."""
    if given.reasoning_budget is not None or given.reasoning_effort is None:
        return given.reasoning_budget
    if given.reasoning_effort not in BUDGETS:
        raise Invalid(f"reasoning_effort {given.reasoning_effort[:80]!r} is none of {', '.join(BUDGETS)}.")
    return BUDGETS[given.reasoning_effort]


def part_name(part: Part) -> str:
    """`An image`, `A tool call`: the part at the beginning of a sentence that refuses it."""
    kind = part.kind if isinstance(part, Attachment) else str(part.__struct_config__.tag).replace("_", " ")
    return f"{'An' if kind[0] in 'aeiou' else 'A'} {kind}"


def without_nones(given: Object) -> Object:
    return {name: value for name, value in given.items() if value is not None}
