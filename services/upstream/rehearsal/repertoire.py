"""All models of the rehearsal: the built-in ones, scripted replies, and the recordings of a person. What any of its servers may play."""

from services.persons import LOCAL
from services.recordings.keeper import Recordings
from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.player import Players
from services.upstream.rehearsal.script import Model
from services.upstream.rehearsal.scripted import NAME as SCRIPT
from services.upstream.rehearsal.scripted import Scripted

REPLAY = "replay:"


class Repertoire:
    """One for all dialects, of one person: a replay is found by them when they want to step it, and by nobody else."""

    def __init__(self, recordings: Recordings | None = None, scripted: Scripted | None = None) -> None:
        self.recordings = recordings or Recordings()
        self._own: dict[str, Model] = {SCRIPT: scripted.play} if scripted else {}
        self.players = Players()
        self._others: dict[str, Repertoire] = {}

    def of(self, person: str) -> "Repertoire":
        """To be asked of the local person's."""
        if person == LOCAL:
            return self
        if person not in self._others:
            other = self._others[person] = Repertoire(self.recordings.of(person))
            other._own = self._own
        return self._others[person]

    @property
    def common(self) -> tuple[str, ...]:
        """What everybody has."""
        return *MODELS, *self._own

    @property
    def replays(self) -> tuple[str, ...]:
        """What only this person has."""
        return tuple(REPLAY + name for name in self.recordings.names)

    @property
    def names(self) -> tuple[str, ...]:
        return *self.common, *self.replays

    def model(self, name: str) -> Model | None:
        """One that plays what a file says."""
        return self._own.get(name)
