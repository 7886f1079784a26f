"""Who wants to know when a conversation changes."""

from collections.abc import Callable


class Watchers:
    def __init__(self) -> None:
        self._watchers: list[Callable[[str], None]] = []

    def watch(self, changed: Callable[[str], None]) -> Callable[[], None]:
        """Call `changed(conversation)` at every change. Returns the function that ends this."""
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    def tell(self, conversation: str) -> None:
        for changed in list(self._watchers):
            changed(conversation)
