"""The file of a recording: what it says comes back, by hand or by machine, and what is wrong is named with its line."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import Conflict, HeadraceError, Invalid, NotFound, TooLarge
from services.recordings.file import decode, encode
from services.recordings.keeper import Bounds, Folder, Memory, Recordings
from services.recordings.recording import Asked, End, Read, Recording

WRITTEN = """{"headrace": 1, "dialect": "openai_chat", "headers": {"Content-Type": "text/event-stream"}, "note": "by hand"}
[10, "data: {\\"choices\\":[{\\"delta\\":{\\"content\\":\\"Hi\\"}}]}\\n\\n"]

[30.5, "ZGF0YTogW0RPTkVdCgo=", "base64"]
"""


def test_a_file_written_by_hand() -> None:
    told = decode(WRITTEN.encode())
    assert told.headers == {"content-type": "text/event-stream"}
    assert [(read.at, len(read.data)) for read in told.reads] == [(10.0, 48), (30.5, 14)]
    assert (told.status, told.end, told.timed) == (200, End(30.5), True)
    assert told.body.endswith(b"}\n\ndata: [DONE]\n\n")


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.binary(min_size=1, max_size=30)), max_size=8).map(sorted),
    st.sampled_from(["closed", "broken", "left"]),
    st.text(max_size=20),
)
def test_what_is_written_is_read(reads: list[tuple[float, bytes]], how: str, asked: str) -> None:
    kept = tuple(Read(at, data) for at, data in reads)
    recording = Recording(
        "anthropic",
        kept,
        End(1e6, how),  # type: ignore[arg-type]
        529,
        {"content-type": "application/json", "retry-after": "3"},
        model="model",
        recorded="2026-11-21T20:00:00Z",
        timed=False,
        request=Asked("/v1/messages", {"messages": [{"role": "user", "content": asked + "\u2028\u2029\x85"}]}),
    )
    file = encode(recording)
    assert len(file.decode().splitlines()) == len(reads) + 1  # whatever stands in it, nobody cuts its lines elsewhere
    assert json.loads(file.splitlines()[0])["headrace"] == 1
    assert decode(file) == recording


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("", "Line 1"),
        ('{"headrace": 2, "dialect": "ollama"}', "version 2"),
        ('{"headrace": 1, "dialect": "klingon"}', "klingon"),
        ('{"headrace": 1, "dialect": "ollama", "status": 7}', "Line 1"),
        ('{"headrace": 1, "dialect": "ollama", "headers": {"content-type": "a\\r\\nset-cookie: b"}}', "printable"),
        ('{"headrace": 1, "dialect": "ollama"}\n[1, "a"]\n["b"]', "Line 3"),
        ('{"headrace": 1, "dialect": "ollama"}\n[1, "%", "base64"]', "Line 2"),
        ('{"headrace": 1, "dialect": "ollama"}\n[-1, "a"]', "Line 2"),
        ('{"headrace": 1, "dialect": "ollama"}\n[1e99, "a"]', "Line 2"),
        ('{"headrace": 1, "dialect": "ollama"}\n[9, "a"]\n[3, "b"]', "times may not go back"),
        ("[" * 100_000, "Line 1"),
    ],
)
def test_what_is_no_recording(file: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        decode(file.encode())


def test_a_folder_of_recordings(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("kept") / "recordings"
    recordings = Recordings(Folder(folder), Bounds(of_one=2000, in_all=2))
    file = WRITTEN.encode()
    assert recordings.put("first", file).reads == 2
    assert (folder / "first.headrace").read_bytes() == file
    assert (folder.stat().st_mode & 0o777, (folder / "first.headrace").stat().st_mode & 0o777) == (0o700, 0o600)
    with pytest.raises(Conflict, match="already"):
        recordings.put("first", file)
    recordings.put("first", file, replace=True)
    (folder / "by-hand.headrace").write_text("no recording")
    assert recordings.look() == ("by-hand", "first")
    broken, first = recordings.all()
    assert (broken.problem or "").startswith("Line 1")
    assert (first.dialect, first.ms, first.problem) == ("openai_chat", 30.5, None)
    with pytest.raises(Conflict, match=r"recordings\.count"):
        recordings.put("third", file)
    recordings.rename("first", "second")
    assert recordings.names == ("by-hand", "second")
    with pytest.raises(Conflict, match="already"):
        recordings.rename("second", "by-hand")
    recordings.drop("by-hand")
    with pytest.raises(TooLarge):
        recordings.put("large", file + b"\n" * 2000)
    with pytest.raises(NotFound):
        recordings.drop("first")


@pytest.mark.parametrize("name", ["", ".hidden", "../up", "a/b", "a b", "a@b", "a#b", "ä", "x" * 65])
def test_a_name_leads_nowhere_else(name: str) -> None:
    for doing in (Recordings().file, Recordings().drop, lambda name: Recordings().put(name, WRITTEN.encode())):
        with pytest.raises(HeadraceError, match="name"):
            doing(name)


@pytest.mark.parametrize("shelf", ["folder", "memory"])
def test_everybody_together_keeps_only_so_many(tmp_path: Path, shelf: str) -> None:
    house = Recordings(Folder(tmp_path / "recordings") if shelf == "folder" else Memory(), Bounds(in_house=3))
    file = WRITTEN.encode()
    house.put("one", file)
    house.of("ada").put("one", file)
    house.of("bob").put("one", file)
    for person in ("local", "ada", "bob", "cleo"):
        with pytest.raises(Conflict, match=r"recordings\.everybody"):
            house.of(person).put("two", file)
    house.of("bob").put("one", file, replace=True)
    house.of("ada").drop("one")
    house.of("cleo").put("one", file)
