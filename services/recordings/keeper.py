"""Where recordings are: `<name>.headrace` in a folder, for their owner's eyes only, or memory. It blocks: call it in a thread.

    recordings.of(person)       theirs; the local person's are in the folder itself, those of others in one below it
    recordings.names            at once, as they were when the folder was looked at last
    recordings.all() get(name) file(name) put(name, file) rename(name, to) drop(name)

A file that is put into the folder by hand is a recording like all others.
"""

import os
import re
import secrets
from pathlib import Path
from threading import Lock
from typing import NamedTuple, Protocol

import msgspec

from services.errors import Conflict, HeadraceError, NotFound, NotSaved, TooLarge
from services.persons import LOCAL
from services.recordings.asked import question
from services.recordings.file import decode
from services.recordings.recording import NAME, Recording, checked

ENDING = ".headrace"
PERSON = re.compile(r"[0-9a-z]{1,64}")  # an id, which becomes the name of a folder


class Bounds(NamedTuple):
    """Bytes of one file, how many files a person may have, and how many there may be of everybody together."""

    of_one: int = 32_000_000
    in_all: int = 200
    in_house: int = 2000


BOUNDS = Bounds()


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """A recording in the list. `problem` is a sentence where its file is none; then there is nothing else."""

    name: str
    bytes: int
    dialect: str = ""
    model: str = ""
    status: int = 0
    reads: int = 0
    ms: float = 0.0
    recorded: str = ""
    timed: bool = True
    question: str = ""
    problem: str | None = None


class Shelf(Protocol):
    """Files by the name of the recording. All raise OSError, `get` FileNotFoundError."""

    def of(self, person: str) -> "Shelf":
        """Another one, of somebody else."""

    def list(self) -> dict[str, tuple[int, int]]:
        """Size in bytes, and something that is another one when the file is."""

    def count(self) -> int:
        """How many there are on it, and on those of others that were made of it."""

    def get(self, name: str) -> bytes: ...

    def put(self, name: str, file: bytes) -> None: ...

    def drop(self, name: str) -> None: ...


