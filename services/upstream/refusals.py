"""What a model server's errors mean to us: its status and its words become one of our codes. Pure functions.

refusal(status, headers, body)   an answer that is not 200
reported(words)                  an error inside an answer that began well
cut_off(), web_page(), no_answer()   what the bytes of an answer were instead of one

| code          | when                                              | again? |
|---------------|---------------------------------------------------|--------|
| auth          | 401                                               | no     |
| quota         | 402, or words about quota, credit, billing        | no     |
| forbidden     | 403                                               | no     |
| model_missing | 404, and the words are about a model              | no     |
| too_long      | 413, or 400 and 422 with words about length       | no     |
| rate_limited  | 429                                               | yes    |
| server_error  | 408 and 5xx                                       | yes    |
| refused       | any other status                                  | no     |
| upstream      | an error without a status, in a stream            | yes    |
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from services.errors import NotAStream, ProtocolError, Refused, Truncated, UpstreamError
from services.upstream import words
from services.upstream.words import Words

PAGE = 16 * 1024  # bytes of a web page that are read: its title is among them
_LONGEST_WAIT = 31 * 86400  # seconds; beyond a month it is a mistake, not a wait

# Types and codes that say a status where the stream's own status has long been 200.
_STATUSES = {
    "invalid_request_error": 400, "badrequesterror": 400, "authentication_error": 401, "invalid_api_key": 401, "billing_error": 402,
    "permission_error": 403, "not_found_error": 404, "notfounderror": 404, "model_not_found": 404, "request_too_large": 413,
    "rate_limit_error": 429, "rate_limit_exceeded": 429, "requests": 429, "tokens": 429, "server_error": 500, "api_error": 500,
    "internalservererror": 500, "internal_server_error": 500, "provider_unavailable": 502, "timeout_error": 504, "overloaded_error": 529,
}  # fmt: skip

_QUOTA = re.compile(r"insufficient[ _](quota|credit|balance|fund)|billing|exceeded your current quota|quota exceeded|out of credits")
_PACE = re.compile(r"rate.?limit|per (second|minute|hour|day)")
_LENGTH = re.compile(
    r"context[ _](length|size|window)|exceed_context|maximum context|prompt is too long|too many (input )?tokens|input is too long"
    r"|string_above_max_length|input length|exceeds? (the )?(maximum|available|model'?s?) (context|input|prompt|number of tokens)"
)

_SENTENCES = {
    "auth": "The API key was rejected. Check it in settings.toml.",
    "quota": "The quota of this account is used up. Check its plan and credit with the provider.",
    "forbidden": "The server does not allow this. The API key may lack the right to use this model.",
    "model_missing": "The server does not have this model. Choose another one, or install it there.",
    "too_long": "The conversation is too long for this model. Start a new one, or leave something out.",
    "rate_limited": "The server takes no more requests for now. Try again{wait}.",
    "server_error": "The server failed{status}. Try again{wait}.",
    "nowhere": "There is nothing at this address{status}. Check base_url in settings.toml.",
    "refused": "The server refused the request{status}. Its own words say why.",
    "upstream": "The server reported an error. Try again.",
}
_AGAIN = {"rate_limited", "server_error", "upstream"}


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """The error that an answer with this status is. Its body may be JSON, text or a web page; only its words are kept."""
    named = {name.lower(): value.strip() for name, value in headers.items()}
    error = _error(status, words.of_body(body), _wait(named), f" (HTTP {status})")
    error.http_status = status
    # The official SDKs obey this header too (openai-python, anthropic-python: _base_client.py).
    if named.get("x-should-retry") in ("true", "false"):
        error.can_retry = named["x-should-retry"] == "true"
    return error


def reported(said: Words) -> UpstreamError:
    """The error that a frame of a stream tells."""
    status = _STATUSES.get(said.code.lower()) or _STATUSES.get(said.type.lower())
    if said.code.isdecimal() and 400 <= int(said.code[:4]) < 600:
        status = int(said.code)
    return _error(status, said, None, "")


def cut_off() -> UpstreamError:
    return Truncated("The answer ended in the middle: the server closed the connection.")


def web_page(body: bytes) -> UpstreamError:
    """A login page, a proxy's, or the server's own home page: base_url misses the path of the API."""
    told = "The server answered with a web page, not with the words of a model. Check base_url in settings.toml."
    return NotAStream(told, upstream=words.of_body(body).message or None)


def no_answer(body: bytes) -> UpstreamError:
    """Nothing at all, or JSON of another kind."""
    if not body:
        return ProtocolError("The server answered with nothing. Try again.", code="empty", retryable=True)
    seen = words.redacted(body[: 2 * words.LONGEST].decode("utf-8", "replace"))
    return NotAStream("The server answered with JSON that is no answer of a model. Check base_url in settings.toml.", upstream=seen)


def _error(status: int | None, said: Words, wait: float | None, shown: str) -> UpstreamError:
    kind = _kind(status, said)
    when = "" if kind not in _AGAIN else " in a moment" if wait is None else f" in {_duration(wait)}"
    return Refused(
        _SENTENCES[kind].format(status=shown, wait=when),
        code="refused" if kind == "nowhere" else kind,
        phase="waiting",
        retryable=kind in _AGAIN,
        upstream=said.message or None,
        retry_after=wait if kind in _AGAIN else None,
    )


def _kind(status: int | None, said: Words) -> str:
    text = " ".join(said).lower()
    if status == 402 or (status in (None, 400, 403, 429) and _QUOTA.search(text) and not _PACE.search(text)):
        return "quota"
    if status == 413 or (status in (None, 400, 422, 500) and _LENGTH.search(text)):
        return "too_long"
    match status:
        case None:
            return "upstream"
        case 401:
            return "auth"
        case 403:
            return "forbidden"
        case 404:
            return "model_missing" if "model" in text or "endpoints found" in text else "nowhere"
        case 429:
            return "rate_limited"
    return "server_error" if status == 408 or status >= 500 else "refused"


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds until the server wants to be asked again; None when it does not say (RFC 9110, 10.2.3; `retry-after-ms` is OpenAI's)."""
    try:
        if "retry-after-ms" in headers:
            return _seconds(float(headers["retry-after-ms"]) / 1000)
        return _seconds(float(headers["retry-after"]))
    except KeyError:
        return None
    except ValueError:
        return _until(headers.get("retry-after", ""), headers.get("date"))


def _until(date: str, now: str | None) -> float | None:
    """Measured with the server's own clock where it tells it: ours may be wrong."""
    try:
        start = parsedate_to_datetime(now) if now else datetime.now(UTC)
        return _seconds(max(0.0, (parsedate_to_datetime(date) - start).total_seconds()))
    except (ValueError, TypeError):
        return None


def _seconds(value: float) -> float | None:
    return value if math.isfinite(value) and 0 <= value <= _LONGEST_WAIT else None


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, math.ceil(seconds))} s"
    return f"{math.ceil(seconds / 60)} min" if seconds < 5400 else f"{math.ceil(seconds / 3600)} h"
