"""Files that are taken, told to models, and swept: on a disk and in memory."""

import os
import time
from pathlib import Path

import pytest

from services.attachments.attachments import UNSENT, Attachments, Limits, Wanted
from services.attachments.pdf import PDF
from services.attachments.shelf import Folder, Memory, Shelf
from services.conversations import Conversation, Node
from services.errors import Invalid, NotFound, NotSaved, TooLarge
from services.exchange.exporting import exported
from services.messages import File, Image, Message, Text
from tests.attachments.samples import pdf, png


@pytest.fixture(params=["folder", "memory"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    return Folder(tmp_path / "attachments") if request.param == "folder" else Memory()


async def test_what_was_taken_is_there_under_its_hash(shelf: Shelf) -> None:
    files = Attachments(shelf)
    body = png(30, 20)
    taken = await files.take("../photo.png", body)
    assert (taken.name, taken.media, taken.size, taken.width, taken.height) == ("photo.png", "image/png", len(body), 30, 20)
    assert await files.take("again.png", body) == File(taken.hash, "again.png", "image/png", len(body), 30, 20)
    later = Attachments(shelf)
    assert await later.look(taken.hash, "x.png") == File(taken.hash, "x.png", "image/png", len(body), 30, 20)
    assert await later.open(taken.hash) == ("image/png", body)


@pytest.mark.parametrize("hash", ["0" * 64, "../../etc/passwd", "A" * 64, "", "0" * 64 + ".json"])
async def test_what_is_not_there_is_told(shelf: Shelf, hash: str) -> None:
    files = Attachments(shelf)
    with pytest.raises(NotFound, match=r"a\.txt is not here any more"):
        await files.look(hash, "a.txt")
    with pytest.raises(NotFound):
        await files.open(hash)


async def test_others_cannot_read_the_folder(tmp_path: Path) -> None:
    files = Attachments(Folder(tmp_path / "attachments"))
    taken = await files.take("a.txt", b"Hello")
    places = [tmp_path / "attachments", tmp_path / "attachments" / taken.hash[:2]]
    assert [place.stat().st_mode & 0o777 for place in places] == [0o700, 0o700]
    assert {(file.name, file.stat().st_mode & 0o777) for file in places[1].iterdir()} == {
        (taken.hash, 0o600),
        (f"{taken.hash}.json", 0o600),
    }


async def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "attachments").write_text("not a folder")
    with pytest.raises(NotSaved, match="The file cannot be"):
        await Attachments(Folder(tmp_path / "attachments")).take("a.txt", b"Hello")


async def test_a_file_that_is_too_large_is_refused_by_name(shelf: Shelf) -> None:
    with pytest.raises(TooLarge, match=r"a\.txt has 6 bytes; 5 can be attached"):
        await Attachments(shelf, Limits(bytes=5)).take("a.txt", b"Hello!")


# What models get


async def asked(files: Attachments, text: str, *given: tuple[str, bytes], sees: bool | None = None) -> Message:
    parts = [await files.take(name, body) for name, body in given]
    (message,) = await files.resolved([Message("user", (*parts, Text(text)))], model="m", sees=sees)
    return message


async def test_text_goes_ahead_of_the_question_in_a_fence_that_it_cannot_end() -> None:
    message = await asked(Attachments(), "What is this?", ("notes.md", b"# A\n```\ncode\n```\n"), ("b.txt", b"B"))
    assert message == Message(
        "user", (Text("File: notes.md\n````md\n# A\n```\ncode\n```\n````\n\nFile: b.txt\n```\nB\n```\n\nWhat is this?"),)
    )


async def test_of_a_long_text_the_beginning_is_given_and_that_is_said() -> None:
    message = await asked(Attachments(limits=Limits(characters=4)), "?", ("a.txt", b"0123456789"))
    assert message.text == "File: a.txt\n```\n0123\n```\n(These are the first 4 of 10 characters of the file.)\n\n?"


async def test_a_picture_goes_as_what_it_is() -> None:
    message = await asked(Attachments(), "?", ("liar.txt", png()))
    image, text = message.parts
    assert isinstance(image, Image)
    assert image.url.startswith("data:image/png;base64,iVBOR")
    assert text == Text("?")


async def test_a_model_that_sees_nothing_refuses_the_picture_of_the_question_and_is_told_of_earlier_ones() -> None:
    files = Attachments()
    first = Message("user", (await files.take("mill.png", png()), Text("What?")))
    with pytest.raises(Invalid, match=r"mill\.png cannot be seen by ollama/tiny.*Choose another model"):
        await files.resolved([first], model="ollama/tiny", sees=False)
    told, _, _ = await files.resolved(
        [first, Message("assistant", (Text("A mill."),)), Message("user", (Text("Why?"),))], model="m", sees=False
    )
    assert told == Message("user", (Text("(A picture was shown here: mill.png.)\n\nWhat?"),))


async def test_a_file_that_is_gone_is_named() -> None:
    gone = (File("0" * 64, "a.txt", "text/plain", 1), File("1" * 64, "b.png", "image/png", 1), Text("?"))
    (message,) = await Attachments().resolved([Message("user", gone)], model="m", sees=True)
    assert message.text == "(The file a.txt is not here any more.)\n\n(The picture b.png is not here any more.)\n\n?"


async def test_an_export_has_the_pictures_in_it_and_names_the_rest() -> None:
    files = Attachments()
    parts = (await files.take("mill.png", png()), await files.take("a <b>.txt", b"Alpha"), Text("What?"))
    node = Node("n", None, Message("user", parts))
    talk = Conversation("c", "The mill", 1.0, 2.0, "m", "n")
    html = exported("html", [(talk, await files.embedded([node]))]).body.decode()
    assert '<img alt="Image" src="data:image/png;base64,' in html
    assert "File: a _b_.txt (5 bytes)" in html
    markdown = exported("markdown", [(talk, [node])]).body.decode()
    assert f"**File:** mill.png ({len(png())} bytes)\n\n**File:** a \\_b\\_.txt (5 bytes)\n\nWhat?" in markdown


# PDF


async def test_a_pdf_is_its_text() -> None:
    files = Attachments()
    seen: list[tuple[int, int]] = []
    taken = await files.take("paper.pdf", pdf("Page one", "Page two"), lambda read, pages: seen.append((read, pages)))
    assert (taken.media, taken.pages) == ("application/pdf", 2)
    assert seen == [(0, 2), (1, 2), (2, 2)]
    message = await asked(files, "?", ("paper.pdf", pdf("Page one", "Page two")))
    assert message.text == "File: paper.pdf (2 pages)\n```\nPage one\n\nPage two\n```\n\n?"


async def test_of_a_long_pdf_the_first_pages_are_read() -> None:
    message = await asked(Attachments(limits=Limits(pages=1)), "?", ("paper.pdf", pdf("Page one", "Page two")))
    assert message.text.startswith("File: paper.pdf (2 pages, the first 1 of them read)\n```\nPage one\n```")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (pdf("Secret", encrypted=True), "is protected with a password"),
        (pdf("", ""), "its pages are pictures"),
        (b"%PDF-1.7\n" + b"1 0 obj << /Kids [1 0 R] >>" * 50, "cannot be read"),
        (pdf("a").replace(b"/Kids [5 0 R]", b"/Kids [2 0 R]"), "cannot be read|are pictures"),
    ],
    ids=["encrypted", "scanned", "broken", "endless"],
)
async def test_a_pdf_that_has_no_text_is_refused_plainly(body: bytes, told: str) -> None:
    with pytest.raises(Invalid, match=rf"^x\.pdf .*({told})"):
        await Attachments().take("x.pdf", body)


