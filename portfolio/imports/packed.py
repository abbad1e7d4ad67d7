"""Unpacking that ends: a packed file of a megabyte may be a thousand times as large as it looks.

What is told of the size in it is not trusted, nor how many parts it may be packed in.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from copy import copy

from portfolio.imports.sheet import LARGEST_BYTES, Unreadable

MOST_PARTS = 10_000
"""Of a .gz: bgzip makes one of 64 KiB. An empty one takes 20 bytes, and as long to unpack as 10 KiB."""
_GZIP = b"\x1f\x8b\x08"
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""The others unpack a piece whole, however large it gets."""


def gunzipped(content: bytes) -> bytes:
    """Return what is in a .gz, at most one byte more than may be read.

    Raises EOFError when it is cut off, OSError or zlib.error when it is damaged, Unreadable when it has too many parts.
    """
    if content.count(_GZIP) > MOST_PARTS:
        raise Unreadable("a .gz file", f"it is packed in more than {MOST_PARTS:,} parts", "Pack it again.")
    with gzip.open(io.BytesIO(content)) as packed:
        return packed.read(LARGEST_BYTES + 1)


def check_methods(entries: list[zipfile.ZipInfo]) -> None:
    """Raise Unreadable when an archive is packed in a way that is not unpacked here."""
    if any(entry.compress_type not in _METHODS for entry in entries):
        raise Unreadable("a .zip archive", "it is packed with another method than deflate", "Pack it as usual.")


def open_doubted(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> zipfile.ZipExtFile:
    """Return a reader of an entry that goes a byte further than the size that is told of it, if there is one."""
    doubted = copy(entry)
    doubted.file_size += 1
    return archive.open(doubted)  # type: ignore[return-value]
