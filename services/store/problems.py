"""What a database may do to us: its errors as ours, with a sentence for people in the place of statements and values."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from services.errors import NotSaved


@contextmanager
def told() -> Iterator[None]:
    """Around what asks the database. Raises NotSaved."""
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
