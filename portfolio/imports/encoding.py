"""Bytes to text: UTF-8, UTF-16, UTF-32, and what Windows writes in Western Europe."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from portfolio.imports.sheet import Unreadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_UTF8_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")


HEAD_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True)
class Encoded:
    """How a text is encoded."""

    head: str
    """Its beginning."""
    codec: str
    """Python's name of its encoding."""
    name: str
    """The usual one."""


def look_at_text(content: bytes) -> Encoded:
    """Return how a text is encoded, all of which can be read. Raises Unreadable when it is no text."""
    text, codec, name = _decode(content)
    control = _CONTROL.search(text)
    if control:
        line = text.count("\n", 0, control.start()) + 1
        raise Unreadable(
            "no text file", f"it holds the byte {ord(control[0]):#04x}, which no text has (line {line})", _GIVE
        )
    return Encoded(text[:HEAD_CHARACTERS], codec, name)


_GIVE = "Give a text file (CSV), a workbook (.xlsx, .xls, .ods) or Parquet, plain or in one .gz or .zip."


def _decode(content: bytes) -> tuple[str, str, str]:
    for mark, codec, name in _MARKS:
        if content.startswith(mark):
            try:
                return content.decode(codec), codec, name
            except UnicodeDecodeError as error:
                reason = f"it breaks off within a letter at byte {error.start}"
                raise Unreadable(f"{name} text that is damaged", reason, "Write it again.") from error
    unmarked = _unmarked_utf16(content)
    if unmarked:
        return *unmarked, "UTF-16"
    try:
        return content.decode("utf-8"), "utf-8", "UTF-8"
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
    if _UTF8_LETTER.search(content):
        reason = f"it mixes UTF-8 with another encoding (line {line}): names would come out wrong"
        raise Unreadable("text in two encodings", reason, "Save it as UTF-8.")
    try:
        return content.decode("cp1252"), "cp1252", "Windows-1252"
    except UnicodeDecodeError:
        raise Unreadable("text of an unknown encoding", f"line {line} is no UTF-8", "Save it as UTF-8.") from None


def _unmarked_utf16(content: bytes) -> tuple[str, str] | None:
    """Return UTF-16 text that has no byte order mark, and its codec. Digits leave every other byte zero."""
    head = content[:4096]
    for at, codec in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = head[at::2].count(0), head[1 - at :: 2].count(0)
        if len(head) >= 8 and zeros > 0.6 * len(head[at::2]) and not others and len(content) % 2 == 0:
            try:
                return content.decode(codec), codec
            except UnicodeDecodeError:
                return None
    return None
