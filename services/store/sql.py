"""The store in SQL: SQLAlchemy Core, the same statements for SQLite and PostgreSQL. It blocks: worker.py calls it in a thread of its own.

Every write is one transaction. On SQLite it begins with BEGIN IMMEDIATE, which waits for its turn and cannot fail half-way as one that
has read first can; WAL and synchronous=FULL make a commit survive a power cut.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Engine,
    Row,
    StaticPool,
    create_engine,
    delete,
    event,
    insert,
    make_url,
    select,
    update,
)

from services.conversations import Changes, Conversation, Node, attached, clean, cleaned
from services.store.finding import Found, ranked, sought, text_of
from services.store.index import Index
from services.store.problems import told
from services.store.rows import packed, unpacked
from services.store.tables import access, conversations, files, nodes, preferences

BUSY = 5.0  # seconds that another process may hold the database


def engine(url: str) -> Engine:
    """`url` as the settings have it, a path in it absolute. Opens nothing yet."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True)
    made = create_engine(parsed, poolclass=StaticPool, connect_args={"timeout": BUSY, "check_same_thread": False}, hide_parameters=True)
    event.listen(made, "connect", _prepare)
    event.listen(made, "begin", _begin)
    return made


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # transactions begin where _begin says so
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("reads") else "BEGIN IMMEDIATE")


class SQLDatabase:
    def __init__(self, url: str) -> None:
        self._engine = engine(url)
        # SQLite reads beside its only writer when it has a connection of its own.
        self._searching = engine(url) if self._engine.dialect.name == "sqlite" else self._engine
        self._index = Index(self._engine.dialect.name)
        self._indexed: bool | None = None  # None: not looked at yet
        self._lowest = 2**62  # of the messages that were looked at whether they are in the index

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with told():
            if self._indexed is None:
                self._indexed = self._make_index()
            with self._engine.begin() as connection:
                yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with told(), self._engine.connect().execution_options(reads=True) as connection, connection.begin():
            yield connection

    def _make_index(self) -> bool:
        with self._engine.connect() as connection, connection.begin() as attempt:
            made = self._index.make(connection)
            if not made:
                attempt.rollback()
            return made

    def create(self, conversation: Conversation, more: Sequence[Node]) -> None:
        with self._writing() as connection:
            connection.execute(insert(conversations).values(msgspec.structs.asdict(clean(conversation))))
            self._put(connection, conversation.id, more)

    def change(self, id: str, more: Sequence[Node], changes: Changes) -> bool:
        with self._writing() as connection:
            if not _hold(connection, id):
                return False
            if changes:
                connection.execute(update(conversations).where(conversations.c.id == id).values(dict(changes)))
            self._put(connection, id, more)
            return True

    def get(self, id: str) -> Conversation | None:
        with self._reading() as connection:
            row = connection.execute(select(conversations).where(conversations.c.id == id)).one_or_none()
        return _conversation(row) if row else None

    def list(self, deleted: bool) -> Sequence[Conversation]:
        wanted = conversations.c.deleted.is_(True) if deleted else conversations.c.deleted.is_not(True)
        listing = select(conversations).where(wanted).order_by(conversations.c.updated.desc(), conversations.c.id)
        with self._reading() as connection:
            rows = connection.execute(listing).all()
        return [_conversation(row) for row in rows]

    def delete(self, id: str) -> bool:
        with self._writing() as connection:
            if self._indexed:
                self._index.forget(connection, id)
            return connection.execute(delete(conversations).where(conversations.c.id == id)).rowcount > 0

    def _put(self, connection: Connection, conversation: str, more: Sequence[Node]) -> None:
        for node in more:
            values = {"conversation": conversation, "parent": node.parent, "generation": node.generation, "body": packed(node)}
            if not connection.execute(update(nodes).where(nodes.c.id == node.id).values(values)).rowcount:
                connection.execute(insert(nodes).values(id=node.id, **values))
            if self._indexed:
                self._index.put(connection, _number(connection, node.id), text_of(node))
        _refer(connection, conversation, attached(more))

    def put(self, conversation: str, node: Node) -> bool:
        return self.change(conversation, [node], Changes())

    def settle(self, conversation: str, node: Node) -> bool:
        same = (nodes.c.id == node.id) & (nodes.c.conversation == conversation) & (nodes.c.generation == node.generation)
        with self._writing() as connection:
            done = connection.execute(update(nodes).where(same).values(body=packed(node))).rowcount > 0
            if done and self._indexed:
                self._index.put(connection, _number(connection, node.id), text_of(node))
            return done

    def cut(self, conversation: str, gone: Collection[str], shown: str) -> bool:
        with self._writing() as connection:
            if not _hold(connection, conversation):
                return False
            these = (nodes.c.conversation == conversation) & nodes.c.id.in_(gone)
            for number in connection.scalars(select(nodes.c.number).where(these)).all() if self._indexed else ():
                self._index.drop(connection, number)
            connection.execute(delete(nodes).where(these))
            connection.execute(update(conversations).where(conversations.c.id == conversation).values(shown=shown))
            return True

    def nodes(self, conversation: str) -> Sequence[Node]:
        columns = (nodes.c.id, nodes.c.parent, nodes.c.generation, nodes.c.body)
        with self._reading() as connection:
            rows = connection.execute(select(*columns).where(nodes.c.conversation == conversation).order_by(nodes.c.number)).all()
        return [unpacked(*row) for row in rows]

    def find(self, node: str) -> str | None:
        with self._reading() as connection:
            return connection.scalar(select(nodes.c.conversation).where(nodes.c.id == node))

    def refer(self, conversation: str, hashes: Collection[str]) -> bool:
        with self._writing() as connection:
            if not _hold(connection, conversation):
                return False
            _refer(connection, conversation, hashes)
            return True

    def files(self, conversation: str | None) -> set[str]:
        wanted = select(files.c.hash) if conversation is None else select(files.c.hash).where(files.c.conversation == conversation)
        with self._reading() as connection:
            return {str(hash) for hash in connection.scalars(wanted.distinct())}

    def holds(self, owner: str, hash: str) -> bool | None:
        holders = select(conversations.c.owner).join(files, files.c.conversation == conversations.c.id).where(files.c.hash == hash)
        with self._reading() as connection:
            found = set(connection.scalars(holders.distinct()))
        return owner in found if found else None

    def search(self, query: str, most: int, owner: str) -> Sequence[Found]:
        wanted = sought(query)
        if not wanted or not self._indexed:
            return ranked(wanted, self._everything(owner), most) if wanted else []
        with told(), self._searching.connect().execution_options(reads=True) as connection, connection.begin():
            places = self._index.search(connection, wanted, most, owner)
            columns = (nodes.c.id, nodes.c.parent, nodes.c.generation, nodes.c.body)
            rows = connection.execute(select(*columns).where(nodes.c.number.in_([place.number for place in places]))).all()
        texts = {node.id: text_of(node) for node in (unpacked(*row) for row in rows)}
        return ranked(wanted, ((place.conversation, place.id, texts.get(place.id, "")) for place in places), most)

    def _everything(self, owner: str) -> Iterator[tuple[str, str, str]]:
        """Conversation, id and text of all messages of a person, those of the conversation that was updated last first."""
        columns = (nodes.c.conversation, nodes.c.id, nodes.c.parent, nodes.c.generation, nodes.c.body)
        shown = select(*columns).join(conversations).where(conversations.c.deleted.is_not(True), conversations.c.owner == owner)
        with told(), self._searching.connect().execution_options(reads=True, yield_per=100) as connection, connection.begin():
            for conversation, *row in connection.execute(shown.order_by(conversations.c.updated.desc(), nodes.c.number.desc())):
                node = unpacked(*row)
                yield str(conversation), node.id, text_of(node)

    def index_more(self, many: int = 200) -> bool:
        """Put some messages into the index that are not in it. False: there are no more."""
        with self._writing() as connection:
            numbers = self._index.missing(connection, self._lowest, many) if self._indexed else []
            for number in numbers:
                row = connection.execute(
                    select(nodes.c.id, nodes.c.parent, nodes.c.generation, nodes.c.body).where(nodes.c.number == number)
                )
                self._index.put(connection, number, text_of(unpacked(*row.one())))
        self._lowest = min(numbers, default=0)
        return bool(numbers)

    def preferences(self, person: str) -> Mapping[str, str]:
        with self._reading() as connection:
            rows = connection.execute(select(preferences.c.name, preferences.c.value).where(preferences.c.person == person)).all()
        return {str(row.name): str(row.value) for row in rows}

    def prefer(self, person: str, name: str, value: str | None) -> None:
        mine = (preferences.c.person == person) & (preferences.c.name == name)
        with self._writing() as connection:
            connection.execute(delete(preferences).where(mine))
            if value is not None:
                connection.execute(insert(preferences).values(person=person, name=name, value=cleaned(value)))

    def access(self, kind: str) -> Mapping[str, bytes]:
        with self._reading() as connection:
            rows = connection.execute(select(access.c.id, access.c.body).where(access.c.kind == kind)).all()
        return {str(row.id): row.body if isinstance(row.body, bytes) else b"" for row in rows}

    def admit(self, kind: str, id: str, body: bytes | None) -> None:
        with self._writing() as connection:
            connection.execute(delete(access).where((access.c.kind == kind) & (access.c.id == id)))
            if body is not None:
                connection.execute(insert(access).values(kind=kind, id=id, body=body))

    def close(self) -> None:
        self._engine.dispose()
        self._searching.dispose()


