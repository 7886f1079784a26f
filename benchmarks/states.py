"""Every page and state, and how a person gets there: for `benchmarks.looks`. Nothing is asserted."""

from collections.abc import Awaitable, Callable

from playwright.async_api import FilePayload, Page

from tests.attachments.samples import png

Shot = Callable[[Page, str, dict[str, str]], Awaitable[None]]  # a page, the server, and the conversations there are by name


async def go(page: Page, url: str) -> None:
    await page.goto("about:blank")  # else only the part behind the # would change
    await page.goto(url)
    await page.wait_for_function("window.did_handshake === true")
    await page.wait_for_timeout(400)


async def ask(page: Page, url: str, model: str, text: str, *, until: str = "finished|stopped|failed|interrupted") -> str:
    """In a new conversation, whose address is returned."""
    await go(page, f"{url}/?model=rehearsal/{model}")
    await say(page, text, until)
    return page.url.removeprefix(url)


async def say(page: Page, text: str, until: str = "finished|stopped|failed|interrupted") -> None:
    await page.locator(".hr-composer > .hr-input").fill(text)
    await page.keyboard.press("Enter")
    ended = "(states) => [...document.querySelectorAll('[data-role=assistant]')].at(-1)?.dataset.state?.match(`^(${states})$`)"
    await page.wait_for_function(ended, arg=until, timeout=60_000)


async def make(page: Page, url: str) -> dict[str, str]:
    made = {
        "rich": await ask(page, url, "guide", "Show me what you can render"),
        "thought": await ask(page, url, "thinker", "Why does the wheel turn?"),
        "tools": await ask(page, url, "scenes", "tools"),
        "error": await ask(page, url, "scenes", "error"),
        "length": await ask(page, url, "scenes", "length"),
        "branches": await ask(page, url, "echo", "One question, and the answers to it"),
    }
    await page.locator('[data-action="regenerate"]').last.click()
    await page.wait_for_timeout(1500)
    await ask(page, url, "scenes", "slow", until="streaming")
    await page.wait_for_timeout(1000)
    await page.locator(".hr-stop").click()
    await page.wait_for_timeout(800)
    made["stopped"] = page.url.removeprefix(url)
    await go(page, f"{url}/?model=rehearsal/guide")
    await compare(page)
    await say(page, "Show me what you can render")
    await page.wait_for_timeout(3000)
    made["compared"] = page.url.removeprefix(url)
    await go(page, f"{url}/?model=rehearsal/echo")
    await attach(page)
    await say(page, "What is in these files?")
    made["attached"] = page.url.removeprefix(url)
    for name, folder in (("tools", "Work"), ("error", "Work"), ("length", "A folder with a rather long name for its width")):
        await act(page, made[name], "folder")
        await page.locator(".hr-pop button").last.click()
        await page.locator(".hr-pop input").fill(folder)
        await page.keyboard.press("Enter")
        await page.wait_for_timeout(700)
    await act(page, made["thought"], "push_pin")
    await page.wait_for_timeout(700)
    await act(page, made["stopped"], "archive")
    await page.wait_for_timeout(700)
    return made


async def compare(page: Page) -> None:
    await page.locator(".hr-model").click()
    await page.locator(".hr-picker-foot button").nth(1).click()
    for model in ("echo", "thinker"):
        await page.locator(".hr-picker-option", has_text=model).last.click()
    await page.locator(".hr-picker-done").click()


async def attach(page: Page) -> None:
    picture: FilePayload = {"name": "mill.png", "mimeType": "image/png", "buffer": png(320, 240)}
    notes: FilePayload = {
        "name": "notes with a long name, as files have.txt",
        "mimeType": "text/plain",
        "buffer": b"Water runs downhill.\n" * 80,
    }
    await page.locator(".hr-attach input").set_input_files([picture, notes])
    await page.wait_for_timeout(1200)


async def act(page: Page, path: str, icon: str) -> None:
    line = page.locator(f'[data-conversation="{path.rpartition("/")[2]}"]')
    await line.hover()
    await line.locator(".hr-chat-more").click()
    await page.locator(".hr-pop button", has=page.locator(f"i:text-is('{icon}')")).click()
    await page.wait_for_timeout(300)


async def show_side(page: Page) -> None:
    if page.viewport_size and page.viewport_size["width"] < 768:
        await page.locator(".hr-menu").click()
        await page.wait_for_timeout(500)


def at(name: str, *, top: bool = False) -> Shot:
    async def shot(page: Page, url: str, made: dict[str, str]) -> None:
        await go(page, url + made[name])
        if top:
            await page.locator(".hr-scroll").evaluate("(thread) => { thread.dataset.pinned = false; thread.scrollTop = 0; }")
            await page.wait_for_timeout(300)

    return shot


async def empty(page: Page, url: str, made: dict[str, str]) -> None:
    await go(page, url)


async def middle(page: Page, url: str, made: dict[str, str]) -> None:
    await at("rich")(page, url, made)
    await page.mouse.move(300, 300)
    await page.mouse.wheel(0, -700)
    await page.wait_for_timeout(500)


async def waiting(page: Page, url: str, made: dict[str, str]) -> None:
    await ask(page, url, "scenes", "overloaded", until="waiting|failed")


async def retrying(page: Page, url: str, made: dict[str, str]) -> None:
    await ask(page, url, "scenes", "refused", until="waiting|failed")
    await page.wait_for_timeout(900)


async def streaming(page: Page, url: str, made: dict[str, str]) -> None:
    await ask(page, url, "longform", "3000 tokens at 150 tokens/s", until="streaming")
    await page.wait_for_timeout(2500)


