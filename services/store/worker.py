"""A store in threads of its own: nothing that waits for a disk or a server may hold up the event loop.

SQLite gets one thread, so its writes never wait for each other. What opens the database runs there, too, and first: SQLAlchemy takes
half a second to import, which the start need not wait for.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Protocol, TypeVar, Unpack

from services.conversations import Changes, Conversation, Node, changed
from services.errors import HeadraceError, NotSaved
from services.persons import LOCAL
from services.store.finding import Found

log = logging.getLogger(__name__)

T = TypeVar("T")


class Database(Protocol):
    """A store that blocks; see Store."""

    def create(self, conversation: Conversation, more: Sequence[Node]) -> None: ...

    def change(self, id: str, more: Sequence[Node], changes: Changes) -> bool: ...

    def get(self, id: str) -> Conversation | None: ...

    def list(self, deleted: bool) -> Sequence[Conversation]: ...

    def delete(self, id: str) -> bool: ...

    def put(self, conversation: str, node: Node) -> bool: ...

    def settle(self, conversation: str, node: Node) -> bool: ...

    def cut(self, conversation: str, gone: Collection[str], shown: str) -> bool: ...

    def nodes(self, conversation: str) -> Sequence[Node]: ...

    def find(self, node: str) -> str | None: ...

    def refer(self, conversation: str, hashes: Collection[str]) -> bool: ...

    def files(self, conversation: str | None) -> set[str]: ...

    def holds(self, owner: str, hash: str) -> bool | None: ...

    def search(self, query: str, most: int, owner: str) -> Sequence[Found]: ...

    def index_more(self) -> bool: ...

    def preferences(self, person: str) -> Mapping[str, str]: ...

    def prefer(self, person: str, name: str, value: str | None) -> None: ...

    def access(self, kind: str) -> Mapping[str, bytes]: ...

    def admit(self, kind: str, id: str, body: bytes | None) -> None: ...

    def close(self) -> None: ...


class Worker:
    def __init__(self, open: Callable[[], Database], threads: int = 1) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="store")
        self._searching = ThreadPoolExecutor(1, thread_name_prefix="search")
        self._open = open
        self._opening = Lock()
        self._opened: Database | None = None
        self._closed = self._indexing = False
        self._threads.submit(self._database)

    def _database(self) -> Database:
        """In a thread. Raises NotSaved where it cannot be opened, perhaps as no more files may be; the next one who asks tries again."""
        with self._opening:
            if self._opened is None:
                try:
                    self._opened = self._open()
                except (OSError, ImportError) as exc:  # what opens it is imported first
                    raise NotSaved(f"The database cannot be opened: {exc}.") from exc
            return self._opened

    async def _do(self, work: Callable[[Database], T]) -> T:
        self._refuse_when_closed()
        if not self._indexing:
            self._indexing = True
            self._threads.submit(self._index_more)
        return await self._run(work)

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise NotSaved("Headrace is shutting down. Try again in a moment.")

    def _index_more(self) -> None:
        """A little at a time: what somebody waits for comes in between."""
        try:
            if not self._closed and self._database().index_more() and not self._closed:
                self._threads.submit(self._index_more)
        except (HeadraceError, RuntimeError) as exc:  # RuntimeError: the threads have ended meanwhile
            log.info("the search index is not complete: %s", exc)

    async def _run(self, work: Callable[[Database], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(self._database()))

    async def create(self, conversation: Conversation, nodes: Sequence[Node] = ()) -> None:
        await self._do(lambda database: database.create(conversation, nodes))

    async def change(self, id: str, nodes: Sequence[Node] = (), **changes: Unpack[Changes]) -> bool:
        return await self._do(lambda database: database.change(id, nodes, changed(changes)))

    async def get(self, id: str) -> Conversation | None:
        return await self._do(lambda database: database.get(id))

    async def list(self, *, deleted: bool = False) -> Sequence[Conversation]:
        return await self._do(lambda database: database.list(deleted))

    async def delete(self, id: str) -> bool:
        return await self._do(lambda database: database.delete(id))

    async def put(self, conversation: str, node: Node) -> bool:
        return await self._do(lambda database: database.put(conversation, node))

    async def settle(self, conversation: str, node: Node) -> bool:
        return await self._do(lambda database: database.settle(conversation, node))

    async def cut(self, conversation: str, nodes: Collection[str], shown: str) -> bool:
        return await self._do(lambda database: database.cut(conversation, nodes, shown))

    async def nodes(self, conversation: str) -> Sequence[Node]:
        return await self._do(lambda database: database.nodes(conversation))

    async def find(self, node: str) -> str | None:
        return await self._do(lambda database: database.find(node))

    async def refer(self, conversation: str, hashes: Collection[str]) -> bool:
        return await self._do(lambda database: database.refer(conversation, hashes))

    async def files(self, conversation: str | None = None) -> set[str]:
        return await self._do(lambda database: database.files(conversation))

    async def holds(self, owner: str, hash: str) -> bool | None:
        return await self._do(lambda database: database.holds(owner, hash))

    async def search(self, query: str, most: int = 50, owner: str = LOCAL) -> Sequence[Found]:
        """In a thread of its own: it may take long, and nobody who writes waits for it."""
        self._refuse_when_closed()
        await self._do(lambda database: None)  # it is open, and its index is being made
        return await asyncio.get_running_loop().run_in_executor(self._searching, lambda: self._database().search(query, most, owner))

    async def preferences(self, person: str) -> Mapping[str, str]:
        return await self._do(lambda database: database.preferences(person))

    async def prefer(self, person: str, name: str, value: str | None) -> None:
        await self._do(lambda database: database.prefer(person, name, value))

    async def access(self, kind: str) -> Mapping[str, bytes]:
        return await self._do(lambda database: database.access(kind))

    async def admit(self, kind: str, id: str, body: bytes | None) -> None:
        await self._do(lambda database: database.admit(kind, id, body))

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            for threads in (self._searching, self._threads):  # what is being read or indexed in them ends first
                await asyncio.to_thread(threads.shutdown)
            if self._opened is not None:
                await asyncio.to_thread(self._opened.close)
