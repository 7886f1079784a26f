"""`Idempotency-Key`: a POST that is repeated joins the generation that the first one started, and asks no model again.

No await between looking a key up, for good, and starting its generation: any number of the same POST at once are one generation.
"""

from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any

import msgspec
from starlette.requests import Request

from services.api.policies import mine
from services.chat import Chat
from services.errors import BadRequest, Gone, Invalid, NotFound
from services.events import Started
from services.messages import Key, Turn
from services.persons import LOCAL

HEADER = "idempotency-key"
LONGEST = 255  # characters


async def started_once(request: Request, body: Mapping[str, Any], turn: Turn) -> Started:
    """The generation of a turn: started now, or by the same request before. Raises Invalid where the key is another request's.

    A key expires with the log of its generation, and at once when that has failed without a word: repeating it is then a new try.
    It is known after a restart, too.
    """
    chat = mine(request)
    sent = request.headers.get(HEADER)
    if sent is None:
        return chat.start(turn)
    if not (0 < len(sent) <= LONGEST and sent.isascii() and sent.isprintable()):
        raise BadRequest(f"An Idempotency-Key has 1 to {LONGEST} printable ASCII characters.")
    key = Key(_of(chat.who.person, sent), _digest(request, body))
    if earlier := chat.keyed(key.key):
        with suppress(NotFound, Gone):
            await chat.recall(earlier.generation)
    known = chat.keyed(key.key)
    if known and _alive(chat, known.generation):
        if known.asked != key.asked:
            raise Invalid("This Idempotency-Key came with another request before: send another key with another request.")
        return chat.started(known.generation)
    if "on_disconnect" not in body:  # who sends a key may come back
        turn = msgspec.structs.replace(turn, on_disconnect="keep")
    return chat.start(msgspec.structs.replace(turn, key=key))


def _of(person: str, key: str) -> str:
    """Everybody has keys of their own."""
    return sha256((key if person == LOCAL else f"{person}\n{key}").encode()).hexdigest()


def _alive(chat: Chat, generation: str) -> bool:
    try:
        reply = chat.reply(generation)
    except (NotFound, Gone):
        return False
    return not reply.problem or bool(reply.parts)


def _digest(request: Request, body: Mapping[str, Any]) -> str:
    """Of what makes two requests the same: where it is sent and what it says, in whatever order."""
    target = f"{request.scope['path']}?{request.scope['query_string'].decode('latin-1')}\n".encode()
    return sha256(target + msgspec.json.encode(body, order="sorted")).hexdigest()
