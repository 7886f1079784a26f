"""An upstream's own words about what went wrong, out of any shape they come in. Pure functions.

What leaves here is safe to show and to keep: secrets are taken out, control characters too, at most 2 kB, never a page of HTML.

    {"error": {"message", "type", "code"}}     OpenAI, Anthropic, llama.cpp, OpenRouter (+ metadata.error_type)
    {"error": "words", "error_type": "..."}    Ollama, TGI
    {"object": "error", "message", "type", "code"}    older vLLM
    {"detail": "words" | [{"loc", "msg"}]}     FastAPI
    {"code": "...", "message": "words"}        and {"errors": [...]}, [{"error": ...}]
    error: {...}, data: {...}                  the same inside an event stream's lines
    <title>502 Bad Gateway</title>             whatever stands before the server
"""

import html
import re
from typing import NamedTuple

from services.redaction import without_secrets
from services.upstream import loose

LONGEST = 2048  # bytes
_READ = 16 * 1024  # characters looked at: patterns need not run over more than could be kept
_TITLE = re.compile(r"<title[^>]*>([^<]{1,300})", re.IGNORECASE)
_FIELD = re.compile(r"^(?:event:.*\n)?(?:data|error): ?(.*)", re.DOTALL)

# Escape sequences first, then all of C0, DEL and C1 but the white ones, then what turns the direction of text.
_CONTROLS = re.compile("\x1b\\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Words(NamedTuple):
    """`message` is redacted; `type` and `code` are the upstream's own, for telling kinds of errors apart only."""

    message: str
    type: str = ""
    code: str = ""


def of_body(body: bytes) -> Words:
    """The words in the body of a refusal: JSON, an event stream, a web page or plain text."""
    text = body.decode("utf-8", "replace").lstrip("\ufeff").strip()
    if text.startswith("<"):
        return Words(_title(text))
    if field := _FIELD.match(text):
        text = field[1].strip()
    try:
        found = loose.objects(text.encode())
    except ValueError:
        return Words(redacted(text))
    value = found[0] if found else ""
    return of_object(value) or Words(redacted(text) if value else "")


def of_object(value: object) -> Words | None:
    """The words in a frame or a body that is an error; None when it is not one, as with `"error": null`."""
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return None
    if error := value.get("error"):
        return _of_error(error, value)
    if errors := value.get("errors"):
        return _of_error(errors[0] if isinstance(errors, list) else errors, value)
    if "choices" in value or isinstance(value.get("message"), dict):
        return None
    if detail := value.get("detail"):
        return Words(redacted(_of_detail(detail)))
    if isinstance(value.get("message"), str) and (value.get("object") == "error" or value.get("code") is not None):
        return _of_error(value, {})
    return None


def redacted(text: str) -> str:
    """One line without secrets and control characters, at most 2 kB of UTF-8."""
    text = _CONTROLS.sub("", loose.whole_characters(text[:_READ].replace("\0", "")))
    text = " ".join(text.split())
    text = without_secrets(text)
    if len(text.encode()) > LONGEST:
        text = text.encode()[: LONGEST - 3].decode("utf-8", "ignore") + "…"
    return text


def _of_error(error: object, around: dict[str, object]) -> Words:
    if not isinstance(error, dict):
        return Words(redacted(_text(error)), _text(around.get("error_type")), _text(around.get("code")))
    metadata = error.get("metadata")
    kind = error.get("type") or (metadata.get("error_type") if isinstance(metadata, dict) else None) or error.get("status")
    message = error.get("message") or error.get("error") or error.get("detail") or error.get("code") or kind
    return Words(redacted(_text(message)), _text(kind), _text(error.get("code")))


def _of_detail(detail: object) -> str:
    if not isinstance(detail, list):
        return _text(detail.get("message") or detail.get("error") or detail if isinstance(detail, dict) else detail)
    return "; ".join(_of_fault(fault) if isinstance(fault, dict) else _text(fault) for fault in detail[:5])


def _of_fault(fault: dict[str, object]) -> str:
    where = fault.get("loc")
    place = f" ({'.'.join(map(str, where))})" if isinstance(where, list) and where else ""
    return _text(fault.get("msg")) + place


def _title(page: str) -> str:
    found = _TITLE.search(page[:_READ])
    return redacted(html.unescape(found[1])) if found else ""


def _text(value: object) -> str:
    try:
        return "" if value is None else value if isinstance(value, str) else str(value)[:LONGEST]
    except RecursionError:  # nested to the very end of the stack
        return ""
