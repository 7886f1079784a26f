"""What the rehearsal models say: longform writes valid Markdown of an exact size, the guide has an answer that is true."""

import json
import re
import subprocess
from math import inf
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.token import Token

from services.faults import FAULTS
from services.settings import Upstream, load
from services.upstream.rehearsal import MODELS, guide
from services.upstream.rehearsal.blocks import KINDS
from services.upstream.rehearsal.longform import MIX, MOST, Order, read, write
from services.upstream.rehearsal.pieces import pieces, size
from services.upstream.rehearsal.tellers import VENDORS
from tests.serving import ROOT

PROSE = ("prose",)
HASHED = "$argon2id$v=19$m=65536,t=3,p=4$YgGZEeQIwHEYMUIO6kJX8Q$GqivjY2XQlcLDMksJpVTZzbheK+HgyzR0xTI4MxWehw"


def written(tokens: int, kinds: tuple[str, ...] = MIX, seed: int = 0) -> str:
    return "".join(write(Random(seed), Order(tokens, None, kinds)))


def parsed(markdown: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(markdown)


def fences(markdown: str) -> list[tuple[str, str]]:
    """Language and content of every code block, all of which are closed."""
    assert len(re.findall(r"^ *```", markdown, re.M)) % 2 == 0
    return [(token.info, token.content) for token in parsed(markdown) if token.type == "fence"]


def formulas(markdown: str) -> list[str]:
    assert markdown.count("$$") % 2 == 0
    assert markdown.count("{") == markdown.count("}")
    return markdown.split("$$")[1::2]


def check_code(node: str, folder: Path, language: str, code: str) -> None:
    """The syntax, by the language's own reader."""
    match language:
        case "python":
            compile(code, "fence", "exec")
        case "js":
            script = folder / "fence.mjs"
            script.write_text(code)
            done = subprocess.run([node, "--check", script], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        case "toml":
            (folder / "settings.toml").write_text(code)
            assert load([], home=folder)
        case "sh":
            done = subprocess.run(["sh", "-n"], input=code, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        case _:
            assert language == ""


# Pieces


@given(st.text())
def test_pieces_lose_nothing(said: str) -> None:
    assert "".join(pieces(said)) == said


def test_a_piece_is_what_a_tokenizer_makes_of_it() -> None:
    assert list(pieces("The headrace, 2026:\n\n    x_y")) == ["The", " head", "race", ",", " 202", "6", ":", "\n\n", "   ", " x", "_y"]


def test_pieces_of_prose_have_a_usual_length() -> None:
    text = written(5000, PROSE)
    assert 3.5 < len(text) / size(text) < 4.0


# Longform

ORDERS: list[tuple[str, Order]] = [
    ("", Order(400, None, MIX)),
    ("500 tokens", Order(500, None, MIX)),
    ("2000 tokens at 100 tokens/s", Order(2000, 100.0, MIX)),
    ("10k tokens at 300/s", Order(10_000, 300.0, MIX)),
    ("at 50 tokens per second, 1,500 tokens", Order(1500, 50.0, MIX)),
    ("fast", Order(400, inf, MIX)),
    ("2k tokens as fast as possible", Order(2000, inf, MIX)),
    ("a 700-token text at 0.5 tok/s", Order(700, 0.5, MIX)),
    ("300", Order(300, None, MIX)),
    ("30 tps", Order(400, 30.0, MIX)),
    ("only code", Order(400, None, ("code",))),
    ("7 tokens, only tables", Order(7, None, ("table",))),
    ("only lists and quotes", Order(400, None, ("list", "quote"))),
    ("500 tokens with code and LaTeX", Order(500, None, ("prose", "code", "prose", "math"))),
    ("500 tokens without code", Order(500, None, ("heading", "prose", "list", "table", "prose", "quote", "math"))),
    ("Write prose", Order(400, None, PROSE)),
    ("999999999 tokens at 0 tokens/s", Order(MOST, 0.1, MIX)),
    ("0 tokens", Order(1, None, MIX)),
    ("1" * 100_000, Order(MOST, None, MIX)),
]


@pytest.mark.parametrize(("question", "order"), ORDERS, ids=[question[:40] for question, _ in ORDERS])
def test_an_order_in_plain_words(question: str, order: Order) -> None:
    assert read(question) == order


@given(st.integers(1, 1200), st.lists(st.sampled_from(list(KINDS)), min_size=1, unique=True).map(tuple), st.integers(0, 9))
def test_exactly_as_many_tokens_as_asked(tokens: int, kinds: tuple[str, ...], seed: int) -> None:
    assert size(written(tokens, kinds, seed)) == tokens


def test_a_long_text_has_exactly_its_size_as_well() -> None:
    assert size(written(50_000)) == 50_000


BLOCKS = {
    "prose": {"paragraph_open"},
    "heading": {"heading_open"},
    "list": {"bullet_list_open", "ordered_list_open"},
    "table": {"table_open"},
    "code": {"fence"},
    "math": {"paragraph_open"},
    "quote": {"blockquote_open"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_each_kind_alone_is_that_kind_of_block(kind: str, seed: int) -> None:
    told = {token.type for token in parsed(written(700, (kind,), seed)) if token.level == 0 and token.nesting >= 0}
    assert told <= BLOCKS[kind]


@pytest.mark.parametrize("seed", range(9))
def test_the_usual_mix_has_everything(seed: int) -> None:
    text = written(400, seed=seed)
    told = {token.type for token in parsed(text)}
    assert all(told & blocks for blocks in BLOCKS.values()), told
    assert formulas(text)


def test_tables_are_rectangular() -> None:
    tokens = parsed(written(5000, ("table",)))
    rows = sum(token.type == "tr_open" for token in tokens)
    assert rows > 50
    assert sum(token.type in ("th_open", "td_open") for token in tokens) == 3 * rows
    assert all(token.content for token in tokens if token.type == "inline")


def test_code_is_code(node: str, tmp_path: Path) -> None:
    code = fences(written(8000, ("code",)))
    assert {language for language, _ in code} == {"python", "js"}
    for language in ("python", "js"):
        blocks = [text for name, text in code if name == language]
        check_code(node, tmp_path, language, "\n".join(f"{{\n{text}\n}}" for text in blocks) if language == "js" else "\n".join(blocks))


def test_math_is_math() -> None:
    told = formulas(written(3000, ("math",)))
    assert len(set(told)) > 4
    for formula in told:
        assert "<math" in convert(formula)


# The guide

QUESTIONS = """
Hello                                             | I am **not a language model**
What is this?                                     | I am **not a language model**
What can you do?                                  | I am **not a language model**
hey, are you an AI?                               | I am **not a language model**
How do I connect a real model?                    | Four that run on your own machine
How do I connect Ollama?                          | `ollama pull
hello, can I use ollama with this?                | `ollama pull
How do I connect LM Studio?                       | lms server start
How do I connect llama.cpp?                       | llama-server -m
Does it work with vLLM?                           | vllm serve
How do I use an API key?                          | api_key = "${OPENAI_API_KEY}"
How do I connect OpenAI?                          | https://api.openai.com/v1
How do I call it with curl?                       | curl -N 'http://127.0.0.1:8080/chat?model=rehearsal/guide'
How do I call the endpoint?                       | `POST /chat?model=M`
How do I stream replies from JavaScript?          | await fetch("http://127.0.0.1:8080/chat?model=rehearsal/guide"
Can I call it from a web page?                    | cors_origins
How do I call the endpoint from JavaScript?       | getReader()
How do I use EventSource?                         | new EventSource(
What happens when the connection is lost?         | Last-Event-ID
How do I use the openai SDK?                      | base_url="http://127.0.0.1:8080/v1"
How do I call it from Python?                     | from openai import OpenAI
Which formats are there?                          | `messages`
What do the events look like?                     | {"type":"delta","text":"Hel"}
What does the stream look like?                   | exactly one terminal event
Show me what you can render                       | $$
Can you do LaTeX?                                 | P = \\eta \\rho g Q h
What do the other rehearsal models do?            | `rehearsal/longform`
Which models are there?                           | `rehearsal/echo`
Which keyboard shortcuts are there?               | `Shift+Enter`
What happens when I reload or stop?               | `Esc`
What happens when I close the tab?                | the rest as it comes
Does anything leave my machine?                   | Nothing leaves this machine unless
Is my data safe?                                  | Nothing leaves this machine unless
How do I change the port?                         | HEADRACE_SERVER__PORT=9000
Ollama does not work                              | is not running
My model is not in the list                       | it appears after some seconds
How do I add people so my family can use it?      | main.py person add
How do I reach it from another machine?           | kind = "password"
How do I set a password?                          | main.py password
How do I test my client?                          | fault=reset-middle
What does the inspector show?                     | every byte of a reply
How do I record a reply?                          | `replay:NAME`
How do I use a recording as a fixture?            | docs/recordings.md
What is the capital of France?                    | I have no answer to that
                                                  | I have no answer to that
"""
CASES = [(line[:50].strip(), line[50:].removeprefix("| ")) for line in QUESTIONS.strip("\n").splitlines()]


@pytest.mark.parametrize(("question", "phrase"), CASES)
def test_a_question_gets_the_answer_that_fits(question: str, phrase: str) -> None:
    assert phrase in guide.answer(question).markdown


def test_every_topic_is_found_by_some_question() -> None:
    assert {guide.answer(question).name for question, _ in CASES} == {topic.name for topic in guide.TOPICS}


def test_what_the_default_answer_proposes_is_answered() -> None:
    proposed = [part for line in re.findall(r"^- (.+)$", guide.DEFAULT.markdown, re.M) for part in re.findall(r"[^?]+\??", line)]
    assert len(proposed) > 9
    assert all(guide.answer(question) is not guide.DEFAULT for question in proposed)


def test_case_and_punctuation_do_not_matter() -> None:
    assert guide.answer("  OLLAMA!!! ").name == guide.answer("ollama").name == "ollama"


TOPICS = pytest.mark.parametrize("topic", guide.TOPICS, ids=lambda topic: topic.name)


@TOPICS
def test_code_in_the_guide_is_code(topic: guide.Topic, node: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for vendor in ("OPENAI", "ANTHROPIC", "GEMINI"):
        monkeypatch.setenv(f"{vendor}_API_KEY", "sk-x")
    monkeypatch.setenv("LOGIN_PASSWORD", HASHED)
    for language, code in fences(topic.markdown):
        check_code(node, tmp_path, language, code)
        for said in re.findall(r"-d '(.*)'", code):
            assert json.loads(said)["messages"]


@TOPICS
def test_the_guide_is_markdown_with_sound_tables_and_formulas(topic: guide.Topic) -> None:
    tokens = parsed(topic.markdown)
    rows = sum(token.type == "tr_open" for token in tokens)
    bars = [line for line in topic.markdown.splitlines() if line.startswith("|")]
    assert len(bars) == rows + sum(token.type == "table_open" for token in tokens)
    for formula in formulas(topic.markdown):
        assert "<math" in convert(formula)


@TOPICS
def test_the_guide_speaks_of_what_there_is(topic: guide.Topic) -> None:
    models = re.findall(r"(?<!/)rehearsal/(\w+)", topic.markdown)
    assert set(models) <= set(MODELS)
    assert set(re.findall(r"/rehearsal/(\w+)", topic.markdown)) <= set(VENDORS)
    assert set(re.findall(r"fault=([\w-]+)", topic.markdown)) <= set(FAULTS)
    assert all((ROOT / page).is_file() for page in re.findall(r"docs/\w+\.md", topic.markdown))
    ours = re.findall(r"127\.0\.0\.1:8080(/\w+)", topic.markdown)
    assert set(ours) <= {"/chat", "/v1", "/models", "/ai"}


def test_the_guide_names_the_servers_that_are_listed() -> None:
    listed = {upstream.name: upstream for upstream in load([], home=ROOT).upstreams}
    table = re.findall(r"\| `(\w+)` \| `(http\S+)` \|", guide.answer("connect").markdown)
    assert {name: listed[name].base_url for name in listed} == dict(table)
    assert all(isinstance(upstream, Upstream) for upstream in listed.values())
