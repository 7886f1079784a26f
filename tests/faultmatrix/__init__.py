"""The fault matrix: what breaks, what the user sees of it, what the log keeps, and what tries it out.

silent.py, refused.py, strange.py    A. the model server, before the first word
broken.py, contents.py               B. the model server, in the middle of an answer
process.py                           C. our process and its storage
clients.py                           D. browsers and clients

row.py         what a row and a case are                  playing.py     every case against one real Headrace
mill.py        a model server that misbehaves as told     document.py    docs/faultmatrix.md
"""
