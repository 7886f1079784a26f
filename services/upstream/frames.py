"""What all readers of server-sent dialects do alike: bytes to frames, frames to a story, the end of the connection.

A dialect says what a frame means (`_read`), what a document means that came instead of a stream (`_read_document`), and what
it makes of a connection that ended (`_close`). Sans-IO.
"""

from abc import ABC, abstractmethod

from services.events import Event
from services.upstream.body import Body
from services.upstream.story import Story
from services.wire.sse import MAX_EVENT, Frame


class FrameReader(ABC):
    """The first half of a Reader (reader.py); `limit` in bytes of one frame."""

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self.done = False
        self._story = Story()
        self._body = Body(self._story, limit)

    def feed(self, data: bytes) -> list[Event]:
        if self.done:
            return []
        self._read(self._body.feed(data))
        return self._take()

    def finish(self) -> list[Event]:
        if self.done:
            return []
        self._read(self._body.finish())
        if self._body.document:
            self._read_document(self._body.document)
        self._close()
        return self._take()

    def _take(self) -> list[Event]:
        self.done = self._story.ended
        return self._story.take()

    @abstractmethod
    def _read(self, frames: list[Frame]) -> None: ...

    @abstractmethod
    def _read_document(self, body: bytes) -> None: ...

    @abstractmethod
    def _close(self) -> None: ...
