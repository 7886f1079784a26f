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
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    StaticPool,
    Table,
    Text,
    create_engine,
    delete,
    event,
    false,
    insert,
    make_url,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from services.conversations import Changes, Conversation, Node, attached, clean, cleaned
from services.errors import NotSaved
from services.store.rows import packed, unpacked

BUSY = 5.0  # seconds that another process may hold the database

metadata = MetaData()
conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("shown", Text),
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False, index=True),
    Column("pinned", Boolean, nullable=False, server_default=false()),
    Column("folder", Text, nullable=False, server_default=""),
    Column("archived", Boolean, nullable=False, server_default=false()),
    Column("named", Boolean, nullable=False, server_default=false()),
    Column("manner", Text, nullable=False, server_default=""),
    Column("deleted", Boolean, nullable=False, server_default=false()),
    Column("queue", Text, nullable=False, server_default=""),
)
nodes = Table(
    "nodes",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),  # the order of adding
    Column("id", Text, nullable=False, unique=True),
    Column("conversation", Text, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("parent", Text),
    Column("generation", Text),
    Column("body", LargeBinary, nullable=False),  # rows.py; not Text: one poisoned byte would keep a whole result from being read
)
files = Table(
    "files",
    metadata,
    Column("conversation", Text, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("hash", Text, primary_key=True),
)
preferences = Table(
    "preferences",
    metadata,
    Column("person", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)


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

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _told(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _told(), self._engine.connect().execution_options(reads=True) as connection, connection.begin():
            yield connection

    def create(self, conversation: Conversation, more: Sequence[Node]) -> None:
        with self._writing() as connection:
            connection.execute(insert(conversations).values(msgspec.structs.asdict(clean(conversation))))
            _put(connection, conversation.id, more)

    def change(self, id: str, more: Sequence[Node], changes: Changes) -> bool:
        with self._writing() as connection:
            if not _hold(connection, id):
                return False
            if changes:
                connection.execute(update(conversations).where(conversations.c.id == id).values(dict(changes)))
            _put(connection, id, more)
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
            return connection.execute(delete(conversations).where(conversations.c.id == id)).rowcount > 0

    def put(self, conversation: str, node: Node) -> bool:
        return self.change(conversation, [node], Changes())

    def settle(self, conversation: str, node: Node) -> bool:
        same = (nodes.c.id == node.id) & (nodes.c.conversation == conversation) & (nodes.c.generation == node.generation)
        with self._writing() as connection:
            return connection.execute(update(nodes).where(same).values(body=packed(node))).rowcount > 0

    def cut(self, conversation: str, gone: Collection[str], shown: str) -> bool:
        with self._writing() as connection:
            if not _hold(connection, conversation):
                return False
            connection.execute(delete(nodes).where(nodes.c.conversation == conversation, nodes.c.id.in_(gone)))
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

    def close(self) -> None:
        self._engine.dispose()


def _hold(connection: Connection, id: str) -> bool:
    """Whether a conversation is there; it then stays until the end of the transaction."""
    return connection.scalar(select(conversations.c.id).where(conversations.c.id == id).with_for_update()) is not None


def _put(connection: Connection, conversation: str, more: Sequence[Node]) -> None:
    for node in more:
        values = {"conversation": conversation, "parent": node.parent, "generation": node.generation, "body": packed(node)}
        if not connection.execute(update(nodes).where(nodes.c.id == node.id).values(values)).rowcount:
            connection.execute(insert(nodes).values(id=node.id, **values))
    _refer(connection, conversation, attached(more))


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
    )


def _time(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as exc:
        raise NotSaved(sentence(exc)) from exc


def sentence(exc: SQLAlchemyError) -> str:
    """For people: what is wrong with the database, without statements and values."""
    words = str(exc.orig if isinstance(exc, DBAPIError) else exc).splitlines()[0][:200]
    for part, said in _SENTENCES.items():
        if part in words:
            return said
    return f"The database cannot be used: {words}."


_SENTENCES = {
    "database is locked": "The database is busy: another program holds it. Try again in a moment.",
    "database or disk is full": "This cannot be saved: the disk is full.",
    "readonly database": "This cannot be saved: the database is read-only.",
    "disk I/O error": "The database cannot be used: the disk reports an error.",
}
