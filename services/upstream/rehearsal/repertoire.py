"""All models of the rehearsal: the built-in ones, and the recordings that are kept. What any of its servers may play."""

from services.recordings.keeper import Recordings
from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.player import Players

REPLAY = "replay:"


class Repertoire:
    """One for all dialects: a replay is found by whoever wants to step it."""

    def __init__(self, recordings: Recordings | None = None) -> None:
        self.recordings = recordings or Recordings()
        self.players = Players()

    @property
    def names(self) -> tuple[str, ...]:
        return *MODELS, *(REPLAY + name for name in self.recordings.names)
