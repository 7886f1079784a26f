"""The body of an answer as server-sent frames, or kept whole where it is no event stream. Sans-IO, and no dialect here.

    frames = body.feed(bytes)       what these bytes complete; [] while the body is no stream
    frames = body.finish()          the connection ended
    body.document                   JSON where a stream was expected, once it is finished; b"" when there was none

A web page fails the story by itself: no dialect has anything to find in it.
"""

from services.errors import LimitExceeded
from services.upstream import refusals
from services.upstream.opening import ErrorField, Kind, Opening
from services.upstream.story import Story
from services.wire.sse import MAX_EVENT, Frame, SSEDecoder


class Body:
    def __init__(self, story: Story, limit: int = MAX_EVENT) -> None:
        self.document = b""
        self._story = story
        self._kind: Kind | None = None
        self._opening = Opening()
        self._errors = ErrorField()
        self._sse = SSEDecoder(max_line=limit, max_event=limit)
        self._kept = bytearray()
        self._between = False

    def feed(self, data: bytes) -> list[Frame]:
        """Raises LimitExceeded."""
        if self._kind == "stream":
            frames = self._sse.feed(self._errors.feed(data))
            self._between = self._errors.between
            return frames
        return self._begin(data)

    def lone_data(self, data: bytes) -> bytes:
        """What a live server sends most: the data of these bytes where they are exactly one frame, between two frames; else b"".

        Bytes that were taken for a frame here are not to be fed.
        """
        return self._sse.lone_data(data) if self._between else b""

    def finish(self) -> list[Frame]:
        match self._kind:
            case "stream":
                return self._sse.feed(self._errors.finish()) + self._sse.finish()
            case "json":
                self.document = bytes(self._kept)
            case "page":
                self._story.fail(refusals.web_page(bytes(self._kept)))
        return []

    def _begin(self, data: bytes) -> list[Frame]:
        if self._kind is None:
            self._kind, data = self._opening.feed(data)
            if self._kind == "stream":
                return self.feed(data)
        self._kept += data
        if self._kind == "page" and len(self._kept) >= refusals.PAGE:
            self._story.fail(refusals.web_page(bytes(self._kept)))
        elif len(self._kept) > MAX_EVENT:
            raise LimitExceeded(f"The server answered with one JSON text of more than {MAX_EVENT:,} bytes, the limit.")
        return []


def unwrapped(data: bytes) -> bytes:
    """The data of a frame without white space around it, and without `data:` where a proxy framed what was framed already."""
    data = data.strip()
    while data.startswith(b"data:"):
        data = data[5:].lstrip()
    return data
