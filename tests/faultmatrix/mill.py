"""A model server that misbehaves as the tables say: `python -m tests.faultmatrix.mill [CERTIFICATE...]` prints its ports.

The first segment of a path names the case. GET /seen tells how often each was asked, and who still waits for an answer.
A certificate is a PEM file with its key: for each there is one more port, with TLS.
"""

import asyncio
import json
import logging
import ssl
import sys
from collections import Counter
from contextlib import suppress

from tests.faultmatrix.behaviours import HEAD
from tests.faultmatrix.tables import CASES
from tests.upstream.model_server import WHOLE, answer, chunk

CANARY = "sk-CANARY-0123456789abcdef0123456789abcdef"  # the key that every server of the tables is asked with


class Mill:
    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()
        self._keys: Counter[str] = Counter()
        self._open: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            first = await reader.readexactly(1)
            if first == b"\x16":  # TLS, where there is none
                writer.write(answer("400 Bad Request"))
            else:
                await self._answer(first + await reader.readuntil(b"\r\n\r\n"), reader, writer)
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    async def _answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        await reader.readexactly(length)
        target = head.split(b" ", 2)[1].decode()
        name = target.split("/")[1] if target.startswith("/") else "through a proxy"
        if name == "seen":
            writer.write(answer("200 OK", json.dumps({"asked": self._asked, "keys": self._keys, "open": self._open}).encode()))
            await writer.drain()
            return
        self._asked[name] += 1
        self._keys[name] += CANARY.encode() in head
        self._open[name] += 1
        try:
            case = CASES.get(name)
            if case and case.behave:
                await case.behave(reader, writer)
            else:
                writer.write(HEAD + chunk(WHOLE) + b"0\r\n\r\n")
            await writer.drain()
        finally:
            self._open[name] -= 1


async def main(certificates: list[str]) -> None:
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # of clients that turn their backs, which is what this is for
    mill = Mill()
    servers = [await asyncio.start_server(mill.serve, "127.0.0.1", 0)]
    for file in certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        servers.append(await asyncio.start_server(mill.serve, "127.0.0.1", 0, ssl=context))
    sys.stdout.write(" ".join(str(server.sockets[0].getsockname()[1]) for server in servers) + "\n")
    sys.stdout.flush()
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
