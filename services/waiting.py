"""What waits in a conversation until its answer has ended: messages, in order, kept with it as JSON. Pure values.

A line that is held sends nothing by itself: its answer did not end by itself, and a person shall see that first.
"""

import msgspec

from services.messages import File

MOST = 20  # messages


class Waiting(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message and the model that it is for. `id` becomes that of the message in the conversation."""

    id: str
    text: str
    model: str
    files: tuple[File, ...] = ()


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """`held`: stopped, failed or interrupted, as the answer was; or the sentence with which the first message was refused."""

    waiting: tuple[Waiting, ...] = ()
    held: str = ""


def line(text: str) -> Line:
    """Of `Conversation.queue`. What cannot be read is nothing."""
    try:
        return msgspec.json.decode(text, type=Line) if text else Line()
    except (ValueError, RecursionError):
        return Line()


def written(line: Line) -> str:
    return msgspec.json.encode(line).decode() if line.waiting else ""
