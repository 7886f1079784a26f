"""Where attached files are: a folder that others cannot read, or memory. A name is a SHA-256, perhaps with an ending of ours."""

import os
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from services.errors import NotSaved

NAME = re.compile(r"[0-9a-f]{64}(\.json)?")


class Shelf(Protocol):
    """It blocks. `put` and `get` raise NotSaved when the disk does not do it; what is there is there whole."""

    def put(self, name: str, body: bytes) -> None: ...

    def get(self, name: str) -> bytes | None: ...

    def touch(self, name: str) -> None:
        """It is wanted now."""

    def drop(self, name: str) -> None:
        """What is not there is no mistake."""

    def all(self) -> Iterator[tuple[str, float]]:
        """Names, and when each was put or touched last, in Unix seconds. Raises NotSaved when the disk does not tell."""


class Memory:
    def __init__(self) -> None:
        self._kept: dict[str, tuple[bytes, float]] = {}

    def put(self, name: str, body: bytes) -> None:
        self._kept[name] = body, time.time()

    def get(self, name: str) -> bytes | None:
        return self._kept[name][0] if name in self._kept else None

    def touch(self, name: str) -> None:
        if name in self._kept:
            self._kept[name] = self._kept[name][0], time.time()

    def drop(self, name: str) -> None:
        self._kept.pop(name, None)

    def all(self) -> Iterator[tuple[str, float]]:
        yield from [(name, when) for name, (_, when) in self._kept.items()]


class Folder:
    """`ab/abcd...`: files of mode 0600 in folders of mode 0700, written beside their place and moved there. Made on first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, body: bytes) -> None:
        place = self._place(name)
        part = place.with_name(f"{name}.{secrets.token_hex(4)}.part")
        try:
            place.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.parent.mkdir(mode=0o700, exist_ok=True)
            try:
                with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                    file.write(body)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(place)
            finally:
                part.unlink(missing_ok=True)
        except OSError as exc:
            raise NotSaved(f"The file cannot be kept: {exc.strerror or exc}. Nothing was sent.") from exc

    def get(self, name: str) -> bytes | None:
        try:
            return self._place(name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise NotSaved(f"The file cannot be read: {exc.strerror or exc}.") from exc

    def touch(self, name: str) -> None:
        try:
            os.utime(self._place(name))
        except OSError:
            return

    def drop(self, name: str) -> None:
        try:
            self._place(name).unlink(missing_ok=True)
        except OSError:
            return  # the next sweep tries again

    def all(self) -> Iterator[tuple[str, float]]:
        """Parts that a crash left behind go here, too, an hour later."""
        if not self._folder.is_dir():
            return
        try:
            files = list(self._folder.glob("[0-9a-f][0-9a-f]/*"))
        except OSError as exc:
            raise NotSaved(f"The attached files cannot be looked at: {exc.strerror or exc}.") from exc
        for file in files:
            try:
                when = file.stat().st_mtime
                if file.suffix == ".part" and when < time.time() - 3600:
                    file.unlink()
            except OSError:
                continue
            if NAME.fullmatch(file.name):
                yield file.name, when

    def _place(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise ValueError(f"no name of an attached file: {name[:80]!r}")
        return self._folder / name[:2] / name
