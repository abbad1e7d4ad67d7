"""A large file of rows, part by part: each part holds whole rows, and no more of them than fit into little memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import numpy as np

from core.errors import RowsRefused
from core.format import bytes_
from core.ingest.kinds import Kind
from portfolio.ingest.arrow import streams
from portfolio.ingest.body import ARROW, CSV, JSON, NDJSON, PARQUET, no_rows, pieces, read_columns
from portfolio.ingest.faults import refused, told_after
from portfolio.ingest.parquet import rows_of
from portfolio.ingest.raw import Raw, TooLarge

PART_BYTES = {CSV: 4_194_304, JSON: 1_048_576, NDJSON: 1_048_576}
"""What is parsed of JSON takes fifty times its bytes. Arrow comes in record batches, which are cut by rows."""
ROWS_AT_ONCE = 50_000
LONGEST_ROW_BYTES = 1_048_576
MOST_ROWS = 1 << 40
"""Of a part: its bytes bound them."""
_BOM = b"\xef\xbb\xbf"
_CUT = {CSV: "a quote is not closed, or a line does not end", NDJSON: "a line does not end",
        JSON: "an object does not end"}  # fmt: skip
_STEPS = np.zeros(256, dtype=np.int8)
_STEPS[[*b"{["]], _STEPS[[*b"}]"]] = 1, -1
"""How much deeper JSON is after a byte."""


def parts(stream: IO[bytes], written: str, packing: str, kind: Kind) -> Iterator[Raw]:
    """Yield the rows of a file written as CSV, JSON, NDJSON, ARROW or PARQUET, packed or not.

    Raises RowsRefused for what is not written so, TooLarge for a row or a record batch that is too long.
    """
    rows = 0
    if written == PARQUET:
        for raw in _of_parquet(stream, packing, kind):
            rows += raw.rows
            yield raw
    for content in _contents(stream, written, packing):
        try:
            raw = read_columns(content, written, kind, MOST_ROWS)
        except RowsRefused as error:
            raise told_after(error, rows) from error
        for first in range(0, raw.rows, ROWS_AT_ONCE):
            some = {name: cells[first : first + ROWS_AT_ONCE] for name, cells in raw.columns.items()}
            yield Raw(min(raw.rows - first, ROWS_AT_ONCE), some, rows + first)
        rows += raw.rows
    if not rows:
        raise no_rows(kind)


def _of_parquet(stream: IO[bytes], packing: str, kind: Kind) -> Iterator[Raw]:
    if packing:
        raise refused("a Parquet file is packed within itself", f"leave {packing} out")
    return rows_of(stream, kind, ROWS_AT_ONCE)


def _contents(stream: IO[bytes], written: str, packing: str) -> Iterator[bytes]:
    return iter(()) if written == PARQUET else _CONTENTS[written](pieces(stream, packing))


def _of_csv(found: Iterator[bytes]) -> Iterator[bytes]:
    """Yield parts of a CSV, each with its header."""
    header = b""
    for block in _blocks(found, CSV):
        content = header + block
        if not content.strip():
            continue
        if not header:
            content = content.removeprefix(_BOM)
            header = content[: content.index(b"\n") + 1] if b"\n" in content else content
            if not content[len(header) :].strip():
                continue
        yield content


def _of_lines(found: Iterator[bytes]) -> Iterator[bytes]:
    return (block for block in _blocks(found, NDJSON) if block.strip())


def _of_list(found: Iterator[bytes]) -> Iterator[bytes]:
    """Yield parts of a list of objects, each a list. Raises RowsRefused for another beginning or end."""
    before = b""
    for block in _blocks(_within_list(found), JSON):
        if before:
            yield b"[" + before[:-1] + b"]"  # it ends with the comma before the next row
            if block.strip() == b"]":
                raise refused("the body is no JSON: a comma stands before its end", "send a list of objects")
        before = block
    yield b"[" + before


def _within_list(found: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what stands behind the beginning of a list."""
    for piece in found:
        text = piece.lstrip(b" \t\r\n")
        if not text:
            continue
        if not text.startswith(b"["):
            raise refused("the body is no list", "send a list of objects: [{…}, …]")
        yield text[1:]
        break
    yield from found


_CONTENTS = {CSV: _of_csv, NDJSON: _of_lines, JSON: _of_list, ARROW: streams}


def _blocks(found: Iterator[bytes], written: str) -> Iterator[bytes]:
    """Yield whole rows, PART_BYTES of them at a time; of CSV none is cut within quotes."""
    wanted, rest = PART_BYTES[written], b""
    for piece in found:
        rest += piece
        while len(rest) >= wanted and (end := _last_end(rest[:wanted], written) or _last_end(rest, written)):
            yield rest[:end]
            rest = rest[end:]
        if len(rest) > wanted + LONGEST_ROW_BYTES:
            raise TooLarge(f"A row has {bytes_(LONGEST_ROW_BYTES)} at most: {_CUT[written]}.")
    if rest:
        yield rest


def _last_end(content: bytes, written: str) -> int:
    """Return where the last row that ends ends; 0: none does."""
    if written == JSON:
        return _last_comma(content)
    end = content.rfind(b"\n")
    if written == CSV and end >= 0:
        quotes = content.count(b'"', 0, end)
        while end >= 0 and quotes % 2:
            before = content.rfind(b"\n", 0, end)
            quotes -= content.count(b'"', max(before, 0), end)
            end = before
    return end + 1


def _last_comma(content: bytes) -> int:
    """Return where the last comma ends that stands between two values of the list that `content` is within; 0: none.

    What it is wrong about in JSON that is none, reading the part tells.
    """
    plain = content.replace(b"\\\\", b"__").replace(b'\\"', b"__") if b"\\" in content else content
    each = np.frombuffer(plain, dtype=np.uint8)
    is_text = np.cumsum(each == ord('"'), dtype=np.uint8) & 1 == 1
    depth = np.cumsum(np.where(is_text, 0, _STEPS[each]), dtype=np.int32)
    between = np.flatnonzero((each == ord(",")) & ~is_text & (depth == 0))
    if depth.min() < 0:
        between = between[between < np.argmax(depth < 0)]
    return int(between[-1]) + 1 if len(between) else 0
