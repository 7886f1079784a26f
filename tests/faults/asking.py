"""The mock, asked in any dialect for the same sentence, with a fault in its base_url; and how long a test lets a fault be."""

from typing import Any

from services.faults import FAULTS
from services.upstream import READERS

TEXT = "The mill wheel turns as long as water flows over it. “Köln” and 水車 are in here, and a 👋, so that encodings show."
SAID = [{"role": "user", "content": "text"}]

REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "openai_chat": ("/chat/completions", {"messages": SAID, "stream": True}),
    "openai_completions": ("/completions", {"prompt": "text", "stream": True}),
    "openai_responses": ("/responses", {"input": "text", "stream": True}),
    "anthropic": ("/v1/messages", {"messages": SAID, "stream": True, "max_tokens": 500}),
    "gemini": ("/v1beta/models/scenes:streamGenerateContent?alt=sse", {"contents": [{"parts": [{"text": "text"}]}]}),
    "ollama": ("/api/chat", {"messages": SAID}),
    "ollama_generate": ("/api/generate", {"prompt": "text"}),
}
assert set(REQUESTS) == set(READERS)

SHORT = {"drip": "1000000", "endless": "1", "giant-line": "2", "split-bytes": "1"}


def short(name: str) -> str:
    """The fault with a parameter that costs a test no time."""
    if name.startswith("stall"):
        return f"{name}=0.05"
    return f"{name}={SHORT[name]}" if name in SHORT else name


def names(kind: str) -> list[str]:
    return [name for name, fault in FAULTS.items() if kind in fault.kinds]
