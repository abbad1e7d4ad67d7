"""Workbooks (.xlsx, .xls, .ods) and Parquet: tables whose cells say themselves what they are."""

from __future__ import annotations

import io
from datetime import datetime, time, timedelta
from typing import Any

from portfolio.imports.extent import MOST_CELLS
from portfolio.imports.sheet import LARGEST_UNPACKED_BYTES, MOST_ROWS, Cell, Sheet, Unreadable


def read_workbook(content: bytes, seems: str) -> list[Sheet]:
    """Return the sheets that hold something. Raises Unreadable when it is damaged, protected or holds nothing."""
    import python_calamine

    try:
        book = python_calamine.load_workbook(io.BytesIO(content))
        tables = [(name, book.get_sheet_by_name(name)) for name in book.sheet_names]
        sheets = [_sheet(name, table, seems) for name, table in tables]
    except python_calamine.PasswordError as error:
        remedy = "Save it without a password, or as CSV."
        raise Unreadable(f"{seems} that is password-protected", "it cannot be read", remedy) from error
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        reason = f"it cannot be read: {' '.join(str(error).split())[:200]}"
        raise Unreadable(f"{seems} that is damaged", reason, "Open it, save it again, or save it as CSV.") from error
    found = [sheet for sheet in sheets if sheet.rows]
    if not found:
        raise Unreadable(seems, "its sheets are empty", "Give one with a header and rows.")
    return found


def read_parquet(content: bytes) -> Sheet:
    """Return the table of a Parquet file, its column names as the first row. Raises Unreadable when it is damaged."""
    import pyarrow
    import pyarrow.compute
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
        if file.metadata.num_rows > MOST_ROWS:
            raise Unreadable("a Parquet file", f"it has more than {MOST_ROWS:,} rows", "Split it.")
        _check_size(file.metadata.num_rows * file.metadata.num_columns, _told_bytes(file.metadata))
        # A text that is there once and meant by every row stays one until it is known how large they are together.
        texts = [field.name for field in file.schema_arrow if _is_text(pyarrow, field.type)]
        table = pyarrow.parquet.ParquetFile(io.BytesIO(content), read_dictionary=texts).read()
        _check_size(0, sum(_text_bytes(pyarrow, column) for column in table.columns))
        # Nanoseconds are more than a datetime holds: whole microseconds, as NAV has none finer than seconds.
        columns = [_column(pyarrow, table.column(at)) for at in range(table.num_columns)]
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = f"it cannot be read: {' '.join(str(error).split())[:200]}"
        raise Unreadable("a Parquet file that is damaged", reason, "Write it again.") from error
    rows: list[tuple[Cell, ...]] = [tuple(map(str, table.column_names)), *zip(*columns, strict=True)]
    return Sheet("", rows, range(1, len(rows) + 1))


def _told_bytes(metadata: Any) -> int:
    return sum(metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups))


def _check_size(cells: int, size_bytes: int) -> None:
    if cells > MOST_CELLS:
        raise Unreadable("a Parquet file", f"it has more than {MOST_CELLS:,} cells", "Leave out columns, or split it.")
    if size_bytes > LARGEST_UNPACKED_BYTES:
        reason = f"it is larger than {LARGEST_UNPACKED_BYTES // 2**20} MiB unpacked"
        raise Unreadable("a Parquet file", reason, "Leave out columns, or split it.")


def _is_text(pyarrow: Any, kind: Any) -> bool:
    types = pyarrow.types
    return any(is_it(kind) for is_it in (types.is_string, types.is_large_string, types.is_binary))


def _text_bytes(pyarrow: Any, column: Any) -> int:
    """Return how large the texts of a column are, each as often as it is meant; 0 of another column."""
    if not (pyarrow.types.is_dictionary(column.type) and _is_text(pyarrow, column.type.value_type)):
        return 0
    lengths = (pyarrow.compute.binary_length(chunk.dictionary).take(chunk.indices) for chunk in column.chunks)
    return sum(pyarrow.compute.sum(each.cast("int64")).as_py() or 0 for each in lengths)


def _column(pyarrow: Any, column: Any) -> list[Cell]:
    if pyarrow.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pyarrow.types.is_timestamp(column.type):
        column = column.cast(pyarrow.timestamp("us", column.type.tz), safe=False)
    return [_cell(value) for value in column.to_pylist()]


def _sheet(name: str, table: Any, seems: str) -> Sheet:
    # The lines of a sheet are counted from its first row, as the program that shows it does.
    if table.total_height > MOST_ROWS + 1_000:
        raise Unreadable(f"{seems}, sheet {name!r}", f"it has more than {MOST_ROWS:,} rows", "Split it.")
    rows: list[list[Cell]] = []
    lines: list[int] = []
    for line, row in enumerate(table.to_python(skip_empty_area=False), start=1):
        cells = [_cell(value) for value in row]
        if any(cell is not None for cell in cells):
            rows.append(cells)
            lines.append(line)
    return Sheet(name, rows, lines)


def _cell(value: Any) -> Cell:
    """Return a value as a cell; an empty text is none, and what no cell can be is its text."""
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, time):
        return value.isoformat()
    if value is None or isinstance(value, float | int | datetime):
        return value
    if isinstance(value, timedelta):
        return str(value)
    return value if hasattr(value, "year") else _number(value)


def _number(value: Any) -> Cell:
    try:
        return float(value)  # Decimal
    except (TypeError, ValueError):
        return str(value)
