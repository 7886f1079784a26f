"""How full the model's context is: a small ring beside the send button, in words for who cannot see it. Not there where nobody knows.

What is being written is weighed in the browser (composer.js), at about four characters a token.
"""

from nicegui import ui

from ui.language import say


class Gauge:
    def __init__(self) -> None:
        self._shown = (0, 0)
        self._ring = ui.element("div").classes("hr-gauge").props('role="meter" aria-valuemin="0" aria-valuemax="100" aria-valuenow="0"')
        self._ring.props["aria-label"] = say("Context")
        self._ring.props["data-words"] = say("About {used} of {limit} tokens", used="{used}", limit="{limit}")
        self._ring.props["data-close"] = say("The conversation nearly fills what this model can take in.")
        self._ring.props["data-over"] = say("This is probably more than the model can take in: it may forget the beginning, or refuse.")
        self._ring.set_visibility(False)

    def build_note(self) -> None:
        """Where a sentence stands when it gets close."""
        ui.element("div").classes("hr-gauge-note").props('role="status"')

    def show(self, used: int, limit: int | None) -> None:
        """Both in tokens. `limit` None: the model's server does not tell."""
        if self._shown == (used, limit or 0):
            return
        before, self._shown = self._shown, (used, limit or 0)
        if not limit and not before[1]:  # nobody sees it
            return
        self._ring.props["data-used"], self._ring.props["data-limit"] = used, limit or 0
        self._ring.update()
        self._ring.set_visibility(bool(limit))
        ui.run_javascript("composer.weigh()")
