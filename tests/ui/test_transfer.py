"""Import and export on the page, as a person does it: a real server, a real browser."""

import json
import zipfile
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.ui.axe import Axe
from tests.ui.test_chat_page import visit
from tests.ui.test_shelf import begin, context, library, line, order, page

__all__ = ["context", "library", "page"]

CHATGPT = Path(__file__).parent.parent / "exchange" / "chatgpt.json"


def choose_file(page: Page, file: Path | dict[str, object]) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a file").click()
    chooser.value.set_files(file)  # type: ignore[arg-type]


def test_an_export_of_chatgpt_is_imported_once(page: Page, axe: Axe) -> None:
    home = page.url
    visit(page, f"{home}settings")
    choose_file(page, CHATGPT)
    report = page.locator(".hr-report")
    expect(report).to_contain_text("1 conversation imported. 2 were skipped.")
    expect(report.get_by_role("listitem").first).to_contain_text("A mill in the valley: Left out: hidden instructions (1)")
    axe(page)
    choose_file(page, CHATGPT)
    expect(report).to_contain_text("1 was here already.")
    choose_file(page, {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no conversations here"})
    expect(report).to_contain_text("This file is not JSON")
    visit(page, home)
    line(page, "A mill in the valley").get_by_role("link").click()
    expect(page).to_have_title("A mill in the valley")


def test_one_is_exported_from_its_menu_and_all_from_the_settings(page: Page) -> None:
    begin(page, "To be **exported**")
    for format, name, inside in (("Markdown", ".md", "To be **exported**"), ("HTML", ".html", "<strong>exported</strong>")):
        with page.expect_download() as download:
            order(page, "To be **exported**", "Export", format)
        assert download.value.suggested_filename.endswith(name)
        assert inside in download.value.path().read_text()
    visit(page, page.url.rpartition("/c/")[0] + "/settings")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as JSON").click()
    assert "To be **exported**" in [each["conversation"]["title"] for each in json.loads(download.value.path().read_text())]
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as Markdown").click()
    assert any("To be" in name for name in zipfile.ZipFile(download.value.path()).namelist())
