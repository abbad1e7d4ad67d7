"""Tables as an Excel workbook (Office Open XML, ECMA-376): texts and numbers, a bold first row that stays in view."""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST_NAME = 31
LONGEST_TEXT = 32_767
WIDEST = 48
NARROWEST = 8
_FORBIDDEN_NAME = re.compile(r"[\[\]:*?/\\]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PLAIN, _BOLD, _PERCENT, _RATIO = range(4)


@dataclass(frozen=True, slots=True)
class Percent:
    """A ratio that is shown in percent."""

    ratio: float


Value = str | float | int | Percent | None
Rows = Sequence[Sequence[Value]]


def workbook(sheets: Mapping[str, Rows]) -> bytes:
    """Return an .xlsx file of the sheets by name, each with a heading row first. NaN and None are empty cells."""
    names = [_sheet_name(name) for name in sheets]
    numbers = range(1, len(names) + 1)
    files = {
        "[Content_Types].xml": _types(numbers),
        "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": _book(names),
        "xl/_rels/workbook.xml.rels": _relations(
            [*(("worksheet", f"worksheets/sheet{number}.xml") for number in numbers), ("styles", "styles.xml")]
        ),
        "xl/styles.xml": _STYLES,
        **{f"xl/worksheets/sheet{at}.xml": _sheet(rows) for at, rows in enumerate(sheets.values(), 1)},
    }
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path), _HEAD + content, zipfile.ZIP_DEFLATED)
    return into.getvalue()


def _sheet(rows: Rows) -> str:
    widths = [
        min(max([NARROWEST, *(len(cell) + 2 for cell in column if isinstance(cell, str))]), WIDEST)
        for column in zip(*rows, strict=True)
    ]
    columns = "".join(
        f'<col min="{at}" max="{at}" width="{width}" customWidth="1"/>' for at, width in enumerate(widths, 1)
    )
    lines = "".join(_row(row, line) for line, row in enumerate(rows, 1))
    pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    return (
        f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>'
        f"{f'<cols>{columns}</cols>' if columns else ''}<sheetData>{lines}</sheetData></worksheet>"
    )  # fmt: skip


def _row(row: Sequence[Value], line: int) -> str:
    cells = "".join(_cell(value, f"{_letters(at)}{line}", line == 1) for at, value in enumerate(row, 1))
    return f'<row r="{line}">{cells}</row>'


def _cell(value: Value, place: str, is_head: bool) -> str:
    if isinstance(value, str):
        text = escape(_CONTROL.sub("", value)[:LONGEST_TEXT])
        style = _BOLD if is_head else _PLAIN
        return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    number = value.ratio if isinstance(value, Percent) else value
    if number is None or not math.isfinite(number):
        return ""
    style = _PERCENT if isinstance(value, Percent) else _PLAIN if isinstance(value, int) else _RATIO
    return f'<c r="{place}" s="{style}"><v>{number!r}</v></c>'


def _letters(column: int) -> str:
    found = ""
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(ord("A") + rest) + found
    return found


def _sheet_name(name: str) -> str:
    return _FORBIDDEN_NAME.sub(" ", name).strip("' ")[:LONGEST_NAME] or "Sheet"


def _types(numbers: Sequence[int]) -> str:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    sheets = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{kind}.worksheet+xml"/>'
        for number in numbers
    )
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>{sheets}</Types>'
    )


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    found = "".join(
        f'<Relationship Id="rId{at}" Type="{_OFFICE}/{kind}" Target="{path}"/>'
        for at, (kind, path) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{found}</Relationships>'


def _book(names: Sequence[str]) -> str:
    quote = {'"': "&quot;"}
    sheets = "".join(
        f'<sheet name="{escape(name, quote)}" sheetId="{at}" r:id="rId{at}"/>' for at, name in enumerate(names, 1)
    )
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'


_FONT = '<sz val="11"/><name val="Calibri"/>'
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font>{_FONT}</font><font><b/>{_FONT}</font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="4">'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="10" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="2" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>'
)  # fmt: skip