def _hold(connection: Connection, id: str) -> bool:
    """Whether a conversation is there; it then stays until the end of the transaction."""
    return connection.scalar(select(conversations.c.id).where(conversations.c.id == id).with_for_update()) is not None


def _number(connection: Connection, id: str) -> int:
    return int(connection.scalar(select(nodes.c.number).where(nodes.c.id == id)) or 0)


def _refer(connection: Connection, conversation: str, hashes: Collection[str]) -> None:
    if not hashes:
        return
    known = set(connection.scalars(select(files.c.hash).where(files.c.conversation == conversation)))
    if new := [{"conversation": conversation, "hash": hash} for hash in hashes if hash not in known]:
        connection.execute(insert(files), new)


def _conversation(row: Row[Any]) -> Conversation:
    """SQLite takes any type in any column, so a file that was tampered with may hold any."""
    shown = None if row.shown is None else str(row.shown)
    return Conversation(
        id=str(row.id),
        title=str(row.title),
        created=_time(row.created),
        updated=_time(row.updated),
        model=str(row.model),
        shown=shown,
        pinned=bool(row.pinned),
        folder=str(row.folder),
        archived=bool(row.archived),
        named=bool(row.named),
        manner=str(row.manner),
        deleted=bool(row.deleted),
        queue=str(row.queue),
        owner=str(row.owner),
    )


def _time(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