class Folder:
    """Made on first use, 0700; files 0600, replaced in one piece."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, person: str) -> "Folder":
        if not PERSON.fullmatch(person):
            raise ValueError(f"{person[:40]!r} is no id of a person")
        return Folder(self._folder / person)

    def list(self) -> dict[str, tuple[int, int]]:
        found = {}
        for file in self._folder.glob(f"*{ENDING}") if self._folder.is_dir() else ():
            if NAME.fullmatch(file.stem) and file.is_file():
                known = file.stat()
                found[file.stem] = known.st_size, known.st_mtime_ns
        return found

    def count(self) -> int:
        return sum(1 for place in (f"*{ENDING}", f"*/*{ENDING}") for _ in self._folder.glob(place))

    def get(self, name: str) -> bytes:
        return self._place(name).read_bytes()

    def put(self, name: str, file: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._folder / f".{name}.{secrets.token_hex(4)}.part"
        try:
            with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
                out.write(file)
                out.flush()
                os.fsync(out.fileno())
            part.replace(self._place(name))
        finally:
            part.unlink(missing_ok=True)

    def drop(self, name: str) -> None:
        self._place(name).unlink()

    def _place(self, name: str) -> Path:
        return self._folder / f"{name}{ENDING}"


class Memory:
    def __init__(self) -> None:
        self._kept: dict[str, tuple[bytes, int]] = {}
        self._others: list[Memory] = []

    def of(self, person: str) -> "Memory":
        self._others.append(Memory())
        return self._others[-1]

    def list(self) -> dict[str, tuple[int, int]]:
        return {name: (len(file), number) for name, (file, number) in self._kept.items()}

    def count(self) -> int:
        return len(self._kept) + sum(other.count() for other in self._others)

    def get(self, name: str) -> bytes:
        if name not in self._kept:
            raise FileNotFoundError(name)
        return self._kept[name][0]

    def put(self, name: str, file: bytes) -> None:
        self._kept[name] = file, self._kept[name][1] + 1 if name in self._kept else 0

    def drop(self, name: str) -> None:
        if self._kept.pop(name, None) is None:
            raise FileNotFoundError(name)


class Recordings:
    """Of one person; `bounds` are each person's."""

    def __init__(self, shelf: Shelf | None = None, bounds: Bounds = BOUNDS, house: "Recordings | None" = None) -> None:
        self._shelf = shelf or Memory()
        self._house = house or self  # of the local person, below whose all others' are
        self.bounds = bounds
        self._known: dict[str, tuple[tuple[int, int], Kept]] = {}
        self._changing: Lock = house._changing if house else Lock()
        self._others: dict[str, Recordings] = {}
        self.names: tuple[str, ...] = ()
        self.look()

    def of(self, person: str) -> "Recordings":
        """To be asked of those of the local person, from one thread."""
        if person == LOCAL:
            return self
        if person not in self._others:
            self._others[person] = Recordings(self._shelf.of(person), self.bounds, self)
        return self._others[person]

    def look(self) -> tuple[str, ...]:
        """The names, as they are now. A folder that cannot be read has none."""
        try:
            self.names = tuple(sorted(self._shelf.list()))
        except OSError:
            self.names = ()
        return self.names

    def all(self) -> list[Kept]:
        """By name. Each file is read once, and again when it is another one. Raises NotSaved."""
        try:
            there = self._shelf.list()
        except OSError as exc:
            raise _failed(exc) from exc
        self.names = tuple(sorted(there))
        known = {name: one for name, one in self._known.items() if name in there}
        for name in self.names:
            if name not in known or known[name][0] != there[name]:
                known[name] = there[name], self._kept(name, there[name][0])
        self._known = known
        return [known[name][1] for name in self.names]

    def get(self, name: str) -> Recording:
        """Raises NotFound, Invalid for a file that is none, TooLarge and NotSaved."""
        return decode(self.file(name))

    def file(self, name: str) -> bytes:
        """Raises NotFound, TooLarge and NotSaved."""
        try:
            file = self._shelf.get(checked(name))
        except FileNotFoundError as exc:
            raise NotFound(f"There is no recording {name!r}.") from exc
        except OSError as exc:
            raise _failed(exc) from exc
        self._fits(file)
        return file

    def put(self, name: str, file: bytes, *, replace: bool = False) -> Kept:
        """Raises Invalid, TooLarge, NotSaved, and Conflict for a name that is taken, or when there are too many."""
        decode(file)
        self._fits(file)
        with self._changing:
            there = self.look()
            if name not in there and len(there) >= self.bounds.in_all:
                raise Conflict(f"There are {len(there)} recordings, and no more are kept (recordings.count). Delete some.")
            if name not in there and self._everybodys() >= self.bounds.in_house:
                raise Conflict("Everybody together keeps as many recordings as there may be (recordings.everybody). Delete some.")
            self._put(name, file, replace=replace)
        return self._kept(name, len(file))

    def _everybodys(self) -> int:
        try:
            return self._house._shelf.count()
        except OSError as exc:
            raise _failed(exc) from exc

    def _put(self, name: str, file: bytes, *, replace: bool) -> None:
        if checked(name) in self.look() and not replace:
            raise Conflict(f"There is a recording called {name!r} already.")
        try:
            self._shelf.put(name, file)
        except OSError as exc:
            raise _failed(exc) from exc
        self.look()

    def rename(self, name: str, to: str) -> None:
        """Raises what `file` raises, Invalid, and Conflict for a name that is taken."""
        if name == checked(to):
            return
        file = self.file(name)
        with self._changing:
            self._put(to, file, replace=False)  # one more for a moment, however many there may be
            self.drop(name)

    def drop(self, name: str) -> None:
        """Raises NotFound and NotSaved."""
        try:
            self._shelf.drop(checked(name))
        except FileNotFoundError as exc:
            raise NotFound(f"There is no recording {name!r}.") from exc
        except OSError as exc:
            raise _failed(exc) from exc
        self.look()

    def _fits(self, file: bytes) -> None:
        if len(file) > self.bounds.of_one:
            raise TooLarge(f"A recording may have {self.bounds.of_one:,} bytes (recordings.bytes); this one has {len(file):,}.")

    def _kept(self, name: str, size: int) -> Kept:
        try:
            one = self.get(name)
        except HeadraceError as exc:
            return Kept(name, size, problem=exc.message)
        asked = question(one.request.body if one.request else None)
        return Kept(name, size, one.dialect, one.model, one.status, len(one.reads), one.end.at, one.recorded, one.timed, asked)


def _failed(exc: OSError) -> NotSaved:
    return NotSaved(f"Recordings cannot be kept or read: {exc.strerror or exc}.")
