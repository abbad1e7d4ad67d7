"""From bytes to columns: JSON, NDJSON, CSV and Arrow, plain or packed with gzip or zstd, never larger than allowed."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import IO, Any

import orjson

from core.errors import RowsRefused
from core.format import count
from core.ingest.kinds import Kind
from portfolio.imports.packed import MOST_PARTS
from portfolio.ingest.arrow import of_arrow
from portfolio.ingest.faults import Faults, refused
from portfolio.ingest.raw import Raw, TooLarge

JSON, NDJSON, CSV, ARROW, PARQUET = "json", "ndjson", "csv", "arrow", "parquet"
TYPES: Mapping[str, str] = {
    "application/json": JSON,
    "application/x-ndjson": NDJSON,
    "application/ndjson": NDJSON,
    "application/jsonl": NDJSON,
    "text/csv": CSV,
    "application/vnd.apache.arrow.stream": ARROW,
    "application/vnd.apache.arrow.file": ARROW,
}
"""How a body is written, by its media type."""
PACKINGS = ("gzip", "zstd")
BETWEEN = {",": "commas", ";": "semicolons", "\t": "tabs"}
"""What may stand between the columns of a CSV; the first that its header has. No column is named with one."""
NOT_WHOLE = "the body is no whole"
"""What is told of a packed one that is damaged or has no end begins so."""
PIECE_BYTES = 1_048_576
PACKED_BYTES = 65_536
"""Read of a packed body at a time: each member of a gzip copies what is left of it."""
SPARE = 1_000
"""Lines and values beside those that rows need: a header, blank lines, what a small batch nests."""
VALUES_A_ROW = 30
"""Beside its columns: labels, and commas in texts."""


def unpacked(stream: IO[bytes], packing: str, most_bytes: int) -> bytes:
    """Return the bytes of a stream packed with `packing` ("", gzip, zstd).

    Raises TooLarge past `most_bytes`, RowsRefused for what is not packed so.
    """
    found: list[bytes] = []
    total = 0
    for piece in pieces(stream, packing):
        total += len(piece)
        if total > most_bytes:
            raise TooLarge(f"A batch has {most_bytes:,} bytes at most, unpacked: send several.")
        found.append(piece)
    return b"".join(found)


def pieces(stream: IO[bytes], packing: str) -> Iterator[bytes]:
    """Yield the bytes of a packed stream, unpacked. Raises RowsRefused for what is not packed so."""
    if packing == "gzip":
        yield from _gunzipped(stream)
    elif packing == "zstd":
        yield from _unzstd(stream)
    else:
        while piece := stream.read(PIECE_BYTES):
            yield piece


def _gunzipped(stream: IO[bytes]) -> Iterator[bytes]:
    bad = refused(f"{NOT_WHOLE} gzip", "pack it again, or leave Content-Encoding out")
    try:
        engine = zlib.decompressobj(wbits=31)
        is_begun, members = False, 1
        while piece := stream.read(PACKED_BYTES):
            while piece:
                if engine.eof:  # another member follows (RFC 1952, section 2.2)
                    engine, is_begun, members = zlib.decompressobj(wbits=31), False, members + 1
                    if members > MOST_PARTS:
                        raise refused(f"the body is packed in more than {MOST_PARTS:,} parts", "pack it again")
                is_begun = True
                yield engine.decompress(piece, PIECE_BYTES)
                piece = engine.unconsumed_tail or engine.unused_data
        while engine.unconsumed_tail:
            yield engine.decompress(engine.unconsumed_tail, PIECE_BYTES)
    except zlib.error as error:
        raise bad from error
    if not is_begun or not engine.eof:
        raise bad


def _unzstd(stream: IO[bytes]) -> Iterator[bytes]:
    import pyarrow as pa

    try:
        with pa.input_stream(stream, compression="zstd") as engine:
            while piece := engine.read(PIECE_BYTES):
                yield piece
    except (pa.ArrowException, OSError) as error:
        raise refused(f"{NOT_WHOLE} zstd", "pack it again, or leave Content-Encoding out") from error


def columns_of(content: bytes, written: str, kind: Kind, most_rows: int) -> Raw:
    """Return the rows of a batch written as JSON, NDJSON, CSV or ARROW, by column.

    Raises RowsRefused for what is not written so, names a column that `kind` has not, or has no rows; TooLarge past
    `most_rows`.
    """
    raw = read_columns(content, written, kind, most_rows)
    if not raw.rows:
        raise no_rows(kind)
    return raw


def no_rows(kind: Kind) -> RowsRefused:
    """Return the refusal of what has no rows."""
    return refused("there are no rows", f"send at least one, with {', '.join(each.name for each in kind.columns)}")


def read_columns(content: bytes, written: str, kind: Kind, most_rows: int) -> Raw:
    """Return what `columns_of` returns, also of what has no rows."""
    if written == ARROW:
        raw = of_arrow(content, most_rows)
    elif written == CSV:
        _check_lines(content, most_rows)
        raw = _of_csv(content, kind)
    else:
        _check_values(content, kind, most_rows)
        raw = _of_json(content, written, kind, most_rows)
    if raw.rows > most_rows:
        raise TooLarge(f"A batch has {count(most_rows, 'row')} at most, and this one {raw.rows:,}: send several.")
    check_names(raw.columns, kind)
    return raw


def _check_lines(content: bytes, most_rows: int) -> None:
    """Raise TooLarge for more lines than rows could need: they are counted before anything is made of them."""
    lines = content.count(b"\n") + content.count(b"\r")
    if lines > 2 * most_rows + SPARE:
        raise TooLarge(
            f"A batch has {count(most_rows, 'row')} at most, and this one {count(lines, 'line')}: send several."
        )


def _check_values(content: bytes, kind: Kind, most_rows: int) -> None:
    """Raise TooLarge for JSON of more values than rows could need; what is parsed takes fifty times its bytes."""
    opened = content.count(b"{") + content.count(b"[")
    if opened > 2 * most_rows + SPARE:
        raise TooLarge(
            f"A batch has {count(most_rows, 'row')} at most, and this one {count(opened, 'object')}: send several."
        )
    values = content.count(b",")
    if values > most_rows * (len(kind.columns) + VALUES_A_ROW) + SPARE:
        raise TooLarge(
            f"A batch has {count(most_rows, 'row')} at most, and this one {count(values, 'value')}: send several."
        )


def check_names(names: Iterable[str], kind: Kind) -> None:
    """Raise RowsRefused with each name that is no column of a kind."""
    known = [each.name for each in kind.columns]
    faults = Faults()
    for name in names:
        if name not in known:
            fix = "" if faults.is_full else nearest(name, known)
            faults.add(0, name, "", f"{kind.name} have no such column", fix)
    faults.check()


def nearest(name: str, known: Sequence[str]) -> str:
    """Return what to write instead of a name that is none of `known`."""
    import difflib

    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]}?"
    return f"give one of {', '.join(known[:20])}" if known else "there is none yet"


def _of_json(content: bytes, written: str, kind: Kind, most_rows: int) -> Raw:
    rows = _lines(content, most_rows) if written == NDJSON else _list(content)
    faults = Faults()
    if set(map(type, rows)) - {dict}:
        for place, row in enumerate(rows):
            if not isinstance(row, dict):
                faults.add(place + 1, "", row, "the row is no object", 'send objects: {"column": value, …}')
        faults.check()
    alike = _alike(rows)
    names = alike or dict.fromkeys(chain.from_iterable(rows))
    known = [each.name for each in kind.columns]
    if not names.keys() <= set(known):
        _tell_names(rows, kind, known, faults)
    return Raw(len(rows), alike or {name: [row.get(name) for row in rows] for name in names})


def _alike(rows: list[Any]) -> dict[str, list[Any]] | None:
    """Return the cells of each column where every row has the same ones, as nearly always; else None."""
    if not rows or set(map(len, rows)) != {len(rows[0])}:
        return None
    try:
        return {name: [row[name] for row in rows] for name in rows[0]}
    except KeyError:
        return None


def _tell_names(rows: list[Any], kind: Kind, known: list[str], faults: Faults) -> None:
    """Raise RowsRefused with each name that is no column's, row by row."""
    told = f"{kind.name} have no such column"
    for place, row in enumerate(rows):
        for name, value in row.items():
            if name not in known:
                faults.add(place + 1, name, value, told, "" if faults.is_full else nearest(name, known))
    faults.check()


