"""Panels: a class with constructor callbacks each. `apply` draws entries, `show` draws everything; they talk to nobody."""
