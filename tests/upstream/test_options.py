"""Nothing that a client asks for is dropped in silence: every option changes the request, or is refused by name."""

import msgspec
import pytest

from services.errors import Invalid
from services.messages import JSONFormat, Message, Options, Text, Tool, Turn, Vendor
from services.upstream import READERS

SCHEMA: dict[str, object] = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = Tool("weather", "tells the weather", SCHEMA)

ASKED: dict[str, Options] = {
    "temperature": Options(temperature=0.3),
    "top_p": Options(top_p=0.7),
    "top_k": Options(top_k=17),
    "min_p": Options(min_p=0.07),
    "max_tokens": Options(max_tokens=77),
    "stop": Options(stop=("halt",)),
    "seed": Options(seed=4711),
    "presence_penalty": Options(presence_penalty=0.4),
    "frequency_penalty": Options(frequency_penalty=0.6),
    "repeat_penalty": Options(repeat_penalty=1.2),
    "reasoning_effort": Options(reasoning_effort="high"),
    "reasoning_budget": Options(reasoning_budget=2000),
    "tools": Options(tools=(TOOL,)),
    "tool_choice": Options(tools=(TOOL,), tool_choice="function:weather"),
    "parallel_tool_calls": Options(tools=(TOOL,), parallel_tool_calls=False),
    "format": Options(format=JSONFormat(SCHEMA, "place")),
    "vendor": Options(vendor=Vendor("nobody's", {"mirostat": 2})),
}


def test_every_option_is_asked_for() -> None:
    assert set(ASKED) == set(Options.__struct_fields__)


@pytest.mark.parametrize("dialect", READERS)
@pytest.mark.parametrize("name", ASKED)
def test_an_option_changes_the_request_or_is_refused_by_name(dialect: str, name: str) -> None:
    asked = ASKED[name]
    least = Options(tools=asked.tools) if name != "tools" else Options()
    try:
        body = _body(dialect, asked)
    except Invalid as exc:
        told = exc.message
    else:
        told = name if body != _body(dialect, least) else "nothing"
    assert ("mirostat" if name == "vendor" else name) in told


def _body(dialect: str, options: Options) -> object:
    turn = Turn("m", (Message("user", (Text("Hello"),)),), options)
    try:
        return msgspec.json.decode(READERS[dialect]().request(turn).body)
    except Invalid:
        if options.tools and options == Options(tools=options.tools):
            return None  # a dialect without tools at all
        raise