async def test_a_pdf_that_takes_too_long_is_ended() -> None:
    with pytest.raises(Invalid, match="takes too long"):
        await PDF(10, 1000, seconds=0.0).read(pdf("a"), "x.pdf", lambda read, pages: None)


# The sweep


def aged(folder: Path, hash: str) -> None:
    for file in (folder / hash[:2]).iterdir():
        os.utime(file, (time.time() - 2 * UNSENT,) * 2)


def those(*hashes: str) -> Wanted:
    async def wanted() -> set[str]:
        return set(hashes)

    return wanted


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.rglob("*") if file.is_file()}


async def test_a_start_sweeps_what_nobody_refers_to_and_nobody_can_still_send(tmp_path: Path) -> None:
    files = Attachments(Folder(tmp_path))
    kept, lost, fresh = [(await files.take("a.txt", body)).hash for body in (b"kept", b"lost", b"fresh")]
    aged(tmp_path, kept)
    aged(tmp_path, lost)
    crumb = tmp_path / lost[:2] / f"{lost}.12345678.part"
    crumb.touch()
    os.utime(crumb, (0, 0))
    await Attachments(Folder(tmp_path)).sweep(those(kept))
    assert names(tmp_path) == {kept, f"{kept}.json", fresh, f"{fresh}.json"}


async def test_what_is_in_a_draft_outlives_the_conversation_that_had_it(shelf: Shelf) -> None:
    files = Attachments(shelf)
    sent, drafted = [(await files.take("a.txt", body)).hash for body in (b"sent", b"drafted")]
    files.sent([sent, drafted])
    await files.look(drafted, "a.txt")
    await files.drop({sent, drafted}, those())
    with pytest.raises(NotFound):
        await files.open(sent)
    assert await files.open(drafted) == ("application/octet-stream", b"drafted")


async def test_what_is_sent_while_files_are_dropped_stays(shelf: Shelf) -> None:
    files = Attachments(shelf)
    hash = (await files.take("a.txt", b"Alpha")).hash
    files.sent([hash])

    async def wanted() -> set[str]:
        await files.look(hash, "a.txt")  # another conversation gets it, just after it was seen that none has it
        files.sent([hash])
        return set()

    await files.drop({hash}, wanted)
    assert (await files.open(hash))[1] == b"Alpha"
