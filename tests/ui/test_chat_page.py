"""The chat page as a person uses it: a real server, a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.serving import QUIET, Served, served
from tests.ui.picking import choose

LONG = "20000 tokens at 100 tokens/s, only prose"  # always stopped, however long it takes to get there


@pytest.fixture
def page(headrace: Served, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    visit(page, headrace.url)
    yield page
    context.close()
    assert faults == []


def visit(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_function("window.did_handshake === true")


# Only letters: what Markdown and its rendering have in common.
WHOLE = """async (answer) => {
    const told = await (await fetch(`/chat/${answer.dataset.generation}`)).json();
    const letters = (text) => text.replace(/[^A-Za-z]/g, "");
    const shown = [...answer.querySelectorAll(".hr-prose")].at(-1)?.textContent ?? "";
    return told.text && letters(shown).endsWith(letters(told.text));
}"""
STILL = """async (scroll) => {
    const frames = async (n) => { while (n--) await new Promise(requestAnimationFrame); };
    let last;
    do { last = scroll.scrollTop; await frames(10); } while (scroll.scrollTop !== last);
    return last;
}"""
WATCH_FOR_OPEN_DETAILS = """() => {
    const look = () => { window.sawOpenDetails ||= !!document.querySelector('[data-role="assistant"] details[open]'); };
    new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


def ask(page: Page, text: str) -> Locator:
    """Type and send; the newest answer."""
    message = page.get_by_role("textbox", name="Message")
    message.fill(text)
    message.press("Enter")
    expect(message).to_have_value("")
    return answers(page).last


def new_chat(page: Page) -> None:
    """From a conversation in which something was said, which shows no welcome: the page that does is the new one."""
    page.get_by_role("button", name="New chat").click()
    expect(page.get_by_role("heading", name="What shall we talk about?")).to_be_visible()
    page.wait_for_function("window.did_handshake === true")


def answers(page: Page) -> Locator:
    return page.locator('[data-role="assistant"]')


def expect_state(answer: Locator, state: str, timeout: int = 20_000) -> None:
    expect(answer).to_have_attribute("data-state", state, timeout=timeout)


def expect_bodies(page: Page, texts: list[str]) -> None:
    """The texts of questions and answers, in turn."""
    expect(page.locator(".hr-bubble, .hr-body")).to_have_text(texts)


def words(answer: Locator) -> str:
    """What is there of it, also what content-visibility leaves undrawn."""
    return answer.locator(".hr-prose").last.text_content() or ""


def whole(answer: Locator) -> str:
    """The words of an answer that has ended. The last of them are drawn after its state: as soon as they are those that its server has."""
    answer.page.wait_for_function(WHOLE, arg=answer.element_handle())
    return words(answer)


def expect_words(answer: Locator, text: str) -> None:
    shown = "([prose, text]) => prose.textContent === text"
    answer.page.wait_for_function(shown, arg=[answer.locator(".hr-prose").last.element_handle(), text])


def wait_until_longer(page: Page, answer: Locator, than: int) -> None:
    handle = answer.locator(".hr-prose").last.element_handle()
    page.wait_for_function("([element, than]) => element.textContent.length > than", arg=[handle, than])


def test_the_first_page_says_who_answers_and_what_to_try(page: Page) -> None:
    expect(page.get_by_role("heading", name="What shall we talk about?")).to_be_visible()
    expect(page.get_by_text("rehearsal/guide will answer")).to_be_visible()
    expect(page.get_by_text("No model server is running")).to_be_visible()
    suggestion = page.get_by_role("button", name="How do I connect Ollama?")
    there = suggestion.element_handle()
    for model in ("echo", "guide"):
        choose(page, model)
        expect(page.get_by_text(f"rehearsal/{model} will answer")).to_be_visible()
    assert there.evaluate("(button) => button.isConnected")  # who presses it meanwhile has pressed it
    suggestion.click()
    expect_state(answers(page), "finished")
    expect(answers(page)).to_contain_text("ollama serve")
    expect(page).to_have_url(re.compile(r"/c/\w+$"))


def test_a_rich_answer_is_rendered(page: Page) -> None:
    answer = ask(page, "Show me what you can render")
    expect_state(answer, "finished")
    for what, least in (("table td", 4), (".hr-code pre code span", 6), ("math", 2), ("h2, h3", 3)):
        expect(answer.locator(what).nth(least - 1)).to_be_attached()
    expect(answer.locator(".hr-figures")).to_contain_text("tokens/s")


def test_reasoning_is_open_while_it_runs_and_folds_when_the_answer_begins(page: Page) -> None:
    choose(page, "thinker")
    page.evaluate(WATCH_FOR_OPEN_DETAILS)
    answer = ask(page, "Why does water flow downhill?")
    expect_state(answer, "finished")
    assert page.evaluate("window.sawOpenDetails")
    expect(answer.locator("details")).not_to_have_attribute("open", "")
    expect(answer.locator("summary")).to_contain_text("Thought for")


def test_a_long_reply_grows_stays_stops_and_survives_a_reload(page: Page, headrace: Served, browser: Browser) -> None:
    choose(page, "longform")
    answer = ask(page, LONG)
    expect_state(answer, "streaming")
    wait_until_longer(page, answer, 400)
    wait_until_longer(page, answer, len(words(answer)) + 200)

    scroll = page.locator(".hr-scroll")
    wait_until_scrollable(page)
    assert at_bottom(scroll)
    page.mouse.move(600, 300)
    page.mouse.wheel(0, -300)
    page.wait_for_function("() => document.querySelector('.hr-scroll').dataset.pinned === 'false'")
    before = scroll.evaluate(STILL)
    wait_until_longer(page, answer, len(words(answer)) + 200)
    assert scroll.evaluate("s => s.scrollTop") == before
    page.get_by_role("button", name="Scroll to bottom").click()
    wait_until_longer(page, answer, len(words(answer)) + 50)
    assert at_bottom(scroll)

    shown = words(answer)
    page.reload()
    page.wait_for_function("window.did_handshake === true")
    answer = answers(page).last
    expect_state(answer, "streaming")
    wait_until_longer(page, answer, len(shown) + 200)
    assert words(answer).startswith(shown[: len(shown) // 2])
    assert page.locator('[data-role="user"]').count() == answers(page).count() == 1

    other = browser.new_page()
    visit(other, page.url)
    expect_state(answers(other).last, "streaming")

    page.get_by_role("button", name="Stop").click()
    expect_state(answer, "stopped")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect_state(answers(other).last, "stopped")
    said = whole(answer)
    expect_words(answers(other).last, said)
    generation = answer.get_attribute("data-generation")
    snapshot = httpx.get(f"{headrace.url}/chat/{generation}", trust_env=False).json()
    assert snapshot["state"] == "stopped"
    assert plain(said) == plain(snapshot["text"])
    other.close()


def plain(text: str) -> str:
    """Letters only: what Markdown and its rendering have in common."""
    return re.sub(r"[^A-Za-z]", "", text)


def wait_until_scrollable(page: Page) -> None:
    page.wait_for_function("() => { const s = document.querySelector('.hr-scroll'); return s.scrollHeight > s.clientHeight + 400; }")


def at_bottom(scroll: Locator) -> bool:
    return bool(scroll.evaluate("s => s.scrollHeight - s.scrollTop - s.clientHeight < 40"))


def test_escape_stops(page: Page) -> None:
    choose(page, "longform")
    answer = ask(page, LONG)
    expect_state(answer, "streaming")
    page.keyboard.press("Escape")
    expect_state(answer, "stopped")
    expect(answer).to_contain_text(re.compile(r"Stopped; the connection to the server was closed \d+ ms later\."))


def test_two_tabs_show_the_same(page: Page, browser: Browser) -> None:
    choose(page, "echo")
    expect_state(ask(page, "First"), "finished")
    other = browser.new_page()
    visit(other, page.url)
    expect(answers(other)).to_have_count(1)
    expect_state(ask(page, "Second"), "finished")
    expect(answers(other)).to_have_count(2)
    expect_state(answers(other).last, "finished")
    expect_state(ask(other, "Third"), "finished")
    expect(answers(page)).to_have_count(3)
    expect_state(answers(page).last, "finished")
    for each in (page, other):
        expect(each.locator(".hr-body")).to_have_text(["First", "Second", "Third"])
    other.close()


def test_what_was_written_while_a_reply_runs_is_not_lost(page: Page) -> None:
    choose(page, "longform")
    answer = ask(page, LONG)
    expect_state(answer, "streaming")
    message = page.get_by_role("textbox", name="Message")
    message.fill("and another thing")
    page.keyboard.press("Escape")
    expect_state(answer, "stopped")
    expect(message).to_have_value("and another thing")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    message.press("Enter")
    expect(answers(page)).to_have_count(2)
    page.keyboard.press("Escape")


def test_quick_messages_are_not_swallowed(page: Page) -> None:
    """What cannot be sent yet stays in the box."""
    choose(page, "echo")
    message = page.get_by_role("textbox", name="Message")
    message.fill("first")
    message.press("Enter")
    message.press("Enter")
    expect_state(answers(page), "finished")
    expect(answers(page)).to_have_count(1)
    message.fill("second")
    message.press("Enter")
    expect(answers(page)).to_have_count(2)


def test_a_draft_outlives_a_reload_and_a_lost_server(tmp_path: Path, browser: Browser) -> None:
    with served(tmp_path) as running:
        page = browser.new_page()
        visit(page, running.url)
        page.get_by_role("textbox", name="Message").fill("a thought")
        page.reload()
        page.wait_for_function("window.did_handshake === true")
        expect(page.get_by_role("textbox", name="Message")).to_have_value("a thought")
    page.wait_for_function("!window.socket.connected")
    page.get_by_role("textbox", name="Message").press("Enter")
    expect(page.get_by_role("textbox", name="Message")).to_have_value("a thought")
    page.close()


def test_shift_enter_breaks_the_line(page: Page) -> None:
    choose(page, "echo")
    message = page.get_by_role("textbox", name="Message")
    message.press_sequentially("one")
    message.press("Shift+Enter")
    message.press_sequentially("two")
    assert message.input_value() == "one\ntwo"
    message.press("Enter")
    expect_state(answers(page), "finished")
    expect(page.locator('[data-role="user"]')).to_contain_text("one\ntwo", use_inner_text=True)


def test_a_conversation_is_in_the_sidebar_and_opens_again(page: Page) -> None:
    choose(page, "echo")
    expect_state(ask(page, "The tale of the mill"), "finished")
    new_chat(page)
    page.get_by_role("link", name="The tale of the mill").first.click()
    expect(page.locator('[data-role="user"]')).to_contain_text("The tale of the mill")
    expect_state(answers(page), "finished")


def test_copy(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    choose(page, "echo")
    answer = ask(page, "**bold** text")
    expect_state(answer, "finished")
    answer.get_by_role("button", name="Copy").click()
    page.wait_for_function("async () => await navigator.clipboard.readText() === '**bold** text'")


def test_hostile_text_stays_text(page: Page) -> None:
    choose(page, "echo")
    answer = ask(page, '<img src=x onerror="document.title=1"> <script>document.title=2</script> ![x](http://127.0.0.1:9/x.png)')
    expect_state(answer, "finished")
    expect(answer).to_contain_text("onerror")
    assert answer.locator("img, script").count() == 0
    assert page.title() not in ("1", "2")


def test_the_keyboard_reaches_everything(page: Page) -> None:
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    page.keyboard.press("Control+b")
    expect(page.get_by_role("navigation", name="Conversations")).to_be_hidden()
    page.keyboard.press("Control+b")
    expect(page.get_by_role("navigation", name="Conversations")).to_be_visible()


@pytest.fixture(scope="module")
def deaf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An upstream that is named in settings but does not run; its models are named, so it is not asked for them."""
    upstream = '[[upstreams]]\nname = "gone"\ndialect = "ollama"\nbase_url = "http://127.0.0.1:9"\nmodels = ["llama"]\n'
    with served(tmp_path_factory.mktemp("deaf"), QUIET + upstream) as running:
        yield running


def test_a_server_that_does_not_run_is_no_error(tmp_path: Path, browser: Browser) -> None:
    """And one that is started later is found when asked for again."""
    folder = tmp_path / "late"
    folder.mkdir()
    with served(folder) as late:
        pass
    port = late.url.rpartition(":")[2]
    upstream = f'[[upstreams]]\nname = "late"\ndialect = "openai_chat"\nbase_url = "{late.url}/v1"\n'
    with served(tmp_path, QUIET + upstream) as running:
        page = browser.new_page()
        visit(page, running.url)
        expect(page.get_by_text("Not running: late")).to_be_visible()
        with served(folder, QUIET, "--server.port", port):
            page.get_by_role("button", name="Look again").click()
            expect(page.get_by_text("Not running: late")).to_be_hidden()
            choose(page, "rehearsal/echo")
            expect_state(ask(page, "Hello through two of us"), "finished")
            expect(answers(page)).to_contain_text("Hello through two of us")
        page.close()


def test_an_error_lives_in_the_reply_and_survives_a_reload(deaf: Served, browser: Browser) -> None:
    page = browser.new_page()
    visit(page, deaf.url)
    answer = ask(page, "Hello?")
    expect_state(answer, "failed")
    expect(answer.get_by_role("alert")).to_contain_text("gone is not running at 127.0.0.1:9")
    page.reload()
    expect(answers(page).get_by_role("alert")).to_contain_text("is not running")
    page.wait_for_function("window.did_handshake === true")
    choose(page, "echo")
    answers(page).get_by_role("button", name="Retry").click()
    expect_state(answers(page).last, "finished")
    expect(answers(page)).to_have_count(1)
    page.close()


def test_a_path_that_is_not_there_leads_home(page: Page, headrace: Served) -> None:
    assert httpx.head(headrace.url).status_code == 200
    told = httpx.get(f"{headrace.url}/<b>nowhere", headers={"accept": "text/html", "accept-language": "de"})
    assert (told.status_code, "&lt;b&gt;nowhere" in told.text, "<b>" in told.text) == (404, True, False)
    assert "Diese Seite gibt es nicht." in told.text
    other = page.context.new_page()  # whose console may tell of the status
    other.goto(f"{headrace.url}/nowhere")
    other.get_by_role("link", name="Back to the chat").click()
    expect(other.get_by_role("textbox", name="Message")).to_be_visible()


def test_a_conversation_that_is_not_there(headrace: Served, page: Page) -> None:
    visit(page, f"{headrace.url}/c/nothing")
    expect(page.get_by_text("This conversation is not here")).to_be_visible()


def test_phones(headrace: Served, browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 780}, has_touch=True)
    page = context.new_page()
    visit(page, headrace.url)
    expect(page.get_by_role("navigation", name="Conversations")).to_be_hidden()
    page.get_by_role("button", name="Toggle sidebar").click()
    expect(page.get_by_role("button", name="New chat")).to_be_visible()
    page.mouse.click(380, 400)
    expect(page.get_by_role("navigation", name="Conversations")).to_be_hidden()
    expect_state(ask(page, "Show me what you can render"), "finished")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
