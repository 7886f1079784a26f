"""The text of a message in a real browser: what is on the page is what the server rendered, and nothing else."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.ui.snippets import CANARY, HOSTILE, SNIPPETS
from tests.ui.stage import Stage

# Text


def test_a_text_streams_in(on: Stage) -> None:
    on.open()
    text = "\n\n".join(
        snippet for snippet in SNIPPETS if "\ud83d" not in snippet and snippet.count("```") % 2 == 0 and "~~~" not in snippet
    )
    on.stream(text[:1500])
    on.expect_same(holding="Six")
    on.stream(text[1500:] + "\n\n**at the end**")
    on.do("finish")
    on.expect_same(holding="at the end")


def test_finished_blocks_are_left_alone(on: Stage) -> None:
    on.open()
    on.do("write", "first\n\nsecond\n\nthi")
    on.expect_same(holding="thi")
    on.page.evaluate("document.querySelectorAll('.hr-prose > div').forEach((block) => (block.firstChild.mark = true))")
    on.do("write", "rd\n\nfourth")
    on.expect_same(holding="fourth")
    marks = on.page.evaluate("[...document.querySelectorAll('.hr-prose > div')].map((block) => !!block.firstChild.mark)")
    assert marks == [True, True, True, False]  # the third has only grown


def test_a_text_is_shown_at_once_before_and_after_the_page_is_there(on: Stage) -> None:
    on.open("# Old\n\n`text`")
    on.expect_same(holding="Old")
    on.do("show", "# New\n\n- text")
    on.expect_same(holding="New")
    assert on.page.locator(".hr-prose > div").count() == 2


def test_text_written_before_anybody_is_connected_is_shown(on: Stage) -> None:
    def first_write(route: Route) -> None:
        on.do("write", "early **words**")
        route.continue_()

    on.page.route("**/socket.io.min.js", first_write)
    on.open()
    on.expect_same(holding="early words")
    on.do("write", " and later ones")
    on.expect_same(holding="later ones")


# What it costs


def test_what_is_on_the_page_stays_while_a_block_grows(on: Stage) -> None:
    on.open()
    on.do("write", "".join(f"- item **{n}**\n" for n in range(50)))
    on.expect_same(holding="49")
    on.page.evaluate("""{
        const items = document.querySelectorAll('.hr-prose li');
        items.forEach((item) => (item.mark = true));
        getSelection().selectAllChildren(items[0]);
    }""")
    on.do("write", "- one more\n- and `another`\n")
    on.expect_same(holding="another")
    assert on.page.evaluate("[...document.querySelectorAll('.hr-prose li')].map((item) => !!item.mark)") == [True] * 50 + [False] * 2
    assert on.page.evaluate("getSelection().toString()") == "item 0"


def test_colours_come_later_and_the_button_stays(on: Stage) -> None:
    on.open()
    on.do("write", "```python\n" + "x = 'text'  # why\n" * 400 + "```\n")
    on.do("finish")
    button = on.page.get_by_role("button", name="Copy code").element_handle()
    expect(on.page.locator(".hr-code .s")).to_have_count(400)
    assert button is not None
    assert button.evaluate("(button) => button.isConnected")


def test_blocks_out_of_sight_are_not_laid_out(on: Stage) -> None:
    on.open("\n\n".join(f"Paragraph {n}" for n in range(400)))
    on.expect_same(holding="Paragraph 399")
    drawn = "(block) => block.firstChild.checkVisibility({ contentVisibilityAuto: true })"
    seen = f"[...document.querySelectorAll('.hr-prose > div')].filter({drawn}).length"
    on.page.wait_for_function(f"{seen} < 80")
    assert on.page.evaluate(seen) > 0


def test_every_second_patch_is_answered_and_the_end(on: Stage) -> None:
    sent: list[str] = []
    on.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    on.open()
    for n in range(9):
        on.do("write", f"word{n} ")
        on.expect_same(holding=f"word{n}")
    on.do("finish")
    on.page.wait_for_function("document.querySelector('.hr-live p')")
    answers = [re.findall(r'"args":\["(-?\d+)"\]', frame)[0] for frame in sent if '"event"' in frame]
    assert answers == ["2", "4", "6", "8", "10"]  # the tenth is the end


# Said aloud

HEARD = "[...document.querySelectorAll('.hr-live p')].map((p) => p.textContent)"


def test_a_block_is_said_once_it_is_finished_and_not_with_every_patch(on: Stage) -> None:
    on.open()
    for word in ("The ", "**first", " block**", " grows"):
        on.do("write", word)
        on.expect_same(holding=word.strip(" *"))
    assert on.page.evaluate(HEARD) == []
    on.do("write", "\n\n```python\na = 1\nb = 2\n```\n\n| a |\n|---|\n| 1 |\n\nThe end")
    on.expect_same(holding="The end")
    assert on.page.evaluate(HEARD) == ["The first block grows", "Code python, 2 lines", "Table, 2 rows"]
    on.do("write", ", really")
    on.expect_same(holding="really")
    assert on.page.evaluate(HEARD)[-1] == "Table, 2 rows"
    on.do("finish")
    on.page.wait_for_function(f"{HEARD}.at(-1) === 'The end, really'")
    assert len(on.page.evaluate(HEARD)) == 3
    expect(on.page.locator(".hr-live")).to_have_attribute("aria-live", "polite")


def test_an_old_text_is_not_said(on: Stage) -> None:
    on.open("# Old\n\ntext")
    on.expect_same(holding="text")
    assert on.page.evaluate(HEARD) == []


def test_nothing_moves_for_those_who_asked_for_that(on: Stage) -> None:
    on.page.emulate_media(reduced_motion="reduce")
    on.open("text")
    on.page.evaluate(
        "document.querySelector('.hr-prose').innerHTML = '<i class=hr-pulse></i><i class=hr-shimmer>x</i><i class=hr-spinner></i>'"
    )
    on.page.wait_for_function("document.getAnimations().every((animation) => animation.playState === 'finished')")


# Code


@pytest.mark.parametrize("secure", [True, False])
def test_the_copy_button_copies_the_code_and_says_so(on: Stage, secure: bool) -> None:
    if not secure:
        on.page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })")
    on.open("```python\nif a < b:\n    print('&amp;')\n```")
    button = on.page.get_by_role("button", name="Copy code")
    button.click()
    expect(button).to_have_text("Copied")
    expect(button).to_have_text("Copy")
    on.page.evaluate("delete navigator.clipboard")
    assert on.page.evaluate("navigator.clipboard.readText()") == "if a < b:\n    print('&amp;')\n"


def test_the_button_of_a_growing_block_is_the_same_button(on: Stage) -> None:
    on.open()
    on.do("write", "```python\na = 1\n")
    on.expect_same(holding="a = 1")
    button = on.page.get_by_role("button", name="Copy code").element_handle()
    for n in range(5):
        on.do("write", f"b{n} = {'2' * 300}\n")
    on.do("write", "```\n")
    on.expect_same(holding="b4")
    expect(on.page.locator(".hr-code code span.n").first).to_be_attached()
    assert button is not None
    assert button.evaluate("(button) => button.isConnected")


# Hostile text


def listen(on: Stage) -> list[str]:
    """What is asked of the canary, from now on."""
    asked: list[str] = []

    def hear(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    on.page.context.route(f"**://{CANARY}/**", hear)
    return asked


def test_nothing_in_a_hostile_text_runs_loads_or_takes_a_name(on: Stage) -> None:
    asked = listen(on)
    on.page.on("request", lambda request: asked.append(request.url) if not request.url.startswith(on.url) else None)
    on.page.on("dialog", lambda dialog: asked.append(dialog.message))
    on.open()
    before = on.page.evaluate("[...document.querySelectorAll('[id], [name]')].length")
    on.stream("\n\n".join(HOSTILE), size=150)
    on.do("write", "\n\nthe end")
    on.do("finish")
    on.expect_same(holding="the end")
    on.page.mouse.wheel(0, -100_000)
    for link in on.page.locator(".hr-prose a").all():
        link.hover(force=True)
    on.page.locator(".hr-prose [tabindex]").first.focus()
    assert on.page.evaluate("[...document.querySelectorAll('[id], [name]')].length") == before
    assert (
        on.page.evaluate("document.querySelectorAll('.hr-prose :is(script, img, svg, style, iframe, form, input, object, link)').length")
        == 0
    )
    assert on.page.evaluate("window.hit") is None
    assert asked == []
    assert len(HOSTILE) >= 60


def test_the_canary_would_have_been_heard(on: Stage) -> None:
    asked = listen(on)
    on.open("x")
    on.page.evaluate(f"document.querySelector('.hr-prose').innerHTML = '<img src=https://{CANARY}/a.png onerror=window.hit=1>'")
    on.page.wait_for_function("window.hit === 1")
    assert asked == [f"https://{CANARY}/a.png"]


def test_a_link_opens_elsewhere_and_tells_nothing(on: Stage) -> None:
    on.open("[words](https://a.example/b)")
    link = on.page.locator(".hr-prose a")
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow ugc")
    expect(link).to_have_attribute("title", "a.example")
