"""A workbook as Excel wrote it until 2003 (.xls): records of BIFF8 in a compound file, of texts and numbers alone.

Layouts: [MS-XLS] 2.4 and [MS-CFB] 2.2 to 2.6, of Microsoft's open specifications.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

SECTOR_BYTES, SMALLEST_BYTES = 512, 4096
"""Streams below 4096 bytes would lie in sectors of another kind."""
FAT, END, FREE = 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF
BOF, EOF, SHEET, LABEL, NUMBER = 0x0809, 0x000A, 0x0085, 0x0204, 0x0203
GLOBALS, WORKSHEET = 0x0005, 0x0010


def old_workbook(rows: Sequence[Sequence[str | float]], name: str = "NAV") -> bytes:
    """Return the bytes of a workbook with one sheet."""
    sheet = _record(SHEET, struct.pack("<IBBBB", 0, 0, 0, len(name), 0) + name.encode("latin-1"))
    start = len(_begin(GLOBALS) + sheet + _record(EOF))
    sheet = sheet[:4] + struct.pack("<I", start) + sheet[8:]
    cells = b"".join(_cell(row, column, cell) for row, line in enumerate(rows) for column, cell in enumerate(line))
    return _compound(_begin(GLOBALS) + sheet + _record(EOF) + _begin(WORKSHEET) + cells + _record(EOF))


def _begin(kind: int) -> bytes:
    return _record(BOF, struct.pack("<HHHHII", 0x0600, kind, 0, 0, 0, 0))


def _cell(row: int, column: int, cell: str | float) -> bytes:
    place = struct.pack("<HHH", row, column, 0)
    if isinstance(cell, str):
        return _record(LABEL, place + struct.pack("<HB", len(cell), 0) + cell.encode("latin-1"))
    return _record(NUMBER, place + struct.pack("<d", cell))


def _record(number: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", number, len(data)) + data


def _compound(stream: bytes) -> bytes:
    size = max(len(stream), SMALLEST_BYTES)
    sectors = -(-size // SECTOR_BYTES)
    chain = [FAT, END, *range(3, 2 + sectors), END]
    table = struct.pack("<128I", *chain, *[FREE] * (128 - len(chain)))
    folder = _entry("Root Entry", 5, 1, END, 0) + _entry("Workbook", 2, FREE, 2, size)
    header = struct.pack("<8s16xHHHHH6x", bytes.fromhex("d0cf11e0a1b11ae1"), 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIIII", 0, 1, 1, 0, SMALLEST_BYTES, END, 0, END, 0, 0) + struct.pack("<I", FREE) * 108
    return header + table + folder.ljust(SECTOR_BYTES, b"\0") + stream.ljust(sectors * SECTOR_BYTES, b"\0")


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    written = name.encode("utf-16-le")
    head = written.ljust(64, b"\0") + struct.pack("<HBBIII", len(written) + 2, kind, 1, FREE, FREE, child)
    return head + bytes(36) + struct.pack("<IQ", start, size)
