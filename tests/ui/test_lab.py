"""The lab as a person uses it: a client is checked, in this very browser or by hand, and the score card tells."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving import Served
from tests.ui.axe import Axe


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []


def begin(url: str, dialect: str, *only: str) -> str:
    asked = {"dialect": dialect, "client": "<b>mine</b>", "only": only}
    return str(httpx.post(f"{url}/lab/runs", json=asked, trust_env=False).json()["id"])


def verdict(page: Page, case: str, word: str) -> None:
    expect(page.locator(f'tr[data-case="{case}"] b')).to_have_text(word)


def test_a_client_is_checked_by_hand(headrace: Served, page: Page, axe: Axe) -> None:
    page.goto(headrace.url)
    page.get_by_role("link", name="Lab").click()
    page.get_by_role("link", name="How it works").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The lab")
    page.go_back()
    page.get_by_label("Dialect").select_option(label="Anthropic Messages")
    page.get_by_label("What to call it").fill("my <i>app</i>")
    page.get_by_role("button", name="Begin").click()
    card = page.get_by_role("region", name="Score card")
    expect(card.get_by_role("heading", level=2)).to_contain_text("my <i>app</i>")
    expect(card.get_by_role("status")).to_have_text("0 of 63 correct · not run: 63")
    card.get_by_role("button", name="crlf", exact=True).click()
    base = page.url.replace("/lab?run=", "/lab/case/") + "/crlf"
    expect(card.locator("pre").first).to_have_text(base)
    expect(card.locator("pre").nth(1)).to_contain_text(f'Anthropic(base_url="{base}"')
    axe(page)
    card.get_by_role("button", name="crlf: passed", exact=True).click()
    verdict(page, "crlf", "passed, you say")
    card.get_by_role("button", name="cut-middle: failed", exact=True).click()
    expect(card.get_by_role("status")).to_have_text("1 of 63 correct · failed, you say: 1 · not run: 61")
    card.get_by_role("combobox", name="Show").select_option(label="Not correct")
    expect(card.locator("tr[data-case]")).to_have_count(2)  # with the one that is open
    page.reload()
    verdict(page, "crlf", "passed, you say")
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.emulate_media(color_scheme="dark")
    axe(page)


def test_what_a_program_reports_is_seen_at_once(headrace: Served, page: Page) -> None:
    run = begin(headrace.url, "openai_chat", "none", "http-500")
    page.goto(f"{headrace.url}/lab?run={run}")
    expect(page.get_by_role("status").filter(has_text="correct")).to_have_text("0 of 2 correct · not run: 2")
    httpx.post(f"{headrace.url}/lab/runs/{run}/http-500", json={"text": "<script>window.hit=1</script>", "error": None}, trust_env=False)
    verdict(page, "http-500", "wrong text")
    page.get_by_role("button", name="http-500", exact=True).click()
    expect(page.locator("pre").last).to_have_text("<script>window.hit=1</script>")
    assert page.evaluate("window.hit") is None


@pytest.mark.parametrize(("dialect", "client"), [("headrace", "fetch"), ("event_source", "EventSource")])
def test_what_every_browser_has_is_checked_here(headrace: Served, page: Page, dialect: str, client: str) -> None:
    run = begin(headrace.url, dialect, "none", "crlf", "end-middle", "http-500", "no-terminator")
    page.goto(f"{headrace.url}/lab?run={run}")
    page.get_by_role("button", name=f"Run {client} in this browser").click()
    expect(page.get_by_role("status").filter(has_text="correct")).to_have_text("5 of 5 correct", timeout=30_000)
    again = page.locator('tr[data-case="end-middle"]').get_by_text("It asked 2 times.")
    expect(again).to_have_count(1 if client == "EventSource" else 0)


def test_a_check_that_is_gone(headrace: Served, page: Page) -> None:
    page.goto(f"{headrace.url}/lab?run=nothing")
    expect(page.get_by_role("alert").filter(has_text="There is no check 'nothing'")).to_be_visible()
