"""Where everything is kept, and how large it is."""

from pathlib import Path

from services.models import Place
from services.settings import Layers, without_password

SQLITE = "sqlite:///"


def places(layers: Layers) -> list[Place]:
    """Reads the disk: not for the event loop. What is not there yet has 0 bytes."""
    home, storage = layers.kept_file.parent, layers.settings.storage
    database = storage.url
    path = layers.home / database.removeprefix(SQLITE) if database.startswith(SQLITE) else None
    journal = home / "journal.db" if storage.journal == "sqlite" else None
    return [
        Place("conversations", str(path) if path else without_password(database), _size(path) if path else None),
        Place("replies", str(journal) if journal else storage.journal, _size(journal) if journal else None),
        Place("files", str(home / "attachments"), _size(home / "attachments")),
        Place("recordings", str(home / "recordings"), _size(home / "recordings")),
        Place("settings", str(layers.kept_file), _size(layers.kept_file)),
    ]


def _size(path: Path) -> int:
    """A folder with all that is in it; a database with what SQLite keeps beside it."""
    found = path.rglob("*") if path.is_dir() else path.parent.glob(f"{path.name}*")
    size = 0
    for file in found:
        try:
            size += file.stat().st_size if file.is_file() else 0
        except OSError:  # gone meanwhile
            continue
    return size
