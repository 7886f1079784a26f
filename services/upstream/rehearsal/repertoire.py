"""All models of the rehearsal: the built-in ones, scripted replies, and the recordings that are kept. What any of its servers may play."""

from services.recordings.keeper import Recordings
from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.player import Players
from services.upstream.rehearsal.script import Model
from services.upstream.rehearsal.scripted import NAME as SCRIPT
from services.upstream.rehearsal.scripted import Scripted

REPLAY = "replay:"


class Repertoire:
    """One for all dialects: a replay is found by whoever wants to step it."""

    def __init__(self, recordings: Recordings | None = None, scripted: Scripted | None = None) -> None:
        self.recordings = recordings or Recordings()
        self._own: dict[str, Model] = {SCRIPT: scripted.play} if scripted else {}
        self.players = Players()

    @property
    def names(self) -> tuple[str, ...]:
        return *MODELS, *self._own, *(REPLAY + name for name in self.recordings.names)

    def model(self, name: str) -> Model | None:
        """One that plays what a file says."""
        return self._own.get(name)
