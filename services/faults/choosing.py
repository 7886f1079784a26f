"""Which faults a request asks for: `crlf, stall-middle=30`. Everything wrong is Invalid, naming what there is."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from services.errors import Invalid
from services.faults import BYTEWISE, FAULTS, Fault
from services.faults.actions import Chain, Kind
from services.faults.fault import Given, Parameter
from services.faults.frames import Framing

MOST = 16  # at once
NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


class Chosen(NamedTuple):
    """Faults and their parameters, in the order in which they are applied."""

    faults: tuple[tuple[Fault, str], ...]

    def chain(self, family: str, now: float) -> Chain:
        framing = Framing()
        told = [fault.make(Given(value, family, now)) for fault, value in self.faults if fault.name not in BYTEWISE]
        sent = [fault.make(Given(value, family, now)) for fault, value in self.faults if fault.name in BYTEWISE]
        return Chain([framing.cut, *told, framing.restore, *sent])

    def check(self, kind: Kind) -> None:
        """Raises Invalid where one of them means nothing in an answer of this kind."""
        for fault, _ in self.faults:
            if kind not in fault.kinds:
                fitting = ", ".join(name for name, other in FAULTS.items() if kind in other.kinds)
                raise Invalid(
                    f"The fault {fault.name!r} is for {fault.applies_to}, and this answer is none. For this one there are: {fitting}."
                )


def choose(given: Iterable[str]) -> Chosen:
    """Raises Invalid."""
    chosen: dict[str, str] = {}
    for item in (part.strip() for text in given for part in text.split(",")):
        name, equals, value = item.partition("=")
        if not item:
            continue
        if name not in FAULTS:
            raise Invalid(f"There is no fault {name[:40]!r}. There are: {', '.join(FAULTS)}.")
        chosen[name] = _value(name, FAULTS[name].takes, value, bool(equals))
    if len(chosen) > MOST:
        raise Invalid(f"At most {MOST} faults at once; got {len(chosen)}.")
    return Chosen(tuple((fault, chosen[name]) for name, fault in FAULTS.items() if name in chosen))


def _value(name: str, takes: Parameter | None, value: str, given: bool) -> str:
    if takes is None:
        if given:
            raise Invalid(f"The fault {name!r} takes no parameter; got {value[:40]!r}.")
        return ""
    if not given:
        return takes.usual
    if value in takes.words or _between(value, takes):
        return value
    words = "".join(f", or {word}" for word in takes.words)
    raise Invalid(f"The fault {name!r} takes {takes.unit} from {takes.least:g} to {takes.most:g}{words}; got {value[:40]!r}.")


def _between(value: str, takes: Parameter) -> bool:
    return NUMBER.fullmatch(value) is not None and takes.least <= float(value) <= takes.most
