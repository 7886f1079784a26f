"""What is installed: requirements.lock says every byte of it, and fits what pyproject.toml asks for."""

import re
import sysconfig
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.serving import ROOT

LOCK = (ROOT / "requirements.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PTH = {"_virtualenv.pth", "distutils-precedence.pth", "a1_coverage.pth"}  # of the tools that make environments

# Below these there are known holes: SECURITY.md.
SAFE = {"nicegui": "3.12", "starlette": "1.0.1", "python-multipart": "0.0.27", "h11": "0.16.0", "aiohttp": "3.13.3"}


def locked() -> dict[str, tuple[str, list[str]]]:
    """Name -> (version, hashes)."""
    found: dict[str, tuple[str, list[str]]] = {}
    for entry in re.split(r"(?m)^(?=[A-Za-z0-9])", LOCK):
        if head := re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", entry):
            found[canonicalize_name(head[1])] = head[2], re.findall(r"--hash=(sha256:[0-9a-f]{64})(?=\s|$)", entry)
    return found


def test_the_lock_pins_each_file_by_its_hash_and_names_no_registry() -> None:
    assert len(locked()) > 40
    assert [name for name, (_, hashes) in locked().items() if not hashes] == []
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|git\+", LOCK)


def test_the_lock_fits_the_project() -> None:
    pins = locked()
    wanted = [
        *PROJECT["project"]["dependencies"],
        *(each for extra in PROJECT["project"]["optional-dependencies"].values() for each in extra),
    ]
    for text in [*wanted, *PROJECT["tool"]["uv"]["constraint-dependencies"]]:
        asked = Requirement(text)
        version, _ = pins[canonicalize_name(asked.name)]
        assert Version(version) in asked.specifier, f"{text}, but {version} is locked: see SECURITY.md for how to lock anew"


def test_no_locked_version_is_below_the_least_safe_one() -> None:
    document = (ROOT / "SECURITY.md").read_text()
    for name, least in SAFE.items():
        assert Version(locked()[name][0]) >= Version(least)
        assert f"| {name} | {least} |" in document


def test_nothing_installed_runs_at_the_start_of_every_python() -> None:
    """A .pth file with an `import` line is run by each interpreter: how stolen packages dig in."""
    for path in Path(sysconfig.get_path("purelib")).glob("*.pth"):
        runs = [line for line in path.read_text().splitlines() if line.startswith("import")]
        assert not runs or path.name in PTH, f"{path.name} runs {runs}"
