"""What the door says of conversations and of what is attached in them. Each method leads to the room behind that does it.

`id`, where it can be given, is the client's own name for the message it makes, so that it is never made twice.
"""

from collections.abc import AsyncIterable, Awaitable, Callable, Collection, Sequence

from services.attachments.attachments import Given
from services.conversations import Branch, Conversation
from services.doors.belongings import Belongings
from services.doors.preferences import Preferences
from services.exchange.exporting import File as Document
from services.exchange.exporting import Format
from services.exchange.importing import Report
from services.exchange.page import Render
from services.generations.registry import Generations
from services.library.adopting import Adopting
from services.library.deletion import Deletion
from services.library.moving import Moving
from services.library.order import Order
from services.library.search import Hit, Search
from services.manner import PLAIN, Manner, written
from services.talks.asking import Asking
from services.talks.once import Asked
from services.talks.pruning import Pruned, Pruning
from services.talks.queueing import Queueing
from services.talks.tree import Tree
from services.waiting import Waiting


class Conversations(Belongings, Preferences):
    """Part of services.chat.Chat, which makes the rooms."""

    _generations: Generations
    _tree: Tree
    _asking: Asking
    _pruning: Pruning
    _queueing: Queueing
    _order: Order
    _adopting: Adopting
    _search: Search
    _deletion: Deletion
    _moving: Moving

    async def send(
        self,
        conversation: str | None,
        model: str,
        text: str,
        *,
        id: str | None = None,
        manner: Manner = PLAIN,
        files: Sequence[Given] = (),
    ) -> Asked:
        """Ask `text` at the end of the branch that is shown, or in a new conversation when it is None, which has this manner.

        `files` were attached before.

        Raises what `start` raises, NotFound, NotSaved, and Conflict while an answer of the conversation is running; then
        nothing was stored and nobody was asked. So do the next five.
        """
        return await self.compare(conversation, [model], text, id=id, manner=manner, files=files)

    async def compare(
        self,
        conversation: str | None,
        models: Sequence[str],
        text: str,
        *,
        id: str | None = None,
        manner: Manner = PLAIN,
        files: Sequence[Given] = (),
    ) -> Asked:
        """The same of several models at once. The branch then ends in the question, until one of the answers is kept."""
        if conversation is not None:
            await self._own(conversation)
        chosen = await self._chosen(files)
        return await self._used(self._asking.send(conversation, models, text, id, written(manner), chosen, self._who.person))

    async def queue(self, conversation: str, model: str, text: str, *, id: str | None = None, files: Sequence[Given] = ()) -> None:
        """Let a message wait for the end of the answer that runs (`Conversation.queue`); with none running it is sent at once.

        What waits is sent in order, when an answer has ended by itself. Raises NotFound, NotSaved and Invalid.
        """
        await self._own(conversation)
        await self._queueing.add(conversation, model, text, id, await self._chosen(files))

    async def unqueue(self, conversation: str, id: str) -> Waiting:
        """Take one back. Raises NotFound when it was sent meanwhile."""
        await self._own(conversation)
        return await self._queueing.take(conversation, id)

    async def send_queued(self, conversation: str) -> None:
        """Send what waits after all, where its answer did not end by itself."""
        await self._own(conversation)
        await self._queueing.go_on(conversation)

    async def retry(self, conversation: str, model: str, *, id: str | None = None) -> Asked:
        """Answer the last question that is shown again, as another branch."""
        await self._own(conversation)
        return await self._asked(self._asking.retry(conversation, model, id))

    async def regenerate(self, conversation: str, answer: str, model: str, *, id: str | None = None) -> Asked:
        """Another answer beside this one, whatever comes after it, perhaps by another model."""
        await self._own(conversation)
        return await self._used(self._asking.regenerate(conversation, answer, model, id))

    async def edit(
        self, conversation: str, question: str, model: str, text: str, *, id: str | None = None, without: Collection[str] = ()
    ) -> Asked:
        """Another question in the place of this one, and its answer; the old one stays as a branch.

        It keeps its files, but for those whose hashes are in `without`.
        """
        await self._own(conversation)
        return await self._asked(self._asking.edit(conversation, question, model, text, id, without))

    async def go_on(self, conversation: str, answer: str, model: str, *, after: str) -> Asked:
        """Let an answer that was cut off go on from its end; `after` is the generation that was cut off.

        It stays one message: its node gets a new generation, and keeps what was said before. Raises Conflict, too, for one
        that has no text, ended by itself, or has messages after it.
        """
        await self._own(conversation)
        return await self._asking.go_on(conversation, answer, model, after)

    async def open(self, conversation: str) -> Branch:
        """A conversation and the branch that is shown; replies that still run are there as far as they have come."""
        await self._own(conversation)
        return await self._tree.open(conversation)

    async def choose(self, conversation: str, node: str) -> None:
        """Show the branch through this node, down to what was added to it last. Nothing that runs is disturbed."""
        await self._own(conversation)
        await self._tree.choose(conversation, node)

    async def keep(self, conversation: str, answer: str) -> None:
        """Of the answers side by side go on from this one, with its model. The others stay as branches; those that run are stopped."""
        await self._own(conversation)
        for generation in await self._tree.keep(conversation, answer):
            if self._generations.running(generation):
                await self._generations.stop(generation)

    async def spread(self, conversation: str, answer: str) -> None:
        """Show this answer and the others in its place side by side again."""
        await self._own(conversation)
        await self._tree.spread(conversation, answer)

    async def prune(self, conversation: str, node: str) -> Pruned:
        """Take out a message and all that follows it; what `graft` wants to put it back. Raises Conflict while an answer runs."""
        await self._own(conversation)
        return await self._pruning.prune(conversation, node)

    async def graft(self, conversation: str, pruned: Pruned) -> None:
        """Put back what was pruned. Raises NotFound when there is no place for it any more, and Conflict."""
        await self._own(conversation)
        await self._pruning.graft(conversation, pruned)

    async def adjust(self, conversation: str, manner: Manner) -> None:
        """Ask in this manner from now on."""
        await self._own(conversation)
        await self._tree.adjust(conversation, written(manner))

    async def adopt(self, generation: str) -> str:
        """Make a conversation of what a program asked and was answered, or find the one that was made of it: its id."""
        self._own_generation(generation)
        return await self._adopting.adopt(generation)

    async def rename(self, conversation: str, title: str) -> None:
        """A title that a person gives."""
        await self._own(conversation)
        await self._order.rename(conversation, title)

    async def pin(self, conversation: str, pinned: bool = True) -> None:
        await self._own(conversation)
        await self._order.pin(conversation, pinned)

    async def move(self, conversation: str, folder: str) -> None:
        """Into a folder, by its name; "" takes it out."""
        await self._own(conversation)
        await self._order.move(conversation, folder)

    async def rename_folder(self, folder: str, name: str) -> None:
        """All that is in it goes along; into a folder that is there already, too."""
        await self._order.rename_folder(self._who.person, folder, name)

    async def archive(self, conversation: str, archived: bool = True) -> None:
        await self._own(conversation)
        await self._order.archive(conversation, archived)

    async def discard(self, conversation: str) -> None:
        """Hide it, stop what runs in it, and delete it when it is not brought back in time. Raises NotFound."""
        await self._own(conversation)
        await self._deletion.discard(conversation)

    async def discard_all(self) -> Sequence[str]:
        """The same of every conversation; their ids."""
        return await self._deletion.discard_all(self._who.person)

    async def delete_all(self) -> None:
        """Every conversation, for good, the discarded ones too; and every preset, with the models that were liked or used."""
        await self._deletion.delete_all(self._who.person)
        await (await self.tastes()).forget()

    async def discarded(self, conversation: str) -> Conversation | None:
        """One that can still be brought back."""
        known = await self._deletion.waiting(conversation)
        return known if known and known.owner == self._who.person else None

    async def bring_back(self, conversation: str) -> None:
        """A discarded one, whole. Raises NotFound when it is too late."""
        await self._own(conversation)
        await self._deletion.bring_back(conversation)

    async def delete(self, conversation: str) -> None:
        """A conversation and all its branches, for good. What runs in it is stopped. Raises NotFound when it was not there."""
        await self._own(conversation)
        await self._deletion.delete(conversation)

    async def conversations(self) -> Sequence[Conversation]:
        """The one updated last first; the same object until something has changed."""
        return await self._order.list(self._who.person)

    async def search(self, query: str) -> Sequence[Hit]:
        """Conversations and messages with all words of a query, wherever in a word and in whatever case. No query is refused."""
        return await self._search.search(query, self._who.person)

    async def export(self, format: Format, conversations: Sequence[str] | None = None, render: Render | None = None) -> Document:
        """These conversations as one file, or all. `render` makes safe HTML of a model's Markdown, in a thread. Raises NotFound."""
        for each in conversations or ():
            await self._own(each)
        return await self._moving.export(format, conversations, render, self._who.person)

    async def bring_in(self, pieces: AsyncIterable[bytes], report: Report, progress: Callable[[int], None]) -> None:
        """Import what is in a file, given in pieces; of what was here already nothing changes. `progress` is told the bytes read so far.

        Raises Invalid when no conversation is in it, NotSaved. `report` says what came until then, and until this was cancelled.
        """
        await self._moving.bring_in(pieces, report, progress, self._who.person)

    def is_answering(self, conversation: str) -> bool:
        """Of a conversation that `conversations` has told, as for the next two."""
        return self._asking.is_answering(conversation)

    def is_unseen(self, conversation: str) -> bool:
        """An answer has ended in it, and no page has shown it since."""
        return self._order.is_unseen(conversation)

    def seen(self, conversation: str) -> None:
        self._order.seen(conversation)

    async def _used(self, asking: Awaitable[Asked]) -> Asked:
        asked = await self._asked(asking)
        replies = [node.reply.model for node in (asked.answer, *asked.beside) if node.reply]
        self._spawn(self._liked.used(replies))
        return asked
