"""HTTP in, event streams out. The only room that knows Starlette and uvicorn.

app.py       which request goes to the API and which to the pages
gate.py      who may ask: hosts, origins, sizes
routes.py    the surface: one table of paths
stream.py    the response that streams; knowing when its client has left
errors.py    the one shape of an error
server.py    uvicorn, told to end its streams before it goes
"""
