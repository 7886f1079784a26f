"""A peer for page.py: the usual NiceGUI chat page, one ui.markdown set to the whole text again at most 30 times a second."""

import asyncio
import sys
from contextlib import aclosing
from pathlib import Path

import msgspec
from nicegui import background_tasks, ui

sys.path.insert(0, str(Path(__file__).parent.parent))

from services.events import PartDelta
from services.upstream.openai_chat import OpenAIChatReader
from services.upstream.rehearsal.server import Rehearsal

PORT, QUESTION = int(sys.argv[1]), sys.argv[2]


@ui.page("/")
async def page() -> None:
    message = ui.markdown("").props('data-role="assistant" data-state="streaming"')
    background_tasks.create(fill(message))


async def fill(message: ui.markdown) -> None:
    body = msgspec.json.encode({"model": "longform", "stream": True, "messages": [{"role": "user", "content": QUESTION}]})
    answer = await Rehearsal().answer("POST", "/chat/completions", body)
    reader, text, due = OpenAIChatReader(), "", 0.0
    async with aclosing(answer.chunks) as chunks:
        async for chunk in chunks:
            text += "".join(event.text for event in reader.feed(chunk) if isinstance(event, PartDelta))
            if asyncio.get_running_loop().time() >= due:
                message.set_content(text)
                due = asyncio.get_running_loop().time() + 1 / 30
    message.set_content(text)
    message.props('data-state="finished"')


ui.run(host="127.0.0.1", port=PORT, show=False, reload=False, show_welcome_message=False, dark=None)
