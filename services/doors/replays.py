"""What the door says of recordings where it matters whose they are made of: kept of one's own replies, and one's own replays held."""

from services.doors.belongings import Belongings
from services.errors import NotFound
from services.library.recorder import Recorder
from services.recordings.keeper import Kept
from services.upstream.rehearsal.player import Playback, Player


class Replays(Belongings):
    """Part of services.chat.Chat, which makes the rooms. Recordings themselves belong to everybody: see `recorder`."""

    recorder: Recorder

    async def keep_recording(
        self, generation: str, name: str = "", *, attempt: int = 0, request: bool = True, replace: bool = False
    ) -> Kept:
        """As Recorder.keep; raises NotFound for somebody else's, too."""
        self._own_generation(generation)
        return await self.recorder.keep(generation, name, attempt=attempt, request=request, replace=replace)

    def playbacks(self) -> list[Playback]:
        """What is being played, but for somebody else's generations. A client of the public rehearsal has no name."""
        return [played for played in self.recorder.playbacks() if self._may_hold(played.id)]

    def playback(self, id: str) -> Playback | None:
        """Of a generation, or of another client's replay by the id that its headers tell."""
        return self.recorder.playback(id) if self._may_hold(id) else None

    async def player(self, id: str) -> Player:
        """To pause, play and step. Raises NotFound."""
        if not self._may_hold(id):
            raise NotFound(f"No replay {id[:80]!r} is being played.")
        return await self.recorder.player(id)

    def _may_hold(self, id: str) -> bool:
        return self._generations.owner(id) in (None, self._who.person)
