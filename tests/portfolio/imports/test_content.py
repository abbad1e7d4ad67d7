"""A file that holds no table that can be read is named as what it is, with what to do."""

from __future__ import annotations

import gzip
import io
import itertools
import zipfile

import pytest

from portfolio.imports.content import read_content
from portfolio.imports.sheet import Unreadable
from tests.portfolio.imports.reading import read, told


def archive(*names: str, content: bytes = b"x") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name in names:
            packed.writestr(name, content)
    return made.getvalue()


def locked(content: bytes) -> bytes:
    """Return an archive whose entries say that they are encrypted."""
    return content.replace(b"PK\x03\x04\x14\0\0", b"PK\x03\x04\x14\0\1").replace(
        b"PK\x01\x02\x14\x03\x14\0\0", b"PK\x01\x02\x14\x03\x14\0\1"
    )


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("content", "seems", "reason"),
    [
        (b"", "an empty file", "empty"),
        (b"\xef\xbb\xbf \n\n", "an empty file", "empty"),
        (b"%PDF-1.7 ...", "a PDF document", "no table"),
        (b"\x89PNG\r\n\x1a\n", "an image (PNG)", "no table"),
        (b"\xff\xd8\xff\xe0", "an image (JPEG)", "no table"),
        (b"\n<!DOCTYPE html><table><tr><td>date</td></tr></table>", "a web page (HTML)", "no table"),
        (b'<?xml version="1.0"?><rows/>', "an XML file", "no table"),
        (b'[{"date": "2024-01-02", "nav": 5}]', "a JSON file", "no table"),
        (b"SQLite format 3\0", "a SQLite database", "no table"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "no table"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "an Office file that is password-protected", "cannot be read"),
        (OLE + "WordDocument".encode("utf-16-le"), "a Word document", "no table"),
        (OLE + bytes(range(256)) * 3, "an Excel workbook (.xls) that is damaged", "cannot be read"),
        (archive("[Content_Types].xml", "word/document.xml"), "a Word document", "no table"),
        (archive("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook that is damaged", "XML breaks off"),
        (
            archive("mimetype", content=b"application/vnd.oasis.opendocument.text"),
            "an OpenDocument file that is no workbook",
            "",
        ),
        (archive("a.csv", "b.csv"), "a .zip archive", "it holds 2 files (a.csv, b.csv)"),
        (locked(archive("a.csv")), "a .zip archive that is password-protected", "cannot be read"),
        (archive("a.csv")[:-30], "a .zip archive that is damaged", "cannot be unpacked"),
        (gzip.compress(b"%PDF"), "a PDF document in a .gz", "no table"),
        (gzip.compress(b"date,nav")[:-9], "a .gz file that is damaged", "cannot be unpacked"),
        (gzip.compress(gzip.compress(gzip.compress(b"a"))), "a packed file in a .gz in a .gz", "more than twice"),
        (b"PAR1" + b"\0" * 40 + b"PAR1", "a Parquet file that is damaged", "cannot be read"),
        (b"date,nav\n2024-01-02,\x00\x01\x02", "no text file", "line 2"),
        ("Größe".encode() + b",nav\nM\xfcller,1\n", "text in two encodings", "line 2"),
        (b'date,nav\n2024-01-02,"5\n', "a text file with a comma between the columns", "line 2 is not readable as CSV"),
    ],
    ids=itertools.count(),
)
def test_it_is_named_as_what_it_is(content: bytes, seems: str, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_content(content)
    assert (caught.value.seems, reason in caught.value.reason, bool(caught.value.remedy)) == (seems, True, True)
    text = told(read(content))
    assert f"nothing imported. It seems to be {seems}." in text
    assert caught.value.remedy in text


def test_a_header_may_begin_like_a_picture() -> None:
    assert read(b"BM,date,fund,nav\nx,2024-01-02,A,5\n").points is not None


def test_a_damaged_workbook_is_never_more_than_refused() -> None:
    import xlsxwriter

    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        book.add_worksheet().write_row(0, 0, ["date", "portfolio", "nav"])
    content = made.getvalue()
    for at in range(40, len(content), 97):
        damaged = content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]
        assert read(damaged).mistakes


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_a_cell_far_outside_the_table_is_refused_before_it_takes_all_memory(kind: str) -> None:
    import xlsxwriter

    made = io.BytesIO()
    if kind == "xlsx":
        with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, ["date", "portfolio", "nav"])
            sheet.write(1_048_575, 16_383, 5)
    else:
        cell = '<table:table-cell office:value-type="float" office:value="1"/>'
        with zipfile.ZipFile(made, "w") as packed:
            packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            packed.writestr(
                "content.xml",
                "<table:table xmlns:table='urn:table' xmlns:office='urn:office'>"
                f"<table:table-row>{cell}</table:table-row>"
                '<table:table-row table:number-rows-repeated="1048574"><table:table-cell/></table:table-row>'
                f'<table:table-row><table:table-cell table:number-columns-repeated="16383"/>{cell}</table:table-row>'
                "</table:table>",
            )
    assert "a cell far outside its table" in told(read(made.getvalue()))


def test_an_open_document_that_breaks_off_is_refused_rather_than_read_for_ever() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("content.xml", "<office:document-content><office:body><table:table><table:table-row>")
    assert "an OpenDocument workbook that is damaged" in told(read(made.getvalue()))
