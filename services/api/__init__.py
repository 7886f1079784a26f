"""HTTP in, event streams out. The only room that knows Starlette and uvicorn.

A request comes through app.py, from the outside in:

    server.py, protocol.py    uvicorn, told to end its streams before it goes; bounds of headers, of their time, of connections
    access.py                 an id for each request, a line in the log for each call of the API
    shield.py                 the headers that tell browsers what an answer may do
    gate.py                   hosts, origins, sizes; proxies.py: whose word is taken for them, body.py: bodies, counted and timed
    guard.py                  who asks; credentials.py: what they show, passes.py: what is open by it ends with it
    crowd.py                  how many pages and websockets at once (capacity.py), or:
    lab.py, faults.py         cases of the client check; answers that are broken on purpose (broken.py)
    routes.py                 the surface: one table of paths, and of who may use each (policies.py)

What stands behind the paths:

    native.py, compat.py, responses.py, ai.py, listings.py    asking, in Headrace's own way and in those of others
    replies.py, stream.py     a generation as an answer; the response that streams, and knows when its client has left
    reading.py, keys.py       what a request says; `Idempotency-Key`
    attachments.py, records.py, recordings.py, metrics.py, probe.py, login.py, rehearsal.py    all else
    errors.py                 the one shape of an error; connection.py: the socket that a request came over
"""
