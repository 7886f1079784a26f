"""Everything that people and programs do, in random order on the real door, with kills in between: the model holds after every step.

HEADRACE_WALKS=2000 HEADRACE_STEPS=50    for the figures in docs/reliability.md
HEADRACE_WALK=17                         that one walk alone
"""

import asyncio
import os
import threading
import time
from pathlib import Path

from tests.reliability.following import count
from tests.reliability.model import Model
from tests.reliability.walk import Walk

WALKS, STEPS = count("HEADRACE_WALKS", 30), count("HEADRACE_STEPS", 30)
SECONDS = count("HEADRACE_WALKING", 3600)
ONLY = os.environ.get("HEADRACE_WALK")


def ours() -> int:
    """Threads, but for those that asyncio keeps for the next work."""
    return sum(not thread.name.startswith("asyncio_") for thread in threading.enumerate())


async def test_whatever_is_done_nothing_is_lost(tmp_path: Path) -> None:
    tasks, threads = asyncio.all_tasks(), ours()
    told = Model().told
    until = time.monotonic() + SECONDS
    for seed in [int(ONLY)] if ONLY else range(WALKS):
        if time.monotonic() > until:
            break
        told["walks"] += 1
        walk = Walk(seed, tmp_path / str(seed))
        try:
            await walk.go(STEPS)
        except BaseException as exc:
            exc.add_note(f"HEADRACE_WALK={seed} HEADRACE_STEPS={STEPS}: " + "\n".join(["", *walk.steps]))
            raise
        told += walk.model.told
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == tasks
        assert ours() <= threads  # one of an earlier test may have ended meanwhile
    print(dict(told))  # noqa: T201
    assert ONLY or (told["kills"] and told["conflicts"] and told["compared"])
