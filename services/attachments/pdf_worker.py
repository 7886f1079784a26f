"""Reads one PDF from stdin and writes its text to stdout, a line of JSON per page. A process of its own, which knows nothing of Headrace.

    {"pages": 12}    {"text": "..."} once a page    {"fault": "encrypted" | "broken"}

A PDF is a program for a machine that draws: it may loop, and it may swell. So this process has a limit of memory and of time, and whoever
started it ends it when it takes too long. pypdf is imported here only.
"""

import importlib
import io
import json
import logging
import os
import sys

import pypdf
from pypdf.errors import DependencyError, FileNotDecryptedError

MEMORY = 1_500_000_000  # bytes of address space
SECONDS = 120  # of computing


def main(pages: int) -> None:
    logging.disable(logging.CRITICAL)  # the library tells every oddity of a file
    _limit()
    try:
        reader = pypdf.PdfReader(io.BytesIO(sys.stdin.buffer.read()))
        if reader.is_encrypted and not reader.decrypt(""):
            _say("fault", "encrypted")
            return
        _say("pages", len(reader.pages))
        for number in range(min(pages, len(reader.pages))):
            _say("text", _text(reader, number))
    except (DependencyError, FileNotDecryptedError):
        _say("fault", "encrypted")
    except Exception:
        _say("fault", "broken")


def _text(reader: pypdf.PdfReader, number: int) -> str:
    """A page that cannot be read is an empty one: the others may be well."""
    try:
        return reader.pages[number].extract_text()
    except (DependencyError, FileNotDecryptedError):
        raise
    except Exception:
        return ""


def _say(name: str, value: object) -> None:
    sys.stdout.write(json.dumps({name: value}) + "\n")
    sys.stdout.flush()


def _limit() -> None:
    if os.name == "posix":
        resource = importlib.import_module("resource")
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


if __name__ == "__main__":
    main(int(sys.argv[1]))
