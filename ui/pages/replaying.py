"""The hand on recordings that are played in a chat: a part of the chat page, above the message box while there is one."""

import asyncio
from contextlib import suppress

from nicegui import Client, background_tasks, ui

from services.chat import Chat
from services.errors import NotFound
from ui.panels.player import Player

LIVE = 0.25  # seconds between two looks
MODEL = "rehearsal/replay:"


class Replaying:
    """Of one browser tab."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._client: Client = ui.context.client
        self._generation = ""
        self._panel = Player(self._act)

    def watch(self, generation: str) -> None:
        """One that has begun; whatever is not a recording is left alone."""
        if self._chat.turn(generation).model.startswith(MODEL):
            self._generation = generation
            background_tasks.create(self._look(generation), name=f"replay {generation}")

    async def _look(self, generation: str) -> None:
        seen = False
        while not self._client.is_deleted and self._generation == generation:
            played = self._chat.playback(generation)
            with self._client:
                self._panel.show(played)
            seen |= played is not None
            if played is None and (seen or self._chat.reply(generation).state not in ("waiting", "streaming")):
                return
            await asyncio.sleep(LIVE)

    async def _act(self, act: str) -> None:
        await do(self._chat, self._generation, act)
        self._panel.show(self._chat.playback(self._generation))


async def do(chat: Chat, generation: str, act: str) -> None:
    """What a person wants of a replay, which may have ended."""
    with suppress(NotFound):
        player = await chat.player(generation)
        {"step": player.step, "play": player.play, "pause": player.pause}[act]()
