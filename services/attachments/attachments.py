"""Every attached file, by what is in it: taken, looked up, put into what a model is asked, and swept when nobody refers to it any more.

A message names a file (services.messages.File). What a model gets in its place is made here, and here only: `resolved`.
"""

import asyncio
import base64
import hashlib
import re
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from services.attachments.blocks import block
from services.attachments.images import picture
from services.attachments.kinds import PDF as PDF_MEDIA
from services.attachments.kinds import kind_of
from services.attachments.names import file_name
from services.attachments.pdf import PDF, Progress, unheard
from services.attachments.shelf import Memory, Shelf
from services.conversations import Node, attached, cleaned
from services.errors import Invalid, NotFound, TooLarge
from services.messages import File, Image, Message, Part, Text

HASH = re.compile(r"[0-9a-f]{64}")
EXPORTED = 500_000_000  # bytes of files in one export
EXPORTED_EACH = 40_000_000  # of one conversation: with a third more for base64 it stays below what an import takes
UNSENT = 86_400.0  # seconds that a file which nobody has sent yet is kept

Wanted = Callable[[], Awaitable[Collection[str]]]  # the hashes that conversations refer to


class Limits(NamedTuple):
    """As settings have them; `side` in pixels is for the page, which makes larger pictures smaller before it sends them."""

    bytes: int = 20_000_000
    files: int = 10
    pixels: int = 50_000_000
    side: int = 2048
    characters: int = 200_000
    pages: int = 500
    paste: int = 8_000


