"""What the door says of recordings: everybody has their own, kept of their own replies, and holds their own replays."""

from services.doors.belongings import Belongings
from services.library.recorder import Recorder
from services.record.records import Records
from services.recordings.keeper import Kept
from services.upstream.catalogue import Catalogue
from services.upstream.rehearsal.player import Playback, Player
from services.upstream.rehearsal.repertoire import Repertoire


class Replays(Belongings):
    """Part of services.chat.Chat, which makes the rooms."""

    _catalogue: Catalogue
    _records: Records
    _repertoire: Repertoire  # of the local person

    @property
    def recorder(self) -> Recorder:
        """Of who asks."""
        return Recorder(self._repertoire.of(self._who.person), self._catalogue, self._generations, self._records)

    async def keep_recording(
        self, generation: str, name: str = "", *, attempt: int = 0, request: bool = True, replace: bool = False
    ) -> Kept:
        """As Recorder.keep; raises NotFound for somebody else's, too."""
        self._own_generation(generation)
        return await self.recorder.keep(generation, name, attempt=attempt, request=request, replace=replace)

    def playbacks(self) -> list[Playback]:
        """What is being played to who asks, as a generation or by the public rehearsal."""
        return self.recorder.playbacks()

    def playback(self, id: str) -> Playback | None:
        """Of a generation, or of another client's replay by the id that its headers tell."""
        return self.recorder.playback(id)

    async def player(self, id: str) -> Player:
        """To pause, play and step. Raises NotFound."""
        return await self.recorder.player(id)
