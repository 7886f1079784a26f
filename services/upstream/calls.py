"""Tool calls that come in fragments, told to a Story. It knows how servers number and name them, and no dialect.

A fragment belongs to the call of its id, else of its index, else to the last one. A new call begins where an id or a name
says so, because several servers give every call index 0, or no index, or no id. Its name may come late, its id never comes
or comes with every fragment.
"""

import msgspec

from services.upstream import loose
from services.upstream.story import Story


class _Call:
    __slots__ = ("id", "name", "part", "texts")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.part: int | None = None  # None until its name is known
        self.texts: list[str] = []


class Calls:
    def __init__(self, story: Story) -> None:
        self._story = story
        self._all: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}

    def add(self, index: int | None, id: str, name: str, arguments: object, side: dict[str, object] | None = None) -> None:
        """One fragment. `arguments` is a piece of JSON text, or the whole object."""
        text = argument_text(arguments)
        call = self._find(index, id, name, text)
        if call.part is None and name:
            self._begin(call, name)
        if text:
            call.texts.append(text)
        if call.part is not None:
            self._story.more(call.part, text)
            for key, value in (side or {}).items():
                self._story.keep(call.part, key, value)

    def finish(self) -> None:
        """The stream ends: calls that never had a name are told without one."""
        for call in self._all:
            if call.part is None:
                self._begin(call, "")

    def _find(self, index: int | None, id: str, name: str, text: str) -> _Call:
        call = self._by_id.get(id)
        if call is None:
            call = (self._all[-1] if self._all else None) if index is None else self._by_index.get(index)
        if call is None or _another(call, id, name, text):
            call = _Call()
            self._all.append(call)
        if index is not None:
            self._by_index[index] = call
        if id:
            self._by_id[id] = call
            call.id = call.id or id
        return call

    def _begin(self, call: _Call, name: str) -> None:
        call.name = name
        call.part = self._story.call(call.id, name)
        self._story.more(call.part, "".join(call.texts))


def argument_text(arguments: object) -> str:
    """Arguments as JSON text, whichever way they came."""
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else msgspec.json.encode(loose.clean(arguments)).decode()


def _another(call: _Call, id: str, name: str, text: str) -> bool:
    """A fragment that landed at this call begins another one. `}{` stands in no JSON text, so there a call ends."""
    if id and call.id:
        return id != call.id
    if not name or not call.name:
        return False
    return name != call.name or (text.startswith("{") and bool(call.texts) and call.texts[-1].endswith("}"))
