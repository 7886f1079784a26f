"""One process's worth of Headrace in a folder, which can be killed: the next one finds the files as the kill has left them."""

import shutil
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

from services.chat import Chat, Retention
from services.generations import JOURNALS
from services.store import open_store
from services.upstream import READERS
from services.upstream.attempts import Persistent
from services.upstream.catalogue import Catalogue
from services.upstream.connections import InProcess
from services.upstream.http import HTTPUpstream
from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.clock import Stepped
from services.upstream.rehearsal.server import Rehearsal

DATABASES = ("journal.db", "headrace.db")


class House:
    """The clock of its model server stands still until it is stepped."""

    def __init__(self, folder: Path, keep: int) -> None:
        self.folder = folder
        self._keep = keep
        self.clock = Stepped()
        upstream = HTTPUpstream("rehearsal", READERS["openai_chat"], "http://rehearsal", InProcess(Rehearsal(10.0, self.clock).answer))
        self._journal = JOURNALS["sqlite"](folder / "data", False)
        self.store = open_store("sqlite:///data/headrace.db", folder)
        self.chat = Chat(
            Catalogue([Persistent(upstream, spare=False, rest=self.clock.rest)], fixed={"rehearsal": tuple(MODELS)}),
            self.store,
            self._journal,
            retention=Retention(keep),
        )

    async def close(self) -> None:
        await self.chat.close()
        self._journal.close()

    async def restarted(self) -> "House":
        await self.close()
        return await self._next(self.folder)

    async def killed(self) -> "House":
        """What this one does after the copy was made happens in a folder that nobody looks at again."""
        left = self.folder.with_name(f"{self.folder.name}+")
        _copy(self.folder / "data", left / "data")
        await self.close()
        shutil.rmtree(self.folder)
        return await self._next(left)

    async def _next(self, folder: Path) -> "House":
        house = House(folder, self._keep)
        await house.chat.restore()
        return house


def _copy(folder: Path, to: Path) -> None:
    """The files of one moment, while others write.

    A reader keeps SQLite from starting the log before a database anew; so whatever is written into the database meanwhile is in the
    log, too, and a log that is copied while it grows is one whose end has not come.
    """
    to.mkdir(parents=True)
    with ExitStack() as readers:
        for name in DATABASES:
            reader = readers.enter_context(closing(sqlite3.connect(folder / name, isolation_level=None)))
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        for name in DATABASES:
            for part in (name, f"{name}-wal"):
                shutil.copyfile(folder / part, to / part)
