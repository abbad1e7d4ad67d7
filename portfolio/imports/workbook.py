"""Workbooks (.xlsx, .xls, .ods) and Parquet: tables whose cells say themselves what they are."""

from __future__ import annotations

import io
from datetime import datetime, time, timedelta
from typing import Any

from portfolio.imports.sheet import MOST_ROWS, Cell, Sheet, Unreadable


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
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
        if file.metadata.num_rows > MOST_ROWS:
            raise Unreadable("a Parquet file", f"it has more than {MOST_ROWS:,} rows", "Split it.")
        table = file.read()
        # Nanoseconds are more than a datetime holds: whole microseconds, as NAV has none finer than seconds.
        columns = [_column(pyarrow, table.column(at)) for at in range(table.num_columns)]
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = f"it cannot be read: {' '.join(str(error).split())[:200]}"
        raise Unreadable("a Parquet file that is damaged", reason, "Write it again.") from error
    rows: list[tuple[Cell, ...]] = [tuple(map(str, table.column_names)), *zip(*columns, strict=True)]
    return Sheet("", rows, range(1, len(rows) + 1))


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
