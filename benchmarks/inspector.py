"""Whether the inspector stays smooth: the long tasks of its page beside a reply of 32,000 tokens, live and opened when it has ended.

    uv run python -m benchmarks.inspector [--tokens 32000] [--pace 400]

A long task is one of 50 ms or more, as the browser itself tells it; what is looked for is none over 100 ms. Opening a page has some of its
own, of the framework's scripts: they are told apart. Take the figures on a machine that does nothing else.
"""

import argparse
import tempfile
import threading
import time
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

from tests.conftest import CHROMIUM
from tests.serving import served

OPENING = 4.0  # seconds
LOOKING = 6.0
WATCH = """
window.tasks = [];
new PerformanceObserver((list) => list.getEntries().forEach(({startTime, duration}) => tasks.push([startTime, duration])))
  .observe({type: "longtask", buffered: true});
"""


def told(page: Page, name: str) -> None:
    tasks = [duration for _, duration in page.evaluate("tasks.splice(0)")]
    worst = max(tasks, default=0.0)
    over = sum(duration > 100 for duration in tasks)
    print(f"| {name} | {len(tasks)} | {worst:.0f} | {over} | {sum(tasks):.0f} |", flush=True)


def used(page: Page) -> None:
    """What a person does with it: scrolls, chooses rows, searches."""
    scroll = page.locator(".hr-lanes-scroll").first
    scroll.focus()
    for _ in range(12):
        page.keyboard.press("PageDown")
        time.sleep(0.15)
    for _ in range(8):
        page.keyboard.press("ArrowDown")
        time.sleep(0.1)
    page.get_by_role("searchbox").first.fill("the")
    time.sleep(2)
    page.get_by_role("searchbox").first.fill("")
    time.sleep(LOOKING / 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=32_000)
    parser.add_argument("--pace", type=int, default=400, help="tokens per second")
    asked = parser.parse_args()
    question = f"{asked.tokens} tokens at {asked.pace} tokens/s"
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), "[record]\nbytes = 64000000\n") as headrace:
        client = httpx.Client(base_url=headrace.url, trust_env=False, timeout=None)
        body = {"model": "rehearsal/longform", "messages": [{"role": "user", "content": question}], "on_disconnect": "keep"}
        with client.stream("POST", "/chat", json=body) as answer, sync_playwright() as playwright:
            id = answer.headers["headrace-generation"]
            reading = threading.Thread(target=lambda: all(True for _ in answer.iter_bytes()), daemon=True)
            reading.start()
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(CHROMIUM))
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.add_init_script(WATCH)
            print("| phase | long tasks | the worst, ms | over 100 ms | all of them, ms |\n|---|---|---|---|---|")
            page.goto(f"{headrace.url}/inspect/{id}")
            page.get_by_role("listbox").wait_for()
            time.sleep(OPENING)
            told(page, "opened while it begins")
            half = time.monotonic() + asked.tokens / asked.pace / 2
            while time.monotonic() < half and reading.is_alive():
                time.sleep(0.5)
            told(page, "live, looked at")
            used(page)
            told(page, "live, used")
            reading.join()
            time.sleep(2)
            told(page, "live, until its end")
            page.goto(f"{headrace.url}/inspect/{id}")
            page.get_by_role("listbox").wait_for()
            time.sleep(OPENING)
            told(page, "opened when it has ended")
            used(page)
            told(page, "ended, used")
            page.goto(f"{headrace.url}/inspect")
            time.sleep(OPENING)
            told(page, "the list, opened, for comparison")
            browser.close()


if __name__ == "__main__":
    main()
