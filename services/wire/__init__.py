"""Bytes to frames and back, sans-IO. No JSON meaning, no sockets, no asyncio.

sse.py       server-sent events, as the HTML standard reads them
ndjson.py    one JSON text a line
"""
