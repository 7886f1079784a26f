"""What no line of ours may do, read off the sources: the rules that ruff's own (S, DTZ) do not know. Each is shown to fire."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.serving import ROOT

SOURCES = [ROOT / "main.py", *(path for folder in ("services", "ui") for path in sorted((ROOT / folder).rglob("*.py")))]
SCRIPTS = sorted((ROOT / "ui" / "static").rglob("*.js"))

PROCESSES = {"services/attachments/pdf.py"}  # may start another one: our own interpreter, our own file, no shell
UNSANITIZED = {"ui/panels/inspector.py", "ui/pages/docs.py"}  # draws with numbers of its own; our documents, by the room ui/markdown


def _calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (getattr(node.func, "attr", None) or getattr(node.func, "id", None)) in names:
            yield node


def _is_safe_script(node: ast.expr) -> bool:
    """A constant; or one with values in it that are JSON, constants, or ids of our own."""
    match node:
        case ast.Constant() | ast.Name():
            return not isinstance(node, ast.Name) or node.id.isupper()
        case ast.JoinedStr(values=values):
            return all(not isinstance(value, ast.FormattedValue) or _is_json(value.value) for value in values)
        case ast.IfExp(body=one, orelse=other):
            return _is_safe_script(one) and _is_safe_script(other)
        case ast.Call(func=ast.Attribute(value=template, attr="replace"), args=[ast.Constant(), value]):
            return _is_safe_script(template) and _is_json(value)
    return False


def _is_json(node: ast.expr) -> bool:
    said = ast.unparse(node)
    return bool(
        re.match(r"json\.dumps\(", said)
        or re.fullmatch(r"msgspec\.json\.encode\(.*\)\.decode\(\)|[\w.]*\bid|[\w.]*_id|[A-Z_]+( \* \d+)?", said)
    )


def scripts_of_text(tree: ast.AST, path: str) -> Iterator[str]:
    for call in _calls(tree, "run_javascript"):
        if not call.args or not _is_safe_script(call.args[0]):
            yield "run_javascript of text: put values in by json.dumps"


def raw_html(tree: ast.AST, path: str) -> Iterator[str]:
    for call in _calls(tree, "html", "markdown"):
        if path not in UNSANITIZED and any(word.arg == "sanitize" and ast.unparse(word.value) != "True" for word in call.keywords):
            yield "sanitize=False"
    for call in _calls(tree, "markdown"):
        if ast.unparse(call.func) == "ui.markdown":
            yield "ui.markdown: a model's text goes through the room ui/markdown"


def html_of_text(tree: ast.AST, path: str) -> Iterator[str]:
    for call in _calls(tree, "add_body_html", "add_head_html"):
        if path != "ui/template.py" and not all(isinstance(given, ast.Constant) for given in call.args):
            yield "HTML that is put together"


def foreign_code(tree: ast.AST, path: str) -> Iterator[str]:
    for node in ast.walk(tree):
        names = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        for name in names:
            if name.partition(".")[0] in {"pickle", "marshal", "shelve", "dill", "yaml", "xmlrpc", "telnetlib", "ftplib"}:
                yield f"{name} makes objects, or connections, of what comes"
            if name in {"subprocess", "pty"} and path not in PROCESSES:
                yield f"{name} here"
    for call in _calls(tree, "create_subprocess_shell", "create_subprocess_exec", "system", "popen"):
        if path not in PROCESSES:
            yield f"{ast.unparse(call.func)} here"


def secrets_in_sight(tree: ast.AST, path: str) -> Iterator[str]:
    """A key may be given to the upstream that sends it, and to what hides it."""
    allowed = {
        "services/settings/tables.py",
        "services/settings/values.py",
        "services/upstream/configured.py",
        "services/setup/servers.py",
        "main.py",
    }
    for call in _calls(tree, "get_secret_value"):
        if path not in allowed:
            yield f"{ast.unparse(call)[:60]} here"


RULES: dict[Callable[[ast.AST, str], Iterator[str]], list[str]] = {
    scripts_of_text: ['ui.run_javascript(f"say({text})")', "ui.run_javascript(text)", 'ui.run_javascript("say(" + text + ")")'],
    raw_html: ["ui.html(text, sanitize=False)", "ui.markdown(text)", "ui.html(text, sanitize=how)"],
    html_of_text: ['ui.add_body_html("<b>" + text)', "ui.add_head_html(text)"],
    foreign_code: [
        "import pickle",
        "from yaml import load",
        "import subprocess",
        "asyncio.create_subprocess_shell(text)",
        "os.system(text)",
    ],
    secrets_in_sight: ["log.info(upstream.api_key.get_secret_value())"],
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_finds_what_it_forbids_and_nothing_in_the_house(rule: Callable[[ast.AST, str], Iterator[str]]) -> None:
    for planted in RULES[rule]:
        assert list(rule(ast.parse(planted), "services/x.py")), planted
    found = {str(path.relative_to(ROOT)): list(rule(ast.parse(path.read_text()), str(path.relative_to(ROOT)))) for path in SOURCES}
    assert {path: told for path, told in found.items() if told} == {}


SINKS = re.compile(
    r"\.(inner|outer)HTML\s*=(?!=)|insertAdjacentHTML|document\.write|\beval\(|new Function\(|v-html|srcdoc|setTimeout\(\s*[\"'`]"
)
# What ui/markdown has rendered, under the Trusted Types policy for just that; and a diagram, in a frame that can reach nothing.
KNOWN = {"prose.js": [".innerHTML ="], "diagram.js": [".innerHTML ="]}


def test_our_scripts_make_no_markup_or_code_of_text() -> None:
    for planted in (
        "a.innerHTML = b",
        "eval(a)",
        "new Function(a)",
        '{template: `<p v-html="a"></p>`}',
        'setTimeout("a()", 1)',
        "a.srcdoc = b",
    ):
        assert SINKS.search(planted), planted
    found = {path.name: [hit[0] for hit in SINKS.finditer(path.read_text())] for path in SCRIPTS}
    assert {name: hits for name, hits in found.items() if hits and name not in ("trusted.js",)} == KNOWN


def test_the_list_of_sources_is_all_of_them() -> None:
    assert len(SOURCES) > 250
    assert len(SCRIPTS) > 5
    assert Path("services/chat.py") in [path.relative_to(ROOT) for path in SOURCES]
