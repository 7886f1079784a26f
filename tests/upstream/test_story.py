"""A Story tells one terminal event whatever its reader does, and closes every part before it."""

import random

from services.errors import Truncated
from services.events import Finished, PartDelta, PartFinished, PartStarted, Usage
from services.upstream.story import Story
from tests.upstream.reading import check_story, part


def test_prose_opens_and_changes_its_part_by_itself() -> None:
    story = Story()
    story.say("reasoning", "hm")
    story.say("text", "a")
    story.say("text", "")
    story.say("text", "b")
    assert story.take() == [*part(0, "reasoning", "hm"), *part(1, "text", "a", "b")[:-1]]
    story.finish("stop", "stop")
    assert story.take() == [PartFinished(1), Finished("stop", "stop")]
    assert story.take() == []


def test_after_the_end_nothing_is_heard() -> None:
    story = Story()
    story.say("text", "a")
    open_part = story.call("x", "y")
    story.usage(Usage(1))
    story.fail(Truncated("Cut off."))
    told = story.take()
    story.say("text", "b")
    story.more(open_part, "{}")
    story.keep(open_part, "k", 1)
    story.close(open_part)
    story.pause()
    story.call("z", "y")
    story.thing("image", {})
    story.side("text", "k").append(1)
    story.stumble(b"{")
    story.usage(Usage(2))
    story.finish("stop", None)
    story.fail(Truncated("Cut off."))
    assert story.take() == []
    check_story(told)


def test_usage_is_told_once_at_the_end() -> None:
    story = Story()
    story.usage(Usage(1, 2))
    story.usage(Usage(output_tokens=3, total_tokens=4))
    story.usage(Usage())
    story.finish("length", "max")
    assert story.take() == [Usage(1, 3, total_tokens=4), Finished("length", "max")]


def test_halves_of_characters_find_each_other_in_their_own_part() -> None:
    story = Story()
    one, two = story.call("a", "x"), story.call("b", "x")
    story.more(one, "\ud83d")
    story.more(two, "\ud83d")
    story.more(one, "\udc4b")
    story.more(two, "!")
    told = [event for event in story.take() if not isinstance(event, PartStarted)]
    assert told == [PartDelta(one, "👋"), PartDelta(two, "\ufffd!")]


def test_whatever_is_said_the_grammar_holds() -> None:
    for seed in range(300):
        dice = random.Random(seed)
        story = Story()
        calls = [0]
        for _ in range(dice.randint(0, 40)):
            act(story, dice, calls)
        story.finish("stop", "\ud83d")
        check_story(story.take())


def act(story: Story, dice: random.Random, calls: list[int]) -> None:
    match dice.randrange(8):
        case 0 | 1:
            story.say(dice.choice(("text", "reasoning", "refusal")), dice.choice(["a", "", "\ud83d", "\udc4b", "\0"]))
        case 2:
            calls.append(story.call(None, "x"))
        case 3:
            story.close(dice.choice(calls))
        case 4:
            story.thing("source", {"url": "\ud83d"})
        case 5:
            story.side("reasoning", "k").append("\udc4b")
        case 6:
            story.pause()
        case 7:
            story.stumble(b"{")
