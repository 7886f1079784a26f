"""Messages that wait for the end of an answer. One line a conversation, kept with it: every tab sees the same, and so does a restart.

When an answer has ended by itself, the first one is sent. When it was stopped, failed or was interrupted the line is held, until somebody
lets it go on. A message leaves the line once it is in the conversation, under the id that it had here: it is never lost, nor sent twice.
"""

import asyncio
import logging
from collections.abc import Sequence

import msgspec

from services.attachments.attachments import Attachments
from services.conversations import cleaned
from services.errors import HeadraceError, Invalid, NotFound
from services.messages import File, ReplyState
from services.store.store import Store
from services.talks.asking import Asking
from services.talks.once import ID, new_id
from services.talks.tree import NOT_HERE, Tree
from services.talks.watchers import Watchers
from services.waiting import MOST, Line, Waiting, line, written

log = logging.getLogger(__name__)


class Queueing:
    def __init__(self, store: Store, attachments: Attachments, asking: Asking, tree: Tree, watchers: Watchers) -> None:
        self._store = store
        self._attachments = attachments
        self._asking = asking
        self._tree = tree
        self._watchers = watchers
        self._lock = asyncio.Lock()  # a line is read, changed and written: nothing comes in between

    async def add(self, conversation: str, model: str, text: str, id: str | None, files: Sequence[File]) -> None:
        """At the end of the line; sent at once if nothing is answered any more. Twice under one id is once.

        Raises NotFound, NotSaved, and Invalid for an empty message and one too many.
        """
        text = cleaned(text)
        if not text.strip() and not files:
            raise Invalid("The message is empty.")
        if id is not None and not ID.fullmatch(id):
            raise Invalid(f"A message's id is 32 hexadecimal digits, not {id[:80]!r}.")
        async with self._lock:
            now = await self._line(conversation)
            if id is None or (all(each.id != id for each in now.waiting) and await self._store.find(id) is None):
                if len(now.waiting) >= MOST:
                    raise Invalid(f"{MOST} messages wait already. Let some of them be sent first.")
                more = Waiting(id or new_id(), text, model, tuple(files))
                hashes = {file.hash for file in files}
                if hashes and not await self._store.refer(conversation, hashes):
                    raise NotFound(NOT_HERE)
                self._attachments.sent(hashes)
                await self._keep(conversation, msgspec.structs.replace(now, waiting=(*now.waiting, more)))
            if not self._asking.is_answering(conversation):
                await self._send(conversation)

    async def take(self, conversation: str, id: str) -> Waiting:
        """Out of the line again. Raises NotFound when it was sent meanwhile."""
        async with self._lock:
            now = await self._line(conversation)
            for each in now.waiting:
                if each.id == id:
                    left = tuple(other for other in now.waiting if other is not each)
                    await self._keep(conversation, Line(left, now.held))
                    return each
        raise NotFound("This message does not wait any more.")

    async def go_on(self, conversation: str) -> None:
        """Send the first message of a line that was held, and the others after it."""
        async with self._lock:
            now = await self._line(conversation)
            await self._keep(conversation, Line(now.waiting))
            if not self._asking.is_answering(conversation):
                await self._send(conversation)

    async def ended(self, conversation: str, end: ReplyState) -> None:
        """An answer of it has ended, and is in its conversation."""
        try:
            async with self._lock:
                now = await self._line(conversation)
                if not now.waiting or now.held:
                    return
                if end != "finished":
                    await self._keep(conversation, Line(now.waiting, end))
                elif not self._asking.is_answering(conversation):  # else another of several answers, whose end is still to come
                    await self._send(conversation)
        except NotFound:
            return  # it was deleted
        except HeadraceError as exc:
            log.error("what waits in conversation %s was not sent: %s", conversation, exc)

    async def restore(self) -> None:
        """Hold what an earlier process did not come to send."""
        try:
            for known in await self._store.list():
                if known.queue and not line(known.queue).held and not self._asking.is_answering(known.id):
                    await self.ended(known.id, "interrupted")
        except HeadraceError as exc:
            log.error("what waited at the last end is not held yet: %s", exc)

    async def _send(self, conversation: str) -> None:
        """The first one, if the line is not held. What is refused stays where it is, and says why."""
        now = await self._line(conversation)
        if not now.waiting or now.held:
            return
        first = now.waiting[0]
        try:
            await self._asking.send(conversation, [first.model], first.text, first.id, "", first.files)
        except HeadraceError as exc:
            if not self._asking.is_busy(conversation):  # else that answer will end, too
                await self._keep(conversation, Line(now.waiting, exc.message))
            return
        await self._keep(conversation, Line(now.waiting[1:]))

    async def _line(self, conversation: str) -> Line:
        known = None if conversation in self._tree.deleted else await self._store.get(conversation)
        if known is None:
            raise NotFound(NOT_HERE)
        return line(known.queue)

    async def _keep(self, conversation: str, now: Line) -> None:
        if not await self._store.change(conversation, queue=written(now)):
            raise NotFound(NOT_HERE)
        self._watchers.tell(conversation)
