"""What a file is, told by its bytes and never by its name: a picture, a PDF, or text. Everything else is refused, by name."""

import codecs
import re
from typing import Literal, NamedTuple

from services.attachments.images import picture
from services.errors import Invalid

PDF = "application/pdf"
TEXT = "text/plain"

# Control characters that text has: tab, line ends, form feed, escape (logs with colours).
BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

CAN = "Pictures (PNG, JPEG, WebP, GIF), PDF files and text can be attached."
OTHERS = (
    (b"PK\x03\x04", "an archive or an office document. Unpack it, or save it as PDF or text."),
    (b"\xd0\xcf\x11\xe0", "an old office document. Save it as PDF or text."),
    (b"\x1f\x8b", "compressed. Unpack it first."),
    (b"\x00\x00\x00", "a film, or a picture of a kind that models do not read. Save a picture as JPEG or PNG."),
    (b"II*\x00", "a TIFF picture. Save it as PNG or JPEG."),
    (b"MM\x00*", "a TIFF picture. Save it as PNG or JPEG."),
    (b"BM", "a BMP picture. Save it as PNG or JPEG."),
)


class Kind(NamedTuple):
    """`text` is None for what has to be read otherwise: pictures and PDF. `note`: what people are told of it."""

    media: str
    width: int = 0
    height: int = 0
    text: str | None = None
    note: Literal["", "latin-1"] = ""


def kind_of(body: bytes, name: str, pixels: int) -> Kind:
    """`name` is for the sentence alone. Raises Invalid for what is none, and for pictures of more than `pixels`."""
    if not body:
        raise Invalid(f"{name} is empty.")
    if found := picture(body):
        if not (found.width and found.height):
            raise Invalid(f"{name} is damaged: it begins as a picture, and does not say how large it is.")
        if found.width * found.height > pixels:
            size = f"{found.width:,} x {found.height:,}"
            raise Invalid(f"{name} is a picture of {size} pixels; {pixels:,} pixels in all can be attached. Make it smaller first.")
        return Kind(found.media, found.width, found.height)
    if body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n\x00").startswith(b"%PDF-"):
        return Kind(PDF)
    text, note = _text(body)
    if text is None:
        what = next((told for start, told in OTHERS if body.startswith(start)), "")
        raise Invalid(f"{name} is {what or 'a binary file.'} {CAN}")
    if not text.strip():
        raise Invalid(f"{name} has no text in it.")
    return Kind(TEXT, text=text, note=note)


def _text(body: bytes) -> tuple[str | None, Literal["", "latin-1"]]:
    for mark, encoding in MARKS:
        if body.startswith(mark):
            text = body[len(mark) :].decode(encoding, "replace")
            return (None if "\0" in text else text), ""
    if b"\0" in body:
        return None, ""
    try:
        return body.decode(), ""
    except UnicodeDecodeError:
        pass
    if BINARY.search(body):
        return None, ""
    return body.decode("cp1252", "replace"), "latin-1"
