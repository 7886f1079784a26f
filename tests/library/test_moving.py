"""Out to files and in again: nothing is lost, nothing is doubled, nothing of others is touched."""

import io
import json
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from services.chat import Report
from services.errors import Invalid, NotFound
from tests.talks.house import ECHO, LONG, House

EXPORTS = Path(__file__).parent.parent / "exchange"


async def pieces(body: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


async def brought(house: House, body: bytes) -> tuple[int, int, int]:
    """Imported, known already, skipped."""
    report = Report()
    seen: list[int] = []
    await house.chat.bring_in(pieces(body), report, seen.append)
    assert seen[-1] == len(body)
    return report.imported, report.known, report.skipped


async def test_what_was_exported_and_deleted_comes_back_as_it_was(house: House) -> None:
    asked = await house.chat.send(None, ECHO, "One")
    await house.ended(asked)
    await house.ended(await house.chat.regenerate(asked.conversation, asked.answer.id, ECHO))
    await house.chat.rename(asked.conversation, "The mill")
    await house.chat.pin(asked.conversation)
    await house.chat.move(asked.conversation, "Water")
    other = await house.chat.send(None, ECHO, "Other")
    await house.ended(other)
    before, nodes = list(await house.chat.conversations()), await house.store.nodes(asked.conversation)
    file = await house.chat.export("headrace")
    assert await brought(house, file.body) == (0, 2, 0)
    await house.chat.delete(asked.conversation)
    await house.chat.discard(other.conversation)
    assert await brought(house, file.body) == (2, 0, 0)
    assert sorted(await house.chat.conversations(), key=lambda known: known.id) == sorted(before, key=lambda known: known.id)
    assert await house.store.nodes(asked.conversation) == nodes
    assert await house.shown(other.conversation) == ["Other", "Other"]
    with pytest.raises(NotFound):
        await house.chat.bring_back(other.conversation)
    await house.ended(await house.chat.send(asked.conversation, ECHO, "It goes on"))


async def test_a_running_answer_is_exported_as_far_as_it_has_come(house: House) -> None:
    asked = await house.chat.send(None, LONG, "300 tokens")
    said = await house.begun(asked)
    file = await house.chat.export("markdown", [asked.conversation])
    assert said.split("\n")[0] in file.body.decode()
    with pytest.raises(NotFound):
        await house.chat.export("markdown", ["f" * 32])


@pytest.mark.parametrize("name", ["chatgpt", "claude", "open_webui"])
async def test_foreign_exports_come_once_and_are_found(house: House, name: str) -> None:
    body = (EXPORTS / f"{name}.json").read_bytes()
    imported, known, skipped = await brought(house, body)
    assert imported > 0
    assert known == 0
    assert await brought(house, body) == (0, imported, skipped)
    for conversation in await house.chat.conversations():
        _, nodes, *_ = await house.chat.open(conversation.id)
        words = nodes[0].message.text.split() if nodes[0].message else []
        assert conversation.id in {hit.conversation.id for hit in await house.chat.search(" ".join(words[:3]))}


def zipped(**files: bytes) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inside in files.items():
            archive.writestr(name.replace("__", "/") + ".json", inside)
    return body.getvalue()


async def test_an_archive_is_imported_as_it_came(house: House) -> None:
    chatgpt = (EXPORTS / "chatgpt.json").read_bytes()
    claude = (EXPORTS / "claude.json").read_bytes()
    body = zipped(**{"conversations-000": chatgpt, "export__conversations": claude, "user": b"{}", "a__b__conversations": b"["})
    imported, known, _ = await brought(house, body)
    assert (imported > 1, known) == (True, 0)
    assert (await brought(house, body))[:2] == (0, imported)


@pytest.mark.parametrize(
    "damage", [lambda body: body[:-30], lambda body: body[:60] + b"\xff" * 200 + body[260:], lambda _: zipped(user=b"{}")]
)
async def test_an_archive_that_is_none_is_refused(house: House, damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(Invalid, match="archive"):
        await house.chat.bring_in(pieces(damage(zipped(conversations=(EXPORTS / "chatgpt.json").read_bytes()))), Report(), lambda _: None)
    assert not await house.chat.conversations()


async def test_a_hostile_file_takes_no_message_from_another_conversation(house: House) -> None:
    asked = await house.chat.send(None, ECHO, "Mine")
    await house.ended(asked)
    (value,) = json.loads((await house.chat.export("headrace", [asked.conversation])).body)
    value["conversation"]["id"] = "f" * 32
    assert await brought(house, json.dumps([value]).encode()) == (0, 0, 1)
    assert await house.shown(asked.conversation) == ["Mine", "Mine"]


async def test_a_file_without_conversations_is_refused_and_changes_nothing(house: House) -> None:
    for body in (b"", b"[]", b"PK\x03\x04", b'{"a": 1}'):
        with pytest.raises(Invalid):
            await house.chat.bring_in(pieces(body), Report(), lambda _: None)
    assert not await house.chat.conversations()
