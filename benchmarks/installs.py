"""How a chat page is installed: Headrace and its peers, each into a folder of its own. `benchmarks.peers` measures what comes of it."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.page import ROOT

INSTALL_LIMIT = 3600.0
ROOM = 2_000_000_000
OURS = shutil.ignore_patterns(".git", ".venv", "data", "node_modules", "__pycache__", ".*_cache", ".hypothesis", ".nicegui")

ECHO = """import chainlit as cl


@cl.on_message
async def main(message: cl.Message):
    await cl.Message(content=f"Received: {message.content}").send()
"""


@dataclass(frozen=True, slots=True, eq=False)
class Peer:
    """How one is installed and started. {folder}, {python} (its environment) and {port} are filled in."""

    name: str
    serve: tuple[str, ...] = ()
    install: tuple[tuple[str, ...], ...] = ()
    distribution: str = ""  # whose version is the peer's
    env: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    ours: bool = False
    room: int = ROOM  # bytes of disk while it is installed
    absent: str = ""  # why it is not measured


def from_index(name: str, package: str, serve: tuple[str, ...], *, env: dict[str, str], files: dict[str, str], room: int = ROOM) -> Peer:
    """`pip install PACKAGE`, done by uv because it is faster: the same packages, compiled to bytecode as pip does."""
    venv = ("uv", "venv", "--quiet", "--python", "3.11", "{python}")
    install = ("uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", "{python}/bin/python", package)
    return Peer(name, serve, (venv, install), package.replace("-", "_"), env | {"HOME": "{folder}/home"}, files, room=room)


PEERS = {
    "headrace": Peer(
        "Headrace, `uv run main.py`",
        ("uv", "run", "--quiet", "main.py", "--server.port", "{port}"),
        (("uv", "sync", "--quiet", "--compile-bytecode"),),
        ours=True,
    ),
    "runtime": Peer(
        "Headrace, `uv run --no-dev main.py`",
        ("uv", "run", "--quiet", "--no-dev", "main.py", "--server.port", "{port}"),
        (("uv", "sync", "--quiet", "--no-dev", "--compile-bytecode"),),
        ours=True,
    ),
    "chainlit": from_index(
        "Chainlit",
        "chainlit",
        ("{python}/bin/chainlit", "run", "app.py", "--headless", "--host", "127.0.0.1", "--port", "{port}"),
        env={},
        files={"app.py": ECHO},
    ),
    "open-webui": from_index(
        "Open WebUI",
        "open-webui",
        ("{python}/bin/open-webui", "serve", "--host", "127.0.0.1", "--port", "{port}"),
        # Without a login, as one person at home has it, so that the first page is the chat; and nothing is fetched from a model hub.
        env={
            "DATA_DIR": "{folder}/data",
            "WEBUI_AUTH": "False",
            "WEBUI_SECRET_KEY": "32 bytes, and for a measurement only",
            "HF_HUB_OFFLINE": "1",
            "ANONYMIZED_TELEMETRY": "False",
            "DO_NOT_TRACK": "true",
            "SCARF_NO_ANALYTICS": "true",
        },
        files={},
        room=20_000_000_000,
    ),
    "llama.cpp": Peer("llama.cpp", ("llama-server", "--offline", "--host", "127.0.0.1", "--port", "{port}")),
    "librechat": Peer("LibreChat", absent="a git clone with MongoDB and Meilisearch beside it, none of which a package index has"),
    "chat-ui": Peer("HF chat-ui", absent="a git clone with MongoDB beside it, or one that it downloads; neither is a package of an index"),
}


class Failed(Exception):
    """One could not be installed, or served no page; the others can be measured all the same."""


def prepare(peer: Peer, folder: Path) -> tuple[int, int]:
    """Installs at the lowest priority, unless --keep has it, whole, from an earlier run. Packages (0 for a program on PATH) and bytes."""
    done = folder / ".installed"
    if done.exists():
        packages, disk = map(int, done.read_text().split())
        return packages, disk
    if shutil.disk_usage(folder.parent).free < peer.room:
        raise Failed(f"{peer.name}: less than {peer.room // 1_000_000_000} GB of disk are free")
    shutil.rmtree(folder, ignore_errors=True)
    if peer.ours:
        shutil.copytree(ROOT, folder, ignore=OURS)
    folder.mkdir(exist_ok=True)
    for name, text in peer.files.items():
        (folder / name).write_text(text)
    for step in peer.install:
        command = ["nice", "-n", "19", *filled(step, folder)]
        ran = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=INSTALL_LIMIT)
        if ran.returncode:
            raise Failed(f"{peer.name} could not be installed:\n{told(ran.stderr, folder)}")
    packages, disk = installed(peer, folder)
    done.write_text(f"{packages} {disk}")  # before a first start adds its own files
    return packages, disk


def told(output: str, folder: Path) -> str:
    """The end of it, without addresses of registries and paths of this machine."""
    return re.sub(r"https?://\S+", "(address)", output.replace(str(folder), "(folder)").replace(str(Path.home()), "~"))[-2000:]


def filled(words: tuple[str, ...], folder: Path, port: int = 0) -> list[str]:
    return [word.format(folder=folder, python=folder / ".venv", port=port) for word in words]


def environment(folder: Path) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("HEADRACE_", "NICEGUI_", "VIRTUAL_ENV", "PYTHON"))}
    return env | {"UV_CACHE_DIR": str(folder.parent / "cache")}


def installed(peer: Peer, folder: Path) -> tuple[int, int]:
    if not peer.install:
        program = Path(shutil.which(peer.serve[0]) or "").resolve()
        return 0, sum(path.stat().st_size for path in [program, *program.parent.glob("*.so*")] if not path.is_symlink())
    packages = len(list(folder.glob(".venv/lib/python*/site-packages/*.dist-info")))
    return packages, sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())


def version(peer: Peer, folder: Path) -> str:
    if peer.distribution:
        (info,) = folder.glob(f".venv/lib/python*/site-packages/{peer.distribution}-*.dist-info")
        return info.name.removesuffix(".dist-info").rpartition("-")[2]
    if peer.install:
        return ""
    said = subprocess.run([peer.serve[0], "--version"], capture_output=True, text=True, check=True)
    return "".join(re.findall(r"version: (\S+)", said.stdout + said.stderr)[:1])
