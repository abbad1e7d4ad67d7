"""A small file that is a thousand times as large unpacked is refused, and unpacked no further than that takes."""

from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
import warnings
import zipfile
import zlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from portfolio.imports.content import read_content
from portfolio.imports.packed import MOST_PARTS
from portfolio.imports.sheet import LARGEST_BYTES, Unreadable
from portfolio.imports.whole import what_is_missing


def refusal(content: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        read_content(content)
    return f"{caught.value.seems}: {caught.value.reason}"


def archive(name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as packed:
        packed.writestr(name, content)
    return made.getvalue()


def parquet(columns: dict[str, pa.Array]) -> bytes:
    made = io.BytesIO()
    pq.write_table(pa.table(columns), made)
    return made.getvalue()


def workbook() -> dict[str, bytes]:
    """Return the files of a workbook with a table, by name."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["date", "portfolio", "nav"])
        sheet.write_row(1, 0, ["2024-01-02", "Alpha", 100])
    with zipfile.ZipFile(made) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def test_whether_a_gz_is_whole_is_not_looked_for_past_the_largest_size() -> None:
    cut_off = gzip.compress(bytes(2 * LARGEST_BYTES), 1)[:-20]
    assert what_is_missing("x.gz", cut_off) == ""
    assert refusal(cut_off) == "a .gz file: it is larger than 32 MiB unpacked"


def test_a_gz_of_very_many_parts_is_refused_before_it_is_unpacked() -> None:
    content = gzip.compress(b"") * (MOST_PARTS + 1)
    assert what_is_missing("x.gz", content[:-5]) == ""
    assert refusal(content) == "a .gz file: it is packed in more than 10,000 parts"


@pytest.mark.parametrize("name", ["a.csv", "mimetype"])
@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_is_not_unpacked_by_a_method_that_knows_no_limit(name: str, method: int) -> None:
    assert (
        refusal(archive(name, bytes(1_000), method)) == "a .zip archive: it is packed with another method than deflate"
    )


def test_what_kind_an_open_document_is_takes_its_beginning_alone() -> None:
    content = archive("mimetype", b"application/vnd.oasis.opendocument.text".ljust(LARGEST_BYTES))
    tracemalloc.start()
    try:
        assert refusal(content).startswith("an OpenDocument file that is no workbook")
        assert tracemalloc.get_traced_memory()[1] < LARGEST_BYTES / 8
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("more", "reason"), [(0, "it cannot be unpacked"), (1, "not as long as told")])
def test_a_workbook_whose_files_are_longer_than_told_is_refused(more: int, reason: str) -> None:
    """`more`: of the bytes that the checksum is of, to those that are told."""
    made = io.BytesIO()
    sheet = "xl/worksheets/sheet1.xml"
    files = workbook()
    longer = files[sheet].ljust(1_000_000)
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, longer if name == sheet else content)
    assert read_content(made.getvalue())[0] == "an Excel workbook"
    with zipfile.ZipFile(made) as packed:
        packed_size = packed.getinfo(sheet).compress_size
    is_told = struct.pack("<LLL", zlib.crc32(longer), packed_size, len(longer))
    lies = struct.pack("<LLL", zlib.crc32(longer[: len(files[sheet]) + more]), packed_size, len(files[sheet]))
    assert made.getvalue().count(is_told) == 2
    assert reason in refusal(made.getvalue().replace(is_told, lies))


def test_a_workbook_that_holds_a_file_twice_is_refused() -> None:
    made = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(made, "w") as packed:
        warnings.simplefilter("ignore")
        for name, content in [*workbook().items(), ("xl/workbook.xml", b"<a/>")]:
            packed.writestr(name, content)
    assert "it holds a file twice" in refusal(made.getvalue())


def test_a_parquet_file_in_which_every_row_means_one_long_text_is_refused() -> None:
    content = parquet({"note": pa.array(["x" * 1_000_000] * 300).dictionary_encode()})
    assert len(content) < 2_000_000
    assert refusal(content) == "a Parquet file: it is larger than 256 MiB unpacked"


def test_a_parquet_file_of_very_many_cells_is_refused() -> None:
    content = parquet({f"c{number}": pa.nulls(110_000, pa.int8()) for number in range(100)})
    assert refusal(content) == "a Parquet file: it has more than 10,000,000 cells"


def test_texts_of_a_parquet_file_are_read_as_they_were() -> None:
    texts = pa.array(["a", None, "b", "a"])
    columns = {"plain": texts, "coded": texts.dictionary_encode(), "large": texts.cast(pa.large_string())}
    (sheet,) = read_content(parquet(columns))[1]
    assert list(map(list, sheet.rows)) == [list(columns), ["a"] * 3, [None] * 3, ["b"] * 3, ["a"] * 3]
