"""Faults that answer in the place of the server: nothing behind them is asked, and no generation begins."""

from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus

from services.faults import shapes
from services.faults.actions import Action, Asked, End, Head, Headers, Stage, Write

DATE = 2  # seconds from now, where Retry-After is a date

JSON = (b"content-type", b"application/json")
TEXT = (b"content-type", b"text/plain; charset=utf-8")
HTML = (b"content-type", b"text/html; charset=utf-8")


def refused(status: int, family: str, retry: str, now: float) -> Stage:
    """An error status. `retry` is a form of Retry-After: a number of seconds, `date`, `ms`, `soon` (which is none), or nothing."""
    body = shapes.error(family, status)
    return _instead(status, (JSON if body.startswith(b"{") else TEXT, *_retry_after(retry, now)), body)


def gateway(status: int) -> Stage:
    """An error status from a proxy in between, which knows HTML only."""
    return _instead(status, (HTML,), shapes.page(f"{status} {HTTPStatus(status).phrase}"))


def login() -> Stage:
    return _instead(200, (HTML,), shapes.page("Log in to this network"))


def error_with_200(family: str) -> Stage:
    return _instead(200, (JSON,), shapes.error(family, 500))


def _instead(status: int, headers: Headers, body: bytes) -> Stage:
    def stage(action: Action) -> Iterable[Action]:
        return (Head(status, headers), Write(body), End()) if isinstance(action, Asked) else (action,)

    return stage


def _retry_after(form: str, now: float) -> Headers:
    match form:
        case "":
            return ()
        case "ms":
            return ((b"retry-after-ms", b"1500"),)
        case "date":
            return ((b"retry-after", formatdate(now + DATE, usegmt=True).encode()),)
    return ((b"retry-after", form.encode()),)