class Given(NamedTuple):
    """A file that was taken before, and its name for whoever sends it."""

    hash: str
    name: str


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a file without reading it again; stored beside it."""

    media: str
    size: int
    width: int = 0
    height: int = 0
    pages: int = 0
    read: int = 0  # pages that are in the text
    note: str = ""
    text: str | None = None

    def named(self, hash: str, name: str) -> File:
        return File(hash, name, self.media, self.size, self.width, self.height, self.pages, len(self.text or ""), self.note)


class Attachments:
    def __init__(self, shelf: Shelf | None = None, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._shelf: Shelf = shelf or Memory()
        self._pdf = PDF(self.limits.pages, 10 * self.limits.characters)
        self._unsent: dict[str, float] = {}  # when files that may be in somebody's draft were wanted last
        self._noticed: list[set[str]] = []  # what was wanted while files are dropped, of each who does so

    async def take(self, name: str, body: bytes, progress: Progress = unheard) -> File:
        """Keep a file. Raises TooLarge, Invalid for what no model can be given, and NotSaved."""
        name = file_name(name)
        if len(body) > self.limits.bytes:
            raise TooLarge(f"{name} has {len(body):,} bytes; {self.limits.bytes:,} can be attached (attachments.bytes).")
        hash = await asyncio.to_thread(lambda: hashlib.sha256(body).hexdigest())
        self._want(hash)
        kept = await self._kept(hash)
        if kept is None:
            kept = await self._read(name, body, progress)
            await asyncio.to_thread(self._shelf.put, hash, body)
            await asyncio.to_thread(self._shelf.put, f"{hash}.json", msgspec.json.encode(kept))
        return kept.named(hash, name)

    async def _read(self, name: str, body: bytes, progress: Progress) -> Kept:
        kind = await asyncio.to_thread(kind_of, body, name, self.limits.pixels)
        if kind.media == PDF_MEDIA:
            said = await self._pdf.read(body, name, progress)
            return Kept(kind.media, len(body), pages=said.pages, read=said.read, text=cleaned(said.text))
        return Kept(kind.media, len(body), kind.width, kind.height, note=kind.note, text=kind.text and cleaned(kind.text))

    async def look(self, hash: str, name: str) -> File:
        """A file that was taken before, perhaps by another name. Raises NotFound."""
        name = file_name(name)
        kept = await self._kept(hash) if HASH.fullmatch(hash) else None
        if kept is None:
            raise NotFound(f"{name} is not here any more. Attach it again.")
        self._want(hash)
        return kept.named(hash, name)

    async def chosen(self, given: Sequence[Given]) -> tuple[File, ...]:
        """The files of one message, each once. Raises NotFound, and Invalid for too many."""
        given = list({each.hash: each for each in given}.values())
        if len(given) > self.limits.files:
            raise Invalid(f"{len(given)} files are attached; one message may have {self.limits.files} (attachments.files).")
        return tuple([await self.look(each.hash, each.name) for each in given])

    async def open(self, hash: str) -> tuple[str, bytes]:
        """The media type of a picture, application/octet-stream for all else, and the bytes. Raises NotFound.

        Told by the bytes as they are now: whatever happened to the folder, nothing else is taken for a picture.
        """
        body = await asyncio.to_thread(self._shelf.get, hash) if HASH.fullmatch(hash) else None
        if body is None:
            raise NotFound("This file is not here any more.")
        found = picture(body)
        return found.media if found else "application/octet-stream", body

    async def _kept(self, hash: str) -> Kept | None:
        """Touched, so that no sweep takes it while it is being looked at."""
        body = await asyncio.to_thread(self._shelf.get, f"{hash}.json")
        if body is None:
            return None
        await asyncio.to_thread(self._shelf.touch, hash)
        await asyncio.to_thread(self._shelf.touch, f"{hash}.json")
        with suppress(ValueError):
            return msgspec.json.decode(body, type=Kept)
        return None

    # For models

    async def resolved(self, messages: Sequence[Message], *, model: str, sees: bool | None) -> tuple[Message, ...]:
        """The same messages as a model takes them: pictures as data: URLs, other files as text ahead of what was asked.

        `sees`: whether the model can be shown pictures, None where nobody says. Raises Invalid when the last question has one and the
        model cannot; those of earlier questions are named to it instead. A file that is gone is named, too.
        """
        last = max((at for at, message in enumerate(messages) if message.role == "user"), default=-1)
        if sees is False and last >= 0 and (blind := [part for part in messages[last].parts if _is_picture(part)]):
            names = ", ".join(part.name if isinstance(part, File) else "A picture" for part in blind)
            raise Invalid(f"{names} cannot be seen by {model}: its server says that it takes no pictures. Choose another model.")
        return tuple([await self._resolved(message, sees) for message in messages])

    async def _resolved(self, message: Message, sees: bool | None) -> Message:
        if not any(isinstance(part, File) for part in message.parts):
            return message
        pictures: list[Part] = []
        blocks: list[str] = []
        rest: list[Part] = []
        for part in message.parts:
            if not isinstance(part, File):
                rest.append(part)
            elif part.is_image and sees is not False:
                shown = await self.shown(part)
                pictures += [shown] if isinstance(shown, Image) else []
                blocks += [] if isinstance(shown, Image) else [f"(The picture {part.name} is not here any more.)"]
            else:
                blocks.append(await self._block(part))
        asked = "".join(part.text for part in rest if isinstance(part, Text))
        text = "\n\n".join([*blocks, *([asked] if asked.strip() else [])])
        others = [part for part in rest if not isinstance(part, Text)]
        return Message(message.role, (*pictures, *others, *([Text(text)] if text else [])))

    async def _block(self, part: File) -> str:
        if part.is_image:
            return f"(A picture was shown here: {part.name}.)"
        kept = await self._kept(part.hash) if HASH.fullmatch(part.hash) else None
        if kept is None or kept.text is None:
            return f"(The file {part.name} is not here any more.)"
        pages = f" ({kept.pages} pages{f', the first {kept.read} of them read' if kept.read < kept.pages else ''})" if kept.pages else ""
        return block(part.name, kept.text, self.limits.characters, pages)

    async def shown(self, part: File) -> Part:
        """A picture with its bytes in it; any other file, and one that is gone, as it is."""
        if not part.is_image:
            return part
        try:
            media, body = await self.open(part.hash)
        except NotFound:
            return part
        if not media.startswith("image/"):
            return part
        encoded = await asyncio.to_thread(lambda: base64.b64encode(body).decode())
        return Image(f"data:{media};base64,{encoded}")

    async def embedded(self, nodes: Sequence[Node]) -> list[Node]:
        """Questions with their pictures in them, for a document that shall need nothing else; other files stay names."""
        return [await self._embedded(node) if attached([node]) else node for node in nodes]

    async def _embedded(self, node: Node) -> Node:
        parts = [await self.shown(part) if isinstance(part, File) else part for part in (node.message.parts if node.message else ())]
        return msgspec.structs.replace(node, message=node.message and Message(node.message.role, tuple(parts)))

    async def bodies(self, wanted: Iterable[Collection[str]]) -> dict[str, bytes]:
        """Files by their hashes, for an export: of each conversation as many as an import takes, and of all what memory holds."""
        found: dict[str, bytes] = {}
        left = EXPORTED
        for hashes in wanted:
            room = min(left, EXPORTED_EACH)
            for hash in sorted(hashes):
                body = found.get(hash) or await asyncio.to_thread(self._shelf.get, hash) if HASH.fullmatch(hash) else None
                if body is not None and len(body) <= room:
                    left -= 0 if hash in found else len(body)
                    room -= len(body)
                    found[hash] = body
        return found

    # The end

    def sent(self, hashes: Iterable[str]) -> None:
        """These are in a conversation now, and live as long as it does."""
        for hash in hashes:
            self._want(hash)
            del self._unsent[hash]

    def unwanted(self, hashes: Iterable[str]) -> None:
        """Who was about to send these will not."""
        for hash in hashes:
            self._unsent.pop(hash, None)

    async def drop(self, hashes: Collection[str], wanted: Wanted) -> None:
        """Of these, drop what is not `wanted`: no conversation refers to it. What somebody is about to send, or just has, stays."""
        now = time.time()
        self._unsent = {hash: when for hash, when in self._unsent.items() if when > now - UNSENT}
        noticed: set[str] = set()
        self._noticed.append(noticed)
        try:
            for hash in set(hashes) - set(await wanted()):
                if hash not in self._unsent and hash not in noticed:
                    await asyncio.to_thread(self._drop, hash)
        finally:
            self._noticed.remove(noticed)

    async def sweep(self, wanted: Wanted) -> None:
        """At a start: the same of everything that is old, which nobody can still be about to send."""
        before = time.time() - UNSENT
        old = await asyncio.to_thread(lambda: {name[:64] for name, when in self._shelf.all() if when < before})
        await self.drop(old, wanted)

    def _want(self, hash: str) -> None:
        self._unsent[hash] = time.time()
        for noticed in self._noticed:
            noticed.add(hash)

    def _drop(self, hash: str) -> None:
        self._shelf.drop(f"{hash}.json")  # first: what has no description is not there
        self._shelf.drop(hash)


def _is_picture(part: Part) -> bool:
    return isinstance(part, Image) or (isinstance(part, File) and part.is_image)
