"""The page's dealings with the messages that wait in its conversation."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from nicegui import ui

from services.chat import Chat
from services.conversations import Branch
from services.errors import HeadraceError
from services.messages import File
from services.waiting import line
from ui.panels.queued import Queued


class Queue:
    """Built where the page is built. `on_back` gets the words and files of a message that somebody wants to write on at."""

    def __init__(self, chat: Chat, conversation: Callable[[], str | None]) -> None:
        self._chat = chat
        self._conversation = conversation
        self._goes_on = False  # messages wait, and are sent one after the other
        self.on_back: Callable[[str, Sequence[File]], None] = lambda text, files: None
        self._panel = Queued(on_back=self._take_back, on_remove=self._forget, on_go=self._send)

    def show(self, branch: Branch) -> None:
        waiting = line(branch.conversation.queue)
        self._goes_on = bool(waiting.waiting) and not waiting.held
        self._panel.show(waiting, self._chat.is_answering(branch.conversation.id))

    def takes(self, conversation: str) -> bool:
        """What is sent now has to wait: an answer runs, or others wait already and go on by themselves."""
        return self._chat.is_answering(conversation) or self._goes_on

    @staticmethod
    def ids(branch: Branch) -> list[str]:
        return [each.id for each in line(branch.conversation.queue).waiting]

    async def _take_back(self, id: str) -> None:
        if conversation := self._conversation():
            with _told():
                taken = await self._chat.unqueue(conversation, id)
                self.on_back(taken.text, taken.files)

    async def _forget(self, id: str) -> None:
        if conversation := self._conversation():
            with _told():
                await self._chat.unqueue(conversation, id)

    async def _send(self) -> None:
        if conversation := self._conversation():
            with _told():
                await self._chat.send_queued(conversation)


@contextmanager
def _told() -> Iterator[None]:
    """What is refused is said."""
    try:
        yield
    except HeadraceError as exc:
        ui.notify(exc.message, type="warning", position="top")
