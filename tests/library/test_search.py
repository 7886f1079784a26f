"""Titles and messages, together."""

from tests.talks.house import ECHO, House


async def test_titles_come_first_and_lead_to_the_conversation_messages_to_themselves(house: House) -> None:
    first = await house.chat.send(None, ECHO, "Of the mill")
    await house.ended(first)
    second = await house.chat.send(None, ECHO, "Of sails")
    await house.ended(second)
    third = await house.chat.send(second.conversation, ECHO, "and of a mill wheel")
    await house.ended(third)
    hits = await house.chat.search("MILL")
    assert [(hit.conversation.title, hit.node) for hit in hits] == [
        ("Of the mill", None),
        ("Of sails", third.answer.id),
        ("Of sails", third.question.id),
        ("Of the mill", first.answer.id),
        ("Of the mill", first.question.id),
    ]
    assert hits[0].snippet == (("Of the ", False), ("mill", True))
    await house.chat.rename(second.conversation, "Millstones")
    assert (await house.chat.search("mill"))[0].conversation.title == "Millstones"
    await house.chat.discard(second.conversation)
    assert {hit.conversation.id for hit in await house.chat.search("mill")} == {first.conversation}
    assert await house.chat.search(" ") == []
