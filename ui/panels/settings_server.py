"""The form of one model server, in a dialog. A key that is typed goes to the server once, and never comes back."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from services.models import Server, Trial
from ui.language import say, say_number
from ui.panels.dialog import CLOSE, SEND
from ui.panels.fields import Field, button, choice, lines
from ui.theme import text

DIALECTS = {
    "openai_chat": "OpenAI Chat Completions",
    "openai_responses": "OpenAI Responses",
    "openai_completions": "OpenAI Completions",
    "anthropic": "Anthropic Messages",
    "gemini": "Google Gemini",
    "ollama": "Ollama",
    "ollama_generate": "Ollama (generate)",
}
# What a vendor's server is called, what it speaks, and where it is.
VENDORS = {
    "OpenAI": ("openai", "openai_responses", "https://api.openai.com/v1"),
    "Anthropic": ("anthropic", "anthropic", "https://api.anthropic.com"),
    "Google Gemini": ("gemini", "gemini", "https://generativelanguage.googleapis.com"),
    "OpenRouter": ("openrouter", "openai_chat", "https://openrouter.ai/api/v1"),
    "Groq": ("groq", "openai_chat", "https://api.groq.com/openai/v1"),
    "Mistral": ("mistral", "openai_chat", "https://api.mistral.ai/v1"),
    "DeepSeek": ("deepseek", "openai_chat", "https://api.deepseek.com/v1"),
    "Ollama": ("ollama", "ollama", "http://127.0.0.1:11434"),
    "LM Studio": ("lmstudio", "openai_chat", "http://127.0.0.1:1234/v1"),
    "llama.cpp": ("llamacpp", "openai_chat", "http://127.0.0.1:8081/v1"),
    "vLLM": ("vllm", "openai_chat", "http://127.0.0.1:8000/v1"),
}
WAITS = ("connect", "first_byte", "gap", "total")

_FILL = """(e) => {
    const form = e.target.closest('form'), chosen = e.target.selectedOptions[0].dataset;
    for (const name of ['name', 'dialect', 'base_url']) if (chosen[name]) form.elements[name].value = chosen[name];
    form.elements.key.focus();
}"""


class ServerForm:
    def __init__(
        self,
        *,
        on_save: Callable[[str, Mapping[str, Any], str | None], Awaitable[Mapping[str, str]]],
        on_try: Callable[[str, Mapping[str, Any], str | None], Awaitable[Trial | Mapping[str, str]]],
    ) -> None:
        self._on_save = on_save
        self._on_try = on_try
        self._server: Server | None = None
        self._fields: dict[str, Field] = {}
        self._dialog = ui.element("dialog").classes("hr-dialog")

    def open(self, server: Server | None) -> None:
        """To change this server; None: to add one."""
        self._server = server
        title = say("Edit {name}", name=server.name) if server else say("Add a server")
        self._dialog.props["aria-label"] = title
        self._dialog.clear()
        with self._dialog, ui.element("form").classes("hr-form").props('autocomplete="off"') as form:
            text("h2", title)
            self._build(server or Server("", "openai_chat", ""), new=server is None)
            form.on("submit", self._save, js_handler=SEND)
        ui.run_javascript(f"getHtmlElement({self._dialog.id}).showModal()")

    def _build(self, server: Server, *, new: bool) -> None:
        if new:
            self._vendors()
        fields = self._fields = {}
        fields["name"] = Field("name", say("Name"), hint=say("Its models are named name/model."), value=server.name)
        fields["name"].box.props("required maxlength=64" if server.origin == "page" else "readonly")
        with ui.element("div"):
            choice("dialect", say("Speaks"), DIALECTS, server.dialect)
        fields["dialect"] = fields["base_url"] = Field("base_url", say("Address"), value=server.base_url)
        fields["base_url"].box.props('required inputmode="url" placeholder="https://…"')
        self._key(server)
        models = say("One a line. Left empty: the server is asked.")
        fields["models"] = Field("models", say("Models"), "textarea", hint=models, content="\n".join(server.models))
        fields["models"].box.props("rows=2")
        with ui.element("details").classes("hr-waits"):
            text("summary", say("Timeouts, in seconds"))
            names = (say("Connection"), say("First token"), say("Between two pieces"), say("Whole answer"))
            with ui.element("div"):
                for wait, label in zip(WAITS, names, strict=True):
                    set_here = server.timeouts.get(wait)
                    field = Field(f"timeouts.{wait}", label, value="" if set_here is None else f"{set_here:g}")
                    field.box.props('inputmode="decimal"')
                    fields[f"timeouts.{wait}"] = field
        self._told = ui.element("div")
        with ui.element("div").classes("hr-buttons"):
            button(say("Test")).on("click", self._try, js_handler=SEND)
            ui.element("div").classes("hr-grow")
            button(say("Cancel")).on("click", js_handler=CLOSE)
            button(say("Save"), strong=True).props('type="submit"')

    def _vendors(self) -> None:
        box = choice("vendor", say("Server"), {"": say("Another one")}, "")
        with box:
            for vendor, (name, dialect, url) in VENDORS.items():
                option = text("option", vendor)
                option.props["data-name"], option.props["data-dialect"], option.props["data-base_url"] = name, dialect, url
        box.on("change", js_handler=_FILL)

    def _key(self, server: Server) -> None:
        hint = say("It is kept on this computer and shown to nobody. ${NAME} stands for an environment variable.")
        self._fields["api_key"] = field = Field("key", say("API key"), hint=hint, value=server.key if server.key != "set" else "")
        field.box.props('type="password" spellcheck="false"' if server.key in ("", "set") else 'spellcheck="false"')
        field.box.props["autocomplete"] = "new-password"
        if server.key == "set":
            field.box.props["placeholder"] = say("set; type to replace it")
            with ui.element("label").classes("hr-check"):
                ui.element("input").props('type="checkbox" name="forget" value="yes"')
                text("span", say("Remove the key"))

    async def _save(self, event: GenericEventArguments) -> None:
        name, fields, key = self._read(event)
        wrong = await self._on_save(name, fields, key)
        self._show_errors(wrong)
        if not wrong:
            edit = say("Edit {name}", name=fields["name"])
            ui.run_javascript(f"getHtmlElement({self._dialog.id}).close(); refocus('.hr-server-list', {json.dumps(edit)})")

    async def _try(self, event: GenericEventArguments) -> None:
        self._tell(None)
        tried = await self._on_try(*self._read(event))
        self._show_errors(tried if not isinstance(tried, Trial) else {})
        self._tell(tried if isinstance(tried, Trial) else Trial())

    def _tell(self, tried: Trial | None) -> None:
        self._told.clear()
        if tried != Trial():
            with self._told:
                tell(tried)

    def _show_errors(self, wrong: Mapping[str, str]) -> None:
        for name, field in self._fields.items():
            if name != "dialect":
                field.set_error(wrong.get(name, ""))

    def _read(self, event: GenericEventArguments) -> tuple[str, dict[str, Any], str | None]:
        """The name it had, what stands in the form, and the key: None for the one it has, "" for none."""
        typed = event.args if isinstance(event.args, dict) else {}
        waits = {wait: _number(typed.get(f"timeouts.{wait}")) for wait in WAITS}
        fields = {
            "name": str(typed.get("name", "")).strip(),
            "dialect": str(typed.get("dialect", "")),
            "base_url": str(typed.get("base_url", "")).strip(),
            "models": list(lines(typed.get("models"))),
            "timeouts": {wait: seconds for wait, seconds in waits.items() if seconds is not None},
        }
        had = self._server.key if self._server else ""
        key = str(typed.get("key", "")).strip()
        if typed.get("forget") or (not key and had not in ("", "set")):
            return self._name, fields, ""
        return self._name, fields, None if not key or key == had else key

    @property
    def _name(self) -> str:
        return self._server.name if self._server else ""


def tell(tried: Trial | None) -> None:
    """How a test went, as far as it has come."""
    with ui.element("div").classes("hr-tried").props('role="status"') as box:
        if tried is None:
            ui.label(say("Asking for one word…"))
        elif tried.problem:
            box.classes("hr-wrong")
            ui.label(tried.problem)
        else:
            said = say("{model} says “{text}”.", model=tried.model, text=tried.text)
            first = say("First token after {ms} ms.", ms=say_number(tried.ttft_ms)) if tried.ttft_ms is not None else ""
            ui.label(f"{said} {first}".strip())


def _number(typed: object) -> float | str | None:
    """Whatever is no number goes on as it is: the settings say what they expected."""
    words = str(typed or "").strip().replace(",", ".")
    try:
        return float(words) if words else None
    except ValueError:
        return words