def _list(content: bytes) -> list[Any]:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise refused(f"the body is no JSON: {error.msg} at byte {error.pos}", "send a list of objects") from error
    if not isinstance(found, list):
        raise refused("the body is no list", "send a list of objects: [{…}, …]")
    return found


def _lines(content: bytes, most_rows: int) -> list[Any]:
    _check_lines(content, most_rows)
    lines = [line for line in content.split(b"\n") if line.strip()]
    if len(lines) > most_rows:
        raise TooLarge(f"A batch has {count(most_rows, 'row')} at most, and this one {len(lines):,}: send several.")
    try:
        found = orjson.loads(b"[" + b",".join(lines) + b"]")
        if len(found) == len(lines):
            return list(found)
    except orjson.JSONDecodeError:
        pass
    faults, rows = Faults(), []
    for place, line in enumerate(lines):
        try:
            rows.append(orjson.loads(line))
        except orjson.JSONDecodeError as error:
            faults.add(place + 1, "", line.decode(errors="replace"), f"the line is no JSON: {error.msg}", "mend it")
    faults.check()
    return rows


def between_columns(beginning: str) -> str:
    """Return what stands between the columns of a CSV that begins so: a comma, unless its header has none of them."""
    header = beginning.lstrip("\ufeff").splitlines()[0] if beginning.strip() else ""
    return next((each for each in BETWEEN if each in header), ",")


def _of_csv(content: bytes, kind: Kind) -> Raw:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise refused(f"the body is no UTF-8, at byte {error.start}", "write the CSV in UTF-8") from error
    if not content.strip():
        raise refused("the body is empty", "send a header and rows")
    if b"\0" in content:
        raise refused("the body has a NUL", "write the CSV as text")
    beginning = content[: 1 << 16].decode(errors="replace")
    between = between_columns(beginning)
    header = next(csv.reader(io.StringIO(beginning, newline=""), delimiter=between), [])
    names = [name.strip() for name in header]
    if len(set(names)) < len(names) or not all(names):
        raise refused("the header has a name twice, or none", "name each column once", value=",".join(names))
    check_names(names, kind)
    faults = Faults()

    def invalid(row: Any) -> str:
        told = f"the row has {count(row.actual_columns, 'cell')}, and the header {row.expected_columns}"
        faults.add(
            max((row.number or 1) - 1, 1),
            "",
            row.text or "",
            told,
            f"write each cell, and quote those with {BETWEEN[between]}",
        )
        return "skip"

    try:
        table = arrow_csv.read_csv(
            pa.py_buffer(content),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, column_names=names, skip_rows=1, block_size=max(len(content) + 1, 1 << 16)
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=between, newlines_in_values=True, invalid_row_handler=invalid
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""],
                quoted_strings_can_be_null=True,
            ),
        )  # fmt: skip
    except (pa.ArrowException, OverflowError) as error:
        raise refused(f"the body is no CSV: {str(error).splitlines()[0][:200]}", "send a header and rows") from error
    faults.check()
    return Raw(table.num_rows, {name: table.column(name).combine_chunks() for name in names})
