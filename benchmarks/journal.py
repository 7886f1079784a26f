"""What the journals cost: CPU per entry when many logs grow, and the time until a reader sees the entry of a lone one.

python -m benchmarks.journal [FOLDER]      the folder decides which disk is measured; a temporary one by default
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from services.events import Event, Finished, PartDelta, PartStarted, Started
from services.generations import JOURNALS
from services.generations.journal import Journal
from services.generations.log import EventLog

LOGS, STEPS = 200, 500
LONE, EVERY = 300, 0.005  # entries of a lone log, and the seconds between them
KINDS = {"memory": ("memory", False), "sqlite": ("sqlite", False), "sqlite, full": ("sqlite", True)}


def begun(journal: Journal, id: str) -> EventLog:
    log = EventLog(id, journal)
    log.begin(b"{}", b"{}")
    log.append([Started(id, "m", 0), PartStarted(0, "text"), PartDelta(0, "first")])
    return log


async def many(journal: Journal) -> float:
    """Microseconds of CPU per entry, of all threads: each log gets one entry a step, and the loop a turn in between."""
    logs = [begun(journal, f"many {number}") for number in range(LOGS)]
    delta: list[Event] = [PartDelta(0, " word")]
    before = time.process_time()
    for _ in range(STEPS):
        for log in logs:
            log.append(delta)
        await asyncio.sleep(0)
        await logs[-1].until(len(logs[-1].entries) - 5)
    for log in logs:
        log.append([Finished("stop")])
    await asyncio.gather(*(log.until(len(log.entries)) for log in logs))
    return (time.process_time() - before) / (LOGS * STEPS) * 1e6


async def lone(journal: Journal) -> list[float]:
    """Milliseconds from each append to the moment a reader has it."""
    log = begun(journal, "lone")
    await log.until(len(log.entries))
    log.follow().listen(lambda: None)
    waits = []
    for _ in range(LONE):
        began = time.perf_counter()
        log.append([PartDelta(0, " word")])
        await log.until(len(log.entries))
        waits.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(EVERY)
    return waits


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        print("| journal | CPU µs per entry, 200 logs | lone log: p50 ms | p99 ms |\n|---|---|---|---|")
        for name, (kind, full) in KINDS.items():
            journal = JOURNALS[kind](Path(folder) / name, full)

            async def measured(journal: Journal = journal) -> tuple[float, list[float]]:
                return await many(journal), await lone(journal)

            cost, waits = asyncio.run(measured())
            journal.close()
            p99 = statistics.quantiles(waits, n=100)[98]
            print(f"| {name} | {cost:.2f} | {statistics.median(waits):.2f} | {p99:.2f} |")


if __name__ == "__main__":
    main()
