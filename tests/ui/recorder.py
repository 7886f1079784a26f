"""A model server of OpenAI's dialect with as many models as one likes, which keeps what it was asked."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.listening import DONE, Handler, listening


class Recorder(NamedTuple):
    url: str
    asked: list[dict[str, Any]]


@contextmanager
def recorder(models: Sequence[dict[str, Any]]) -> Iterator[Recorder]:
    asked: list[dict[str, Any]] = []

    class ModelServer(Handler):
        def do_GET(self) -> None:
            self.answer(200, {"data": models})

        def do_POST(self) -> None:
            body = json.loads(self.body())
            if not str(body["messages"][-1]["content"]).startswith("Write a title"):  # which the page wants by itself
                asked.append(body)
            delta = {"choices": [{"index": 0, "delta": {"content": f"{body['model']} has answered."}, "finish_reason": "stop"}]}
            usage = {"choices": [], "usage": {"prompt_tokens": 2000, "completion_tokens": 1000}}
            self.stream(delta, usage, DONE)

    with listening(ModelServer) as port:
        yield Recorder(f"http://127.0.0.1:{port}/v1", asked)
