"""JSON as servers really send it: whatever stands in one frame, and however much of it."""

import pytest

from services.upstream import loose

FOUND: dict[str, tuple[bytes, list[object]]] = {
    "nothing": (b" \n ", []),
    "one": (b'{"a": 1}', [{"a": 1}]),
    "several, glued together or not": (b'\xef\xbb\xbf{"a":1}{"b":2} \r\n\xc2\xa0[3]', [{"a": 1}, {"b": 2}, [3]]),
    "with control characters": (b'{"a":"\t\n"}', [{"a": "\t\n"}]),
    "as many as a frame of 1 MB has": (b"{}" * 500_000, [{}] * 500_000),
}


@pytest.mark.parametrize(("data", "values"), FOUND.values(), ids=FOUND)
def test_all_that_is_in_a_frame_is_found(data: bytes, values: list[object]) -> None:
    assert loose.objects(data) == values


@pytest.mark.parametrize("data", [b"{} [DONE]", b"{", b"[" * 100_000], ids=["and a word", "cut off", "too deep"])
def test_what_is_no_json_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"Expecting|nested too deeply"):
        loose.objects(data)
