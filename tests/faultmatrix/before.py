"""A. The model server, before the first word."""

from itertools import repeat

from tests.faultmatrix.behaviours import HEAD, MB, WELL, flood, refuses, slowly, stream
from tests.faultmatrix.row import Case, Row
from tests.upstream.model_server import WHOLE, answer, in_turn, sends

RESET = "{name} closed the connection before it answered."
NOT_HTTP = "{name} did not answer like an HTTP server."
SILENT = "No text came within 2 s."
BUSY = "The server takes no more requests for now. Try again"
PAGE = "The server answered with a web page, not with the words of a model. Check base_url in settings.toml."
INSECURE = "No secure connection to {name} ({host}): WHY. Nothing was sent."
ENCODED = "{name} answered with a compressed body ({how}) that was not asked for."
HASTY = {"first_byte": 2.0}
KEY = b"sk-CANARY-0123456789abcdef0123456789abcdef"

BEFORE = (
    Row(
        1,
        "nobody listens",
        "\u201cX is not running at host:port. Start it, then retry.\u201d",
        "connect_refused, 3 tries",
        (
            Case(
                name="closed",
                at="closed port",
                tries=3,
                code="connect_refused",
                says="{name} is not running at {host}. Start it, then retry.",
                text="",
            ),
        ),
    ),
    Row(
        2,
        "no such host name",
        "\u201cThe host name of X was not found\u201d, at once",
        "dns, 1 try",
        (
            Case(
                name="no-name",
                at="unknown name",
                code="dns",
                says="The host name of {name} ({host}) was not found. Check its base_url in settings.toml.",
                text="",
            ),
        ),
    ),
    Row(
        3,
        "a connection that is never accepted",
        "\u201cdid not accept a connection within 5 s\u201d",
        "connect_timeout, 3 tries",
        (
            Case(
                name="black-hole",
                at="full backlog",
                timeouts={"connect": 0.2},
                tries=3,
                code="connect_timeout",
                says="{name} at {host} did not accept a connection within 0.2 s.",
                text="",
            ),
        ),
        ("reliability/test_stop.py::test_a_stop_while_nothing_has_come_yet",),
    ),
    Row(
        4,
        "TLS: expired, for another host, signed by nobody known, none at all",
        "which of the four, and that nothing was sent",
        "tls, 1 try, OpenSSL's words",
        (
            Case(name="expired", at="expired", code="tls", says=INSECURE.replace("WHY", "its certificate has expired"), text=""),
            Case(
                name="other-host", at="other host", code="tls", says=INSECURE.replace("WHY", "its certificate is for another host"), text=""
            ),
            Case(
                name="self-signed",
                at="self-signed",
                code="tls",
                says=INSECURE.replace("WHY", "its certificate is signed by nobody whom this computer trusts"),
                text="",
            ),
            Case(
                name="plain",
                at="no TLS",
                code="tls",
                says=INSECURE.replace("WHY", "it does not speak TLS, so base_url may have to begin with http://"),
                text="",
            ),
            Case(name="signed", at="signed"),
        ),
    ),
    Row(
        5,
        "reset or closed before the headers",
        "\u201cAttempt 2 of 3\u201d, then the answer, or an error",
        "reset, 3 tries",
        (
            Case(name="reset", behave=sends(then="reset"), tries=3, code="reset", says=RESET, text=""),
            Case(name="hangs-up", behave=sends(), tries=3, code="reset", says=RESET, text=""),
            Case(name="reset-once", behave=in_turn(sends(then="reset"), WELL), tries=2),
        ),
    ),
    Row(
        6,
        "no HTTP; a header of 300 kB; a broken chunk",
        "\u201cdid not answer like an HTTP server\u201d",
        "protocol, 1 try",
        (
            Case(name="smtp", behave=sends(b"220 smtp ready\r\n\r\n"), code="protocol", says=NOT_HTTP, text=""),
            Case(
                name="big-header",
                behave=sends(answer("200 OK", WHOLE, f"x-large: {'x' * 300_000}")),
                code="protocol",
                says=NOT_HTTP,
                text="",
            ),
            Case(name="bad-chunk", behave=sends(HEAD + b"zz\r\n"), code="protocol", says=NOT_HTTP, text=""),
        ),
    ),
    Row(
        7,
        "nothing comes",
        "\u201cStill waiting, 20 s\u201d; an error at the limit; Stop at any time",
        "first_byte_timeout, 1 try",
        (Case(name="silent", behave=sends(then="stay"), timeouts=HASTY, code="first_byte_timeout", says=SILENT, text=""),),
        ("reliability/test_stop.py::test_a_stop_while_nothing_has_come_yet",),
    ),
    Row(
        8,
        "headers, then nothing",
        "as 7",
        "first_byte_timeout, 1 try",
        (Case(name="headers-only", behave=sends(HEAD, then="stay"), timeouts=HASTY, code="first_byte_timeout", says=SILENT, text=""),),
    ),
    Row(
        9,
        "nothing but comments",
        "as 7: comments are no text",
        "first_byte_timeout, 1 try",
        (
            Case(
                name="comments-only",
                behave=slowly(repeat(b": ping\n\n"), 0.05),
                timeouts=HASTY,
                code="first_byte_timeout",
                says=SILENT,
                text="",
            ),
        ),
    ),
    Row(
        10,
        "401",
        "\u201cThe API key was rejected\u201d, and no key",
        "auth, 401, 1 try, the server's words without the key",
        (
            Case(
                name="401",
                behave=refuses("401 No", b'{"error":{"message":"Incorrect API key provided: ' + KEY + b'"}}'),
                code="auth",
                says="The API key was rejected. Check it in settings.toml.",
                quotes="Incorrect API key provided: ****",
                keeps={"status": 401},
                text="",
            ),
        ),
    ),
    Row(
        11,
        "403",
        "\u201cThe server does not allow this\u201d, its words without the key",
        "forbidden, 403, 1 try",
        (
            Case(
                name="403",
                behave=refuses("403 No", b'{"error":{"message":"not for Bearer ' + KEY + b'"}}'),
                code="forbidden",
                says="The server does not allow this. The API key may lack the right to use this model.",
                quotes="not for Bearer [redacted]",
                keeps={"status": 403},
                text="",
            ),
        ),
    ),
    Row(
        12,
        "404: no such model; nothing at this address",
        "which of the two",
        "model_missing or refused, 404, 1 try",
        (
            Case(
                name="404-model",
                behave=refuses("404 No", b'{"error":"model \'m\' not found"}'),
                code="model_missing",
                says="The server does not have this model. Choose another one, or install it there.",
                quotes="model 'm' not found",
                keeps={"status": 404},
                text="",
            ),
            Case(
                name="404",
                behave=refuses("404 No", b"404 page not found"),
                code="refused",
                says="There is nothing at this address (HTTP 404). Check base_url in settings.toml.",
                keeps={"status": 404},
                text="",
            ),
        ),
    ),
    Row(
        13,
        "413; 400 about the length of the context",
        "\u201cThe conversation is too long for this model\u201d",
        "too_long, 1 try",
        tuple(
            Case(
                name=f"too-long-{status[:3]}",
                behave=refuses(status, b'{"error":{"message":"maximum context length is 8192 tokens"}}'),
                code="too_long",
                says="The conversation is too long for this model. Start a new one, or leave something out.",
                quotes="maximum context length is 8192 tokens",
                text="",
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
            Case(
                name="429-long",
                behave=refuses("429 Slow", b"{}", "retry-after: 3600"),
                code="rate_limited",
                says=BUSY + " in 60 min.",
                keeps={"retry_after": 3600.0, "status": 429},
                text="",
            ),
        ),
    ),
    Row(
        17,
        "429, Retry-After that means nothing",
        "as if there were none",
        "rate_limited, 3 tries",
        tuple(
            Case(
                name=f"429-{name}",
                behave=refuses("429 Slow", b"{}", f"retry-after: {value}"),
                tries=3,
                code="rate_limited",
                says=BUSY + " in a moment.",
                text="",
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
            Case(
                name="quota",
                behave=refuses("429 No", b'{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}'),
                code="quota",
                says="The quota of this account is used up. Check its plan and credit with the provider.",
                text="",
            ),
        ),
    ),
    Row(
        19,
        "500, 503, 529",
        "asked again, then \u201cThe server failed\u201d",
        "server_error, 3 tries",
        tuple(
            Case(
                name=status[:3],
                behave=refuses(status),
                tries=3,
                code="server_error",
                says=f"The server failed (HTTP {status[:3]}). Try again in a moment.",
                keeps={"status": int(status[:3])},
                text="",
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
            Case(
                name="502",
                behave=refuses("502 Bad", b"<html><title>Bad Gateway</title><script>alert(1)</script></html>", "content-type: text/html"),
                tries=3,
                code="server_error",
                says="The server failed (HTTP 502). Try again in a moment.",
                quotes="Bad Gateway",
                text="",
            ),
        ),
    ),
    Row(
        21,
        "200 with a page of HTML",
        "\u201cThe server answered with a web page\u201d, not an empty answer",
        "not_a_stream, 1 try",
        (
            Case(
                name="login-page",
                behave=refuses("200 OK", b"<!doctype html><html><title>Sign in</title></html>", "content-type: text/html"),
                code="not_a_stream",
                says=PAGE,
                quotes="Sign in",
                text="",
            ),
        ),
    ),
    Row(
        22,
        "200 with a JSON error",
        "the server's words",
        "upstream, 1 try",
        (
            Case(
                name="200-error",
                behave=refuses("200 OK", b'{"error":{"message":"the model is on fire"}}', "content-type: application/json"),
                code="upstream",
                says="The server reported an error. Try again.",
                quotes="the model is on fire",
                text="",
            ),
        ),
    ),
    Row(
        23,
        "200 with the whole answer, where a stream was asked for",
        "the answer",
        "finished",
        (
            Case(
                name="whole",
                behave=refuses(
                    "200 OK",
                    b'{"choices":[{"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}',
                    "content-type: application/json",
                ),
            ),
        ),
    ),
    Row(
        24,
        "a stream without a content type, or as text/plain; Ollama's lines and server-sent events in each other's place",
        "the answer",
        "finished",
        (
            Case(name="no-type", behave=sends(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + WHOLE)),
            Case(name="text-plain", behave=sends(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n" + WHOLE)),
            Case(
                name="lines",
                dialect="ollama",
                behave=stream(
                    b'{"message":{"content":"Hel"},"done":false}\n',
                    b'{"message":{"content":"lo"},"done":true,"done_reason":"stop"}\n',
                ),
            ),
            Case(
                name="lines-as-events",
                dialect="ollama",
                behave=stream(
                    b'data: {"message":{"content":"Hel"},"done":false}\n\n',
                    b'data: {"message":{"content":"lo"},"done":true,"done_reason":"stop"}\n\n',
                ),
            ),
        ),
    ),
    Row(
        25,
        "a redirect",
        "\u201cX redirects to HOST\u201d; nothing is sent there",
        "redirect, 1 try",
        tuple(
            Case(
                name=f"redirect-{status[:3]}",
                behave=refuses(status, b"", "location: http://evil.test/v1"),
                code="redirect",
                says="{name} redirects to evil.test. Put the final address into base_url.",
                text="",
            )
            for status in ("302 Found", "307 Moved")
        ),
    ),
    Row(
        26,
        "gzip, br, an unknown coding, a gzip bomb",
        "\u201ca compressed body (gzip) that was not asked for\u201d; memory stays as it was",
        "encoding, 1 try",
        (
            *(
                Case(
                    name=f"coded-{coding}",
                    behave=refuses("200 OK", b"\x1f\x8b\x08\x00", f"content-encoding: {coding}"),
                    code="encoding",
                    says=ENCODED.replace("{how}", coding),
                    text="",
                )
                for coding in ("gzip", "br", "x-mine")
            ),
            Case(
                name="gzip-bomb",
                behave=flood(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n", bytes(MB), 300 * MB),
                code="encoding",
                says=ENCODED.replace("{how}", "gzip"),
                text="",
                heavy=True,
            ),
        ),
    ),
    Row(
        27,
        "HTTP_PROXY and ALL_PROXY are set",
        "nothing: they are not used",
        "finished; the proxy was never asked",
        (Case(name="beside-a-proxy", behave=WELL),),
        ("upstream/test_http.py::test_a_proxy_in_the_environment_is_not_used",),
    ),
    Row(
        28,
        "a server that keeps failing",
        "\u201ckeeps failing, so it is left alone for 2 s\u201d, at once",
        "breaker, retry_after, no request",
        (
            Case(
                name="tired",
                at="closed port",
                asks=9,
                code="breaker",
                says="{name} at {host} keeps failing, so it is left alone for ? s. Retry then.",
                text="",
            ),
        ),
        ("upstream/test_attempts.py::test_a_server_that_keeps_failing_is_left_alone_then_probed_once",),
    ),
)
