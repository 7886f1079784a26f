"""Bytes to frames and back, sans-IO. No JSON meaning, no sockets, no asyncio.

sse.py       server-sent events, as the HTML standard reads them
ndjson.py    one JSON text a line
strict.py    JSON that means one thing only; content.py: the text of what vendors call content

A decoder has `feed(chunk)`, which returns what is complete and wants any chunking, and `finish()`, which returns what the
end of the stream left unfinished: a liberal reader looks at it, a strict one does not call it. What a server may send
without an end is bounded. LimitExceeded comes after everything before the breach has been returned, and then for ever.
Encoders are functions that return whole frames; join those of one batch into one send.
"""
