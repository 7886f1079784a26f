"""The recordings, as a part of the inspector's list: kept, played, brought, renamed, deleted."""

import re
from collections.abc import Awaitable, Sequence

from nicegui import Client, ui

from services.chat import Chat, Found, Heard
from services.errors import HeadraceError
from services.events import Failed, PartDelta, PartStarted
from services.recordings.asked import question
from services.recordings.file import DIALECTS
from ui.language import say, say_all, say_count
from ui.panels.recording_import import Answer, Import
from ui.panels.recordings import Recordings

SHOWN = 160  # characters of what a recording says


class Shelf:
    """Of one browser tab."""

    def __init__(self, chat: Chat, client: Client) -> None:
        self._chat = chat
        self._client = client
        self._recorder = chat.recorder
        self._found: Sequence[Found] = ()
        self._questions: dict[str, str] = {}

    def build(self) -> None:
        self._list = Recordings(on_play=self._play, on_rename=self._rename, on_delete=self._delete, on_import=self._open)
        self._import = Import(DIALECTS, on_look=self._look, on_hear=self._hear, on_keep=self._keep)

    async def show(self) -> None:
        try:
            kept = await self._recorder.all()
        except HeadraceError:
            kept = []
        self._questions = {one.name: one.question for one in kept}
        if not self._client.is_deleted:
            with self._client:
                self._list.show(kept)

    def _open(self) -> None:
        self._import.open()

    async def _play(self, name: str, model: str) -> None:
        """In a new chat, with the question that was asked then."""
        try:
            asked = await self._chat.send(None, model, self._questions.get(name) or say("Play {name}", name=name))
        except HeadraceError as exc:
            ui.notify(exc.message, type="warning", position="top")
            return
        ui.navigate.to(f"/c/{asked.conversation}")

    async def _rename(self, name: str, to: str) -> str:
        return await self._problem(self._recorder.rename(name, to))

    async def _delete(self, name: str) -> str:
        return await self._problem(self._recorder.drop(name))

    async def _look(self, body: bytes, name: str) -> None:
        try:
            self._found = await self._recorder.find(body)
        except HeadraceError as exc:
            self._import.refuse(exc.message)
            return
        self._import.show([_answer(one) for one in self._found], _suggested(name, self._found[0]))
        await self._import.show_chosen()

    async def _hear(self, number: int, dialect: str) -> str:
        try:
            return _says(await self._recorder.heard(self._found[number], dialect))
        except HeadraceError as exc:
            return exc.message

    async def _keep(self, name: str, number: int, dialect: str) -> str:
        return await self._problem(self._recorder.keep_found(name, self._found[number], dialect=dialect))

    async def _problem(self, work: Awaitable[object]) -> str:
        try:
            await work
        except HeadraceError as exc:
            return exc.message
        await self.show()
        return ""


def _answer(one: Found) -> Answer:
    recording = one.recording
    return Answer(one.what, recording.dialect, one.guess.because, len(recording.reads), len(recording.body), one.notes)


def _suggested(name: str, found: Found) -> str:
    asked = question(found.recording.request.body if found.recording.request else None)
    words = re.sub(r"[^A-Za-z0-9._-]+", "-", name.rpartition(".")[0] or asked or found.recording.model).strip("-._")[:40]
    return words or "recording"


def _says(heard: Heard) -> str:
    """What it means, in a line."""
    if heard.refused:
        return say("It is a refusal: {words}", words=heard.refused.message)
    kinds = {event.part: event.kind for _, event in heard.events if isinstance(event, PartStarted)}
    words = "".join(event.text for _, event in heard.events if isinstance(event, PartDelta) and kinds[event.part] != "tool_call")[:SHOWN]
    calls = sum(kind == "tool_call" for kind in kinds.values())
    told = [say("It says: {words}", words=" ".join(words.split()))] if words else [say("It says nothing.")]
    told += [say_count(calls, "{n} tool call.", "{n} tool calls.")] if calls else []
    told += [say("It fails: {words}", words=heard.end.message)] if isinstance(heard.end, Failed) else []
    return say_all(told)
