"""Pictures of every page and state, at several widths, light and dark, and sheets of them to be looked at.

    uv run python -m benchmarks.looks FOLDER [--only PART-OF-A-NAME] [--language de]

A server of its own with the rehearsal models makes the conversations; nothing is asserted. Chromium; about a minute for each width.
"""

import argparse
import asyncio
import html
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from benchmarks.page import CHROMIUM, ROOT
from benchmarks.states import SHOTS, ask, make

WINDOWS = (("1440-light", 1440, 900, "light"), ("1440-dark", 1440, 900, "dark"), ("768-light", 768, 1000, "light"))
PHONES = (("390-light", 390, 844, "light"), ("390-dark", 390, 844, "dark"), ("320-light", 320, 640, "light"))
ACROSS = {1440: 2, 768: 3, 390: 5, 320: 6}  # pictures in a row of a sheet, by their width
ROWS = {1440: 3, 768: 2, 390: 2, 320: 2}


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("HEADRACE_", "NICEGUI_"))}
    env |= {"HEADRACE_SETTINGS": str(folder / "settings.toml"), "PYTHONUNBUFFERED": "1"}
    (folder / "settings.toml").write_text("[rehearsal]\nspeed = 300.0\n[attachments]\npaste = 2000\n")
    command = (sys.executable, str(ROOT / "main.py"), "--server.port", "0")
    running = await asyncio.create_subprocess_exec(*command, cwd=folder, env=env, stdout=asyncio.subprocess.PIPE)
    assert running.stdout
    try:
        line = (await asyncio.wait_for(running.stdout.readline(), 60)).decode()
        yield running, re.findall(r"http://[\d.:]+", line)[0]
    finally:
        if running.returncode is None:
            running.send_signal(signal.SIGTERM)
            await running.wait()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--windows", default="")
    parser.add_argument("--language", default="en")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as kept:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM))
            async with server(Path(kept)) as (running, url):
                page = await browser.new_page(viewport={"width": 1440, "height": 900})
                interrupted = await ask(page, url, "longform", "5000 tokens at 100 tokens/s", until="streaming")
                await page.wait_for_timeout(2500)
                running.kill()
                await running.wait()
                await page.close()
            async with server(Path(kept)) as (_, url):
                page = await browser.new_page(viewport={"width": 1440, "height": 900})
                made = {"interrupted": interrupted, **await make(page, url)}
                await page.close()
                for window in (*WINDOWS, *PHONES):
                    if given.windows in window[0]:
                        await look(browser, url, made, given, *window)
            await browser.close()


async def look(
    browser: Browser, url: str, made: dict[str, str], given: argparse.Namespace, name: str, width: int, height: int, scheme: str
) -> None:
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]
        locale=given.language,
        has_touch=width < 768,
    )
    page = await context.new_page()
    taken = []
    for shot, take in SHOTS.items():
        if given.only not in shot:
            continue
        try:
            await take(page, url, made)
        except Exception as exc:  # a picture of where it stands is what one wants then
            print(f"{name} {shot}: {str(exc).splitlines()[0]}")
        file = given.folder / f"{name}-{shot}.png"
        await page.screenshot(path=file)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            print(f"{name} {shot}: {wide} px wide")
        taken.append((shot, file))
    each = ACROSS[width] * ROWS[width]
    for first in range(0, len(taken), each):
        await sheet(page, given.folder / f"sheet-{name}-{first // each + 1}.png", taken[first : first + each], width)
    await context.close()


async def sheet(page: Page, into: Path, taken: list[tuple[str, Path]], width: int) -> None:
    """Some of them in one picture, no larger than one sees it whole: what looks at pictures may shrink those over 1568 px."""
    cells = "".join(f"<figure><img src='{file.name}'><figcaption>{html.escape(shot)}</figcaption></figure>" for shot, file in taken)
    grid = f"display:grid;grid-template-columns:repeat({ACROSS[width]},1fr);gap:6px;margin:4px"
    style = f"body{{{grid}}} figure{{margin:0}} img{{width:100%;border:1px solid}}"
    (into.parent / "sheet.html").write_text(f"<style>{style}</style>{cells}")
    await page.set_viewport_size({"width": 1560, "height": 1000})
    await page.goto((into.parent / "sheet.html").as_uri())
    await page.screenshot(path=into, full_page=True)


if __name__ == "__main__":
    asyncio.run(main())
