"""Settings: settings.toml, settings.json, .env, the environment and flags, in rising priority.

    settings = load()            SettingsError: one mistake a line, each with its place, its key and what was expected

    tables.py     names, types and defaults
    values.py     what a value may be
    reading.py    where values come from
    layers.py     which of them wins
    kept.py       settings.json: what was set on the page
    privacy.py    who else may read the files with keys
    replies.py    the file of scripted replies
    mistakes.py   what is wrong with them

Rule 1: a mistake stops the start. An unknown key, a wrong type, a ${VARIABLE} that is not set: nothing is guessed.
Rule 2: no sentence and no repr shows an api_key, the password of a database, nor what a ${VARIABLE} held.
"""

from services.settings.layers import Layers
from services.settings.mistakes import knobs
from services.settings.reading import load, read, settings_file, usage, version
from services.settings.tables import Settings, TimeoutOverrides, Timeouts, Upstream
from services.settings.values import without_password

__all__ = [
    "Layers",
    "Settings",
    "TimeoutOverrides",
    "Timeouts",
    "Upstream",
    "knobs",
    "load",
    "read",
    "settings_file",
    "usage",
    "version",
    "without_password",
]
