"""The Responses surface: start one, ask for it while it runs or afterwards, go on with its stream, cancel it."""

from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp

from services.api.errors import json_response
from services.api.policies import mine
from services.api.reading import json_object, number
from services.api.replies import Replies
from services.chat import Chat
from services.downstream.openai_responses import EVERYTHING, OpenAIResponsesWriter, snapshot
from services.downstream.openai_responses_references import generation as of_generation
from services.downstream.openai_responses_references import referred, resolved
from services.downstream.openai_responses_turns import PREFIX, check_included, continued
from services.downstream.turns import wants_stream
from services.downstream.writer import Body
from services.errors import BadRequest, Gone, Invalid, NotFound
from services.events import Started
from services.messages import Reply, Turn

QUERY = {"stream", "starting_after", "include", "include[]", "include_obfuscation"}


class Responses:
    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    async def post(self, request: Request) -> ASGIApp:
        """`POST /v1/responses`. In the background without a stream it is answered at once, and asked for later."""
        chat, body = mine(request), await json_object(request)
        turn = await self._turn(chat, body)
        if body.get("background") and not wants_stream(body, default=False):
            return await self._snapshot(chat, (await self._replies.start(request, body, turn)).generation)
        return await self._replies.answer(request, OpenAIResponsesWriter, body, turn=turn)

    async def get(self, request: Request) -> ASGIApp:
        """`GET /v1/responses/{id}`: as far as it has come; with `?stream=true` its events, those after `starting_after`."""
        chat, generation = mine(request), _generation(request.path_params["id"])
        await chat.recall(generation)
        started = chat.started(generation)
        query = request.query_params
        if unknown := sorted(set(query) - QUERY):
            raise BadRequest(f"Unknown in the URL: {', '.join(unknown)[:100]}. Known: {', '.join(sorted(QUERY))}.")
        check_included([*query.getlist("include"), *query.getlist("include[]")])
        if _flag(request, "include_obfuscation"):
            raise BadRequest("`include_obfuscation` is not supported here.")
        after = number(query["starting_after"]) if "starting_after" in query else -1
        if _flag(request, "stream"):
            return await self._stream(request, started, after)
        if after >= 0:
            raise BadRequest("`starting_after` goes with `stream=true`: without it the response comes whole.")
        return await self._snapshot(chat, started.generation)

    async def cancel(self, request: Request) -> ASGIApp:
        """`POST /v1/responses/{id}/cancel`: stop it; answers with the response as it then stands. As often as one likes."""
        chat, generation = mine(request), _generation(request.path_params["id"])
        await chat.stop(generation)
        return await self._snapshot(chat, generation)

    async def _turn(self, chat: Chat, body: dict[str, Any]) -> Turn:
        turn = OpenAIResponsesWriter.turn(await self._with_items(chat, body))
        if body.get("previous_response_id") is None:
            return turn
        try:
            generation = _generation(body["previous_response_id"])
            reply = await self._ended(chat, generation, "`previous_response_id` names")
        except NotFound as exc:
            raise NotFound(f"`previous_response_id` names no response that is still known. {exc.message}") from exc
        return continued(turn, chat.turn(generation), reply.message)

    async def _with_items(self, chat: Chat, body: dict[str, Any]) -> Body:
        """The body with the items of earlier answers where it only refers to them."""
        ids = referred(body)
        return (
            resolved(body, ids, {named: await self._output(chat, named) for named in set(map(of_generation, ids.values()))})
            if ids
            else body
        )

    async def _output(self, chat: Chat, generation: str) -> Sequence[dict[str, Any]]:
        """The items of an answer; none of one that is not known, or not any more."""
        try:
            reply = await self._ended(chat, generation, "`input` refers to an item of")
        except (NotFound, Gone):
            return ()
        output: list[dict[str, Any]] = snapshot(reply, {})["output"]
        return output

    async def _ended(self, chat: Chat, generation: str, means: str) -> Reply:
        """An answer to go on from. Raises NotFound, Gone, and Invalid while it still runs."""
        await chat.recall(generation)
        reply = chat.reply(generation)
        if reply.state in ("waiting", "streaming"):
            raise Invalid(f"{means} a response that is still running: wait for its end, or cancel it.")
        return reply

    async def _stream(self, request: Request, started: Started, after: int) -> ASGIApp:
        chat = mine(request)
        repeated = chat.turn(started.generation).repeated or {}
        if after >= 0 and after >= (there := await self._told(chat, started, repeated)):
            raise BadRequest(f"There is no event {after} yet: the last one is {there - 1}.")
        return self._replies.stream(request, OpenAIResponsesWriter, OpenAIResponsesWriter(started, repeated, after), started)

    async def _told(self, chat: Chat, started: Started, repeated: dict[str, object]) -> int:
        """How many events there are by now."""
        counting = OpenAIResponsesWriter(started, repeated, EVERYTHING)
        async with aclosing(chat.follow(started.generation)) as batches:
            counting.write(await anext(batches))
        return counting.next

    async def _snapshot(self, chat: Chat, generation: str) -> ASGIApp:
        await chat.recall(generation)
        repeated = chat.turn(generation).repeated or {}
        return json_response(OpenAIResponsesWriter.whole(chat.reply(generation), repeated))


def _generation(id: str) -> str:
    if not id.startswith(PREFIX):
        raise NotFound(f"There is no response {id[:80]!r}: their ids begin with {PREFIX}.")
    return id.removeprefix(PREFIX)


def _flag(request: Request, name: str) -> bool:
    given = request.query_params.get(name, "false")
    if given not in ("true", "false"):
        raise BadRequest(f"`{name}` is true or false, not {given[:40]!r}.")
    return given == "true"
