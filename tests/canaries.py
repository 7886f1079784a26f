"""Keys that no test needs, in every Headrace that the tests start: what they turn up in is a leak.

Each upstream of a test's settings that has no key gets one, so they are really sent. At the end of the process its log and all it has
kept is searched, and the command line that everybody on the machine can read. Only settings files may hold them.
"""

import re
import secrets
from pathlib import Path

# No pattern of ours takes this for a key: it is hidden because it is known, or not at all.
KEY = f"CANARY.{secrets.token_hex(8)}"
SETTINGS = ("settings.toml", "settings.json", ".env")


def with_keys(settings: str) -> str:
    first, *tables = re.split(r"(?m)^(?=\[\[upstreams\]\])", settings)
    return first + "".join(table if "api_key" in table else _with_key(table) for table in tables)


def _with_key(table: str) -> str:
    head, line, rest = table.partition("\n")
    return f'{head}{line}api_key = "{KEY}"\n{rest}'


def leaks(folder: Path) -> list[str]:
    """The files below a folder that hold a canary."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.name not in SETTINGS]
    return sorted(str(path.relative_to(folder)) for path in found if KEY.encode() in path.read_bytes())


def is_in_the_command_line(pid: int) -> bool:
    try:
        return KEY.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
