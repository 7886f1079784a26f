"""Brings a database to the last revision, in one transaction: killed at any moment, it leaves what was there before.

Imported only when there is something to do: Alembic and what it needs take most of a second.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from services.errors import SettingsError
from services.store.problems import sentence
from services.store.sql import engine

FOLDER = Path(__file__).parent / "migrations"


def upgrade(url: str, to: str = "head") -> None:
    """`url` as for `engine`. Doing it twice, or by two processes at once, does it once. Raises SettingsError."""
    made = engine(url)
    try:
        with made.begin() as connection:
            _one_at_a_time(connection)
            config = Config()
            config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
            config.set_main_option("path_separator", "os")
            config.attributes["connection"] = connection
            command.upgrade(config, to)
    except SQLAlchemyError as exc:
        raise SettingsError(f"storage.database: it cannot be brought up to date, and was left as it is. {sentence(exc)}") from exc
    finally:
        made.dispose()


def _one_at_a_time(connection: Connection) -> None:
    """SQLite's BEGIN IMMEDIATE has seen to it already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(4841444)"))
