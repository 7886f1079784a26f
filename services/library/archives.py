"""The archives that ChatGPT and Claude give out: the files of conversations in them, in pieces. Nothing is unpacked to a disk."""

import asyncio
import re
import tempfile
import zipfile
import zlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from typing import IO

from services.errors import Invalid

ZIP = b"PK\x03\x04"
FILES = re.compile(r"(?:[^/]+/)?conversations(?:-\d+)?\.json", re.IGNORECASE)
PIECE = 1 << 20
MOST = 4 << 30  # bytes that all files together may have when they are unpacked
# RuntimeError: it wants a password, or is packed in a way that is not known here.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError)


async def unpacked(pieces: AsyncIterable[bytes], progress: Callable[[int], None]) -> AsyncGenerator[AsyncIterator[bytes], None]:
    """Each file of conversations in a ZIP archive, to be read to its end before the next. `progress` is told bytes of the archive.

    Raises Invalid for an archive that cannot be read, has none, or would become too large.
    """
    with tempfile.TemporaryFile() as file:
        async for piece in pieces:
            await asyncio.to_thread(file.write, piece)
        size = file.tell()
        try:
            archive = await asyncio.to_thread(zipfile.ZipFile, file)
        except BROKEN as exc:
            raise Invalid("This archive cannot be read: it is damaged, or no ZIP.") from exc
        found = sorted((each for each in archive.infolist() if FILES.fullmatch(each.filename)), key=lambda each: each.filename)
        whole = sum(each.file_size for each in found)
        if not found:
            raise Invalid("There is no conversations.json in this archive.")
        if whole > MOST:
            raise Invalid(f"This archive is too large: {whole:,} bytes when it is unpacked.")
        done = 0

        def told(more: int) -> None:
            nonlocal done
            done += more
            progress(size * done // max(whole, 1))

        for each in found:
            try:
                opened = await asyncio.to_thread(archive.open, each)
            except BROKEN as exc:
                raise Invalid("This archive cannot be read: it is damaged, or wants a password.") from exc
            with opened:
                yield _read(opened, each.file_size, told)


async def _read(file: IO[bytes], size: int, told: Callable[[int], None]) -> AsyncIterator[bytes]:
    """No more than the archive says that there is."""
    while size > 0:
        try:
            piece = await asyncio.to_thread(file.read, min(PIECE, size))
        except BROKEN as exc:
            raise Invalid("This archive cannot be read: it is damaged.") from exc
        if not piece:
            return
        size -= len(piece)
        told(len(piece))
        yield piece
