"""`Idempotency-Key`: a POST that is repeated joins the generation that the first one started, and asks no model again.

No await between looking a key up, for good, and starting its generation: any number of the same POST at once are one generation.
"""

from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request

from services.chat import Chat
from services.errors import BadRequest, Gone, Invalid, NotFound
from services.events import Started
from services.messages import Key, Turn

HEADER = "idempotency-key"
LONGEST = 255  # characters
MOST = 10_000  # keys that are remembered; the oldest is forgotten first


class Known(NamedTuple):
    asked: str
    generation: str


class Keys:
    """A key expires with the log of its generation, and at once when that has failed without a word: repeating it is then a new try.

    It is known after a restart, too.
    """

    def __init__(self, chat: Chat, most: int = MOST) -> None:
        self._chat = chat
        self._most = most
        self._known: OrderedDict[str, Known] = OrderedDict((known.key, Known(known.asked, id)) for known, id in chat.keyed())

    async def start(self, request: Request, body: Mapping[str, Any], turn: Turn) -> Started:
        """The generation of a turn: started now, or by the same request before. Raises Invalid where the key is another request's."""
        sent = request.headers.get(HEADER)
        if sent is None:
            return self._chat.start(turn)
        if not (0 < len(sent) <= LONGEST and sent.isascii() and sent.isprintable()):
            raise BadRequest(f"An Idempotency-Key has 1 to {LONGEST} printable ASCII characters.")
        key, asked = sha256(sent.encode()).hexdigest(), _digest(request, body)
        if earlier := self._known.get(key):
            with suppress(NotFound, Gone):
                await self._chat.recall(earlier.generation)
        if known := self._alive(key):
            if known.asked != asked:
                raise Invalid("This Idempotency-Key came with another request before: send another key with another request.")
            return self._chat.started(known.generation)
        turn = msgspec.structs.replace(turn, key=Key(key, asked))
        if "on_disconnect" not in body:  # who sends a key may come back
            turn = msgspec.structs.replace(turn, on_disconnect="keep")
        started = self._chat.start(turn)
        self._known[key] = Known(asked, started.generation)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return started

    def _alive(self, key: str) -> Known | None:
        known = self._known.get(key)
        if known is None:
            return None
        try:
            reply = self._chat.reply(known.generation)
            if not reply.problem or reply.parts:
                return known
        except (NotFound, Gone):
            pass
        del self._known[key]
        return None


def _digest(request: Request, body: Mapping[str, Any]) -> str:
    """Of what makes two requests the same: where it is sent and what it says, in whatever order."""
    target = f"{request.scope['path']}?{request.scope['query_string'].decode('latin-1')}\n".encode()
    return sha256(target + msgspec.json.encode(body, order="sorted")).hexdigest()
