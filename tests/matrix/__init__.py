"""Every upstream dialect, read by every official client: the same story, told in the one and shown by the other.

story.py      what is told: the scenes of the rehearsal, as values
losses.py     what a dialect cannot carry, and what becomes of it: the one place where a cell may differ from the story
clients.py    the clients, and the words in which each shows a story
pythons.py    reading with Python's SDKs; ../clients/matrix/ with those of Node and the browser
reading.py    two servers, all cells: each SDK reads its cells in one process
document.py   docs/dialects.md, from what was seen
"""
