"""A better title for a conversation, once its first answer has ended: the model that answered is asked for one, in the background.

It is asked once, briefly, and outside of all generations: no log, no list and no reply knows of it, nobody waits for it, and who
asks the next question or ends Headrace ends it. Whatever goes wrong, the first title stays; one that a person gave stays in any case.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence

from services.conversations import Conversation, cleaned
from services.errors import HeadraceError
from services.events import Event, Finished, PartDelta, PartStarted
from services.generations.generation import Generation
from services.messages import Message, Options, Text, Turn
from services.store.store import Store
from services.talks.naming import TITLE, named_after
from services.talks.watchers import Watchers

log = logging.getLogger(__name__)

ASK = (
    "Write a title for the conversation below: at most six words, in the language of the question. "
    "Answer with the title alone, without quotation marks and without a full stop.\n\nQuestion:\n{question}\n\nAnswer:\n{answer}"
)
SHOWN = 1500  # characters of the question and of the answer that the model is shown
WORDS = 10  # a title of more is none
TOKENS = 200  # a model that thinks first needs some
PATIENCE = 30.0  # seconds
AT_ONCE = 4

AROUND = " *_`\"'“”„«»‹›「」『』"  # what models put around a title
PREFIX = re.compile(
    r"(?:[#>*\-]+\s+)?(?:\**(?:title|titel|titre|título|标题|タイトル)\**\s*[:：]\**)?\s*", re.IGNORECASE
)  # at the beginning

Ask = Callable[[str, Turn, Callable[[Sequence[Event]], None]], Awaitable[None]]  # a full name of a model; raises HeadraceError


class Titles:
    """`wanted(model)`: whether a model, by its full name, is to be asked."""

    def __init__(self, store: Store, watchers: Watchers, wanted: Callable[[str], bool], ask: Ask) -> None:
        self._store = store
        self._watchers = watchers
        self._wanted = wanted
        self._ask = ask
        self._asking: dict[str, asyncio.Task[None]] = {}  # by conversation
        self._closed = False

    def ended(self, generation: Generation) -> None:
        """An answer has ended and is kept: if it was the first one, ask for a title."""
        conversation, reply = generation.turn.conversation, generation.reply
        if conversation is None or reply.state != "finished" or self._closed or not self._wanted(reply.model):
            return
        questions = [message.text for message in generation.turn.messages if message.role == "user"]
        question = questions[0] if len(questions) == 1 else ""
        answer = "".join(part.text for part in reply.parts if isinstance(part, Text))
        busy = conversation in self._asking or len(self._asking) >= AT_ONCE
        if busy or not question.strip() or not answer.strip():
            return
        turn = Turn(
            reply.model,
            (Message("user", (Text(ASK.format(question=question[:SHOWN], answer=answer[:SHOWN])),)),),
            Options(max_tokens=TOKENS),
            client="title",
            tries=1,
            within=PATIENCE,
        )
        task = asyncio.get_running_loop().create_task(self._better(conversation, question, turn))
        self._asking[conversation] = task
        task.add_done_callback(lambda task: self._over(conversation, task))

    def begun(self, conversation: str) -> None:
        """Another question is asked: its model server has better things to do."""
        if task := self._asking.get(conversation):
            task.cancel()

    async def close(self) -> None:
        self._closed = True
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def _better(self, conversation: str, question: str, turn: Turn) -> None:
        answer = _Answer()
        try:
            if not self._is_first(await self._store.get(conversation), question):
                return
            await self._ask(turn.model, turn, answer.hear)
            title = title_of(answer.text) if answer.ended else ""
            if title and self._is_first(await self._store.get(conversation), question):
                await self._store.change(conversation, title=title)
                self._watchers.tell(conversation)
        except HeadraceError as exc:
            log.info("conversation %s keeps its first title: %s", conversation, exc)

    @staticmethod
    def _is_first(known: Conversation | None, question: str) -> bool:
        """Its title is still the one that was made of the first question."""
        return known is not None and not known.named and not known.deleted and known.title == cleaned(named_after(question))

    def _over(self, conversation: str, task: "asyncio.Task[None]") -> None:
        self._asking.pop(conversation, None)
        if not task.cancelled() and (exc := task.exception()):
            log.error("conversation %s keeps its first title", conversation, exc_info=exc)


class _Answer:
    """What the model says, but for what it thinks."""

    def __init__(self) -> None:
        self.text = ""
        self.ended = False
        self._prose: set[int] = set()

    def hear(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case PartStarted(part, "text"):
                    self._prose.add(part)
                case PartDelta(part, text) if part in self._prose and len(self.text) < SHOWN:
                    self.text += text
                case Finished():
                    self.ended = True


def title_of(answer: str) -> str:
    """Its first line without what models put around a title; nothing where that is none."""
    first = next((" ".join(line.split()) for line in cleaned(answer).splitlines() if line.strip()), "")
    begin = found.end() if (found := PREFIX.match(first)) else 0
    title = first[begin:].lstrip(AROUND).rstrip(AROUND + ".。")
    return title if title and len(title) <= TITLE and len(title.split()) <= WORDS else ""
