"""The models by name. A new one is a file beside this one and a line here."""

from services.upstream.rehearsal import echo, guide, longform, thinker
from services.upstream.rehearsal.script import Model

MODELS: dict[str, Model] = {
    "guide": guide.play,
    "echo": echo.play,
    "longform": longform.play,
    "thinker": thinker.play,
}
