"""A conversation's manner reaches the model; presets, and the model for new chats, outlive the process."""

import asyncio
from pathlib import Path

import pytest

from services.errors import Conflict, Invalid, NotFound, NotSaved
from services.manner import KNOBS, PLAIN, Manner, parsed, presets, read, shown, with_option, written
from services.messages import Options
from services.talks.tastes import PRESET
from tests.store.harm import connection, unreadable
from tests.talks.house import ECHO, LONG, House

TERSE = Manner("Be terse.", Options(temperature=0.2, stop=("END",)))


async def test_every_ask_is_made_in_the_manner_of_the_conversation(house: House) -> None:
    asked = await house.chat.send(None, ECHO, "Hello", manner=TERSE)
    await house.ended(asked)
    again = await house.chat.regenerate(asked.conversation, asked.answer.id, ECHO)
    await house.ended(again)
    for sent in house.way.posted:
        assert [(message["role"], message["content"]) for message in sent["messages"]] == [("system", "Be terse."), ("user", "Hello")]
        assert (sent["temperature"], sent["stop"]) == (0.2, ["END"])
    await house.chat.adjust(asked.conversation, PLAIN)
    await house.ended(await house.chat.send(asked.conversation, ECHO, "And now?"))
    assert [message["role"] for message in house.way.posted[-1]["messages"]] == ["user", "assistant", "user"]
    assert "temperature" not in house.way.posted[-1]


async def test_a_manner_is_kept_with_its_conversation(house: House) -> None:
    asked = await house.chat.send(None, ECHO, "Hello", manner=TERSE)
    await house.ended(asked)
    assert read((await house.chat.open(asked.conversation)).conversation.manner) == TERSE
    with pytest.raises(NotFound):
        await house.chat.adjust("nowhere", TERSE)


async def test_presets_the_default_and_the_models_used_last_outlive_the_process(tmp_path: Path) -> None:
    first = House(tmp_path)
    tastes = await first.chat.tastes()
    changes: list[int] = []
    tastes.watch(lambda: changes.append(1))
    kept = await tastes.keep("  Terse\n one ", ECHO, TERSE)
    await tastes.keep("Verbose", LONG, PLAIN)
    await tastes.prefer(PRESET + kept.id)
    await first.ended(await first.chat.send(None, LONG, "3 tokens"))
    assert first.chat.default_model == ECHO
    assert len(changes) >= 3
    await first.chat.close()

    second = House(tmp_path)
    tastes = await second.chat.tastes()
    assert [preset.name for preset in tastes.presets] == ["Terse one", "Verbose"]
    assert tastes.default_preset == kept
    assert kept.manner.preset == kept.id
    assert second.chat.default_model == ECHO
    assert tastes.recent == (LONG,)
    await tastes.drop(kept.id)
    assert (tastes.default, second.chat.default_model != ECHO) == ("", True)
    await second.chat.close()


async def test_presets_that_are_kept_at_the_same_time_are_all_there(tmp_path: Path) -> None:
    house = House(tmp_path)
    tastes = await house.chat.tastes()
    old = await tastes.keep("Old", ECHO, TERSE)
    await asyncio.gather(tastes.keep("One", ECHO, TERSE), tastes.rename(old.id, "New"), tastes.keep("Two", LONG, PLAIN))
    assert [preset.name for preset in tastes.presets] == ["New", "One", "Two"]
    await house.chat.close()


async def test_presets_that_cannot_be_read_now_are_not_written_over(tmp_path: Path) -> None:
    first = House(tmp_path)
    await (await first.chat.tastes()).keep("Old", ECHO, TERSE)
    await first.chat.close()

    house = House(tmp_path)
    with unreadable("preferences", "value", await connection(house.store)):
        tastes = await house.chat.tastes()
        for change in (tastes.keep("New", ECHO, PLAIN), tastes.prefer(ECHO), tastes.forget()):
            with pytest.raises(NotSaved):
                await change
    await tastes.keep("New", ECHO, PLAIN)
    assert [preset.name for preset in tastes.presets] == ["New", "Old"]
    await house.chat.close()


async def test_names_of_presets_are_unique(house: House) -> None:
    tastes = await house.chat.tastes()
    terse, other = await tastes.keep("Terse", ECHO, TERSE), await tastes.keep("Other", ECHO, PLAIN)
    assert (await tastes.keep("Terse", LONG, TERSE)).id == terse.id
    assert len(tastes.presets) == 2
    with pytest.raises(Conflict):
        await tastes.rename(other.id, "Terse")
    with pytest.raises(Invalid):
        await tastes.rename(other.id, " \n")
    with pytest.raises(NotFound):
        await tastes.prefer(f"{PRESET}nothing")


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"options": 3}', '{"options": {"temperature": "hot", "tools": [1]}}', "[" * 5000])
def test_a_manner_that_cannot_be_read_is_the_plain_one(text: str) -> None:
    assert read(text) == PLAIN
    assert presets(text) == ()


def test_what_can_be_read_of_a_manner_is_kept() -> None:
    options = '{"temperature": 0.5, "top_p": 7, "seed": 3.0, "stop": ["a", 1, ""], "reasoning_effort": "no way"}'
    assert read(f'{{"system": "Hi", "new": 1, "options": {options}}}') == Manner("Hi", Options(temperature=0.5, seed=3, stop=("a",)))
    assert read(written(TERSE)) == TERSE
    assert written(PLAIN) == ""


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("temperature", " 0,7 ", 0.7),
        ("temperature", "", None),
        ("top_k", "40", 40),
        ("stop", "END\n\n\\n\\nQ:", ("END", "\n\nQ:")),
        ("reasoning_effort", "high", "high"),
        ("seed", "-1", -1),
    ],
)
def test_what_a_person_writes_is_read_and_shown_again(name: str, text: str, value: object) -> None:
    assert parsed(KNOBS[name], text) == value
    manner = with_option(PLAIN, name, value)
    assert parsed(KNOBS[name], shown(KNOBS[name], manner.options)) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("temperature", "2.1"),
        ("temperature", "nan"),
        ("top_p", "-0.1"),
        ("max_tokens", "0"),
        ("top_k", "1.5"),
        ("seed", "x"),
        ("stop", "\n".join("a" * 17)),
    ],
)
def test_what_no_server_takes_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError):
        parsed(KNOBS[name], text)
