"""axe-core on what a page shows just now: `axe(page)` fails with what it found and where."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

Axe = Callable[[Page], None]

# What fades in has a contrast of its own until it is there.
SETTLED = """() => Promise.all(
    document.getAnimations().filter((one) => one.effect.getTiming().iterations === 1).map((one) => one.finished.catch(() => 0))
)"""
FOUND = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ['violations'], preload: false });
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}\\n    ${node.failureSummary}`));
}"""


@pytest.fixture(scope="session")
def axe(node_modules: Path) -> Axe:
    script = (node_modules / "node_modules" / "axe-core" / "axe.min.js").read_text()

    def check(page: Page) -> None:
        page.evaluate(SETTLED)
        if not page.evaluate("typeof axe === 'object'"):
            page.evaluate(script)
        found = page.evaluate(FOUND)
        assert not found, "\n".join(found)

    return check
