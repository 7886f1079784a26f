"""The rules of the house: format, types, floors, and documents that say what the code does."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from services import errors, events
from services.api.native import NATIVE
from services.api.routes import router
from services.downstream import WRITERS
from services.downstream.native import Story
from services.errors import HeadraceError, RequestError
from tests.serving import ROOT
from ui.theme import SHEETS

API_DOC = (ROOT / "docs" / "api.md").read_text()


def tool(*command: str, folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", [("ruff", "format", "--check", "."), ("ruff", "check", "."), ("mypy",)], ids=" ".join)
def test_format_lint_and_types(command: tuple[str, ...]) -> None:
    done = tool(*command)
    assert done.returncode == 0, done.stdout + done.stderr


# The floors


def lint_imports(folder: Path) -> "subprocess.CompletedProcess[str]":
    program = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert program
    return subprocess.run([program, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(folder)})


def test_imports_keep_the_floor_plan() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("services/chat.py", "import nicegui", "NiceGUI only in ui"),
        ("services/chat.py", "import starlette.requests", "Starlette, FastAPI and uvicorn only in services.api"),
        ("services/upstream/ollama.py", "import aiohttp", "Connections are opened in upstream/connections.py only"),
        ("services/upstream/ollama.py", "import asyncio", "Values, codecs, readers and writers do no I/O and no asyncio"),
        ("services/faults/points.py", "import asyncio", "Values, codecs, readers and writers do no I/O and no asyncio"),
        ("services/wire/sse.py", "from services.messages import Turn", "The floors"),
        ("services/downstream/text.py", "from services.upstream import READERS", "The floors"),
        ("services/chat.py", "from services.api.app import build", "The floors"),
        ("ui/pages/chat.py", "from services.generations.log import EventLog", "The screen goes through the door"),
        ("ui/panels/composer.py", "from services.chat import Chat", "Panels talk to nobody"),
        ("services/chat.py", "import tomllib", "TOML only in settings"),
    ],
)
def test_a_planted_violation_is_caught(tmp_path: Path, file: str, line: str, broken: str) -> None:
    for folder in ("services", "ui"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    planted = tmp_path / file
    planted.write_text(planted.read_text() + f"\n{line}\n")
    done = lint_imports(tmp_path)
    assert done.returncode != 0
    assert re.search(rf"{re.escape(broken)}.*BROKEN", done.stdout), done.stdout


def modules() -> list[Path]:
    return [path for folder in ("services", "ui") for path in (ROOT / folder).rglob("*.py")]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_and_imports_at_its_top(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "the first line of a file says what it is"
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert all(node in tree.body for node in imports), "no imports inside functions, no TYPE_CHECKING"
    assert not any(name.name == "main" for node in imports for name in node.names), "nobody imports main"


# The documents


@pytest.mark.parametrize("state", get_args(events.State))
def test_every_state_is_documented(state: str) -> None:
    assert f"`{state}`" in API_DOC


@pytest.mark.parametrize("reason", get_args(events.Reason))
def test_every_reason_is_documented(reason: str) -> None:
    assert f"`{reason}`" in API_DOC


def told_types() -> set[str]:
    """Every type that the native stream can tell, read off its writer's source."""
    source = ast.parse((ROOT / "services" / "downstream" / "native.py").read_text())
    (story,) = [node for node in source.body if isinstance(node, ast.ClassDef) and node.name == Story.__name__]
    returned = [node.value for node in ast.walk(story) if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple)]
    return {str(value.elts[0].value) for value in returned if isinstance(value.elts[0], ast.Constant)} | {"source", "image", "file"}


def test_every_event_is_documented() -> None:
    table = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?`) \|", API_DOC, re.M))))
    assert len(told_types()) >= 12
    assert told_types() <= table


def test_every_format_is_documented() -> None:
    for format in NATIVE:
        assert f"| `{format}` |" in API_DOC


def test_every_route_is_documented() -> None:
    paths = {(method, route.path) for route in router().routes for method in route.app.by_method}  # type: ignore[attr-defined]
    assert len(paths) >= 10
    for method, path in paths:
        if method != "HEAD":
            assert f"`{method} {path.replace(':path', '')}" in API_DOC, f"{method} {path} is not in docs/api.md"


def error_classes(root: type[HeadraceError]) -> list[type[HeadraceError]]:
    return [found for child in root.__subclasses__() for found in (child, *error_classes(child))]


@pytest.mark.parametrize("error", [error for error in error_classes(RequestError) if error.__module__ == errors.__name__])
def test_every_refusal_is_documented(error: type[RequestError]) -> None:
    assert re.search(rf"^\| {error.status} \|.*`{error.code}`", API_DOC, re.M), f"{error.status} {error.code}"


OTHER_SHAPES = {"ai_sdk", "anthropic", "ollama_chat", "ollama_generate"}  # each has a test of its own


@pytest.mark.parametrize("writer", sorted(set(WRITERS) - OTHER_SHAPES))
def test_an_error_has_one_shape_per_dialect(writer: str) -> None:
    body = WRITERS[writer].refusal(errors.UnknownModel("No model is called 'x'."))
    assert body.startswith(b'{"error":{')
    assert b'"message":"No model is called \'x\'."' in body
    assert b'"code":"unknown_model"' in body


def test_every_link_of_the_documents_leads_somewhere() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#\s]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_a_class_of_the_page_is_described_in_one_stylesheet() -> None:
    """All of them are on every page: one name for two things would dress both as both."""
    described = [
        (name, sheet) for sheet in SHEETS for name in set(re.findall(r"^\.([\w-]+) \{", (ROOT / "ui/static" / sheet).read_text(), re.M))
    ]
    assert len(described) > 200
    assert sorted(name for name in dict(described) if sum(each == name for each, _ in described) > 1) == []
