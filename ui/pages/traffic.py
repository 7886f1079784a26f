"""The page's dealings with what programs ask: it shows the last of it in the sidebar, while it happens."""

from nicegui import ui

from services.chat import Chat
from ui.pages.soon import Soon
from ui.panels import traffic
from ui.panels.traffic import Asked

MOST = 10  # generations
NEWS, REST = 0.1, 0.5  # seconds until it is told, and between two tellings


class Traffic:
    """Of one page; made where it shall stand."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._client = ui.context.client
        self._panel = traffic.Traffic()
        self._news = Soon(self._show, after=NEWS, rest=REST)
        self._unwatch = chat.watch_programs(lambda _: self._news.want())
        self._client.on_delete(self._leave)
        self._draw()

    def _leave(self) -> None:
        self._news.end()
        self._unwatch()

    async def _show(self) -> None:
        if not self._client.is_deleted:
            with self._client:
                self._draw()

    def _draw(self) -> None:
        self._panel.show(
            [Asked(each.id, each.client, each.model, each.state in ("waiting", "streaming")) for each in self._chat.of_programs(MOST)]
        )
