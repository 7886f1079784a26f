"""Recordings as a person has them: kept in the inspector, played step by step, brought as a file or a text, renamed and deleted."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving import Served
from tests.ui.axe import Axe
from tests.ui.test_chat_page import answers, expect_state, visit

BODIES = Path(__file__).parent.parent / "recordings"


@pytest.fixture
def page(headrace: Served, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert faults == []


def test_a_reply_is_kept_and_played_step_by_step(page: Page, headrace: Served, axe: Axe) -> None:
    asked = {"messages": [{"role": "user", "content": "text"}]}
    answer = httpx.post(f"{headrace.url}/chat?model=rehearsal/scenes", json=asked, trust_env=False)
    visit(page, f"{headrace.url}/inspect/{answer.headers['headrace-generation']}")
    page.get_by_role("button", name="Keep as recording").click()
    name = page.get_by_role("textbox", name="Name")
    name.fill("not a name")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_text("A recording's name is")).to_be_visible()
    axe(page)
    name.fill("by-hand")
    name.press("Enter")
    expect(page.get_by_text("Kept as by-hand.")).to_be_visible()

    visit(page, f"{headrace.url}/inspect")
    row = page.locator('[data-recording="by-hand"]')
    expect(row).to_contain_text("text")
    axe(page)
    page.get_by_role("combobox", name="Play").select_option(label="step by step")
    row.get_by_role("button", name="Play by-hand").click()
    player = page.get_by_role("group", name="Replay")
    expect(player).to_contain_text("by-hand: 0 of")
    expect(page.locator('[data-role="user"]')).to_contain_text("text")
    for number in range(1, 4):
        player.get_by_role("button", name="Next read").click()
        expect(player).to_contain_text(f"by-hand: {number} of")
    expect_state(answers(page), "streaming")
    axe(page)
    player.get_by_role("button", name="Play").click()
    expect_state(answers(page), "finished")
    expect(answers(page)).to_contain_text("The mill wheel turns")
    expect(player).to_be_hidden()


def test_a_replay_is_held_in_the_inspector(page: Page, headrace: Served) -> None:
    body = (BODIES / "anthropic" / "tool_call.sse").read_bytes()
    httpx.put(f"{headrace.url}/recordings/held", content=body, trust_env=False).raise_for_status()
    with httpx.stream(
        "POST",
        f"{headrace.url}/chat?model=rehearsal/replay:held@step",
        json={"messages": [{"role": "user", "content": "x"}]},
        trust_env=False,
    ) as answer:
        visit(page, f"{headrace.url}/inspect/{answer.headers['headrace-generation']}")
        player = page.get_by_role("group", name="Replay")
        expect(player).to_contain_text("held: 0 of")
        player.get_by_role("button", name="Next read").press("Enter")
        expect(player).to_contain_text("held: 1 of")
        expect(page.get_by_text("message_start")).not_to_have_count(0)
        player.get_by_role("button", name="Play").click()
        answer.read()
    expect(player).to_be_hidden()


def test_a_text_is_brought_with_its_dialect_guessed(page: Page, headrace: Served, axe: Axe) -> None:
    visit(page, f"{headrace.url}/inspect")
    page.get_by_role("button", name="Import…").click()
    pasted = page.get_by_role("textbox", name="Or paste it")
    pasted.fill("<img src=x onerror=alert(1)>")
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_text("Nothing in it looks like a model server's answer")).to_be_visible()
    axe(page)
    pasted.fill((BODIES / "openai_responses" / "tool_calls_parallel.sse").read_text())
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_text("Guessed: openai_responses, from “type”: “response.created”.")).to_be_visible()
    expect(page.get_by_text("It has no times")).to_be_visible()
    expect(page.get_by_text("2 tool calls.")).to_be_visible()
    axe(page)
    page.get_by_role("combobox", name="Dialect").select_option("ollama")
    expect(page.get_by_text("It fails:")).to_be_visible()
    page.get_by_role("combobox", name="Dialect").select_option("openai_responses")
    page.get_by_role("textbox", name="Name").fill("pasted")
    page.get_by_role("button", name="Keep", exact=True).click()
    row = page.locator('[data-recording="pasted"]')
    expect(row).to_contain_text("openai_responses")
    with page.expect_download() as loading:
        row.get_by_role("link", name="Download pasted").click()
    assert loading.value.suggested_filename == "pasted.headrace"

    row.get_by_role("button", name="Rename pasted").click()
    page.get_by_role("textbox", name="Name").fill("renamed")
    page.get_by_role("button", name="Rename", exact=True).click()
    renamed = page.locator('[data-recording="renamed"]')
    renamed.get_by_role("button", name="Delete renamed").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(renamed).to_have_count(0)


def test_a_har_has_several_answers(page: Page, headrace: Served, tmp_path: Path) -> None:
    def entry(folder: str) -> dict[str, object]:
        text = (BODIES / folder / "hello.sse").read_text()
        request = {"method": "POST", "url": "https://example.org/v1/x"}
        return {"request": request, "response": {"status": 200, "content": {"mimeType": "text/event-stream", "text": text}}}

    file = tmp_path / "traffic.har"
    file.write_text(json.dumps({"log": {"entries": [entry("openai_chat"), entry("gemini")]}}))
    visit(page, f"{headrace.url}/inspect")
    page.get_by_role("button", name="Import…").click()
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Choose a file").click()
    choosing.value.set_files(file)
    page.get_by_role("combobox", name="2 answers are in it").select_option("1")
    expect(page.get_by_text("Guessed: gemini")).to_be_visible()
    expect(page.get_by_role("textbox", name="Name")).to_have_value("traffic")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator('[data-recording="traffic"]')).to_contain_text("gemini")
