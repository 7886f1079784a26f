"""What a message on the page is asked to do: the page's dealings with the conversation about it."""

import json
from collections.abc import Awaitable, Callable, Collection

from nicegui import ui

from services.chat import Chat, Pruned
from services.errors import HeadraceError
from ui.pages.answering import Answering
from ui.panels.transcript import Intents


class Doings:
    """`show` draws what has come of it. `say_deleted` tells how many messages went, and how that is undone."""

    def __init__(
        self,
        chat: Chat,
        answering: Answering,
        conversation: Callable[[], str | None],
        show: Callable[[], Awaitable[None]],
        say_deleted: Callable[[int, Callable[[], Awaitable[None]]], None],
    ) -> None:
        self._chat = chat
        self._answering = answering
        self._conversation = conversation
        self._show = show
        self._say_deleted = say_deleted

    @property
    def intents(self) -> Intents:
        return Intents(
            self._retry,
            self._regenerate,
            self._edit,
            self._go_on,
            self._choose,
            self._quote,
            self._prune,
            self._keep,
            self._spread,
            self._stop,
            self._inspect,
            self._another,
        )

    async def _do(self, work: Callable[[str], Awaitable[object]]) -> bool:
        """Do something in this conversation and show what has come of it; whether it was taken."""
        conversation = self._conversation()
        if conversation is None:
            return False
        try:
            await work(conversation)
        except HeadraceError as exc:
            ui.notify(exc.message, type="warning", position="top")
            return False
        await self._show()
        return True

    async def _retry(self, id: str) -> None:
        await self._do(lambda conversation: self._chat.retry(conversation, self._answering.model, id=id))

    async def _regenerate(self, answer: str, id: str, model: str) -> None:
        await self._do(lambda conversation: self._chat.regenerate(conversation, answer, model or self._answering.model, id=id))

    async def _another(self, answer: str, id: str) -> None:
        """By a model that is asked for now, with which the conversation then goes on."""
        self._answering.ask(lambda model: self._regenerate(answer, id, model))

    async def _keep(self, answer: str) -> None:
        self._answering.compared = ()
        await self._do(lambda conversation: self._chat.keep(conversation, answer))

    async def _spread(self, answer: str) -> None:
        await self._do(lambda conversation: self._chat.spread(conversation, answer))

    async def _stop(self, generation: str) -> None:
        await self._chat.stop(generation)

    async def _inspect(self, generation: str) -> None:
        ui.navigate.to(f"/inspect/{generation}")

    async def _edit(self, question: str, text: str, id: str, without: Collection[str]) -> bool:
        model = self._answering.model
        return await self._do(lambda conversation: self._chat.edit(conversation, question, model, text, id=id, without=without))

    async def _go_on(self, answer: str, generation: str) -> None:
        await self._do(lambda conversation: self._chat.go_on(conversation, answer, self._answering.model, after=generation))

    async def _choose(self, node: str) -> None:
        await self._do(lambda conversation: self._chat.choose(conversation, node))

    async def _quote(self, text: str) -> None:
        quoted = "\n".join(f"> {line}".rstrip() for line in text.strip().split("\n"))
        ui.run_javascript(f"writeQuote({json.dumps(quoted)})")

    async def _prune(self, node: str) -> None:
        """This message, and what follows it; it can be undone for a while."""

        async def prune(conversation: str) -> None:
            pruned = await self._chat.prune(conversation, node)
            self._say_deleted(len(pruned.nodes), lambda: self._graft(pruned))

        await self._do(prune)

    async def _graft(self, pruned: Pruned) -> None:
        await self._do(lambda conversation: self._chat.graft(conversation, pruned))
