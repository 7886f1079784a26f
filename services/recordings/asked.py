"""What a request asked, in whatever dialect: the last words of the user. For people to know a recording by. Pure functions."""

from typing import Any

from services.wire.content import text_of

QUESTION = 2000  # characters


def question(body: dict[str, Any] | None) -> str:
    """Nothing where it is in no place that is known."""
    if not body:
        return ""
    for key in ("messages", "input", "contents"):
        match body.get(key):
            case str(text):
                return text[:QUESTION]
            case list(said):
                users = [one for one in said if isinstance(one, dict) and one.get("role", "user") == "user"]
                texts = [text_of(one.get("content", one.get("parts"))) for one in users]
                return next((text for text in reversed(texts) if text), "")[:QUESTION]
    prompt = body.get("prompt")
    return prompt[:QUESTION] if isinstance(prompt, str) else ""
