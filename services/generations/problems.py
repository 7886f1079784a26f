"""What SQLite's errors mean, for the journal and for people."""

import sqlite3

import msgspec


def is_busy(exc: Exception) -> bool:
    return _code(exc) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def sentence(exc: Exception) -> str:
    """What is wrong, for people."""
    match _code(exc):
        case sqlite3.SQLITE_FULL:
            return "The disk is full: nothing can be kept."
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "Another program has locked the database."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_CANTOPEN:
            return "The database cannot be written: it is read-only, or its folder is."
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return "The database is damaged."
        case sqlite3.SQLITE_IOERR:
            return "The disk reports an error: nothing can be kept."
    return f"The database cannot be used: {str(exc)[:200]}."


def _code(exc: Exception) -> int:
    """SQLite's primary code; the error is of its own making where there is none."""
    return int(getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT if isinstance(exc, msgspec.DecodeError) else 0)) & 0xFF
