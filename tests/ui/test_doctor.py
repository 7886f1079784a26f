"""The doctor of the lab before a real nginx: good, and bad in every way that it has lines against. And what this browser sees."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.doctor.proxies import GOOD, nginx
from tests.serving import Served, served
from tests.ui.axe import Axe

APP = "https://app.example.org"
OTHER = "https://other.example.org"
PAUSE = 2
SETTINGS = f'[server]\nheartbeat = {PAUSE}.0\ncors_origins = ["{APP}"]\n'

BUFFERING = "proxy_set_header Host $http_host; proxy_ignore_headers X-Accel-Buffering; proxy_buffering on; gzip on; gzip_types *;"
WITHOUT_CORS = f"{GOOD} if ($request_method = OPTIONS) {{ return 405; }} proxy_hide_header Access-Control-Allow-Origin;"
HASTY = "proxy_set_header Host $http_host; proxy_buffering off; proxy_read_timeout 1s;"
RENAMING = "proxy_buffering off; proxy_set_header Host 127.0.0.1;"
FEW = f"{GOOD} limit_conn all 4;"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("house"), SETTINGS) as running:
        yield running


@pytest.fixture
def page(house: Served, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{house.url}/lab")
    yield page
    context.close()
    assert faults == []


def examine(page: Page, origin: str, proxy: str) -> list[str | None]:
    """The names of what was found, in their order."""
    page.get_by_label("Origin of a page").fill(origin)
    page.get_by_label("Address of the proxy").fill(proxy)
    return press(page, "Examine")


def press(page: Page, name: str) -> list[str | None]:
    findings = page.get_by_role("list", name="Findings")
    shown = int(findings.get_attribute("data-shown") or 0)
    page.get_by_role("button", name=name).click()
    expect(findings).to_have_attribute("data-shown", str(shown + 1), timeout=30_000)
    return [each.get_attribute("data-finding") for each in page.locator("[data-finding]").all()]


@pytest.mark.parametrize(
    ("lines", "origin", "said"),
    [
        (GOOD, APP, ["flows", "listed", "private", "cors_passes"]),
        (BUFFERING, "", ["held", "compressed"]),
        (WITHOUT_CORS, APP, ["flows", "listed", "private", "cors_lost"]),
        (HASTY, "", ["cut"]),
        (RENAMING, "", ["origin_of_proxy"]),
        (FEW, OTHER, ["streams", "not_listed"]),
    ],
    ids=["good", "buffering", "without-cors", "hasty", "renaming", "few"],
)
def test_a_proxy(house: Served, page: Page, tmp_path: Path, lines: str, origin: str, said: list[str]) -> None:
    with nginx(tmp_path, house.url, lines) as proxy:
        assert examine(page, origin, proxy) == said


def test_no_proxy_at_all(page: Page, axe: Axe) -> None:
    assert examine(page, "", "http://127.0.0.1:1") == ["no_answer_refused"]
    assert examine(page, OTHER, "") == ["not_listed"]
    expect(page.locator("pre")).to_have_text(f'[server]\ncors_origins = ["{OTHER}"]')
    axe(page)
    page.get_by_label("Origin of a page").fill("")
    page.get_by_label("Address of the proxy").fill("http://169.254.169.254/latest")
    page.get_by_role("button", name="Examine").click()
    expect(page.get_by_role("alert").filter(has_text="credentials")).to_be_visible()


def test_what_this_browser_sees(house: Served, page: Page, tmp_path: Path) -> None:
    assert press(page, "Measure from this browser") == ["browser_flows", "browser_six"]
    expect(page.locator('[data-finding="browser_flows"]')).to_contain_text("over http/1.1")
    with nginx(tmp_path, house.url, f"{BUFFERING} proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;") as proxy:
        page.goto(f"{proxy}/lab")
        assert press(page, "Measure from this browser")[:2] == ["browser_held", "browser_compressed"]
