"""Parquet, read a few rows at a time: its footer says where they stand, so the file is gone back and forth in."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO, Any

from core.format import bytes_
from core.ingest.kinds import Kind
from portfolio.ingest.body import check_names
from portfolio.ingest.faults import Faults, refused
from portfolio.ingest.labels import is_text
from portfolio.ingest.raw import Raw, TooLarge

PARQUET_END = b"PAR1"
MOST_GROUP_BYTES = 1_073_741_824
"""Of one column of a row group as it says itself, unpacked: pages are read one by one, and one may be all of it."""
MOST_FOOTER_BYTES = 16_777_216
READ_AHEAD_BYTES = 1_048_576
NO_PARQUET = "the file is no Parquet"
WHOLE = "write it again"


def rows_of(stream: IO[bytes], kind: Kind, rows_at_once: int) -> Iterator[Raw]:
    """Yield the rows of a Parquet file by column. The stream must be one that can be gone back in.

    Raises RowsRefused for what is none, is damaged, or has a column that `kind` has not or that is nested; TooLarge for
    a row group of which a column is too large.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    first = 0
    try:
        schema = pq.ParquetFile(stream).schema_arrow
        _check_columns(pa, schema, kind)
        texts = [each.name for each in schema if is_text(getattr(each.type, "value_type", each.type))]
        # A text that is there once and meant by every row stays one until it is known to be short.
        file = pq.ParquetFile(stream, read_dictionary=texts, buffer_size=READ_AHEAD_BYTES, pre_buffer=False)
        _check_groups(file.metadata)
        for batch in file.iter_batches(rows_at_once, use_threads=False):
            batch.validate(full=True)
            yield Raw(batch.num_rows, {name: batch.column(name) for name in batch.schema.names}, first)
            first += batch.num_rows
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        said = next(iter(str(error).splitlines()), "")[:200]
        raise refused(f"{NO_PARQUET}: {said}", WHOLE) from error


def footer_of(stream: IO[bytes]) -> bytes:
    """Return the end of a Parquet file that names its columns; empty: it has none such."""
    size = stream.seek(0, 2)
    if size < 12:
        return b""
    stream.seek(size - 8)
    (length,), mark = struct.unpack("<I", stream.read(4)), stream.read(4)
    if mark != PARQUET_END or not 0 < length <= min(MOST_FOOTER_BYTES, size - 8):
        return b""
    stream.seek(size - 8 - length)
    return stream.read(length + 8)


def columns_named(footer: bytes) -> tuple[str, ...]:
    """Return the columns that the end of a Parquet file names; empty: it is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return tuple(pq.read_schema(pa.BufferReader(PARQUET_END + footer)).names) if footer else ()
    except (pa.ArrowException, OSError, ValueError):
        return ()


def _check_columns(pa: Any, schema: Any, kind: Kind) -> None:
    names = schema.names
    if len(set(names)) < len(names):
        raise refused("a column is there twice", "name each column once", value=", ".join(names))
    check_names(names, kind)
    labels = {each.name for each in kind.columns if each.sort == "labels"}
    faults = Faults()
    for each in schema:
        if pa.types.is_nested(each.type) and each.name not in labels:
            faults.add(0, each.name, str(each.type), "is nested", "write one value a row in it")
    faults.check()


def _check_groups(metadata: Any) -> None:
    """Raise TooLarge where a row group says that it is larger than is read at once."""
    for at in range(metadata.num_row_groups):
        group = metadata.row_group(at)
        for column in range(group.num_columns):
            if group.column(column).total_uncompressed_size > MOST_GROUP_BYTES:
                most = bytes_(MOST_GROUP_BYTES)
                raise TooLarge(f"A column of a row group has {most} at most: write smaller ones (row_group_size).")
