"""The twenty-five checks of a release, as one command; what they have shown stands in docs/reliability.md.

uv run python -m benchmarks.checks [--quick | --long] [--list] [NAME ...]

table.py    which there are, when each is passed, what it runs: the house's own tests and benchmarks
running.py  a command, for so long at most, and what it said of itself
report.py   the table in the document
"""
