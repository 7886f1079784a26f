"""How each vendor's server says that something went wrong: in a body of its own, and in the middle of a stream."""

import msgspec

MESSAGE = "This failure was asked for (Headrace-Fault)."

PAGE = b"""<!DOCTYPE html>
<html><head><title>%b</title></head>
<body><h1>%b</h1><hr><p>nginx</p></body></html>
"""

_ANTHROPIC = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 413: "request_too_large",
    429: "rate_limit_error", 529: "overloaded_error"}  # fmt: skip
_GOOGLE = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 413: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE", 529: "UNAVAILABLE"}  # fmt: skip
_OPENAI = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded", 413: "request_too_large"}

VENDORS = {"openai": "OpenAI", "anthropic": "Anthropic", "gemini": "Gemini", "ollama": "Ollama"}


def error(family: str, status: int) -> bytes:
    """A body. `family` is one of VENDORS, `responses`, `headrace` for its own shape, or anything else for the bare sentence."""
    match family:
        case "openai" | "responses":
            kind = "server_error" if status >= 500 else "invalid_request_error"
            return _json({"error": {"message": MESSAGE, "type": kind, "param": None, "code": _OPENAI.get(status)}})
        case "anthropic":
            return _json({"type": "error", "error": {"type": _ANTHROPIC.get(status, "api_error"), "message": MESSAGE}})
        case "gemini":
            return _json({"error": {"code": status, "message": MESSAGE, "status": _GOOGLE.get(status, "INTERNAL")}})
        case "ollama":
            return _json({"error": MESSAGE})
        case "headrace":
            return _json({"error": {"code": "fault", "message": MESSAGE}})
    return MESSAGE.encode()


def told(family: str) -> tuple[bytes, bytes]:
    """The name of its event, if it has one, and the data of an error in the middle of a stream; `ai_sdk` is a family too."""
    match family:
        case "responses":
            return b"error", _json({"type": "error", "sequence_number": 0, "code": "server_error", "message": MESSAGE, "param": None})
        case "anthropic":
            return b"error", error(family, 500)
        case "headrace":
            failed = {"type": "failed", "code": "fault", "message": MESSAGE, "retryable": False, "phase": "streaming", "done": True}
            return b"failed", _json(failed)
        case "ai_sdk":
            return b"", _json({"type": "error", "errorText": MESSAGE})
    return b"", error(family, 500)


def page(title: str) -> bytes:
    return PAGE % (title.encode(), title.encode())


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)
