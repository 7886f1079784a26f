"""What a person asked: plain text in a quiet bubble, newlines kept, very long text collapsed; and the box to ask it otherwise."""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from nicegui import ui
from nicegui.events import GenericEventArguments

from services.messages import Part
from ui.island import Island
from ui.language import say
from ui.panels.actions import Actions, Press, Pressed
from ui.panels.attached import keep_attached, show_attached

LONG = 1200  # characters
_UNFOLD = """(e) => {
    const folded = e.currentTarget.parentElement.querySelector('.hr-bubble').classList.toggle('hr-long');
    e.currentTarget.setAttribute('aria-expanded', !folded);
    e.currentTarget.querySelector('.block').textContent = folded ? spoken('Show more') : spoken('Show less');
}"""


# Enter asks, Escape leaves, as in the composer; the id stays with a text until it is another one.
_EDITED = """(e) => {
    const box = e.currentTarget.closest('.hr-editor').querySelector('textarea');
    if (!box.value.trim() || box.dataset.sent !== undefined) return;
    if (box.dataset.text !== box.value) { box.dataset.text = box.value; box.dataset.id = newId(); }
    box.dataset.sent = '';
    setTimeout(() => delete box.dataset.sent, 5000);
    emit({text: box.value, id: box.dataset.id});
}"""
_KEYS = """(e) => {
    if (e.isComposing || e.keyCode === 229) return;
    const button = e.key === 'Escape' && !e.shiftKey ? '.hr-cancel' : sends(e) ? '.hr-ask' : '';
    if (!button) return;
    e.preventDefault();
    e.stopPropagation();
    e.target.closest('.hr-editor').querySelector(button).click();
}"""
_FILL = "const box = document.getElementById(ID); box.value = TEXT; box.focus(); box.style.height = `${box.scrollHeight}px`;"
# One types on in the composer; not where a keyboard would come over the answer.
_HOME = "if (matchMedia('(hover: hover)').matches) document.querySelector('.hr-composer .hr-input')?.focus();"
_LEFT = "delete document.getElementById(ID)?.dataset.sent;"


class Question:
    """`on_edit` is called with the new text, the id of the message that it makes, and the hashes of the files that it shall not keep;
    it says whether that was taken.

    `do` are further buttons, by their names in ui/panels/actions.py.
    """

    def __init__(
        self,
        text: str,
        attached: Sequence[Part] = (),
        *,
        node: str,
        do: Mapping[str, Press],
        on_edit: Callable[[str, str, Collection[str]], Awaitable[bool]],
        on_choose: Callable[[str], Awaitable[None]],
        damaged: bool = False,
    ) -> None:
        self._text = text
        self._attached = attached
        self._without: set[str] = set()
        self._on_edit = on_edit
        with Island("article").classes("hr-msg hr-user").props(f'data-role="user" data-node="{node}"') as self.box:
            self.box.props["aria-label"] = say("Question")
            self._files = ui.element("div").classes("hr-attached-all")
            with self._files:
                show_attached(attached)
            self._bubble = ui.label(say("This message is damaged and cannot be shown.") if damaged else text).classes("hr-bubble")
            if damaged:
                self.box.props("data-damaged")
            if len(text) > LONG or text.count("\n") > 18:
                self._bubble.classes("hr-long")
                more = ui.button(say("Show more"), color=None).props('flat dense no-caps aria-expanded="false"').classes("hr-more")
                more.on("click", js_handler=_UNFOLD)
            self._speaks = damaged or bool(text.strip()) or not attached
            self._bubble.set_visibility(self._speaks)
            self._editor = ui.element("div").classes("hr-editor")
            self._editor.set_visibility(False)
            self._actions = Actions(lambda: text, {"edit": self._edit, **do}, on_choose=on_choose)

    def set_last(self, last: bool) -> None:
        pass

    def set_place(self, siblings: Sequence[str], here: str) -> None:
        self._actions.place(siblings, here)

    def delete(self) -> None:
        self.box.delete()

    async def _edit(self, _: Pressed) -> None:
        self._editor.clear()
        self._without = set()
        with self._editor:
            keep_attached(self._attached, self._without.add)
            box = ui.element("textarea").classes("hr-input").props('rows="1"')
            box.props["aria-label"] = say("New text")
            box.on("keydown", js_handler=_KEYS)
            with ui.element("div").classes("hr-tools"):
                ui.element("div").classes("hr-grow")
                cancel = ui.button(say("Cancel"), color=None).props("flat dense no-caps").classes("hr-cancel")
                cancel.on("click", self._leave, js_handler=f"() => {{ {_HOME} emit(); }}")
                ask = ui.button(say("Ask again"), color=None).props("flat dense no-caps").classes("hr-ask")
                ask.on("click", self._ask, js_handler=_EDITED)
        self._box_id = json.dumps(box.html_id)
        self._show_editor(True)
        ui.run_javascript(_FILL.replace("ID", self._box_id).replace("TEXT", json.dumps(self._text)))

    async def _ask(self, event: GenericEventArguments) -> None:
        asked = event.args if isinstance(event.args, dict) else {}
        client = ui.context.client  # this question may be gone with its page's next drawing
        taken = await self._on_edit(str(asked.get("text")), str(asked.get("id")), self._without)
        client.run_javascript(_HOME if taken else _LEFT.replace("ID", self._box_id))

    def _leave(self) -> None:
        self._show_editor(False)

    def _show_editor(self, shown: bool) -> None:
        self._editor.set_visibility(shown)
        self._files.set_visibility(not shown)
        self._bubble.set_visibility(not shown and self._speaks)
