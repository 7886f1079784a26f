"""One page with nothing but a text on it (stage_app.py), and the door to its server."""

from contextlib import suppress

import httpx
from playwright.sync_api import Page, TimeoutError

# The blocks on the page equal these strings, after both have been through the browser's own HTML parser.
SAME = """(blocks) => {
    const root = document.querySelector(".hr-prose");
    const parsed = (html) => Object.assign(document.createElement("div"), { innerHTML: html }).innerHTML;
    return root && root.children.length === blocks.length && blocks.every((html, i) => root.children[i].innerHTML === parsed(html));
}"""


class Stage:
    """One page and the door to its server."""

    def __init__(self, page: Page, url: str, name: str) -> None:
        self.page, self.url, self.name = page, url, name

    def open(self, text: str = "") -> None:
        self.page.goto(str(httpx.URL(f"{self.url}/{self.name}", params={"text": text} if text else {})))
        self.page.wait_for_function("window.did_handshake === true")

    def do(self, verb: str, text: str = "") -> list[str]:
        blocks: list[str] = httpx.post(f"{self.url}/do/{self.name}/{verb}", content=text.encode()).raise_for_status().json()
        return blocks

    def stream(self, text: str, size: int = 40) -> None:
        for at in range(0, len(text), size):
            self.do("write", text[at : at + size])

    def expect_same(self, *, holding: str) -> None:
        """The page shows what the server believes, and that is the text that was meant."""
        told = "(text) => document.querySelector('.hr-prose')?.textContent.includes(text)"
        self.page.wait_for_function(told, arg=holding, timeout=20_000)
        for _ in range(20):  # another patch may have come since the server was asked
            with suppress(TimeoutError):
                self.page.wait_for_function(SAME, arg=self.do("look"), timeout=1000)
                return
        raise AssertionError("the page does not show what the server believes")
