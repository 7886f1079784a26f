"""The end of the thread: it stays in view while a text grows, until the user moves up; then they are left in peace."""

from tests.ui.stage import Stage

BOX = 'document.querySelector(".hr-scroll")'
GAP = f"{BOX}.scrollHeight - {BOX}.clientHeight - {BOX}.scrollTop"
FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))))"
LONG = "\n\n".join(f"Paragraph number {n}." for n in range(60))


def pinned(on: Stage, state: bool) -> None:
    on.page.wait_for_function(f"{BOX}.dataset.pinned === '{str(state).lower()}'")


def scrolled(on: Stage, text: str = LONG) -> None:
    on.open()
    on.do("write", text)
    on.page.wait_for_function(f"{BOX}.scrollHeight > 1500 && {GAP} < 1")
    # Blocks are measured when they come into view, which takes a few frames.
    on.page.evaluate(
        f"(async () => {{ let last; do {{ last = {BOX}.scrollHeight; await {FRAMES}; }} while ({BOX}.scrollHeight !== last) }})()"
    )
    pinned(on, True)
    on.page.mouse.move(400, 300)


def test_growth_keeps_the_end_in_view(on: Stage) -> None:
    scrolled(on)
    for n in range(10):
        on.do("write", f"\n\n## Part {n}\n\n```\n{'x' * n}\n```\n\nmore")
    on.expect_same(holding="Part 9")
    on.page.wait_for_function(f"{GAP} < 1")
    pinned(on, True)


def test_a_user_who_moves_up_is_left_in_peace(on: Stage) -> None:
    scrolled(on)
    on.page.mouse.wheel(0, -300)
    pinned(on, False)
    on.page.wait_for_function(f"{GAP} > 250")
    before = on.page.evaluate(f"{BOX}.scrollTop")
    on.do("write", "\n\n" + LONG)
    on.expect_same(holding="Paragraph number 59")
    on.page.wait_for_function(f"{GAP} > 1500")
    assert abs(on.page.evaluate(f"{BOX}.scrollTop") - before) < 2


def test_three_pixels_are_enough(on: Stage) -> None:
    scrolled(on)
    on.page.evaluate(f"{BOX}.scrollTop -= 2")  # what a scrollbar or a finger does: a scroll event without a wheel
    on.page.evaluate(FRAMES)  # until its event has been told
    pinned(on, True)
    on.page.evaluate(f"{BOX}.scrollTop -= 1")
    pinned(on, False)


def test_keys_move_up_too(on: Stage) -> None:
    scrolled(on)
    on.page.locator(".hr-scroll").focus()
    on.page.keyboard.press("PageUp")
    pinned(on, False)
    on.page.wait_for_function(f"{GAP} > 300")
    on.page.keyboard.press("End")
    pinned(on, True)


def test_within_forty_pixels_of_the_end_it_holds_again(on: Stage) -> None:
    scrolled(on)
    on.page.mouse.wheel(0, -400)
    on.page.wait_for_function(f"{GAP} > 350")
    on.page.evaluate(f"{BOX}.scrollTop += {GAP} - 60")
    on.page.wait_for_function(f"Math.abs({GAP} - 60) < 2")
    on.page.evaluate(FRAMES)
    pinned(on, False)
    on.page.evaluate(f"{BOX}.scrollTop += 25")
    pinned(on, True)
    on.do("write", "\n\n" + LONG)
    on.page.wait_for_function(f"{BOX}.scrollHeight > 3000 && {GAP} < 1")


def test_the_server_can_bring_the_end_back(on: Stage) -> None:
    scrolled(on)
    on.page.mouse.wheel(0, -400)
    pinned(on, False)
    on.do("pin")
    pinned(on, True)
    on.page.wait_for_function(f"{GAP} < 1")


def test_a_shrinking_thread_stays_at_its_end(on: Stage) -> None:
    scrolled(on)
    on.do("show", "\n\n".join(LONG.split("\n\n")[:40]))
    on.expect_same(holding="number 39")
    on.page.wait_for_function(f"{GAP} < 1")
    pinned(on, True)
