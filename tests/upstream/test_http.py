"""Connections to model servers, against a real socket that does what it should not."""

import asyncio
import contextlib

import pytest

from services.errors import HeadraceError, UpstreamError
from services.events import Failed, Finished
from services.upstream.http import HTTPUpstream
from services.upstream.openai_chat import OpenAIChatReader
from services.upstream.patience import Timeouts
from tests.upstream.model_server import DONE, HEAD, HURRIED, TURN, WHOLE, answer, chunk, delta, sends, story, text, upstream


async def test_a_whole_answer() -> None:
    async with upstream(sends(HEAD + chunk(delta("Hel")), chunk(delta("lo", '"stop"') + DONE))) as (asked, server):
        events = await story(asked)
    assert (text(events), type(events[-1])) == ("Hello", Finished)
    (request,) = server.requests
    assert request.startswith(b"POST /v1/chat/completions HTTP/1.1")
    assert b"accept-encoding: identity" in request.lower()


async def test_the_connection_is_closed_at_the_terminator_not_at_the_end_of_the_socket() -> None:
    async with upstream(sends(HEAD + chunk(WHOLE), then="stay")) as (asked, server):
        assert isinstance((await story(asked))[-1], Finished)
        await asyncio.wait_for(server.left.wait(), 5)


FAULTS = {
    "hangs up before it answers": (sends(), "reset", ""),
    "resets before it answers": (sends(then="reset"), "reset", ""),
    "is no HTTP server": (sends(b"220 smtp ready\r\n\r\n"), "protocol", ""),
    "redirects": (sends(answer("307 Moved", b"", "location: http://evil.test/v1")), "redirect", ""),
    "compresses": (sends(answer("200 OK", b"\x1f\x8b", "content-encoding: gzip")), "encoding", ""),
    "refuses the key": (sends(answer("401 No", b'{"error":{"message":"bad key sk-abcdefghijklmnop"}}')), "auth", ""),
    "has no such model": (sends(answer("404 No", b'{"error":{"message":"model m not found"}}')), "model_missing", ""),
    "is busy": (sends(answer("429 Slow down", b"{}", "retry-after: 7")), "rate_limited", ""),
    "fails": (sends(answer("503 No", b"<html>down</html>", "content-type: text/html")), "server_error", ""),
    "sends a web page": (sends(answer("200 OK", b"<html><title>Login</title></html>", "content-type: text/html")), "not_a_stream", ""),
    "is silent from the start": (sends(then="stay"), "first_byte_timeout", ""),
    "is silent after the headers": (sends(HEAD, then="stay"), "first_byte_timeout", ""),
    "is silent in the middle": (sends(HEAD + chunk(delta("Hel")), then="stay"), "gap_timeout", "Hel"),
    "ends without saying so": (sends(HEAD + chunk(delta("Hel")) + b"0\r\n\r\n"), "truncated", "Hel"),
    "closes in the middle of a frame": (sends(HEAD + chunk(delta("Hel")) + b"40\r\ndata: {"), "connection_lost", "Hel"),
    "resets in the middle": (sends(HEAD + chunk(delta("Hel")), then="close"), "connection_lost", "Hel"),
    "breaks the chunks": (sends(HEAD + b"zz\r\n"), "protocol", ""),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_server_that(fault: str) -> None:
    behave, code, kept = FAULTS[fault]
    async with upstream(behave) as (asked, _):
        events = await story(asked)
    end = events[-1]
    assert isinstance(end, Failed), events
    assert (end.code, text(events)) == (code, kept)
    assert "sk-abc" not in repr(end)
    assert "<html" not in end.message


async def test_comments_are_no_content() -> None:
    async def pings(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        while not reader.at_eof():
            writer.write(chunk(b": ping\n\n"))
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.02)

    async with upstream(pings) as (asked, _):
        end = (await story(asked))[-1]
    assert isinstance(end, Failed)
    assert end.code == "first_byte_timeout"


async def test_a_finish_reason_counts_although_the_connection_breaks() -> None:
    async with upstream(sends(HEAD + chunk(delta("Hello", '"stop"')))) as (asked, _):
        events = await story(asked)
    assert (text(events), type(events[-1])) == ("Hello", Finished)


async def test_a_server_that_says_how_it_ends_but_then_only_falls_silent_has_ended() -> None:
    async with upstream(sends(HEAD + chunk(delta("Hello", '"stop"')), then="stay")) as (asked, _):
        events = await story(asked)
    assert (text(events), type(events[-1])) == ("Hello", Finished)


async def test_a_line_has_a_size() -> None:
    async with upstream(sends(HEAD + chunk(delta("x" * 5000)), then="stay"), max_line=1000) as (asked, _):
        with pytest.raises(HeadraceError, match="1,000 bytes"):
            await asked.read(TURN, lambda events: None)


async def test_a_reply_has_a_size() -> None:
    async with upstream(sends(HEAD + chunk(delta("x" * 5000)), then="stay"), max_reply=1000) as (asked, _):
        with pytest.raises(HeadraceError, match="more than 1,000 bytes"):
            await asked.read(TURN, lambda events: None)


async def test_nobody_is_there() -> None:
    async with upstream(sends()) as (asked, _):
        gone = HTTPUpstream("mill", OpenAIChatReader, "http://127.0.0.1:9/v1", asked._transport, timeouts=HURRIED)
        end = (await story(gone))[-1]
    assert isinstance(end, Failed)
    assert (end.code, end.retryable) == ("connect_refused", True)
    assert end.message == "mill is not running at 127.0.0.1:9. Start it, then retry."


async def test_a_name_that_is_not_found() -> None:
    async with upstream(sends()) as (asked, _):
        gone = HTTPUpstream("mill", OpenAIChatReader, "http://no-such-host.invalid/v1", asked._transport, timeouts=HURRIED)
        end = (await story(gone))[-1]
    assert isinstance(end, Failed)
    assert end.code in ("dns", "connect_refused")


async def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with upstream(sends(HEAD + chunk(WHOLE))) as (asked, _):
        assert text(await story(asked)) == "Hello"


async def test_a_stop_reaches_the_socket() -> None:
    async with upstream(sends(HEAD + chunk(delta("Hel")), then="stay"), timeouts=Timeouts()) as (asked, server):
        began = asyncio.Event()
        reading = asyncio.create_task(asked.read(TURN, lambda events: began.set() if text(list(events)) else None))
        await began.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await asyncio.wait_for(server.left.wait(), 5)


async def test_its_models() -> None:
    listing = answer("200 OK", b'{"object":"list","data":[{"id":"a"},{"id":"b"}]}', "content-type: application/json")
    async with upstream(sends(listing)) as (asked, _):
        assert [model.name for model in await asked.models()] == ["a", "b"]


async def test_a_model_list_that_is_none() -> None:
    async with upstream(sends(answer("200 OK", b"<html>hello</html>"))) as (asked, _):
        with pytest.raises(UpstreamError):
            await asked.models()
