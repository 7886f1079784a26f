"""The fault matrix: what breaks, what the user sees of it, what the log keeps, and what tries it out.

before.py     A. the model server, before the first word      mill.py       a model server that misbehaves as the tables say
middle.py     B. the model server, in the middle              playing.py    every case against one real Headrace
row.py        what a row and a case are                       document.py   docs/faultmatrix.md
"""
