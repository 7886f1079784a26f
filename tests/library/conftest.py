"""Every operation runs on every store."""

from tests.talks.conftest import house

__all__ = ["house"]
