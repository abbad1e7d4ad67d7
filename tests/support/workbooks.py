"""Reading an Excel workbook as a spreadsheet does: values, formats, widths, and the rows that stay in view."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from xml.etree import ElementTree

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@dataclass(frozen=True, slots=True)
class ReadCell:
    """A cell that is not empty."""

    value: str | float
    is_bold: bool
    number_format: str


@dataclass(frozen=True, slots=True)
class ReadSheet:
    """A sheet's rows of cells that are not empty; widths by column, in characters."""

    rows: list[list[ReadCell]]
    widths: list[float]
    frozen_rows: int


def opened(workbook: bytes) -> dict[str, ReadSheet]:
    """Return the sheets by name, in their order. Every file of the workbook must be well-formed."""
    archive = zipfile.ZipFile(io.BytesIO(workbook))
    files = {name: ElementTree.fromstring(archive.read(name)) for name in archive.namelist()}
    names = [str(sheet.get("name")) for sheet in files["xl/workbook.xml"].iter(f"{MAIN}sheet")]
    return {name: _sheet(files, f"xl/worksheets/sheet{at}.xml") for at, name in enumerate(names, 1)}


def _sheet(files: dict[str, ElementTree.Element], path: str) -> ReadSheet:
    texts = ["".join(part.text or "" for part in each.iter(f"{MAIN}t")) for each in files["xl/sharedStrings.xml"]]
    looks = _looks(files["xl/styles.xml"])
    sheet = files[path]
    pane = sheet.find(f".//{MAIN}pane")
    return ReadSheet(
        rows=[[_cell(cell, texts, looks) for cell in row] for row in sheet.iter(f"{MAIN}row")],
        widths=[float(column.get("width", "0")) for column in sheet.iter(f"{MAIN}col")],
        frozen_rows=int(pane.get("ySplit", "0")) if pane is not None and pane.get("state") == "frozen" else 0,
    )


def _cell(cell: ElementTree.Element, texts: list[str], looks: list[tuple[bool, str]]) -> ReadCell:
    found = cell.findtext(f"{MAIN}v") or ""
    is_bold, number_format = looks[int(cell.get("s", "0"))]
    return ReadCell(texts[int(found)] if cell.get("t") == "s" else float(found), is_bold, number_format)


def _looks(styles: ElementTree.Element) -> list[tuple[bool, str]]:
    """Return (is bold, number format) by number of the style."""
    bold = [font.find(f"{MAIN}b") is not None for font in styles.findall(f"{MAIN}fonts/{MAIN}font")]
    formats = {each.get("numFmtId"): str(each.get("formatCode")) for each in styles.iter(f"{MAIN}numFmt")}
    found = styles.findall(f"{MAIN}cellXfs/{MAIN}xf")
    return [(bold[int(each.get("fontId", "0"))], formats.get(each.get("numFmtId"), "General")) for each in found]
