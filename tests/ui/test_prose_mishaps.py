"""The text of a message after a mishap: a patch is lost or comes twice, the connection breaks, the browser does not answer."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from nicegui.testing import user_simulation
from playwright.sync_api import expect

from tests.ui.stage import Stage
from ui.panels import prose as panel
from ui.panels.prose import Prose

APP = 'document.querySelector("#app")._vnode.component.proxy'
COMPONENT = f'{APP}.$refs["r" + document.querySelector(".hr-prose").id.slice(1)]'


def test_a_lost_patch_is_noticed_and_made_good(on: Stage) -> None:
    on.open()
    on.do("write", "zero\n\none ")
    on.expect_same(holding="one")
    on.page.evaluate("document.querySelector('.hr-prose > div').firstChild.mark = true")
    on.do("lose", "two ")
    on.do("write", "three")
    on.expect_same(holding="one two three")
    assert on.page.evaluate("document.querySelector('.hr-prose > div').firstChild.mark")


def test_a_patch_that_comes_twice_is_applied_once(on: Stage) -> None:
    on.open()
    on.do("write", "once ")
    on.expect_same(holding="once")
    on.page.evaluate(f"{COMPONENT}.patch(1, 0, [[0, '<p>twice</p>']])")
    on.do("write", "and more")
    on.expect_same(holding="once and more")


def test_a_cancelled_flush_loses_nothing(on: Stage) -> None:
    on.open()
    for n in range(20):
        on.do("cancel", f"word{n} ")
    on.expect_same(holding="word19")


def test_after_a_broken_connection_the_page_catches_up(on: Stage) -> None:
    on.open()
    on.do("write", "before ")
    on.expect_same(holding="before")
    on.page.evaluate("window.stayed = true; window.socket.io.engine.close()")
    on.do("write", "meanwhile ")
    on.expect_same(holding="before meanwhile")
    on.do("write", "after")
    on.expect_same(holding="before meanwhile after")
    assert on.page.evaluate("window.stayed")


def test_a_component_that_is_mounted_again_shows_the_latest(on: Stage) -> None:
    on.open()
    on.do("write", "one\n\ntwo ")
    on.expect_same(holding="two")
    on.page.evaluate("id = document.querySelector('.hr-prose').id.slice(1)")
    on.page.evaluate(f"element = {APP}.elements[id]; delete {APP}.elements[id]")
    expect(on.page.locator(".hr-prose")).not_to_be_attached()
    on.page.evaluate(f"{APP}.elements[id] = element")
    on.expect_same(holding="two")
    on.do("write", "three")
    on.expect_same(holding="two three")


def test_a_flush_ends_when_its_page_is_gone_and_goes_on_when_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    updates: list[int] = []
    monkeypatch.setattr(Prose, "update", lambda self: updates.append(self._count))

    async def scenario() -> None:
        texts: list[Prose] = []
        async with user_simulation(root=lambda: texts.append(Prose())) as user:  # it connects, and never answers
            await user.open("/")
            (prose,) = texts
            monkeypatch.setattr(panel, "PATIENCE", 0.02)
            monkeypatch.setattr(panel, "ANSWERED", 1)
            prose.write("a")
            await asyncio.wait_for(prose.flush(), 10)
            assert updates == [0, 1]  # when it was made, and now
            prose.write("b")
            monkeypatch.setattr(panel, "PATIENCE", 1000)
            flush = asyncio.create_task(prose.flush())
            await asyncio.sleep(0.01)
            assert not flush.done()
            assert user.client is not None
            user.client.delete()
            await asyncio.wait_for(flush, 10)
            prose.write("c")
            await asyncio.wait_for(prose.flush(), 10)

    with ThreadPoolExecutor(1) as thread:  # Playwright's loop runs in this one
        thread.submit(asyncio.run, scenario()).result()


def test_the_end_arrives_though_its_patch_was_lost(on: Stage) -> None:
    on.open()
    on.do("write", "one ")
    on.expect_same(holding="one")
    on.page.evaluate(f"id = document.querySelector('.hr-prose').id.slice(1); element = {APP}.elements[id]; delete {APP}.elements[id]")
    expect(on.page.locator(".hr-prose")).not_to_be_attached()
    on.do("write", "two")
    on.do("finish")  # the patch finds nobody, and so nobody answers
    on.page.evaluate(f"{APP}.elements[id] = element")
    on.expect_same(holding="one two")


def test_a_browser_that_does_not_answer_is_sent_two_patches_and_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(panel, "PATIENCE", 1000)
    monkeypatch.setattr(panel, "RATE", 1000)

    async def scenario() -> None:
        texts: list[Prose] = []
        async with user_simulation(root=lambda: texts.extend(Prose() for _ in range(40))) as user:
            await user.open("/")
            assert user.client is not None
            monkeypatch.setattr(user.client.outbox, "enqueue_message", lambda kind, message, target: sent.append(str(message["patch"])))
            flows = [asyncio.create_task(flow(prose)) for prose in texts]
            async with asyncio.timeout(60):
                while len(sent) < 80:
                    for prose in texts:
                        prose.write("word ")
                    await asyncio.sleep(0.002)
            for _ in range(30):
                for prose in texts:
                    prose.write("late ")
                await asyncio.sleep(0.002)
            assert len(sent) == 80
            assert all("late" not in patch for patch in sent)
            for prose in texts:
                prose.finish()
            assert len(sent) == 120
            assert all("late" in patch for patch in sent[-40:])
            for task in flows:
                task.cancel()

    with ThreadPoolExecutor(1) as thread:  # Playwright's loop runs in this one
        thread.submit(asyncio.run, scenario()).result()


async def flow(prose: Prose) -> None:
    while True:
        await prose.flush()
        await asyncio.sleep(0.001)
