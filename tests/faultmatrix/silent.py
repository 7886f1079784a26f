"""A. The model server: no connection, or nothing that comes over it."""

from itertools import repeat

from tests.faultmatrix.behaviours import HEAD, WELL, slowly
from tests.faultmatrix.row import Case, Fails, Row
from tests.upstream.model_server import WHOLE, answer, in_turn, sends

RESET = "{name} closed the connection before it answered."
NOT_HTTP = "{name} did not answer like an HTTP server."
NOTHING = "No text came within 2 s."
INSECURE = "No secure connection to {name} ({host}): WHY. Nothing was sent."
HASTY = {"first_byte": 2.0}

SILENT = (
    Row(
        1,
        "nobody listens",
        "\u201cX is not running at host:port. Start it, then retry.\u201d",
        "connect_refused, 3 tries",
        (
            Fails(
                name="closed",
                at="closed port",
                tries=3,
                code="connect_refused",
                says="{name} is not running at {host}. Start it, then retry.",
            ),
        ),
    ),
    Row(
        2,
        "no such host name",
        "\u201cThe host name of X was not found\u201d, at once",
        "dns, 1 try",
        (
            Fails(
                name="no-name",
                at="unknown name",
                code="dns",
                says="The host name of {name} ({host}) was not found. Check its base_url in settings.toml.",
            ),
        ),
    ),
    Row(
        3,
        "a connection that is never accepted",
        "\u201cdid not accept a connection within 5 s\u201d",
        "connect_timeout, 3 tries",
        (
            Fails(
                name="black-hole",
                at="full backlog",
                timeouts={"connect": 0.2},
                tries=3,
                code="connect_timeout",
                says="{name} at {host} did not accept a connection within 0.2 s.",
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
            Fails(name="expired", at="expired", code="tls", says=INSECURE.replace("WHY", "its certificate has expired")),
            Fails(name="other-host", at="other host", code="tls", says=INSECURE.replace("WHY", "its certificate is for another host")),
            Fails(
                name="self-signed",
                at="self-signed",
                code="tls",
                says=INSECURE.replace("WHY", "its certificate is signed by nobody whom this computer trusts"),
            ),
            Fails(
                name="plain",
                at="no TLS",
                code="tls",
                says=INSECURE.replace("WHY", "it does not speak TLS, so base_url may have to begin with http://"),
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
            Fails(name="reset", behave=sends(then="reset"), tries=3, code="reset", says=RESET),
            Fails(name="hangs-up", behave=sends(), tries=3, code="reset", says=RESET),
            Case(name="reset-once", behave=in_turn(sends(then="reset"), WELL), tries=2),
        ),
    ),
    Row(
        6,
        "no HTTP; a header of 300 kB; a broken chunk",
        "\u201cdid not answer like an HTTP server\u201d",
        "protocol, 1 try",
        (
            Fails(name="smtp", behave=sends(b"220 smtp ready\r\n\r\n"), code="protocol", says=NOT_HTTP),
            Fails(name="big-header", behave=sends(answer("200 OK", WHOLE, f"x-large: {'x' * 300_000}")), code="protocol", says=NOT_HTTP),
            Fails(name="bad-chunk", behave=sends(HEAD + b"zz\r\n"), code="protocol", says=NOT_HTTP),
        ),
    ),
    Row(
        7,
        "nothing comes",
        "\u201cStill waiting, 20 s\u201d; an error at the limit; Stop at any time",
        "first_byte_timeout, 1 try",
        (Fails(name="silent", behave=sends(then="stay"), timeouts=HASTY, code="first_byte_timeout", says=NOTHING),),
        ("reliability/test_stop.py::test_a_stop_while_nothing_has_come_yet",),
    ),
    Row(
        8,
        "headers, then nothing",
        "as 7",
        "first_byte_timeout, 1 try",
        (Fails(name="headers-only", behave=sends(HEAD, then="stay"), timeouts=HASTY, code="first_byte_timeout", says=NOTHING),),
    ),
    Row(
        9,
        "nothing but comments",
        "as 7: comments are no text",
        "first_byte_timeout, 1 try",
        (Fails(name="comments-only", behave=slowly(repeat(b": ping\n\n"), 0.05), timeouts=HASTY, code="first_byte_timeout", says=NOTHING),),
    ),
)
