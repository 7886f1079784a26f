"""A. The model server: another answer than was asked for."""

from tests.faultmatrix.behaviours import MB, WELL, flood, refuses, stream
from tests.faultmatrix.row import Case, Fails, Row
from tests.upstream.model_server import WHOLE, sends

PAGE = "The server answered with a web page, not with the words of a model. Check base_url in settings.toml."
ENCODED = "{name} answered with a compressed body ({how}) that was not asked for."

STRANGE = (
    Row(
        21,
        "200 with a page of HTML",
        "\u201cThe server answered with a web page\u201d, not an empty answer",
        "not_a_stream, 1 try",
        (
            Fails(
                name="login-page",
                behave=refuses("200 OK", b"<!doctype html><html><title>Sign in</title></html>", "content-type: text/html"),
                code="not_a_stream",
                says=PAGE,
                quotes="Sign in",
            ),
        ),
    ),
    Row(
        22,
        "200 with a JSON error",
        "the server's words",
        "upstream, 1 try",
        (
            Fails(
                name="200-error",
                behave=refuses("200 OK", b'{"error":{"message":"the model is on fire"}}', "content-type: application/json"),
                code="upstream",
                says="The server reported an error. Try again.",
                quotes="the model is on fire",
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
            Fails(
                name=f"redirect-{status[:3]}",
                behave=refuses(status, b"", "location: http://evil.test/v1"),
                code="redirect",
                says="{name} redirects to evil.test. Put the final address into base_url.",
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
                Fails(
                    name=f"coded-{coding}",
                    behave=refuses("200 OK", b"\x1f\x8b\x08\x00", f"content-encoding: {coding}"),
                    code="encoding",
                    says=ENCODED.replace("{how}", coding),
                )
                for coding in ("gzip", "br", "x-mine")
            ),
            Fails(
                name="gzip-bomb",
                behave=flood(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n", bytes(MB), 300 * MB),
                code="encoding",
                says=ENCODED.replace("{how}", "gzip"),
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
            Fails(
                name="tired",
                at="closed port",
                asks=9,
                code="breaker",
                says="{name} at {host} keeps failing, so it is left alone for ? s. Retry then.",
            ),
        ),
        ("upstream/test_attempts.py::test_a_server_that_keeps_failing_is_left_alone_then_probed_once",),
    ),
)
