"""What a file is, by its bytes: pictures by their headers, text by its encoding, and everything else refused by its name."""

from contextlib import suppress

import pytest

from services.attachments.kinds import kind_of
from services.attachments.names import file_name
from services.errors import Invalid
from tests.attachments.samples import gif, jpeg, pdf, png, webp

MOST = 50_000_000


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (png(300, 200), "image/png"),
        (jpeg(300, 200), "image/jpeg"),
        (gif(300, 200), "image/gif"),
        (webp(300, 200), "image/webp"),
        (webp(300, 200, "VP8L"), "image/webp"),
        (webp(300, 200, "VP8 "), "image/webp"),
    ],
)
def test_a_picture_tells_its_size(body: bytes, media: str) -> None:
    assert kind_of(body, "photo.txt", MOST)[:4] == (media, 300, 200, None)


@pytest.mark.parametrize("whole", [png(3, 3), jpeg(3, 3), gif(3, 3), webp(3, 3), webp(3, 3, "VP8L"), pdf("a")])
def test_a_file_that_is_cut_anywhere_is_something_or_refused(whole: bytes) -> None:
    for end in range(len(whole)):
        with suppress(Invalid):
            kind = kind_of(whole[:end], "cut.bin", MOST)
            assert kind.text or kind.media == "application/pdf" or (kind.width, kind.height) == (3, 3)


@pytest.mark.parametrize("bomb", [png(claimed=(60_000, 60_000)), jpeg(60_000, 60_000), gif(65_535, 65_535), webp(16_000, 16_000, "VP8L")])
def test_a_picture_that_claims_too_many_pixels_is_refused(bomb: bytes) -> None:
    with pytest.raises(Invalid, match=r"bomb.png is a picture of .* pixels"):
        kind_of(bomb, "bomb.png", MOST)


@pytest.mark.parametrize(
    ("body", "text", "note"),
    [
        ("Grüße, 水車".encode(), "Grüße, 水車", ""),
        ("\ufeffGrüße".encode(), "Grüße", ""),
        ("\ufeffGrüße".encode("utf-16-le"), "Grüße", ""),
        ("\ufeffGrüße".encode("utf-16-be"), "Grüße", ""),
        ("Grüße €".encode("cp1252"), "Grüße €", "latin-1"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', None, ""),
        (b"\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m", ""),
    ],
)
def test_text_is_read(body: bytes, text: str | None, note: str) -> None:
    kind = kind_of(body, "picture.png", MOST)
    assert (kind.media, kind.text, kind.note) == ("text/plain", text or body.decode(), note)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "is empty"),
        (b" \n\t", "has no text"),
        (b"MZ\x90\x00\x03", "a binary file"),
        (b"\xff\xfe\x00\x00A\x00\x00\x00", "a binary file"),
        (b"caf\xe9 \x01", "a binary file"),
        (b"PK\x03\x04\x14\x00\x00\x00", "office document"),
        (b"\x89PNG\r\n\x1a\n", "is damaged"),
    ],
)
def test_what_is_neither_is_refused_by_name(body: bytes, told: str) -> None:
    with pytest.raises(Invalid, match=rf"^x\.docx .*{told}"):
        kind_of(body, "x.docx", MOST)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("notes.txt", "notes.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\secret\\a.txt", "a.txt"),
        ("a\u202etxt.exe\n", "atxt.exe"),
        ('a<b>:"|?*.txt', "a_b______.txt"),
        ("line\u2028two.md", "line two.md"),
        ("...", "file"),
        ("", "file"),
        ("\ud800.txt", "�.txt"),
        ("x" * 500 + ".py", "x" * 116 + "….py"),
    ],
)
def test_a_name_is_only_a_name(given: str, name: str) -> None:
    assert file_name(given) == name
