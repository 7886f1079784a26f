"""Conversations: what was asked and answered, as a tree. STORES by the scheme of the database's URL.

store.py    the contract
memory.py   the store of throw-away use: nothing outlives the process
"""

from collections.abc import Callable

from services.store.memory import MemoryStore
from services.store.store import Store

STORES: dict[str, Callable[[], Store]] = {"memory": MemoryStore}
