"""The client check: faults run against somebody's client, and what it made of each. Values only, no I/O, but for breaking.py.

surfaces.py    the ways of asking that a client can be checked in
cases.py       one fault, the answer behind it, and what a correct client makes of it
judging.py     what a client made of it, by the text and the error that it says it has
runs.py        a run: its cases, what was seen of them on the wire, what was reported; some of them are kept
card.py        the score card of a run, as Markdown and as a value
snippets.py    how each vendor's SDK is told where to ask
breaking.py    the rehearsal as an upstream of ours, broken by a fault: for conversations
"""
