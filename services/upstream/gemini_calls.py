"""Gemini's function calls, told to a Story. A call comes whole, its arguments as an object, usually without an id.

Vertex can send the arguments piece by piece instead, each with the JSON path of its place: such a call is put together here and
told when it is complete, because a JSON text cannot be cut up that way.
https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling
"""

import re
from typing import Any

from services.upstream import loose
from services.upstream.calls import argument_text
from services.upstream.story import Story

_STEP = re.compile(r"\.([^.\[\]]+)|\['([^']*)'\]|\[(\d{1,4})\]")
MAX_PATH = 32  # steps: JSON deeper than this is nobody's arguments
_VALUES = ("stringValue", "numberValue", "boolValue", "nullValue")


class Calls:
    def __init__(self, story: Story) -> None:
        self._story = story
        self._partial: dict[str, Any] | None = None  # the call whose arguments are still coming

    def add(self, call: dict[str, Any], signature: str) -> None:
        pieces = call.get("partialArgs")
        if self._partial is None and not call:
            return  # only says that the call before it is complete
        if self._partial is None and not isinstance(pieces, list) and not call.get("willContinue"):
            self._tell(call, signature)
            return
        if self._partial is None or call.get("name"):
            self.finish()
            self._partial = dict(call) | {"args": loose.inner(call, "args"), "signature": signature}
        for piece in pieces if isinstance(pieces, list) else ():
            if isinstance(piece, dict):
                _put(self._partial["args"], piece)
        if not call.get("willContinue"):
            self.finish()

    def finish(self) -> None:
        if self._partial is not None:
            call, self._partial = self._partial, None
            self._tell(call, call["signature"])

    def _tell(self, call: dict[str, Any], signature: str) -> None:
        id, name = call.get("id"), call.get("name")
        part = self._story.call(id if isinstance(id, str) else None, name if isinstance(name, str) else "")
        if signature:
            self._story.keep(part, "thought_signature", signature)
        self._story.more(part, argument_text(call.get("args")))
        self._story.close(part)


def _put(arguments: dict[str, Any], piece: dict[str, Any]) -> None:
    """Put the piece where its path says; text goes on where there is text already. A path that leads nowhere is passed over."""
    path, value = piece.get("jsonPath"), next((piece[name] for name in _VALUES if name in piece), "")
    steps = [name or quoted or int(number) for name, quoted, number in _STEP.findall(path)] if isinstance(path, str) else []
    if not steps or len(steps) > MAX_PATH:
        return
    if "nullValue" in piece:
        value = None
    place: Any = arguments
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if isinstance(place, list) and isinstance(step, int):
            if step > len(place):
                return
            if step == len(place):
                place.append(None)
        elif isinstance(place, dict) and isinstance(step, str):
            place.setdefault(step, None)
        else:
            return
        if following is None:
            before = place[step]
            place[step] = before + value if isinstance(before, str) and isinstance(value, str) else value
        elif not isinstance(place[step], dict | list):
            place[step] = [] if isinstance(following, int) else {}
        place = place[step]