async def queued(page: Page, url: str, made: dict[str, str]) -> None:
    await streaming(page, url, made)
    for text in ("And then?", "A longer message that waits until the answer before it has come to its end, and is cut off in its line"):
        await page.locator(".hr-composer > .hr-input").fill(text)
        await page.keyboard.press("Enter")
        await page.wait_for_timeout(700)


async def second_column(page: Page, url: str, made: dict[str, str]) -> None:
    await at("compared")(page, url, made)
    if await page.locator(".hr-column-tab").nth(1).is_visible():
        await page.locator(".hr-column-tab").nth(1).click()
    await page.locator(".hr-scroll").evaluate("(thread) => { thread.dataset.pinned = false; thread.scrollTop = 500; }")


async def attaching(page: Page, url: str, made: dict[str, str]) -> None:
    await go(page, url)
    await attach(page)
    await page.evaluate("sessionStorage.clear()")  # or they would be in the next message


async def editing(page: Page, url: str, made: dict[str, str]) -> None:
    await at("branches")(page, url, made)
    await page.locator(".hr-user").last.hover()
    await page.locator('.hr-user [data-action="edit"]').last.click()
    await page.wait_for_timeout(300)


async def thinking(page: Page, url: str, made: dict[str, str]) -> None:
    await at("thought")(page, url, made)
    await page.locator(".hr-thought summary").first.click()


async def palette(page: Page, url: str, made: dict[str, str]) -> None:
    await at("branches")(page, url, made)
    await page.keyboard.press("Control+k")
    await page.wait_for_timeout(400)
    await page.keyboard.type("wheel")
    await page.wait_for_timeout(700)


async def picker(page: Page, url: str, made: dict[str, str]) -> None:
    await at("branches")(page, url, made)
    await page.locator(".hr-model").click()
    await page.wait_for_timeout(600)


async def parameters(page: Page, url: str, made: dict[str, str]) -> None:
    await at("branches")(page, url, made)
    await page.locator(".hr-tune").click()
    await page.wait_for_timeout(600)


async def keyboard(page: Page, url: str, made: dict[str, str]) -> None:
    await at("branches")(page, url, made)
    await page.keyboard.press("Control+/")
    await page.wait_for_timeout(300)


async def sidebar(page: Page, url: str, made: dict[str, str]) -> None:
    await at("branches")(page, url, made)
    await show_side(page)
    while await page.locator(".hr-fold[aria-expanded=false]").count():
        await page.locator(".hr-fold[aria-expanded=false]").first.click()
        await page.wait_for_timeout(400)
    line = page.locator(".hr-chat-line").nth(1)
    await line.hover()
    await line.locator(".hr-chat-more").click()
    await page.wait_for_timeout(300)


async def toast(page: Page, url: str, made: dict[str, str]) -> None:
    await ask(page, url, "echo", "To be deleted")
    here = page.url.removeprefix(url)
    await at("rich")(page, url, made)
    await show_side(page)
    await act(page, here, "delete")
    await page.wait_for_timeout(600)


def settings(part: str) -> Shot:
    async def shot(page: Page, url: str, made: dict[str, str]) -> None:
        await go(page, f"{url}/settings#{part}")
        await page.locator(f"#{part}").scroll_into_view_if_needed()
        await page.locator(f"#{part}").evaluate("(heading) => heading.scrollIntoView()")
        await page.wait_for_timeout(500)

    return shot


async def adding(page: Page, url: str, made: dict[str, str]) -> None:
    await settings("servers")(page, url, made)
    await page.locator(".hr-settings-main section").first.locator("button").last.click()
    await page.wait_for_timeout(400)


async def deleting(page: Page, url: str, made: dict[str, str]) -> None:
    await settings("data")(page, url, made)
    await page.locator(".hr-buttons-left button").last.click()
    await page.wait_for_timeout(400)


async def importing(page: Page, url: str, made: dict[str, str]) -> None:
    await settings("data")(page, url, made)
    told: FilePayload = {
        "name": "conversations.json",
        "mimeType": "application/json",
        "buffer": b'[{"title": "From elsewhere", "mapping": {"a": 1}}, {"x": 2}]',
    }
    await page.locator("input[type=file]").first.set_input_files(told)
    await page.wait_for_timeout(1500)


def other(path: str) -> Shot:
    async def shot(page: Page, url: str, made: dict[str, str]) -> None:
        await page.goto(url + path)
        await page.wait_for_timeout(1200)

    return shot


async def inspected(page: Page, url: str, made: dict[str, str]) -> None:
    await other("/inspect")(page, url, made)
    await page.locator('a[href*="/inspect/"]').first.click()
    await page.wait_for_timeout(1800)


SHOTS: dict[str, Shot] = {
    "empty": empty,
    "rich-top": at("rich", top=True),
    "rich-middle": middle,
    "rich-end": at("rich"),
    "thought": thinking,
    "tools": at("tools"),
    "error": at("error"),
    "length": at("length"),
    "stopped": at("stopped"),
    "interrupted": at("interrupted"),
    "branches": at("branches"),
    "compared": at("compared", top=True),
    "compared-second": second_column,
    "attached": at("attached"),
    "attaching": attaching,
    "editing": editing,
    "waiting": waiting,
    "retrying": retrying,
    "streaming": streaming,
    "queued": queued,
    "palette": palette,
    "picker": picker,
    "parameters": parameters,
    "keyboard": keyboard,
    "sidebar": sidebar,
    "toast": toast,
    "settings-servers": settings("servers"),
    "settings-adding": adding,
    "settings-general": settings("general"),
    "settings-keys": settings("keys"),
    "settings-data": settings("data"),
    "settings-deleting": deleting,
    "settings-importing": importing,
    "settings-about": settings("about"),
    "inspect": other("/inspect"),
    "inspected": inspected,
    "document": other("/help/design"),
    "missing": other("/nowhere"),
}
