"""Which kind of rows a file has, by the columns that its beginning names."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterable
from typing import IO

from core.errors import ImportRejected, Mistake, RowsRefused
from core.ingest.kinds import KINDS, Kind
from portfolio.ingest.arrow import ARROW_FILE
from portfolio.ingest.body import ARROW, CSV, NDJSON, PARQUET, between_columns, nearest, pieces
from portfolio.ingest.names import ROW_KINDS, UNDERSTOOD, written_in
from portfolio.ingest.parquet import columns_named, footer_of

PEEKED_BYTES = 1 << 16
ENOUGH_RATIO = 0.6
"""Share of a file's columns that a kind has, and of a kind's needed columns that a file has, from which on it seems to
be of that kind."""
NAMED = "docs/your-data.md has the columns of each kind; a name such as fills.trades.csv says the kind as well."


def kind_by_columns(name: str, columns: Iterable[str]) -> Kind | None:
    """Return the one kind of rows whose columns these are; None: they are those of no kind.

    Raises ImportRejected where they fit several.
    """
    told = {*columns}
    fitting = [kind for kind in KINDS.values() if told and _fits(kind, told)]
    rows = [kind for kind in fitting if kind.name in ROW_KINDS]
    if len(rows) > 1:
        names = " and ".join(kind.name for kind in rows)
        raise ImportRejected(name, [Mistake(f"its columns are those of {names}: nobody can tell which")], remedy=NAMED)
    return rows[0] if len(fitting) == 1 and rows else None


def what_it_seems(columns: Iterable[str]) -> list[str]:
    """Return which kind of rows columns are nearly those of, and what is wrong with each, in words; empty: of none."""
    told = [*dict.fromkeys(columns)]
    best = max((KINDS[name] for name in ROW_KINDS), key=lambda kind: _likeness(kind, told))
    if not _likeness(best, told):
        return []
    known = [each.name for each in best.columns]
    unknown = [f"it has a column {each}, which {best.name} have not: {nearest(each, known)}" for each in told
               if each not in known]  # fmt: skip
    missing = [f"it lacks the column {each.name}: {each.meaning}" for each in best.columns
               if each.is_required and each.name not in told]  # fmt: skip
    return [f"it seems to be rows of {best.name}", *missing, *unknown]


def peeked(name: str, file: IO[bytes]) -> bytes:
    """Return what of a file names its columns: its beginning, or of Parquet its end."""
    return footer_of(file) if written_in(name)[0] == PARQUET else file.read(PEEKED_BYTES)


def columns_in(name: str, peeked: bytes) -> tuple[str, ...]:
    """Return the columns that what was `peeked` of a file names; of JSON those of its first row. Empty: none."""
    written, packing = written_in(name)
    try:
        if written == PARQUET:
            return columns_named(peeked)
        head = peeked if not packing else _unpacked(io.BytesIO(peeked), packing)
        if written == CSV:
            return _of_csv(head)
        if written == ARROW:
            return _of_arrow(head)
        return _of_json(head, is_lines=written == NDJSON) if written else ()
    except (ValueError, RowsRefused, csv.Error, RecursionError):
        return ()


def _fits(kind: Kind, told: set[str]) -> bool:
    return told <= {each.name for each in kind.columns} and told >= {e.name for e in kind.columns if e.is_required}


def _likeness(kind: Kind, told: list[str]) -> tuple[float, ...]:
    """Return how like a kind columns are, () where they might as well be of a file of values or prices."""
    needed = {each.name for each in kind.columns if each.is_required}
    plain = {each.name for name in UNDERSTOOD for each in KINDS[name].columns}
    known, there = {each.name for each in kind.columns} & {*told}, needed & {*told}
    if not there - plain:
        return ()
    shares = len(known) / len(told), len(there) / len(needed)
    return shares if min(shares) >= ENOUGH_RATIO else ()


def _unpacked(beginning: IO[bytes], packing: str) -> bytes:
    found = b""
    with contextlib.suppress(RowsRefused):  # its end is not there: more was not read
        for piece in pieces(beginning, packing):
            found += piece
            if len(found) >= PEEKED_BYTES:
                break
    return found


def _of_csv(head: bytes) -> tuple[str, ...]:
    text = head.decode("utf-8-sig", "replace")
    line = next(csv.reader(io.StringIO(text, newline=""), delimiter=between_columns(text)), [])
    return tuple(each.strip() for each in line)


def _of_json(head: bytes, *, is_lines: bool) -> tuple[str, ...]:
    text = head.decode("utf-8", "replace").lstrip()
    if not is_lines:
        text = text.removeprefix("[").lstrip()
    row, _ = json.JSONDecoder().raw_decode(text)
    return tuple(map(str, row)) if isinstance(row, dict) else ()


def _of_arrow(head: bytes) -> tuple[str, ...]:
    import pyarrow as pa

    try:
        return tuple(pa.ipc.open_stream(pa.py_buffer(head.removeprefix(ARROW_FILE))).schema.names)
    except (pa.ArrowException, OSError):
        return ()
