"""The one tree of errors. Each class has a code for machines, an HTTP status and a sentence for people.

    HeadraceError
    ├── SettingsError               the settings cannot be used; the start stops with exit code 2
    │   └── Rejected                what was set on the page, and is not kept
    ├── LimitExceeded               something hostile or broken sent more than is allowed
    ├── RequestError                the client's doing; answered before any stream byte
    │   ├── BadRequest        400   not JSON, not an object, a position that is no number
    │   ├── Unauthorized      401   nobody has said who they are
    │   ├── Forbidden         403   another origin, or a key that may not do this
    │   ├── NotFound          404   no such route, generation, conversation
    │   │   └── UnknownModel  404   names the nearest ones
    │   ├── MethodNotAllowed  405
    │   ├── TooSlow           408   the body does not come
    │   ├── Conflict          409   one reply at a time in a conversation
    │   ├── Gone              410   a position or log that has been evicted
    │   ├── TooLarge          413
    │   ├── UnsupportedMedia  415   not application/json
    │   ├── Misdirected       421   a Host we do not serve
    │   ├── Invalid           422   JSON, but not a turn
    │   ├── TooMany           429   a limit of a key or of an address, or too many wrong passwords
    │   ├── Busy              503   too many streams, or shutting down
    │   └── NotSaved          503   the store or the journal cannot do it now: disk full, read-only, busy
    └── UpstreamError         502   becomes the Failed event of a generation
        ├── Unreachable             refused, no such host, no route, TLS
        ├── TimedOut          504   connecting, first byte, gap, or total
        ├── Refused                 the upstream's own 4xx or 5xx; keeps its status
        ├── NotAStream              HTML, a redirect, a compressed body: not what a model server says
        ├── ProtocolError           the stream broke its dialect's rules
        ├── Truncated               the stream ended before the dialect's terminator
        └── Interrupted       503   this process ended, or was told to, while the reply was running

Rule: raise from this tree only, and `raise ... from exc` where a library's error is translated.
"""

from collections.abc import Mapping
from typing import ClassVar

from services.events import Failed, Phase


class HeadraceError(Exception):
    """`str(error)` is the sentence for people."""

    code: str = "error"
    status: int = 500

    @property
    def message(self) -> str:
        return str(self)


class SettingsError(HeadraceError):
    code = "settings"


class Rejected(SettingsError):
    """What was set on the page cannot be used: what was expected of each value, by where it stands."""

    def __init__(self, message: str, fields: Mapping[tuple[int | str, ...], str]) -> None:
        super().__init__(message)
        self.fields = fields


class LimitExceeded(HeadraceError):
    code = "limit"


class RequestError(HeadraceError):
    code = "bad_request"
    status = 400


class BadRequest(RequestError):
    pass


class Unauthorized(RequestError):
    code = "unauthorized"
    status = 401


class Forbidden(RequestError):
    code = "forbidden"
    status = 403


class NotFound(RequestError):
    code = "not_found"
    status = 404


class UnknownModel(NotFound):
    code = "unknown_model"


class MethodNotAllowed(RequestError):
    code = "method_not_allowed"
    status = 405


class TooSlow(RequestError):
    code = "too_slow"
    status = 408


class Conflict(RequestError):
    code = "conflict"
    status = 409


class Gone(RequestError):
    code = "gone"
    status = 410


class TooLarge(RequestError):
    code = "too_large"
    status = 413


class UnsupportedMedia(RequestError):
    code = "unsupported_media"
    status = 415


class Misdirected(RequestError):
    code = "misdirected"
    status = 421


class Invalid(RequestError):
    code = "invalid"
    status = 422


class TooMany(RequestError):
    """`retry_after` in seconds."""

    code = "rate_limited"
    status = 429

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = max(1.0, retry_after)


class Busy(RequestError):
    code = "busy"
    status = 503


class NotSaved(RequestError):
    code = "storage"
    status = 503


class UpstreamError(HeadraceError):
    """`code` may be narrowed per instance: an upstream's 401 is `auth`, its 429 `rate_limited`."""

    code: str = "upstream"
    status: int = 502
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        phase: Phase = "before",
        retryable: bool | None = None,
        http_status: int | None = None,
        upstream: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = code or self.code
        self.phase: Phase = phase
        self.can_retry = self.retryable if retryable is None else retryable
        self.http_status = http_status
        self.upstream = upstream
        self.retry_after = retry_after

    def event(self) -> Failed:
        """The terminal event that tells this error to every reader of the log."""
        return Failed(
            code=self.kind,
            message=self.message,
            retryable=self.can_retry,
            phase=self.phase,
            status=self.http_status,
            upstream=self.upstream,
            retry_after=self.retry_after,
        )


class Unreachable(UpstreamError):
    code = "unreachable"
    retryable = True


class TimedOut(UpstreamError):
    code = "timeout"
    status = 504
    retryable = True


class Refused(UpstreamError):
    code = "refused"


class NotAStream(UpstreamError):
    code = "not_a_stream"


class ProtocolError(UpstreamError):
    code = "protocol"


class Truncated(UpstreamError):
    code = "truncated"
    retryable = True


class Interrupted(UpstreamError):
    code = "interrupted"
    status = 503
    retryable = True
