"""Whether a workbook can be read at all, found before it is: whether its XML is whole, and how far its cells reach.

The reader holds every cell from the first to the last that has a value, empty ones too, and ends the process when it
cannot: one cell far below its table is enough. Of an .ods file whose XML breaks off it never comes back.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from xml.parsers.expat import ExpatError, ParserCreate

from portfolio.imports.packed import open_doubted

MOST_CELLS = 10_000_000
"""320 MB while the workbook is read: 500,000 rows of 20 columns."""
CHUNK_BYTES = 4 * 2**20
OVERLAP_BYTES = 1_024
_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})"')
_PLACE = re.compile(rb"<table:table-row\b([^>]*)>|<table:(?:covered-)?table-cell\b([^>]*)>|<table:table\b")
_REPEATED = re.compile(rb'table:number-(?:rows|columns)-repeated="(\d{1,9})"')


def is_whole(archive: zipfile.ZipFile) -> bool:
    """Return whether every XML file in a workbook is one, and every file as large as is told of it."""
    try:
        for entry in archive.infolist():
            with open_doubted(archive, entry) as file:
                if entry.filename.endswith(".xml"):
                    ParserCreate().ParseFile(file)
                while file.read(CHUNK_BYTES):
                    pass
                if file.tell() != entry.file_size:
                    return False
    except (ExpatError, LookupError):
        return False
    return True


def most_cells(archive: zipfile.ZipFile) -> int:
    """Return how many cells the largest sheet of a workbook (.xlsx, .ods) spans, empty ones too."""
    sheets = [name for name in archive.namelist() if re.fullmatch(r"xl/worksheets/[^/]+\.xml", name)]
    spans = [_excel(archive, name) for name in sheets]
    if "content.xml" in archive.namelist():
        spans.append(_open_document(archive))
    return max(spans, default=0)


def _excel(archive: zipfile.ZipFile, name: str) -> int:
    rows = columns = 0
    for text in _chunks(archive, name):
        for letters, row in _CELL.findall(text):
            rows, columns = max(rows, int(row)), max(columns, _number(letters))
    return rows * columns


def _open_document(archive: zipfile.ZipFile) -> int:
    most = row = column = last_row = last_column = row_repeated = 0
    for text in _tokens(archive):
        if text.startswith(b"<table:table-row"):
            row, column, row_repeated = row + row_repeated, 0, _repeated(text)
        elif text.startswith((b"<table:table-cell", b"<table:covered")):
            column += _repeated(text)
            if b"office:value-type" in text:
                last_row, last_column = max(last_row, row + row_repeated), max(last_column, column)
                most = max(most, last_row * last_column)
        else:
            row = last_row = last_column = row_repeated = 0
    return most


def _tokens(archive: zipfile.ZipFile) -> Iterator[bytes]:
    """Yield the beginnings of tables, rows and cells, in order."""
    rest = b""
    with archive.open("content.xml") as file:
        while chunk := file.read(CHUNK_BYTES):
            text = rest + chunk
            end = 0
            for match in _PLACE.finditer(text):
                end = match.end()
                yield match[0]
            rest = text[max(end, len(text) - OVERLAP_BYTES) :]


def _chunks(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    rest = b""
    with archive.open(name) as file:
        while chunk := file.read(CHUNK_BYTES):
            yield rest + chunk
            rest = chunk[-OVERLAP_BYTES:]


def _repeated(text: bytes) -> int:
    found = _REPEATED.search(text)
    return int(found[1]) if found else 1


def _number(letters: bytes) -> int:
    """Return the number of a column from its letters: A is 1, XFD 16,384."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number
