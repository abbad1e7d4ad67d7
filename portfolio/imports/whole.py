"""Whether a file is there to its end, or may have stopped coming in the middle.

A text is when its last line ends, a list of JSON when it does. A .zip (workbooks are), .gz, .xls, Arrow or Parquet
file is when its own end is there, and an order to Fundwatch when it is JSON.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib

import numpy as np

from portfolio.imports.order import CHANGE, UNDO
from portfolio.imports.packed import gunzipped
from portfolio.imports.sheet import Unreadable
from portfolio.ingest.arrow import ARROW_FILE_END, STREAM_END
from portfolio.ingest.body import ARROW, JSON, PARQUET
from portfolio.ingest.names import written_in
from portfolio.ingest.parquet import PARQUET_END

NOT_ENDED = "its last line does not end: the rest may not have come"
NO_TEXTS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".parquet", ".gz", ".zip")
"""Endings of files that have no lines."""
_CUT_OFF = "its end is missing: the rest may not have come"
_EMPTY = "it is empty: what it holds may not have come"
END_BYTES = 64
_SECTOR_FREE = 0xFFFFFFFF


def what_is_missing(name: str, content: bytes) -> str:
    """Return why a file may not be whole, in words; empty when it is."""
    if not content:
        return _EMPTY
    if name.endswith((UNDO, CHANGE)):
        return "" if _is_json(content) else _CUT_OFF
    if content.startswith(b"\x1f\x8b"):
        return "" if _is_whole_gzip(content) else _CUT_OFF
    if content.startswith(b"PK\x03\x04"):
        return "" if zipfile.is_zipfile(io.BytesIO(content)) else _CUT_OFF
    if content.startswith(b"PAR1"):
        return "" if len(content) > 8 and content.endswith(b"PAR1") else _CUT_OFF
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return "" if _is_whole_compound(content) else _CUT_OFF
    return what_is_missing_at(name, content[-END_BYTES:])


def what_is_missing_at(name: str, content: bytes) -> str:
    """Return why a file that ends so may not be whole, in words; empty when it is. Taking a packed one tells that."""
    written, packing = written_in(name)
    if packing:
        return ""
    if written == ARROW:
        return "" if content.endswith((ARROW_FILE_END, STREAM_END)) else _CUT_OFF
    if written == PARQUET:
        return "" if content.endswith(PARQUET_END) else _CUT_OFF
    if written == JSON and content.rstrip().endswith(b"]"):
        return ""
    # UTF-16 and UTF-32 have up to three zeros beside the line's end; a file laid out before it is written has more.
    if content[-4:].rstrip(b"\0").endswith((b"\n", b"\r")):
        return ""
    return _CUT_OFF if name.lower().endswith(NO_TEXTS) else NOT_ENDED


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def _is_whole_gzip(content: bytes) -> bool:
    """Return whether the end is there; what is damaged, or too large unpacked, is told when it is read."""
    try:
        gunzipped(content)
    except EOFError:
        return False
    except (Unreadable, OSError, zlib.error):
        return True
    return True


def _is_whole_compound(content: bytes) -> bool:
    """Return whether every sector that the file's table lists is there ([MS-CFB] 2.2, 2.3)."""
    if len(content) < 512:
        return False
    size = 1 << int.from_bytes(content[30:32], "little")
    if size not in (512, 4096):
        return True  # it is damaged, not cut off
    listed = np.frombuffer(content[76:512], dtype="<u4")
    last = -1
    for number, sector in enumerate(listed[listed < 0xFFFFFFFA].tolist()):
        table = np.frombuffer(content[(sector + 1) * size : (sector + 2) * size].ljust(size, b"\xff"), dtype="<u4")
        if len(content) < (sector + 1) * size + 4:
            return False
        used = np.flatnonzero(table != _SECTOR_FREE)
        last = max(last, number * (size // 4) + int(used[-1])) if used.size else last
    # The last sector may be written no further than it is used.
    return len(content) > (last + 1) * size
