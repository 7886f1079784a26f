"""A. The model server: it refuses."""

from tests.faultmatrix.behaviours import WELL, refuses
from tests.faultmatrix.row import Case, Fails, Row
from tests.upstream.model_server import in_turn

BUSY = "The server takes no more requests for now. Try again"
KEY = b"sk-CANARY-0123456789abcdef0123456789abcdef"

REFUSED = (
    Row(
        10,
        "401",
        "\u201cThe API key was rejected\u201d, and no key",
        "auth, 401, 1 try, the server's words without the key",
        (
            Fails(
                name="401",
                behave=refuses("401 No", b'{"error":{"message":"Incorrect API key provided: ' + KEY + b'"}}'),
                code="auth",
                says="The API key was rejected. Check it in settings.toml.",
                quotes="Incorrect API key provided: ****",
                keeps={"status": 401},
            ),
        ),
    ),
    Row(
        11,
        "403",
        "\u201cThe server does not allow this\u201d, its words without the key",
        "forbidden, 403, 1 try",
        (
            Fails(
                name="403",
                behave=refuses("403 No", b'{"error":{"message":"not for Bearer ' + KEY + b'"}}'),
                code="forbidden",
                says="The server does not allow this. The API key may lack the right to use this model.",
                quotes="not for Bearer [redacted]",
                keeps={"status": 403},
            ),
        ),
    ),
    Row(
        12,
        "404: no such model; nothing at this address",
        "which of the two",
        "model_missing or refused, 404, 1 try",
        (
            Fails(
                name="404-model",
                behave=refuses("404 No", b'{"error":"model \'m\' not found"}'),
                code="model_missing",
                says="The server does not have this model. Choose another one, or install it there.",
                quotes="model 'm' not found",
                keeps={"status": 404},
            ),
            Fails(
                name="404",
                behave=refuses("404 No", b"404 page not found"),
                code="refused",
                says="There is nothing at this address (HTTP 404). Check base_url in settings.toml.",
                keeps={"status": 404},
            ),
        ),
    ),
    Row(
        13,
        "413; 400 about the length of the context",
        "\u201cThe conversation is too long for this model\u201d",
        "too_long, 1 try",
        tuple(
            Fails(
                name=f"too-long-{status[:3]}",
                behave=refuses(status, b'{"error":{"message":"maximum context length is 8192 tokens"}}'),
                code="too_long",
                says="The conversation is too long for this model. Start a new one, or leave something out.",
                quotes="maximum context length is 8192 tokens",
            )
            for status in ("413 Big", "400 Bad")
        ),
    ),
    Row(
        14,
        "429, Retry-After in seconds",
        "\u201cAttempt 2 of 3, in 1 s\u201d, then the answer",
        "retrying, wait_ms 1000",
        (Case(name="429-seconds", behave=in_turn(refuses("429 Slow", b"{}", "retry-after: 1"), WELL), tries=2, keeps={"wait_ms": 1000}),),
    ),
    Row(
        15,
        "429, Retry-After as a date, by a clock that is years off",
        "the same",
        "retrying, wait_ms 1000",
        (
            Case(
                name="429-date",
                behave=in_turn(
                    refuses("429 Slow", b"{}", "date: Mon, 01 Jan 2001 00:00:00 GMT", "retry-after: Mon, 01 Jan 2001 00:00:01 GMT"),
                    WELL,
                ),
                tries=2,
                keeps={"wait_ms": 1000},
            ),
        ),
    ),
    Row(
        16,
        "429, Retry-After: 3600",
        "\u201cTry again in 60 min\u201d, at once",
        "rate_limited, retry_after 3600, 1 try",
        (
            Fails(
                name="429-long",
                behave=refuses("429 Slow", b"{}", "retry-after: 3600"),
                code="rate_limited",
                says=BUSY + " in 60 min.",
                keeps={"retry_after": 3600.0, "status": 429},
            ),
        ),
    ),
    Row(
        17,
        "429, Retry-After that means nothing",
        "as if there were none",
        "rate_limited, 3 tries",
        tuple(
            Fails(
                name=f"429-{name}",
                behave=refuses("429 Slow", b"{}", f"retry-after: {value}"),
                tries=3,
                code="rate_limited",
                says=BUSY + " in a moment.",
            )
            for name, value in {"words": "soon", "negative": "-5", "huge": "1e99", "nan": "nan"}.items()
        ),
    ),
    Row(
        18,
        "429, because the quota is used up",
        "\u201cThe quota of this account is used up\u201d",
        "quota, 1 try",
        (
            Fails(
                name="quota",
                behave=refuses("429 No", b'{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}'),
                code="quota",
                says="The quota of this account is used up. Check its plan and credit with the provider.",
            ),
        ),
    ),
    Row(
        19,
        "500, 503, 529",
        "asked again, then \u201cThe server failed\u201d",
        "server_error, 3 tries",
        tuple(
            Fails(
                name=status[:3],
                behave=refuses(status),
                tries=3,
                code="server_error",
                says=f"The server failed (HTTP {status[:3]}). Try again in a moment.",
                keeps={"status": int(status[:3])},
            )
            for status in ("500 Broken", "503 Busy", "529 Much")
        ),
    ),
    Row(
        20,
        "502 with a page of HTML",
        "as 19; of the page its title",
        "server_error, 3 tries",
        (
            Fails(
                name="502",
                behave=refuses("502 Bad", b"<html><title>Bad Gateway</title><script>alert(1)</script></html>", "content-type: text/html"),
                tries=3,
                code="server_error",
                says="The server failed (HTTP 502). Try again in a moment.",
                quotes="Bad Gateway",
            ),
        ),
    ),
)
