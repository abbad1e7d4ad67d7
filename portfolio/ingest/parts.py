"""A large file of rows, part by part: each part holds whole rows, and no more of them than fit into little memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from core.format import bytes_
from core.ingest.kinds import Kind
from portfolio.ingest.body import CSV, NDJSON, Raw, TooLarge, columns_of, pieces
from portfolio.ingest.faults import refused

PART_BYTES = {CSV: 4_194_304, NDJSON: 1_048_576}
"""What is parsed of JSON takes fifty times its bytes."""
LONGEST_ROW_BYTES = 1_048_576
MOST_ROWS = 1 << 40
"""Of a part: its bytes bound them."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a file that follow each other."""

    first: int
    """How many rows stand before them."""
    raw: Raw


def parts(stream: IO[bytes], written: str, packing: str, kind: Kind) -> Iterator[Part]:
    """Yield the rows of a file written as CSV or NDJSON, packed or not.

    Raises RowsRefused for what is not written so (rows counted within the part), TooLarge for a row that is too long.
    """
    header, rows = b"", 0
    for block in _blocks(stream, written, packing):
        content = header + block
        if not content.strip():
            continue
        if written == CSV and not header:
            content = content.removeprefix(_BOM)
            header = content[: content.index(b"\n") + 1] if b"\n" in content else content
            if not content[len(header) :].strip():
                continue
        raw = columns_of(content, written, kind, MOST_ROWS)
        yield Part(rows, raw)
        rows += raw.rows
    if not rows:
        raise refused("there are no rows", f"send at least one, with {', '.join(each.name for each in kind.columns)}")


def _blocks(stream: IO[bytes], written: str, packing: str) -> Iterator[bytes]:
    """Yield whole lines, PART_BYTES of them at a time; of CSV none is cut within quotes."""
    wanted, rest = PART_BYTES[written], b""
    for piece in pieces(stream, packing):
        rest += piece
        while len(rest) >= wanted and (end := _last_end(rest[:wanted], written) or _last_end(rest, written)):
            yield rest[:end]
            rest = rest[end:]
        if len(rest) > wanted + LONGEST_ROW_BYTES:
            why = "a quote is not closed, or a line does not end" if written == CSV else "a line does not end"
            raise TooLarge(f"A row has {bytes_(LONGEST_ROW_BYTES)} at most: {why}.")
    if rest:
        yield rest


def _last_end(content: bytes, written: str) -> int:
    """Return where the last row that ends ends; 0: none does."""
    end = content.rfind(b"\n")
    if written == CSV and end >= 0:
        quotes = content.count(b'"', 0, end)
        while end >= 0 and quotes % 2:
            before = content.rfind(b"\n", 0, end)
            quotes -= content.count(b'"', max(before, 0), end)
            end = before
    return end + 1
