"""A conversation as it is read: a long one in pages, what can be done with a message, and what an answer has besides text."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from services.conversations import Conversation, Node
from services.messages import Attachment, Message, Part, Reasoning, Reply, Text, ToolCall
from services.store import open_store
from tests.serving import QUIET, Served, served
from tests.ui.axe import Axe
from tests.ui.picking import choose
from tests.ui.test_chat_page import answers, ask, expect_state, visit

LONG, SHORT, RICH, TO_CUT = "c" * 32, "d" * 32, "e" * 32, "f" * 32
ANSWER = "## Part {n}\n\nThe **wheel** turns.\n\n- one\n- two\n\n```python\nturn({n})\n```\n\nThis was part {n}.\n"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNkYPhfz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC"
THINGS: Sequence[Part] = (
    Reasoning("First this, then that.", ms=7200.0),
    Text("Here it is.\n\n```mermaid\ngraph TD\n  A[Rain] --> B[Mill]\n```\n\n```mermaid\nno such diagram\n```\n"),
    ToolCall("1", "get_weather", '{"city":"Bremen","days":3}', {"city": "Bremen", "days": 3}),
    Attachment("image", {"url": f"data:image/png;base64,{PNG}"}),
    Attachment("image", {"url": "data:image/svg+xml;base64,PHN2Zy8+"}),
    Attachment("image", {"url": "https://elsewhere.example/a.png"}),
    Attachment("file", {"url": "data:application/pdf;base64,JVBERi0=", "name": "../the mill.pdf"}),
    Attachment("source", {"url": "https://mill.example/wheel", "title": "About wheels"}),
    Attachment("source", {"url": "https://mill.example/wheel", "title": "About wheels"}),
    Attachment("source", {"url": "javascript:alert(1)", "title": "No link"}),
    Attachment("opaque", {"type": "server_tool_use"}),
)
TOP = "(message) => message.getBoundingClientRect().top"


def talk(letter: str, answers: int) -> list[Node]:
    nodes: list[Node] = []
    for n in range(answers):
        question, generation = f"{letter}{n:030}q", f"{letter}{n:030}g"
        parts = (Text(ANSWER.format(n=n)),)
        nodes.append(Node(question, nodes[-1].id if nodes else None, Message("user", (Text(f"Question {n}"),))))
        nodes.append(Node(f"{letter}{n:030}a", question, generation=generation, reply=reply(generation, parts)))
    return nodes


def reply(generation: str, parts: Sequence[Part]) -> Reply:
    return Reply(generation, "rehearsal/echo", 1, "finished", 3, tuple(parts), reason="stop")


async def store(home: Path) -> None:
    rich = [Node("1" * 32, None, Message("user", (Text("All of it"),))), Node("2" * 32, "1" * 32, generation="g", reply=reply("g", THINGS))]
    kept = open_store("sqlite:///data/headrace.db", home)
    for id, nodes in ((LONG, talk("a", 250)), (SHORT, talk("b", 2)), (RICH, rich), (TO_CUT, talk("c", 2))):
        await kept.create(Conversation(id, f"Talk {id[0]}", 1.0, 1.0, "rehearsal/echo", nodes[-1].id), nodes)
    await kept.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("thread")
    (home / "data").mkdir()
    asyncio.run(store(home))
    with served(home, QUIET) as running:
        yield running


@pytest.fixture
def page(house: Served, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1000, "height": 700}, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []


def messages(page: Page) -> Locator:
    return page.locator(".hr-msg")


def clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def settled(page: Page) -> None:
    """Blocks are measured when they come into view, which takes a few frames."""
    page.evaluate("new Promise((done) => { let n = 6; const next = () => (n-- ? requestAnimationFrame(next) : done()); next(); })")


def test_a_long_conversation_opens_at_its_end_and_grows_upwards_without_moving(page: Page, house: Served) -> None:
    visit(page, f"{house.url}/c/{LONG}")
    expect(page.get_by_text("This was part 249.")).to_be_in_viewport()
    expect(messages(page)).to_have_count(30)

    page.locator(".hr-scroll").hover()
    page.mouse.wheel(0, -900)  # far from the top: nothing more is asked for
    settled(page)
    expect(messages(page)).to_have_count(30)

    earlier = page.get_by_role("button", name="Show earlier messages")
    page.evaluate("document.querySelector('.hr-scroll').scrollTop = 0")  # the very top, where browsers hold nothing
    expect(messages(page)).to_have_count(60)
    first = page.locator(f'[data-node="{"a" + "235".zfill(30)}q"]')
    settled(page)
    expect(first).to_be_in_viewport()
    before = first.evaluate(TOP)
    for count in (90, 120):
        earlier.evaluate("(button) => button.click()")
        expect(messages(page)).to_have_count(count)
        settled(page)
        assert abs(first.evaluate(TOP) - before) <= 1
    assert page.locator(".hr-scroll").get_attribute("data-pinned") == "false"


def test_a_message_far_back_is_shown_by_its_id(page: Page, house: Served) -> None:
    visit(page, f"{house.url}/c/{LONG}?at={'a' + '100'.zfill(30)}q")
    wanted = page.get_by_text("Question 100", exact=True)
    expect(wanted).to_be_in_viewport()
    page.wait_for_function(
        "(message) => { const top = message.getBoundingClientRect().top; return 0 <= top && top < 200; }", arg=wanted.element_handle()
    )
    visit(page, f"{house.url}/c/{LONG}?at=nothing")
    expect(page.get_by_text("This was part 249.")).to_be_in_viewport()


def test_a_message_is_copied_as_markdown_as_plain_text_and_by_keys(page: Page, house: Served) -> None:
    visit(page, f"{house.url}/c/{SHORT}")
    copy = answers(page).last.get_by_role("button", name="Copy", exact=True)
    copy.click()
    expect(copy).to_contain_text("check")
    assert clipboard(page) == ANSWER.format(n=1)
    expect(copy).to_contain_text("content_copy")
    copy.click(modifiers=["Shift"])
    expect(copy).to_contain_text("check")
    assert clipboard(page).split() == ["Part", "1", "The", "wheel", "turns.", "one", "two", "turn(1)", "This", "was", "part", "1."]
    page.get_by_role("textbox", name="Message").press("Control+Shift+Semicolon")
    page.wait_for_function("async () => (await navigator.clipboard.readText()).trim() === 'turn(1)'")
    page.get_by_role("textbox", name="Message").press("Control+Shift+C")
    page.wait_for_function("async (text) => await navigator.clipboard.readText() === text", arg=ANSWER.format(n=1))


def test_what_is_selected_is_quoted_else_the_whole(page: Page, house: Served) -> None:
    visit(page, f"{house.url}/c/{SHORT}")
    message = page.get_by_role("textbox", name="Message")
    message.fill("As you said:")
    answers(page).last.get_by_text("This was part 1.").select_text()
    answers(page).last.get_by_role("button", name="Quote").click()
    expect(message).to_have_value("As you said:\n\n> This was part 1.\n\n")
    expect(message).to_be_focused()
    message.fill("")
    answers(page).first.hover()
    answers(page).first.get_by_role("button", name="Quote").click()  # what is selected is in another message
    expect(message).to_have_value("\n".join(f"> {line}".strip() for line in ANSWER.format(n=0).strip().split("\n")) + "\n\n")


def test_a_message_and_what_follows_it_is_deleted_and_brought_back(page: Page, house: Served) -> None:
    visit(page, f"{house.url}/c/{TO_CUT}")
    page.locator('[data-role="user"]').last.get_by_role("button", name="Delete").press("Enter")
    expect(messages(page)).to_have_count(2)
    expect(page.locator(".hr-scroll")).to_be_focused()  # not lost with the button
    page.reload()
    expect(messages(page)).to_have_count(2)
    messages(page).first.hover()
    messages(page).first.get_by_role("button", name="Delete").click()
    expect(messages(page)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(messages(page)).to_have_count(2)
    choose(page, "longform")
    answer = ask(page, "5000 tokens at 50 tokens/s")
    expect_state(answer, "streaming")
    messages(page).first.hover()
    messages(page).first.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("still running")).to_be_visible()
    expect(messages(page)).to_have_count(4)
    page.get_by_role("button", name="Stop").click()
    expect_state(answer, "stopped")


def test_sources_images_files_and_tools_are_shown_and_nothing_is_loaded_unasked(page: Page, house: Served, axe: Axe) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.startswith("https:") else None)
    page.route("https://**", lambda route: route.abort())
    visit(page, f"{house.url}/c/{RICH}")
    answer = answers(page)
    expect(answer.get_by_text("Thought for 7 s")).to_be_visible()
    expect(answer.locator(".hr-tool")).to_contain_text("get_weather")
    expect(answer.locator(".hr-tool code")).to_have_text('{\n  "city": "Bremen",\n  "days": 3\n}\n')
    expect(answer.locator(".hr-sources li")).to_have_count(2)
    link = answer.get_by_role("link", name="About wheels")
    expect(link).to_have_attribute("href", "https://mill.example/wheel")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow ugc")
    expect(answer.locator(".hr-sources li").first).to_contain_text("mill.example")
    expect(answer.locator(".hr-sources li").last.locator("a")).to_have_count(0)
    expect(answer.locator("img")).to_have_count(1)  # not the SVG, not the one elsewhere
    with page.expect_download() as download:
        answer.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename.endswith("the mill.pdf")
    assert Path(download.value.path()).read_bytes() == b"%PDF-"
    assert asked == []
    with page.expect_request("https://elsewhere.example/a.png"):
        answer.get_by_role("button", name="Show the image from elsewhere.example").click()
    expect(answer.get_by_text("The image did not come.")).to_be_visible()
    answer.hover()
    axe(page)


def test_a_diagram_is_drawn_when_somebody_wants_it_where_it_can_do_no_harm(page: Page, house: Served, refused: list[str]) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    visit(page, f"{house.url}/c/{RICH}")
    drawing = answers(page).get_by_role("button", name="Show diagram")
    expect(drawing).to_have_count(2)
    first, second = drawing.all()
    assert not [url for url in asked if "/frames/" in url]
    second.click()
    expect(answers(page).locator(".hr-diagram")).to_contain_text("This diagram cannot be drawn.")
    first.click()
    frame = page.frame_locator(".hr-diagram iframe")
    expect(frame.locator("svg")).to_contain_text("Mill")
    assert page.locator(".hr-diagram iframe").get_attribute("sandbox") == "allow-scripts"
    page.wait_for_function("document.querySelector('.hr-diagram iframe').clientHeight > 50")
    inside = next(each for each in page.frames if each.parent_frame)
    assert inside.evaluate("origin") == "null"
    assert refused == []
    assert inside.evaluate("fetch('/chat').then(() => 'loaded', () => 'refused')") == "refused"
    refused.clear()
    assert inside.evaluate("(() => { try { return parent.document.title } catch { return 'refused' } })()") == "refused"
    page.get_by_role("button", name="Hide diagram").first.click()
    expect(page.locator(".hr-diagram iframe")).to_have_count(0)
    assert all(url.startswith((house.url, "data:", "about:")) for url in asked)
