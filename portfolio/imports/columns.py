"""The rows under a header as columns, held in parts as text: half a million cells are not half a million objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.format import count
from portfolio.imports.dates import is_date
from portfolio.imports.headers import word_of
from portfolio.imports.mistakes import Mistakes, shown
from portfolio.imports.numbers import is_empty
from portfolio.imports.shape import Shape
from portfolio.imports.sheet import KEPT_ROWS, Cell, Column, Sheet

if TYPE_CHECKING:
    from numpy.typing import NDArray

PART_ROWS = 10_000
_MOST_TOLD = 5
_TOTALS = frozenset(
    (
        *("total", "totals", "totaux", "totale", "totali", "grandtotal", "subtotal", "sum", "summe", "somme", "suma"),
        *("gesamt", "gesamtsumme", "zwischensumme", "average", "avg", "mean", "moyenne", "durchschnitt", "mittelwert"),
        *("median", "min", "max", "minimum", "maximum", "count", "anzahl"),
    )
)


def read_columns(
    sheet: Sheet, shape: Shape, mistakes: Mistakes, notes: list[str]
) -> tuple[dict[int, Column], NDArray[np.int64]]:
    """Return the columns that `shape` reads, by their place, and the line of each row.

    Rows are those under the header, each as wide as it, without totals and remarks at the end.
    """
    end = _end(sheet, shape)
    if end < len(sheet.rows):
        told = ", ".join(_told(sheet, at) for at in range(end, min(len(sheet.rows), end + _MOST_TOLD)))
        notes.append(f"left out at the end: {told}")
    if shape.first_row > 1:
        notes.append(f"{count(shape.first_row - 1, 'line')} before the header left out")
    columns = {place: Column() for place in shape.places}
    lines: list[NDArray[np.int64]] = []
    for part in _parts(_rows(sheet, shape, end, mistakes)):
        lines.append(np.array([line for line, _ in part], dtype=np.int64))
        for place, column in columns.items():
            column.add([row[place] for _, row in part])
    return columns, np.concatenate(lines) if lines else np.zeros(0, dtype=np.int64)


def _rows(sheet: Sheet, shape: Shape, end: int, mistakes: Mistakes) -> Iterator[tuple[int, Sequence[Cell]]]:
    """Yield line and row of each that is as wide as the header; the others are mistakes."""
    width = shape.width
    for line, row in sheet.numbered(shape.first_row, end):
        if len(row) == width:
            yield line, row
        elif len(row) < width and sheet.separator:
            mistakes.add(f"has fewer fields than the header's {width}", line, len(row))
        elif any(not is_empty(cell) for cell in row[width:]):
            mistakes.add(f"has more fields than the header's {width}", line, len(row))
        else:
            yield line, [*row[:width], *[None] * (width - len(row))]


def _parts(rows: Iterator[Any]) -> Iterator[list[Any]]:
    part: list[Any] = []
    for row in rows:
        part.append(row)
        if len(part) == PART_ROWS:
            yield part
            part = []
    if part:
        yield part


def _end(sheet: Sheet, shape: Shape) -> int:
    """Return where the rows of data end: what a program writes below them is a few lines."""
    end = len(sheet.rows)
    while end > max(shape.first_row, len(sheet.rows) - KEPT_ROWS) and _is_trailer(sheet.rows[end - 1], shape):
        end -= 1
    return end


def _is_trailer(row: Sequence[Cell], shape: Shape) -> bool:
    """Return whether a row at the end is a total, or a remark that stands alone, rather than a row of data."""
    texts = [cell.strip() for cell in row if isinstance(cell, str) and cell.strip()]
    stands = row[shape.date] if shape.date < len(row) else None
    if is_date(stands):
        return False
    if any(word_of(text) in _TOTALS or word_of(text.split(":")[0].split(" ")[0]) in _TOTALS for text in texts):
        return not isinstance(stands, str) or not stands.strip()[:1].isdigit()
    filled = [cell for cell in row if not is_empty(cell)]
    return len(filled) == 1 and len(texts) == 1 and not texts[0][0].isdigit()


def _told(sheet: Sheet, at: int) -> str:
    first = next((cell for cell in sheet.rows[at] if not is_empty(cell)), "")
    return f"line {sheet.lines[at]} ({shown(first)})"
