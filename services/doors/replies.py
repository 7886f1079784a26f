"""What the door says of replies: one that runs or is kept is followed, looked at and stopped by whose it is."""

from collections.abc import Callable, Sequence

from services.doors.belongings import Belongings
from services.events import Entry, Started
from services.generations.log import Follower
from services.generations.registry import Keyed, Summary
from services.messages import Reply, Turn
from services.record.record import Reader, Record
from services.record.records import Records
from services.talks.watchers import Watchers


class Replies(Belongings):
    """Part of services.chat.Chat, which makes the rooms."""

    _records: Records
    _programs: Watchers

    def follow(self, id: str, after: int = 0) -> Follower:
        """Batches of entries after a position, until the terminal one. Enter it with `contextlib.aclosing`.

        This and everything below is about a generation just started, or recalled.
        """
        self._own_generation(id)
        return self._generations.follow(id, after)

    async def recall(self, id: str) -> None:
        """Get hold of a generation, whether it runs, has ended, or ended in an earlier process; then ask about it at once.

        Returns when a restart would know of it. Raises NotFound, and Gone when its log is no longer kept.
        """
        self._own_generation(id)
        await self._generations.recall(id)

    async def stop(self, id: str) -> Reply:
        """Stop a generation if it still runs; returns the reply as it then stands."""
        self._own_generation(id)
        return await self._generations.stop(id)

    def left(self, id: str) -> None:
        """A reader is gone. When it was the last one, the policy of who started the generation decides."""
        self._generations.left(id)

    def started(self, id: str) -> Started:
        """The first entry of a generation: its id, model and time."""
        self._own_generation(id)
        return self._generations.started(id)

    def turn(self, id: str) -> Turn:
        """What a generation was asked, its model by its full name."""
        self._own_generation(id)
        return self._generations.turn(id)

    def reply(self, id: str) -> Reply:
        """A snapshot: the reply as far as it has come, and the position from which to follow it."""
        self._own_generation(id)
        return self._generations.reply(id)

    def entries(self, id: str) -> Sequence[Entry]:
        """Its log as far as readers may see it, for who only looks: whoever follows it keeps it running."""
        self._own_generation(id)
        return self._generations.entries(id)

    def record(self, id: str) -> Record | None:
        """What went over the wires for it. None: nothing was kept, or not any more."""
        self._own_generation(id)
        return self._records.get(id)

    def reads(self, id: str, dialect: str, agent: str = "") -> Reader | None:
        """A client begins to read it: the record is told what it is given."""
        return record.reads(dialect, agent) if (record := self._records.get(id)) else None

    def keyed(self, key: str) -> Keyed | None:
        """What was started with an Idempotency-Key (its digest) last, of what runs or is kept."""
        return self._generations.keyed(key)

    def generations(self) -> list[Summary]:
        """Running generations, then finished ones, the newest first in each."""
        return self._generations.list(self._who.person)

    def of_programs(self, most: int) -> list[Summary]:
        """The newest ones that no page has asked for, likewise."""
        return self._generations.of_programs(self._who.person, most)

    def watch_programs(self, changed: Callable[[str], None]) -> Callable[[], None]:
        """Call `changed(generation)` whenever one of these begins or ends. Returns the function that ends this."""
        return self._programs.watch(lambda id: changed(id) if self._generations.owner(id) == self._who.person else None)

    def latest(self, client: str, thread: str) -> Summary | None:
        """The newest generation of a thread, by the client's own name of it. None: there is none, or its log is no longer kept."""
        return self._generations.latest(self._who.person, client, thread)
