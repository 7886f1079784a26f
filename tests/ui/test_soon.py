"""Work that is wanted often and done once."""

import asyncio

import pytest

from ui.pages.soon import Soon


@pytest.fixture(autouse=True)
async def loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nicegui.core.loop", asyncio.get_running_loop())


class Work:
    def __init__(self) -> None:
        self.began = self.done = 0
        self.has_begun, self.may_end = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> None:
        self.began += 1
        self.has_begun.set()
        await self.may_end.wait()
        self.done += 1

    __name__ = "work"


async def test_what_many_want_at_once_is_done_once() -> None:
    work = Work()
    work.may_end.set()
    soon = Soon(work)
    for _ in range(5):
        soon.want()
    await soon.now()
    assert work.done == 1


async def test_who_wants_it_while_it_is_done_gets_it_once_more() -> None:
    work = Work()
    soon = Soon(work)
    soon.want()
    await work.has_begun.wait()
    soon.want()
    soon.want()
    waiting = asyncio.ensure_future(soon.now())
    work.may_end.set()
    await waiting
    assert work.done == 2


async def test_nothing_is_begun_after_the_end() -> None:
    work = Work()
    work.may_end.set()
    soon = Soon(work)
    soon.want()
    soon.end()
    soon.want()
    await soon.now()
    await asyncio.sleep(0.01)
    assert work.began == 0
