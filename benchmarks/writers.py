"""What every writer of a client's dialect costs beside the native one. Prints a Markdown table.

    uv run python -m benchmarks.writers [dialect ...]     about 1 s for each dialect

Microseconds of CPU per entry, the least of several runs, for a log of 1,000 pieces of text: each entry written by itself, as a
reply that is being watched comes, and all of them at once, as it is replayed. `over` is what a dialect adds to the native
`events`, written one by one: 3 us is the goal. Nothing here knows a dialect.
"""

import platform
import sys
import time
from collections.abc import Callable, Sequence

import msgspec

from services.downstream import WRITERS
from services.events import Entry, Event, Finished, PartDelta, PartFinished, PartStarted, Started, Usage

PIECES = ("Hel", "lo", " there", ",", " “Köln”", " and", " so", " on", ".", "\n")
DELTAS = 1_000
RUNS = 15
NATIVE = "events"

STARTED = Started("0123456789abcdef0123456789abcdef", "upstream/some-model:8b", 1_790_000_000)


def log() -> list[Entry]:
    said = [PartDelta(0, PIECES[number % len(PIECES)]) for number in range(DELTAS)]
    events: list[Event] = [STARTED, PartStarted(0, "text"), *said, PartFinished(0), Usage(10, DELTAS), Finished("stop")]
    return [Entry(number, float(number), event) for number, event in enumerate(events, start=1)]


def write(dialect: str, batches: Sequence[Sequence[Entry]]) -> int:
    """Bytes written."""
    writer = WRITERS[dialect](STARTED, {})
    return sum(len(writer.write(batch)) for batch in batches)


def microseconds(work: Callable[[], object], entries: int) -> float:
    def once() -> float:
        began = time.process_time()
        work()
        return (time.process_time() - began) / entries * 1e6

    return min(once() for _ in range(RUNS))


def main() -> None:
    entries = log()
    one_by_one, at_once = [[entry] for entry in entries], [entries]
    native = microseconds(lambda: write(NATIVE, one_by_one), len(entries))
    print(f"{platform.python_implementation()} {platform.python_version()}, msgspec {msgspec.__version__}, us of CPU per entry\n")
    print("| dialect | bytes | one by one | over | at once |")
    print("|---|--:|--:|--:|--:|")
    for dialect in sys.argv[1:] or WRITERS:
        single = microseconds(lambda: write(dialect, one_by_one), len(entries))  # noqa: B023
        batched = microseconds(lambda: write(dialect, at_once), len(entries))  # noqa: B023
        size = write(dialect, at_once) // len(entries)
        print(f"| {dialect} | {size} | {single:.2f} | {single - native:+.2f} | {batched:.2f} |", flush=True)


if __name__ == "__main__":
    main()
