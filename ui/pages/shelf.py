"""What a page has to do with the list of conversations: it shows it, opens, renames, files, exports and deletes.

All pages share one arrangement of the list, made once per change; a page takes as many lines of it as it shows.
"""

import datetime
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from nicegui import ui

from services.chat import Chat, Hit
from services.conversations import Conversation
from services.errors import HeadraceError
from ui.language import say, say_count
from ui.pages.moves import Moves
from ui.pages.soon import Soon
from ui.pages.traffic import Traffic
from ui.panels.palette import NEW, Palette, Result, pieces
from ui.panels.sidebar import Line, Section, Shown, Sidebar
from ui.panels.toast import Toast

RECENT = 8  # conversations that a search begins with
LINES = 100  # that are shown at first, and that come with each wish for more
NEWS = 0.1  # seconds until the list tells what has changed in it; what comes together is told together
REST = 0.5  # seconds from one such telling to the next: every page that is open does it


@dataclass
class Arranged:
    """The whole list in its sections, the archive last; lines are made when a page needs them first."""

    chat: Chat
    version: int
    day: datetime.date
    known: dict[str, Conversation] = field(default_factory=dict)
    sections: dict[str, list[str]] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)

    def line(self, id: str) -> Line:
        if id not in self.lines:
            known = self.known[id]
            busy, unseen = self.chat.is_answering(id), self.chat.is_unseen(id)
            self.lines[id] = (known.title, known.pinned, known.folder, known.archived, busy, unseen)
        return self.lines[id]

    def arrange(self) -> None:
        folders = sorted({known.folder for known in self.known.values() if known.folder and not known.archived}, key=str.casefold)
        keys = ("pinned", *(f"/{folder}" for folder in folders), "today", "yesterday", "week", "older", "archived")
        found: dict[str, list[str]] = {key: [] for key in keys}
        for known in self.known.values():
            found[_key(known, self.day)].append(known.id)
        self.sections = {key: ids for key, ids in found.items() if ids or key[0] == "/"}

    def first(self, most: int, unfolded: set[str], current: str | None) -> Shown:
        sections: list[Section] = []
        left, rest = most, 0
        for key, ids in self.sections.items():
            there = ids if key in unfolded or (key[0] != "/" and key != "archived") else []
            taken = there[:left]
            left -= len(taken)
            rest += len(there) - len(taken)
            sections.append((key, taken, len(ids)))
        return Shown(sections, {id: self.line(id) for _, ids, _ in sections for id in ids}, current, rest)


def _key(known: Conversation, today: datetime.date) -> str:
    if known.archived or known.pinned or known.folder:
        return "archived" if known.archived else "pinned" if known.pinned else f"/{known.folder}"
    days = (today - datetime.date.fromtimestamp(known.updated)).days
    return "today" if days <= 0 else "yesterday" if days == 1 else "week" if days < 7 else "older"


def _result(hit: Hit, today: datetime.date) -> Result:
    known, node, snippet = hit
    moment = datetime.datetime.fromtimestamp(known.updated)
    when = f"{moment:%H:%M}" if moment.date() == today else f"{moment:%Y-%m-%d}"
    if node is None:
        return Result(f"/c/{known.id}", pieces(snippet), when, [])
    return Result(f"/c/{known.id}?at={node}", [known.title], when, pieces(snippet))


