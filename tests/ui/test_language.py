"""The words of the page: every text is in every language, and the page speaks the one of who reads it."""

import ast
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.serving import ROOT, Served
from ui.language import CATALOGUES, JAVASCRIPT, LANGUAGES, preferred, say, say_all, say_count, say_number

SAYING = {"say": 1, "say_in": 2, "say_count": 3, "phrase": 1}  # how many of the first arguments may be texts


def calls() -> Iterator[tuple[str, ast.Call]]:
    for file in (ROOT / "ui").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYING:
                yield f"{file.name}:{node.lineno}", node


def literals() -> set[str]:
    found = set(JAVASCRIPT)
    for _, call in calls():
        assert isinstance(call.func, ast.Name)
        for argument in call.args[: SAYING[call.func.id]]:
            found |= {node.value for node in ast.walk(argument) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return found


def names(text: str) -> list[str]:
    return sorted(re.findall(r"(?<!\$)\{(\w+)\}", text))


@pytest.mark.parametrize("code", sorted(set(LANGUAGES) - {"en"}))
def test_every_text_is_in_every_language(code: str) -> None:
    catalogue = CATALOGUES[code]
    assert literals() - set(catalogue) == set(), "not translated"
    assert set(catalogue) - literals() == set(), "said nowhere"
    assert {text for text, said in catalogue.items() if names(text) != names(said) or not said.strip()} == set(), "braces differ"


def test_what_is_filled_in_is_named_and_nothing_is_written_into_the_text() -> None:
    """An f-string or a sum would be a text that no catalogue can have."""
    for place, call in calls():
        assert isinstance(call.func, ast.Name)
        for argument in call.args[: SAYING[call.func.id]]:
            assert not any(isinstance(node, ast.JoinedStr | ast.BinOp) for node in ast.walk(argument)), place
            wanted = {name for node in ast.walk(argument) if isinstance(node, ast.Constant) for name in names(str(node.value))}
            given = {keyword.arg for keyword in call.keywords} | ({"n"} if call.func.id == "say_count" else set())
            assert None in given or wanted <= given, place


def test_the_scripts_texts_are_those_that_the_page_gives_them() -> None:
    sources = [*(ROOT / "ui").rglob("*.py"), *(ROOT / "ui").rglob("*.js")]
    calls = [call for file in sources if file.name != "language.py" for call in re.findall(r"spoken\(([^()]*)\)", file.read_text())]
    used = {text for call in calls for _, text in re.findall(r"""(["'])(.+?)\1""", call)}
    assert used == set(JAVASCRIPT)


def test_where_no_page_is_it_is_english() -> None:
    assert say("Copy") == "Copy"
    assert say("{name} will answer", name="{names} {0.__class__}") == "{names} {0.__class__} will answer"
    assert say("{gone} stays") == "{gone} stays"
    assert [say_count(n, "{n} token", "{n} tokens") for n in (0, 1, 2000)] == ["0 tokens", "1 token", "2,000 tokens"]
    assert say_number(1234.56, 1) == "1,234.6"
    assert say_all(["One.", "Two."]) == "One. Two."


ACCEPTED = [
    ("de-AT,de;q=0.9,en;q=0.8", "de"),
    ("en-GB,de;q=0.9", "en"),
    ("pt-BR, fr;q=0.5, ja;q=0.7", "ja"),
    ("de;q=0, zh-Hans-CN;q=0.1", "zh"),
    ("*, xx;q=high, {}", None),
    ("", None),
]


@pytest.mark.parametrize(("header", "code"), ACCEPTED)
def test_the_browsers_languages_are_read_by_their_weights(header: str, code: str | None) -> None:
    assert preferred(header) == code


def test_the_page_speaks_the_browsers_language(headrace: Served, browser: Browser) -> None:
    context = browser.new_context(locale="ja-JP")
    page = context.new_page()
    page.goto(headrace.url)
    expect(page.get_by_role("textbox", name="メッセージ")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    context.close()
