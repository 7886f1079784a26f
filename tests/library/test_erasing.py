"""What is somebody's who was taken out: it stays, or all of it goes and nobody else's."""

import asyncio
from pathlib import Path

import pytest

from services.attachments.attachments import Attachments
from services.attachments.shelf import Memory
from services.chat import Chat, Given
from services.errors import Forbidden, NotFound
from services.manner import PLAIN
from services.messages import Message, Text, Turn
from services.persons import LOCAL, Person, Who
from tests.talks.house import ECHO, LONG, House


async def lives(house: House, name: str) -> tuple[Person, Chat]:
    """Somebody who has a bit of everything: a conversation with a file, a file that is not sent, one that is thrown away, a reply that
    runs, one that a program has asked for, a recording, a preset, and a look of the page.
    """
    person = await house.chat.people.subject(f"https://issuer.test {name}", name, admin=False)
    admin, chat = house.chat, house.chat.of(Who(person.id, person.scopes))
    house.chat = chat
    sent = await chat.attach("sent.txt", f"sent by {name}".encode())
    await house.ended(await chat.send(None, ECHO, f"{name}'s own", files=[Given(sent.hash, "sent.txt")]))
    await chat.attach("left.txt", f"left by {name}".encode())
    thrown = await chat.send(None, ECHO, f"{name}'s own, and thrown away")
    await house.ended(thrown)
    await chat.discard(thrown.conversation)
    asked = chat.start(Turn(ECHO, (Message("user", (Text(f"{name}'s program's own"),)),)))
    while chat.reply(asked.generation).state in ("waiting", "streaming"):
        house.clock.step(house.clock.resting)
        await asyncio.sleep(0)
    await chat.keep_recording(asked.generation, "kept")
    await (await chat.tastes()).keep("mine", ECHO, PLAIN)
    await chat.wishes.change("look", "dark")
    await chat.send(None, LONG, "300 tokens")
    house.chat = admin
    return person, chat


async def there(house: House, person: Person) -> list[int]:
    """How many there are of each: conversations, the thrown away too, replies, recordings, likings."""
    known = [*await house.store.list(), *await house.store.list(deleted=True)]
    chat = house.chat.of(Who(person.id, person.scopes))
    recordings = await chat.recorder.all()
    return [
        sum(each.owner == person.id for each in known),
        len(house.chat.of(Who(person.id, person.scopes)).generations()),
        len(recordings),
        len(await house.store.preferences(person.id)),
    ]


async def test_all_of_somebody_who_was_removed_goes_and_nothing_of_anybody_else(tmp_path: Path) -> None:
    shelf = Memory()
    house = House(tmp_path, attachments=Attachments(shelf))
    ada, hers = await lives(house, "Ada")
    bob, _ = await lives(house, "Bob")
    both = (await hers.attach("both.txt", b"of both")).hash
    await house.chat.of(Who(bob.id, bob.scopes)).attach("both.txt", b"of both")
    files, before = dict(shelf.all()), await there(house, bob)
    assert 0 not in before
    assert await there(house, ada) == before
    with pytest.raises(Forbidden):
        await hers.remove_person(bob.id, erase=True)
    with pytest.raises(NotFound):
        await house.chat.erase_person(bob.id)
    await house.chat.remove_person(ada.id, erase=False)
    assert await there(house, ada) == before
    await house.chat.erase_person(ada.id)
    assert await there(house, ada) == [0, 0, 0, 0]
    assert await there(house, bob) == before
    kept = {name[:64] for name, _ in shelf.all()}
    assert both in kept
    assert len({name[:64] for name in files} - kept) == 2, "what she has sent, and what she was about to"
    assert [each.id for each in house.chat.people.all(house.chat.who)] == [LOCAL, bob.id]
