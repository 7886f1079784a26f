"""A page with nothing but a text on it, and a door for the test: run as a program, it prints its address when it serves."""

import asyncio
import socket

from fastapi import Request
from nicegui import app, background_tasks, ui

from ui.panels import prose as panel
from ui.panels.prose import Prose
from ui.theme import dress

PATIENCE = panel.PATIENCE

texts: dict[str, Prose] = {}


@ui.page("/{name}", reconnect_timeout=10)
def page(name: str, text: str = "") -> None:
    ui.add_css("body { margin: 0 } .hr-scroll { height: 600px } .hr-thread { padding: 20px }")
    with ui.element("div").classes("hr-scroll").props('tabindex="0"'), ui.element("div").classes("hr-thread"):
        texts[name] = Prose()
    if text:
        texts[name].show(text)
    panel.PATIENCE = PATIENCE
    background_tasks.create(flow(texts[name]))


async def flow(prose: Prose) -> None:
    """What a page's watch loop does."""
    while not prose.is_deleted:
        await prose.flush()
        await asyncio.sleep(0.005)


@app.post("/do/{name}/{verb}")
async def do(name: str, verb: str, request: Request) -> list[str]:
    """Call a method of the text, the body being its argument; answers with the blocks the server believes in."""
    prose, body = texts[name], (await request.body()).decode()
    match verb:
        case "write" | "show":
            getattr(prose, verb)(body)
        case "finish" | "pin":
            getattr(prose, verb)()
        case "lose":  # a patch that never arrives, and nobody waits for its answer
            panel.PATIENCE = 1000.0
            prose._blocks.write(body)
            prose._blocks.render()
            prose._keep(0)
        case "cancel":  # a flush that is cancelled on its way
            prose.write(body)
            flush = asyncio.create_task(prose.flush())
            await asyncio.sleep(0)
            flush.cancel()
    return list(prose._props["blocks"])


if __name__ in {"__main__", "__mp_main__"}:
    dress()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app.on_startup(lambda: print(f"http://127.0.0.1:{port}", flush=True))  # noqa: T201
    ui.run(host="127.0.0.1", port=port, reload=False, show=False, show_welcome_message=False)
