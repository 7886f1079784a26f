"""Events of the Responses dialect, written down shortly."""

from typing import Any

from services.events import Event, Finished
from tests.upstream.reading import frames, read_all_ways

COMPLETED = {"type": "response.completed", "response": {"status": "completed"}}
FINISHED = Finished("stop", "completed")
URL = {"type": "url_citation", "url": "https://e.org", "title": "E", "start_index": 0, "end_index": 2}


def ev(type: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{type}", **fields}


def text(delta: str, item: str = "m", content: int = 0, **fields: Any) -> dict[str, Any]:
    return ev("output_text.delta", item_id=item, content_index=content, delta=delta, **fields)


def added(**item: Any) -> dict[str, Any]:
    return ev("output_item.added", item=item)


def done(**item: Any) -> dict[str, Any]:
    return ev("output_item.done", item=item)


def message(*contents: Any, **item: Any) -> dict[str, Any]:
    return {"type": "message", "id": "m", "content": list(contents), **item}


def said(whole: str, **fields: Any) -> dict[str, Any]:
    return {"type": "output_text", "text": whole, **fields}


def responses(*payloads: Any) -> list[Event]:
    """What these frames mean, however they are cut."""
    return read_all_ways("openai_responses", frames(*payloads))
