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
    const { violations, incomplete } = await axe.run(document, { resultTypes: ['violations', 'incomplete'], preload: false });
    const told = (id, node) => `${id}: ${node.html.slice(0, 200)}\\n    ${node.failureSummary}`;
    const found = violations.flatMap(({ id, nodes }) => nodes.map((node) => told(id, node)));
    const unsure = incomplete.filter(({ id }) => id === 'color-contrast').flatMap(({ nodes }) => nodes);
    for (const node of unsure) {
        const wanted = parseFloat(node.any[0]?.data?.expectedContrastRatio ?? 4.5), is = contrast(node.target);
        if (is < wanted) found.push(`color-contrast ${is.toFixed(2)}: ${node.html.slice(0, 200)}`);
    }
    return found;
}"""
# Where axe is not sure of the ground (a gradient near by, a layer of its own), it is that of the ancestors, one over the other.
CONTRAST = """() => { window.contrast = (target) => {
    const text = document.querySelector([target].flat(9).at(-1)), grounds = [];
    const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const rgba = (colour) => {
        context.clearRect(0, 0, 1, 1);
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
    const light = (colour) => colour.slice(0, 3).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    for (let one = text; one; one = one.parentElement) grounds.unshift(rgba(getComputedStyle(one).backgroundColor));
    const ground = grounds.reduce((under, ground) => over(ground, under), [255, 255, 255, 1]);
    const [dark, bright] = [light(ground), light(over(rgba(getComputedStyle(text).color), ground))].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
}; }
"""


@pytest.fixture(scope="session")
def axe(node_modules: Path) -> Axe:
    script = (node_modules / "node_modules" / "axe-core" / "axe.min.js").read_text()

    def check(page: Page) -> None:
        page.evaluate(SETTLED)
        if not page.evaluate("typeof axe === 'object'"):
            page.evaluate(script)
            page.evaluate(CONTRAST)
        found = page.evaluate(FOUND)
        assert not found, "\n".join(found)

    return check
