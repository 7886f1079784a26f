"""What a reader of a dialect is. Values and a Protocol: no I/O here, and none in any reader.

    reader = OpenAIChatReader()
    request = reader.request(turn)           what to POST
    events  = reader.feed(bytes)             as the bytes come, cut anywhere
    events  = reader.finish()                the connection ended: success only if the dialect said so

A reader is liberal in what it accepts and never repairs: a stream that ends without its dialect's terminator is
Failed("truncated"), one that is no stream at all is Failed("not_a_stream"). Whatever happens, the events of one reader
are parts, Usage and exactly one terminal event, with every part closed before it.
"""

from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

from services.events import Event
from services.messages import Turn
from services.models import Model


class Request(NamedTuple):
    """What to POST: `path` is appended to the upstream's base_url."""

    path: str
    body: bytes


class Reader(Protocol):
    """One instance reads one reply. It is made with the bytes that one line or frame may have at most."""

    models_path: ClassVar[str]
    done: bool  # the terminal event has been returned: nothing more is read, the connection may be closed

    @staticmethod
    def headers(api_key: str | None) -> dict[str, str]:
        """Headers of every request to this kind of server, the key among them."""

    @staticmethod
    def models(body: bytes) -> list[Model]:
        """The models in the answer to GET `models_path`. Raises ProtocolError when it is not such an answer."""

    def request(self, turn: Turn) -> Request:
        """What to POST for this turn; `turn.model` is the upstream's own name of the model.

        Raises Invalid, naming the thing, when the turn carries something the dialect cannot say.
        """

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete, in order. After `done` always []. Raises LimitExceeded."""

    def finish(self) -> list[Event]:
        """The connection ended. Returns what was held back and, unless `done`, the terminal event."""


@runtime_checkable
class Tells(Protocol):
    """A reader whose servers tell of one model what their list leaves out."""

    @staticmethod
    def ask(model: str) -> Request:
        """What to POST for it."""

    @staticmethod
    def tell(known: Model, body: bytes) -> Model:
        """The model as it is now known. Raises ProtocolError when this is no answer to `ask`."""
