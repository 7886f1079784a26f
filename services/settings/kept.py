"""settings.json in the storage folder: what was set in the browser. It may hold keys, so it is for its owner's eyes only."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from services.errors import NotSaved, SettingsError


def read_kept(file: Path) -> dict[str, Any]:
    """Raises SettingsError. It is replaced in one piece, so half of it is no accident of ours, and nothing is guessed."""
    try:
        value = json.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as exc:
        raise SettingsError(f"{file}: cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(f"{file}: expected UTF-8 text: {exc.reason} at byte {exc.start}") from exc
    except (ValueError, RecursionError) as exc:
        raise SettingsError(f"{file}: expected JSON: {exc}. Mend it, or remove it to forget what was set on the page") from exc
    if not isinstance(value, dict):
        raise SettingsError(f"{file}: expected an object, as the settings page writes it. Remove it to forget what was set on the page")
    return value


def write_kept(file: Path, kept: Mapping[str, Any]) -> None:
    """All of it or nothing, also when the power fails. Raises NotSaved."""
    fresh = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            fresh.unlink()
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(json.dumps(kept, ensure_ascii=False, indent=2) + "\n")
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(file)
    except OSError as exc:
        raise NotSaved(f"The settings cannot be kept in {file}: {exc.strerror}.") from exc
