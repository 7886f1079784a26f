"""The README's snippets for browsers in a real Chromium, as they stand there, once for each case."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from playwright.sync_api import sync_playwright

from tests.conftest import CHROMIUM
from tests.serving import ROOT

ADDRESS = "http://127.0.0.1:8080"
LANES = 3  # a browser opens no more than six connections to a server

RUN = """
async ({cases, patience, lanes}) => {
  const check = async ({name, base_url}) => {
    const seen = {name, text: "", error: null, silent: true};
    const told = new Promise((done) => {
      const console = {log: (kind, words) => {
        if (kind === "failed") seen.error = String(words);
        done(seen.silent = false);
      }};
      const failed = (error) => { seen.error = String(error); done(seen.silent = false); };
      snippet(base_url, seen, console).catch(failed);
    });
    await Promise.race([told, new Promise((late) => setTimeout(late, patience * 1000))]);
    return {...seen};
  };
  const waiting = [...cases], all = [];
  const work = async () => { for (let one; (one = waiting.shift());) all.push(await check(one)); };
  await Promise.all(Array.from({length: lanes}, work));
  return all;
}
"""


def reading(title: str, patience: float) -> Callable[[list[dict[str, Any]]], Iterator[dict[str, Any]]]:
    """The snippet under this bold title; its text is looked at where it adds to it, its end is what it logs or throws."""

    def check(cases: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        found = re.search(rf"\*\*{re.escape(title)}.*?```js\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
        assert found, f"README.md has no snippet under {title!r}"
        code = re.sub(rf'"{ADDRESS}([^"]*)"', r"(base_url + `\1`)", found[1]).replace(f"`{ADDRESS}", "`${base_url}")
        assert ADDRESS not in code
        code = code.replace("text += ", "seen.text = text += ")
        origin = cases[0]["base_url"].partition("/lab/")[0]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(CHROMIUM))
            page = browser.new_page()
            page.goto(f"{origin}/lab")  # whose policy lets it reach its own origin
            page.evaluate(f"() => {{ window.snippet = async (base_url, seen, console) => {{ {code} }}; }}")
            told = page.evaluate(RUN, {"cases": cases, "patience": patience, "lanes": LANES})
            browser.close()
        yield from told

    return check
