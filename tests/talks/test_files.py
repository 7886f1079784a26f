"""Files in a conversation: what the model gets and the journal keeps, what an edit keeps, and when they are deleted."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.attachments.attachments import Attachments
from services.attachments.shelf import Memory
from services.chat import Given
from services.errors import Invalid, NotFound
from services.exchange.importing import Report
from services.messages import File, Text
from tests.attachments.samples import png
from tests.talks.house import ECHO, House


async def given(house: House, name: str, body: bytes) -> Given:
    return Given((await house.chat.attach(name, body)).hash, name)


async def test_a_question_has_its_files_and_the_model_gets_what_is_in_them(house: House) -> None:
    files = [await given(house, "a.txt", b"Alpha"), await given(house, "b.png", png())]
    asked = await house.chat.send(None, ECHO, "What?", files=[*files, files[0]])
    await house.ended(asked)
    image, text = house.way.posted[-1]["messages"][0]["content"]
    assert image["image_url"]["url"].startswith("data:image/png;base64,")
    assert text["text"] == "File: a.txt\n```\nAlpha\n```\n\nWhat?"
    (turn,) = house.chat.turn(asked.answer.generation or "").messages
    assert [type(part) for part in turn.parts] == [File, File, Text]
    branch = await house.chat.open(asked.conversation)
    assert branch.nodes[0].message == turn

    html = (await house.chat.export("html", [asked.conversation])).body.decode()
    assert f'src="{image["image_url"]["url"]}"' in html
    assert "File: a.txt (5 bytes)" in html

    again = await house.chat.regenerate(asked.conversation, asked.answer.id, ECHO)
    await house.ended(again)
    assert house.way.posted[-1]["messages"][0]["content"] == [image, text]

    edited = await house.chat.edit(asked.conversation, asked.question.id, ECHO, "Why?", without=[files[1].hash])
    await house.ended(edited)
    assert house.way.posted[-1]["messages"] == [{"role": "user", "content": "File: a.txt\n```\nAlpha\n```\n\nWhy?"}]


async def test_a_file_alone_is_a_question_and_gives_the_title(house: House) -> None:
    asked = await house.chat.send(None, ECHO, " ", files=[await given(house, "notes.txt", b"Alpha")])
    await house.ended(asked)
    assert [known.title for known in await house.chat.conversations()] == ["notes.txt"]
    with pytest.raises(Invalid, match="empty"):
        await house.chat.send(asked.conversation, ECHO, " ")


async def test_what_is_not_here_and_what_is_too_much_is_refused_before_anything_is_stored(house: House) -> None:
    with pytest.raises(NotFound, match=r"a\.txt is not here any more"):
        await house.chat.send(None, ECHO, "What?", files=[Given("0" * 64, "a.txt")])
    many = [await given(house, f"{number}.txt", bytes([65 + number] * 3)) for number in range(house.chat.limits.files + 1)]
    with pytest.raises(Invalid, match="one message may have 10"):
        await house.chat.send(None, ECHO, "What?", files=many)
    assert not await house.chat.conversations()
    assert house.way.posted == []


async def test_a_file_goes_with_the_last_conversation_that_has_it(house: House) -> None:
    shared, own = await given(house, "shared.txt", b"Shared"), await given(house, "own.txt", b"Own")
    first = await house.chat.send(None, ECHO, "One", files=[shared, own])
    second = await house.chat.send(None, ECHO, "Two", files=[shared])
    await house.ended(first)
    await house.ended(second)
    await house.chat.delete(first.conversation)
    assert (await house.chat.attachment(shared.hash))[1] == b"Shared"
    with pytest.raises(NotFound):
        await house.chat.attachment(own.hash)
    await house.chat.delete(second.conversation)
    with pytest.raises(NotFound):
        await house.chat.attachment(shared.hash)


async def test_what_is_only_discarded_keeps_its_files(house: House) -> None:
    file = await given(house, "a.txt", b"Alpha")
    asked = await house.chat.send(None, ECHO, "One", files=[file])
    await house.ended(asked)
    await house.chat.discard(asked.conversation)
    await house.chat.bring_back(asked.conversation)
    assert (await house.chat.attachment(file.hash))[1] == b"Alpha"


async def test_an_export_brings_its_files_to_another_headrace(tmp_path: Path) -> None:
    here, there = House(tmp_path / "here"), House(tmp_path / "there")
    file = await given(here, "a.txt", b"Alpha")
    asked = await here.chat.send(None, ECHO, "What?", files=[file])
    await here.ended(asked)
    document = await here.chat.export("headrace")

    async def pieces() -> AsyncIterator[bytes]:
        yield document.body

    await there.chat.bring_in(pieces(), Report(), lambda read: None)
    assert (await there.chat.attachment(file.hash))[1] == b"Alpha"
    again = await there.chat.regenerate(asked.conversation, asked.answer.id, ECHO)
    await there.ended(again)
    assert "Alpha" in there.way.posted[-1]["messages"][0]["content"]
    await there.chat.delete(asked.conversation)
    with pytest.raises(NotFound):
        await there.chat.attachment(file.hash)
    await here.chat.close()
    await there.chat.close()


async def test_a_start_drops_files_that_were_never_sent(tmp_path: Path) -> None:
    shelf = Memory()
    first = Attachments(shelf)
    hash = (await first.take("a.txt", b"Alpha")).hash
    for name, (body, _) in list(shelf._kept.items()):
        shelf._kept[name] = body, 0.0  # long ago
    house = House(tmp_path, attachments=Attachments(shelf))
    await house.chat.restore()
    async with asyncio.timeout(10):
        while True:
            if shelf.get(hash) is None:
                break
            await asyncio.sleep(0)
    await house.chat.close()
