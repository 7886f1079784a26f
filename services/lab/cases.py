"""What a client is checked with: a fault, the answer that it breaks, and what a correct client makes of it."""

from typing import NamedTuple

from services.faults import FAULTS, Fault
from services.faults.fault import Outcome
from services.lab.surfaces import SURFACES
from services.upstream.rehearsal.scenes import ANSWER, SEPARATED

WHOLE = "none"  # the case without a fault: who fails here is not connected rightly

# A check of sixty cases is done in a minute only where none lasts.
GIVEN = {
    "drip": "drip=4000",
    "endless": "endless=2",
    "giant-line": "giant-line=2",
    "stall-first-byte": "stall-first-byte=2",
    "stall-headers": "stall-headers=2",
    "stall-middle": "stall-middle=2",
    "stall-end": "stall-end=2",
}
# Of these the catalogue says that giving up with an error is right, too.
PATIENT: dict[str, Outcome] = {"stall-first-byte": "before", "stall-headers": "before", "stall-middle": "after"}
BREAKING = ("reset-", "cut-", "half-close", "endless")


class Case(NamedTuple):
    """`fault` is as a request asks for it; `scene` is what the rehearsal plays, `text` what is said in it, all of it."""

    name: str
    fault: str
    does: str
    expect: str
    outcomes: tuple[Outcome, ...]
    scene: str
    text: str

    @property
    def breaks(self) -> bool:
        """The connection ends from our side."""
        return self.name.startswith(BREAKING)


def cases(dialect: str) -> list[Case]:
    """In the order of the catalogue, the one without a fault first. `dialect` is one of SURFACES."""
    surface = SURFACES[dialect]
    whole = Case(WHOLE, "", "nothing: the answer as it is", "the same text", ("same",), "text", ANSWER)
    return [whole, *(_case(fault, surface.resumes) for fault in FAULTS.values() if surface.kind in fault.kinds)]


def _case(fault: Fault, resumes: bool) -> Case:
    outcomes = fault.outcomes
    expect = fault.expect
    if fault.name in PATIENT:
        outcomes = (*outcomes, PATIENT[fault.name])
    if resumes and "same" not in outcomes:
        outcomes = ("same", *outcomes)
        expect += ", or the same text after it has connected again"
    text = SEPARATED if fault.name == "raw-separators" else ANSWER
    if fault.name == "surrogates":
        text = "".join("\ufffd" if ord(char) > 0xFFFF else char for char in text)
    scene = "separators" if fault.name == "raw-separators" else "text"
    return Case(fault.name, GIVEN.get(fault.name, fault.name), fault.does, expect, outcomes, scene, text)