class Shelves:
    """The arrangement that all pages share."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._version = 0
        self._last: Arranged | None = None
        chat.watch(self._changed)

    def _changed(self, conversation: str) -> None:
        self._version += 1

    async def look(self) -> Arranged:
        today, version = datetime.date.today(), self._version
        if self._last is None or (self._last.version, self._last.day) != (version, today):
            arranged = Arranged(self._chat, version, today, {known.id: known for known in await self._chat.conversations()})
            arranged.arrange()
            self._last = arranged
        return self._last


class Shelf:
    """Of one page; `opened` says which conversation it shows just now."""

    def __init__(self, chat: Chat, shelves: Shelves, opened: Callable[[], str | None]) -> None:
        self._chat = chat
        self._shelves = shelves
        self._opened = opened
        self._client = ui.context.client
        self._most = LINES
        self._unfolded: set[str] = set()
        self._gone = False
        self._news = Soon(self.show, after=NEWS, rest=REST)
        self._discarded: str | None = None  # what this page threw away last
        self._moves = Moves(chat)
        self._sidebar = Sidebar(on_act=self._act, on_more=self._more, on_fold=self._fold)
        with self._sidebar.above:
            Traffic(chat)
        self._unwatch = chat.watch(self._changed)
        self._client.on_delete(self._leave)

    def build_over(self) -> None:
        """What lies over the page when it is wanted."""
        self._toast = Toast()
        Palette(on_look=self._look)

    def _leave(self) -> None:
        self._gone = True
        self._news.end()
        self._unwatch()

    async def show(self) -> None:
        arranged = await self._shelves.look()
        if not self._gone:
            with self._client:
                self._sidebar.show(arranged.first(self._most, self._unfolded, self._opened()))

    def lead_to(self, address: str) -> None:
        """Where a new chat begins."""
        self._sidebar.lead_to(address)

    def home(self, conversation: str) -> str:
        """Where a page goes whose conversation was deleted: to the empty one, from which this page may still bring it back."""
        return f"/?undo={conversation}" if conversation == self._discarded else "/"

    async def offer_undo(self, conversation: str) -> None:
        if known := await self._chat.discarded(conversation):
            self._offer(known, come_back=True)

    # What changes

    def _changed(self, conversation: str) -> None:
        if conversation == self._opened() and self._client.has_socket_connection:  # not one that somebody has just left
            self._chat.seen(conversation)
        self._news.want()

    # What is wanted

    async def _look(self, query: str) -> list[Result]:
        today = datetime.date.today()
        if query.strip():
            return [_result(hit, today) for hit in await self._chat.search(query)]
        recent = [known for known in (await self._shelves.look()).known.values() if not known.archived][:RECENT]
        return [Result(NEW, [say("New chat")], "", []), *(_result(Hit(known, None, ((known.title, False),)), today) for known in recent)]

    async def _more(self) -> None:
        self._most += LINES
        await self.show()

    async def _fold(self, unfolded: set[str]) -> None:
        self._unfolded = unfolded
        await self.show()

    async def _act(self, what: str, conversation: str, value: object) -> None:
        match what:
            case "rename":
                await self._tell(self._chat.rename(conversation, str(value)))
            case "folder":
                await self._tell(self._chat.rename_folder(conversation, str(value)))
            case "pin":
                await self._tell(self._chat.pin(conversation, value is True))
            case "move":
                await self._tell(self._chat.move(conversation, str(value or "")))
            case "archive":
                await self._tell(self._chat.archive(conversation, value is True))
            case "place":
                await self._tell(self._place(conversation, str(value)))
            case "export":
                await self._moves.export(str(value), [conversation])
            case "delete":
                await self._discard(conversation)

    async def _place(self, conversation: str, section: str) -> None:
        """Where it was drawn to: what would keep it elsewhere is taken back."""
        await self._chat.archive(conversation, section == "archived")
        if section == "archived":
            return
        await self._chat.pin(conversation, section == "pinned")
        if section == "dated" or section.startswith("/"):
            await self._chat.move(conversation, section[1:] if section.startswith("/") else "")

    async def _discard(self, conversation: str) -> None:
        self._discarded = conversation
        gone = await self._tell(self._chat.discard(conversation)) and conversation != self._opened()
        if gone and (known := await self._chat.discarded(conversation)):
            self._offer(known)

    def say_deleted(self, n: int, undo: Callable[[], Awaitable[None]]) -> None:
        """So many messages of the conversation."""
        self._toast.show(say_count(n, "{n} message deleted", "{n} messages deleted"), undo)

    def _offer(self, known: Conversation, *, come_back: bool = False) -> None:
        async def undo() -> None:
            if await self._tell(self._chat.bring_back(known.id)) and come_back:
                ui.navigate.to(f"/c/{known.id}")

        self._toast.show(say("Deleted: {title}", title=known.title), undo)

    async def _tell(self, work: Awaitable[None]) -> bool:
        """All pages that show it are told what has changed, this one too."""
        try:
            await work
        except HeadraceError as exc:
            ui.notify(exc.message, type="warning", position="top")
            return False
        return True
