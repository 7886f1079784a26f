"""A PostgreSQL database before it is used: reached, and brought up to date. Its backups are its own affair (pg_dump)."""

import importlib.util

from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from services.errors import SettingsError
from services.store.migrations import REVISIONS
from services.store.problems import sentence
from services.store.sql import engine
from services.store.upgrade import upgrade


def prepare(url: str) -> None:
    """Raises SettingsError when it cannot be used."""
    if importlib.util.find_spec("psycopg") is None:
        raise SettingsError("storage.database: PostgreSQL needs psycopg: `uv run --extra postgresql main.py`.")
    try:
        revision = _revision(url)
        if revision and revision not in REVISIONS:
            raise SettingsError(
                f"storage.database: it was written by a newer Headrace (revision {revision[:40]!r}; this one knows up to {REVISIONS[-1]})."
            )
        if revision != REVISIONS[-1]:
            upgrade(url)
    except SQLAlchemyError as exc:
        raise SettingsError(f"storage.database: {sentence(exc)}") from exc


def _revision(url: str) -> str | None:
    made = engine(url)
    try:
        with made.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            row = connection.execute(text("SELECT version_num FROM alembic_version")).one_or_none()
            return str(row[0]) if row else None
    finally:
        made.dispose()
