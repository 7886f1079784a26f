"""The words of all messages, to be found quickly: an index that can be made anew, written in the transactions of the messages.

SQLite      an FTS5 table of three letters each, so that parts of words and languages without spaces are found, too
PostgreSQL  a table with an index of words and their beginnings; what is inside a word is found by reading everything

It is no part of the database's shape: who opens a database makes it where it is missing, and adds what another Headrace, or one whose
SQLite cannot do it, has left out. Without it everything is read.
"""

import logging
import re
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from services.store.finding import EACH, folded

log = logging.getLogger(__name__)

INDEXED = 100_000  # characters of a text in PostgreSQL's index, which takes 1 MB of words; the rest is found by reading
LETTERS = 3  # that a word needs to be looked up in SQLite's


class Place(NamedTuple):
    """Of a message: its number in the order of adding, its id, its conversation."""

    number: int
    id: str
    conversation: str


class Index:
    def __init__(self, dialect: str) -> None:
        self._sqlite = dialect == "sqlite"

    def make(self, connection: Connection) -> bool:
        """False where this database cannot have one."""
        try:
            for statement in (_SQLITE if self._sqlite else _POSTGRESQL).split(";"):
                connection.exec_driver_sql(statement)
        except DBAPIError as exc:
            log.info("searching reads everything: %s", exc.orig)
            return False
        return True

    def put(self, connection: Connection, number: int, said: str) -> None:
        values = {"number": number, "text": folded(said)}
        self.drop(connection, number)
        connection.execute(text(f"INSERT INTO texts ({self._key}, text) VALUES (:number, :text)"), values)

    def forget(self, connection: Connection, conversation: str) -> None:
        """Before it is deleted; PostgreSQL does so by itself."""
        if self._sqlite:
            of = text("DELETE FROM texts WHERE rowid IN (SELECT number FROM nodes WHERE conversation = :id)")
            connection.execute(of, {"id": conversation})

    def drop(self, connection: Connection, number: int) -> None:
        """One message; before it is deleted."""
        connection.execute(text(f"DELETE FROM texts WHERE {self._key} = :number"), {"number": number})

    def missing(self, connection: Connection, below: int, many: int) -> Sequence[int]:
        """Numbers of messages that are not in it, the newest ones first, each less than `below`."""
        there = "SELECT id FROM texts_docsize" if self._sqlite else "SELECT number FROM texts"
        wanted = f"SELECT number FROM nodes WHERE number < :below AND number NOT IN ({there}) ORDER BY number DESC LIMIT :many"
        return [int(number) for number in connection.scalars(text(wanted), {"below": below, "many": many})]

    def search(self, connection: Connection, words: Sequence[str], most: int, owner: str) -> Sequence[Place]:
        """Those with all words next to each other come first, then those of the conversation that was updated last."""
        quick = [word for word in words if (len(word) >= LETTERS if self._sqlite else re.fullmatch(r"[^\W_]+", word))]
        found = self._search(connection, words, quick, most, owner) if quick else []
        if self._sqlite and quick:
            return found
        return found if len(found) >= most else self._search(connection, words, [], most, owner)

    def _search(self, connection: Connection, words: Sequence[str], quick: Sequence[str], most: int, owner: str) -> Sequence[Place]:
        values: dict[str, str | int] = {f"w{number}": word for number, word in enumerate(words)}
        values |= {"phrase": " ".join(words), "most": most, "owner": owner}
        wanted = [self._inside(f":w{number}") for number, word in enumerate(words) if not (self._sqlite and word in quick)]
        if quick and self._sqlite:
            wanted.append("texts MATCH :quick")
            values["quick"] = " AND ".join('"{}"'.format(word.replace('"', '""')) for word in quick)
        elif quick:
            wanted.append(f"{_WORDS} @@ to_tsquery('simple', :quick)")
            values["quick"] = " & ".join(f"'{word}':*" for word in quick)
        phrase = f"CASE WHEN {self._inside(':phrase')} THEN 1 ELSE 0 END" if len(words) > 1 else "0"
        statement = f"""
            SELECT number, id, conversation FROM (
                SELECT nodes.number, nodes.id, nodes.conversation, conversations.updated, {phrase} AS phrase,
                    row_number() OVER (PARTITION BY nodes.conversation ORDER BY {phrase} DESC, nodes.number DESC) AS place
                FROM texts JOIN nodes ON nodes.number = texts.{self._key} JOIN conversations ON conversations.id = nodes.conversation
                WHERE NOT conversations.deleted AND conversations.owner = :owner AND {" AND ".join(wanted)}
            ) AS hits WHERE place <= {EACH} ORDER BY phrase DESC, updated DESC, number DESC LIMIT :most"""
        return [Place(int(row.number), str(row.id), str(row.conversation)) for row in connection.execute(text(statement), values)]

    def _inside(self, word: str) -> str:
        return f"instr(texts.text, {word}) > 0" if self._sqlite else f"position({word} IN texts.text) > 0"

    @property
    def _key(self) -> str:
        return "rowid" if self._sqlite else "number"


_WORDS = f"to_tsvector('simple', left(texts.text, {INDEXED}))"
# The first one shows whether this SQLite knows three letters: a table that is there already would not.
_SQLITE = """
CREATE VIRTUAL TABLE IF NOT EXISTS temp.attempt USING fts5(text, tokenize = 'trigram');
DROP TABLE temp.attempt;
CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5(text, tokenize = 'trigram');
SELECT rowid FROM texts LIMIT 1"""
_POSTGRESQL = f"""
SELECT pg_advisory_xact_lock(4841445);
CREATE TABLE IF NOT EXISTS texts (number BIGINT PRIMARY KEY REFERENCES nodes (number) ON DELETE CASCADE, text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS ix_texts_words ON texts USING gin ({_WORDS.replace("texts.", "")})"""
