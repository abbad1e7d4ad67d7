"""Tables as an Excel workbook: texts and numbers, a bold first row that stays in view."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDEST = 48
NARROWEST = 8
"""Widths of columns, in characters."""
PERCENT_FORMAT = "0.00%"
RATIO_FORMAT = "0.00"
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that no XML file may hold."""


@dataclass(frozen=True, slots=True)
class Percent:
    """A ratio that is shown in percent."""

    ratio: float


@dataclass(frozen=True, slots=True)
class Exact:
    """A number that is shown with as many digits as it has."""

    number: float


@dataclass(frozen=True, slots=True)
class Formats:
    """How the cells of a workbook look."""

    bold: Format
    percent: Format
    ratio: Format


Value = str | float | int | Percent | Exact | None
Rows = Sequence[Sequence[Value]]


def workbook(sheets: Mapping[str, Rows]) -> bytes:
    """Return an .xlsx file of the sheets by name, each with a heading row first. NaN and None are empty cells.

    No text is run as a formula or made a link.
    """
    from xlsxwriter.workbook import Workbook

    into = io.BytesIO()
    with Workbook(into, {"in_memory": True}) as book:
        formats = _formats(book)
        for name, rows in sheets.items():
            _fill(book.add_worksheet(name), rows, formats)
    return into.getvalue()


def _formats(book: Workbook) -> Formats:
    percent, ratio = ({"num_format": each} for each in (PERCENT_FORMAT, RATIO_FORMAT))
    return Formats(book.add_format({"bold": True}), book.add_format(percent), book.add_format(ratio))


def _fill(sheet: Worksheet, rows: Rows, formats: Formats) -> None:
    sheet.freeze_panes(1, 0)
    for column, values in enumerate(zip(*rows, strict=True)):
        sheet.set_column(column, column, _width(values))
    for line, row in enumerate(rows):
        for column, value in enumerate(row):
            _write(sheet, line, column, value, formats)


def _width(values: Sequence[Value]) -> int:
    return min(max([NARROWEST, *(len(value) + 2 for value in values if isinstance(value, str))]), WIDEST)


def _write(sheet: Worksheet, line: int, column: int, value: Value, formats: Formats) -> None:
    if isinstance(value, str):
        sheet.write_string(line, column, _NO_XML.sub("", value), None if line else formats.bold)
        return
    number = value.ratio if isinstance(value, Percent) else value.number if isinstance(value, Exact) else value
    if number is None or not math.isfinite(number):
        return
    is_plain = isinstance(value, (int, Exact))
    look = formats.percent if isinstance(value, Percent) else None if is_plain else formats.ratio
    sheet.write_number(line, column, number, look)
