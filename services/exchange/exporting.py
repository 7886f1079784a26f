"""Conversations -> one file to be saved: its name, its media type, its bytes."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from services.conversations import Conversation, Node
from services.exchange.headrace import written
from services.exchange.loose import LATEST
from services.exchange.markdown import day, markdown
from services.exchange.names import file_name
from services.exchange.page import Render, page

Format = Literal["markdown", "html", "headrace"]
Talk = tuple[Conversation, Sequence[Node]]

SUFFIXES: dict[Format, str] = {"markdown": ".md", "html": ".html", "headrace": ".json"}
MEDIA: dict[Format, str] = {"markdown": "text/markdown; charset=utf-8", "html": "text/html; charset=utf-8", "headrace": "application/json"}


class File(NamedTuple):
    name: str
    media: str
    body: bytes


def exported(format: Format, talks: Sequence[Talk], render: Render | None = None, files: Mapping[str, bytes] | None = None) -> File:
    """One conversation is a document. Several are one file of JSON, or an archive of documents. `render` as in `page`.

    `files` are attached files by their hashes, which Headrace's own format takes in.
    """
    if len(talks) == 1:
        return File(named(talks[0][0], format), MEDIA[format], _document(format, talks[0], render, files))
    if format == "headrace":
        return File("Conversations.json", MEDIA[format], b"".join(written(talks, files)))
    taken: set[str] = set()
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for talk in talks:
            member = zipfile.ZipInfo(named(talk[0], format, taken), _moment(talk[0].updated))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, _document(format, talk, render, files))
    return File(f"Conversations ({format}).zip", "application/zip", body.getvalue())


def named(conversation: Conversation, format: Format, taken: set[str] | None = None) -> str:
    """`2026-11-21 The mill.md`: the day it began, and its title."""
    return file_name(f"{day(conversation.created)[:10]} {conversation.title}", SUFFIXES[format], taken)


def _document(format: Format, talk: Talk, render: Render | None, files: Mapping[str, bytes] | None) -> bytes:
    match format:
        case "markdown":
            return markdown(*talk).encode()
        case "html":
            return page([talk], render).encode()
        case "headrace":
            return b"".join(written([talk], files))


def _moment(seconds: float) -> tuple[int, int, int, int, int, int]:
    """As an archive keeps it, which knows the years 1980 to 2107."""
    moment = datetime.fromtimestamp(min(max(seconds, 0), LATEST) if seconds == seconds else 0, UTC)
    return (min(max(moment.year, 1980), 2107), moment.month, moment.day, moment.hour, moment.minute, moment.second)
