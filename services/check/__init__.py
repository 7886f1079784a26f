"""`main.py check`: what this installation is, which model servers answer, and the smallest real exchange.

record.py     the record, and the exchange that it tells of
command.py    what stands behind `check` on the command line
"""

from services.check.command import check

__all__ = ["check"]
