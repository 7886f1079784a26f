"""What is counted while Headrace runs, for GET /metrics. Values and text: no I/O, no asyncio, and nothing from the rooms that count.

    house = House()                    all that is counted in one process
    house.replies.ended(...)           told by who knows, at the end of things: never for each token
    exposition(families)               the text that Prometheus and its relatives read

    instruments.py   Counter, Histogram, Family, and their text
    house.py         which there are

Rule 1: a label's values are a small set that we or the settings name: never what a client, a person or a model wrote.
Rule 2: counting costs a stream nothing. What a log or a commit knows anyway is looked at when it ends.
"""

from services.metrics.house import House
from services.metrics.instruments import Counter, Family, Histogram, exposition

__all__ = ["Counter", "Family", "Histogram", "House", "exposition"]
