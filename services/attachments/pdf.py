"""The text of a PDF, read by a process of its own: a hostile file costs so much time and memory, and not this process."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from services.errors import Busy, Invalid

WORKER = Path(__file__).with_name("pdf_worker.py")
SECONDS = 60.0  # until what was read by then is all there is
LINE = 16_000_000  # bytes of a page's text
AT_ONCE = 2  # of these processes

Progress = Callable[[int, int], None]  # pages that were read, of how many


def unheard(read: int, pages: int) -> None:
    """For who wants to hear of no progress."""


class Said(NamedTuple):
    """`pages` of the whole file, of which the first `read` are in `text`."""

    text: str
    pages: int
    read: int


class _Line(msgspec.Struct):
    pages: int | None = None
    text: str | None = None
    fault: str | None = None


class PDF:
    """`pages` and `characters` are the most that is read of one file."""

    def __init__(self, pages: int, characters: int, seconds: float = SECONDS) -> None:
        self._pages = pages
        self._characters = characters
        self._seconds = seconds
        self._places = asyncio.Semaphore(AT_ONCE)

    async def read(self, body: bytes, name: str, progress: Progress) -> Said:
        """Raises Invalid for one that is encrypted, damaged, or has no text."""
        async with self._places:
            texts: list[str] = []
            pages = [0]
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", str(WORKER), str(self._pages),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, limit=LINE,
            )  # fmt: skip
            feeding = asyncio.get_running_loop().create_task(_feed(process, body))
            try:
                async with asyncio.timeout(self._seconds):
                    await self._listen(process, name, texts, pages, progress)
            except TimeoutError:
                pass
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
                feeding.cancel()
                await process.wait()
        if not texts:
            raise Invalid(f"{name} cannot be read: its PDF is damaged, or it takes too long.")
        if not any(map(str.strip, texts)):
            raise Invalid(f"{name} has no text in it: its pages are pictures. Attach pictures of the pages that matter instead.")
        return Said("\n\n".join(texts), pages[0], len(texts))

    async def _listen(self, process: asyncio.subprocess.Process, name: str, texts: list[str], pages: list[int], progress: Progress) -> None:
        if process.stdout is None:
            raise Busy("No process can be started to read a PDF.")
        left = self._characters
        while left > 0 and (line := await _line(process.stdout)):
            said = msgspec.json.decode(line, type=_Line)
            if said.fault == "encrypted":
                raise Invalid(f"{name} is protected with a password. Save it without one first.")
            if said.pages is not None:
                pages[0] = said.pages
            if said.text is not None:
                texts.append(said.text)
                left -= len(said.text)
            progress(len(texts), pages[0])


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:  # a page of more than LINE bytes
        return b""


async def _feed(process: asyncio.subprocess.Process, body: bytes) -> None:
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.write(body)
            await process.stdin.drain()
        process.stdin.close()
