"""The size of a picture, read from its header. Nothing is decoded: a few bytes may claim a picture of many gigabytes.

PNG: W3C PNG, 11.2.1 (IHDR). GIF: GIF89a, 18. JPEG: ITU-T T.81, B.2.2 (SOFn). WebP: RFC 9649, 2.5 to 2.7.
"""

from typing import Literal, NamedTuple

SOF = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # the frames; the others are tables
ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length


class Picture(NamedTuple):
    """`width` and `height` in pixels, 0 where the header does not tell them: it is damaged then."""

    media: str
    width: int
    height: int


def picture(body: bytes) -> Picture | None:
    """None: this does not begin as a picture that browsers and models can see."""
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return Picture("image/png", *(_two(body, 16, 4, "big") if body[12:16] == b"IHDR" else (0, 0)))
    if body[:6] in (b"GIF87a", b"GIF89a"):
        return Picture("image/gif", *_two(body, 6, 2, "little"))
    if body.startswith(b"\xff\xd8\xff"):
        return Picture("image/jpeg", *_jpeg(body))
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return Picture("image/webp", *_webp(body))
    return None


def _two(body: bytes, at: int, size: int, order: Literal["big", "little"]) -> tuple[int, int]:
    if len(body) < at + 2 * size:
        return 0, 0
    return int.from_bytes(body[at : at + size], order), int.from_bytes(body[at + size : at + 2 * size], order)


def _jpeg(body: bytes) -> tuple[int, int]:
    at = 2
    while at + 4 <= len(body) and body[at] == 0xFF:
        marker = body[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in ALONE:
            at += 2
        elif marker in SOF:
            height, width = _two(body, at + 5, 2, "big")
            return width, height
        elif marker == 0xDA or (length := int.from_bytes(body[at + 2 : at + 4], "big")) < 2:
            break
        else:
            at += 2 + length
    return 0, 0


def _webp(body: bytes) -> tuple[int, int]:
    if len(body) < 30:
        return 0, 0
    match body[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(body[24:27], "little"), 1 + int.from_bytes(body[27:30], "little")
        case b"VP8L" if body[20] == 0x2F:
            bits = int.from_bytes(body[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 " if body[23:26] == b"\x9d\x01\x2a":
            width, height = _two(body, 26, 2, "little")
            return width & 0x3FFF, height & 0x3FFF
    return 0, 0
