"""What a file is by its first bytes, and the tables in it; what it is not is named as what it is.

Read are text (delimited.py), workbooks and Parquet (workbook.py), each also in one .gz or .zip.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from core.format import count
from portfolio.imports.delimited import seems, split
from portfolio.imports.encoding import look_at_text
from portfolio.imports.extent import MOST_CELLS, is_whole, most_cells
from portfolio.imports.packed import check_methods, gunzipped
from portfolio.imports.sheet import LARGEST_BYTES, LARGEST_UNPACKED_BYTES, Sheet, Unreadable
from portfolio.imports.workbook import read_parquet, read_workbook

NESTED = 2
"""A workbook in a .zip, a text in a .gz: no more than that."""

_EXPORT = "Save the table in it as CSV or as a workbook (.xlsx)."
_SAVE_AGAIN = "Open it, save it again, or save it as CSV."
_UNPACK = "Unpack it, or pack it as .zip or .gz."
_KNOWN = (
    (b"%PDF", "a PDF document", _EXPORT),
    (b"\x89PNG", "an image (PNG)", _EXPORT),
    (b"\xff\xd8\xff", "an image (JPEG)", _EXPORT),
    (b"GIF8", "an image (GIF)", _EXPORT),
    (b"BM", "an image (BMP)", _EXPORT),
    (b"II*\0", "an image (TIFF)", _EXPORT),
    (b"MM\0*", "an image (TIFF)", _EXPORT),
    (b"RIFF", "an image, sound or film (RIFF)", _EXPORT),
    (b"{\\rtf", "a text document (RTF)", _EXPORT),
    (b"SQLite format 3\0", "a SQLite database", _EXPORT),
    (b"ARROW1", "an Arrow (Feather) file", "Save it as Parquet or CSV."),
    (b"FEA1", "a Feather file", "Save it as Parquet or CSV."),
    (b"\x89HDF", "an HDF5 file", "Save it as Parquet or CSV."),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"BZh", "a bzip2 file", _UNPACK),
    (b"\xfd7zXZ", "an xz file", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", _UNPACK),
    (b"\x7fELF", "a program", _EXPORT),
    (b"MZ", "a program", _EXPORT),
)
_HTML = rb"\s*(?:<!--.*?-->\s*)?<(?:!doctype html|html|head|body|table)"
_MARKUP = (
    (re.compile(_HTML, re.IGNORECASE | re.DOTALL), "a web page (HTML)"),
    (re.compile(rb"\s*<\?xml|\s*<[A-Za-z][\w:.-]*[ >/]"), "an XML file"),
    (re.compile(rb"\s*[{\[]\s*(?:[{\[\"\d\]}-]|$)"), "a JSON file"),
)


def read_content(content: bytes, depth: int = 0) -> tuple[str, list[Sheet]]:
    """Return what a file seems to be, and its sheets: one, or those of a workbook.

    Raises Unreadable when it holds no table, is larger than 32 MiB unpacked, or has more than 500,000 rows.
    """
    if len(content) > LARGEST_BYTES:
        raise Unreadable("a large file", f"it is larger than {LARGEST_BYTES // 2**20} MiB", "Split it.")
    if not content.strip(b" \t\r\n\0"):
        raise Unreadable("an empty file", "the file is empty", "Give one with a header and rows.")
    if content.startswith(b"\x1f\x8b"):
        return _inside(_gunzipped(content), "in a .gz", depth)
    if content.startswith(b"PK\x03\x04"):
        return _zipped(content, depth)
    if content.startswith(b"PK\x05\x06"):
        raise Unreadable("a .zip archive", "it is empty", "Pack the file into it.")
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return _compound(content)
    if content.startswith(b"PAR1"):
        return "a Parquet file", [read_parquet(content)]
    bare = content.removeprefix(b"\xef\xbb\xbf")
    for mark, name, remedy in _KNOWN:
        if content.startswith(mark) and not (len(mark) == 2 and _is_text(content)):
            raise Unreadable(name, "it holds no table that can be read", remedy)
    for pattern, name in _MARKUP:
        if pattern.match(bare[:2_000]):
            raise Unreadable(name, "it holds no table that can be read", _EXPORT)
    encoded = look_at_text(content)
    sheet = split(content, encoded.codec, encoded.head)
    return f"{seems(sheet.separator)}, {encoded.name}", [sheet]


def _is_text(content: bytes) -> bool:
    """Return whether what begins like a picture is text all the same, such as a header that begins with BM."""
    return content[:200].isascii() and b"\0" not in content[:200]


def _inside(content: bytes, where: str, depth: int) -> tuple[str, list[Sheet]]:
    if depth >= NESTED:
        raise Unreadable("a packed file", "it is packed more than twice", "Unpack it.")
    try:
        name, sheets = read_content(content, depth + 1)
    except Unreadable as error:
        raise Unreadable(f"{error.seems} {where}", error.reason, error.remedy) from error
    return f"{name} {where}", sheets


def _gunzipped(content: bytes) -> bytes:
    try:
        unpacked = gunzipped(content)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable("a .gz file that is damaged", "it cannot be unpacked", "Pack or send it again.") from error
    return _limited(unpacked, "a .gz file")


def _limited(unpacked: bytes, name: str) -> bytes:
    if len(unpacked) > LARGEST_BYTES:
        raise Unreadable(name, f"it is larger than {LARGEST_BYTES // 2**20} MiB unpacked", "Split it.")
    return unpacked


def _zipped(content: bytes, depth: int) -> tuple[str, list[Sheet]]:
    """Return the sheets of a workbook, all kinds of which are .zip archives too, or of the one file in an archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            names = {entry.filename for entry in entries}
            check_methods(entries)
            if "[Content_Types].xml" in names or "mimetype" in names:
                return _document(content, archive, entries, names)
            files = [entry for entry in entries if not _is_hidden(entry.filename)]
            if len(files) != 1:
                shown = ", ".join(entry.filename for entry in files[:3]) or "none"
                raise Unreadable(
                    "a .zip archive", f"it holds {count(len(files), 'file')} ({shown})", "Pack one file alone."
                )
            if files[0].flag_bits & 1:
                raise Unreadable("a .zip archive that is password-protected", "it cannot be read", "Unpack it.")
            with archive.open(files[0]) as packed:
                unpacked = packed.read(LARGEST_BYTES + 1)
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, NotImplementedError, ValueError) as error:
        raise Unreadable("a .zip archive that is damaged", "it cannot be unpacked", "Pack or send it again.") from error
    return _inside(_limited(unpacked, "a .zip archive"), f"in a .zip ({files[0].filename})", depth)


def _document(
    content: bytes, archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], names: set[str]
) -> tuple[str, list[Sheet]]:
    if any(name.startswith("word/") for name in names):
        raise Unreadable("a Word document", "it holds no table that can be read", _EXPORT)
    if any(name.startswith("ppt/") for name in names):
        raise Unreadable("a PowerPoint presentation", "it holds no table that can be read", _EXPORT)
    kind = _beginning(archive, "mimetype") if "mimetype" in names else b""
    if kind and b"spreadsheet" not in kind:
        raise Unreadable("an OpenDocument file that is no workbook", "it holds no table that can be read", _EXPORT)
    name = "an OpenDocument workbook" if kind else "an Excel workbook"
    if sum(entry.file_size for entry in entries) > LARGEST_UNPACKED_BYTES:
        raise Unreadable(name, f"it is larger than {LARGEST_UNPACKED_BYTES // 2**20} MiB unpacked", "Split it.")
    if kind and "META-INF/manifest.xml" in names and b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise Unreadable(f"{name} that is password-protected", "it cannot be read", "Save it without a password.")
    if len(names) < len(entries):
        raise Unreadable(f"{name} that is damaged", "it cannot be read: it holds a file twice", _SAVE_AGAIN)
    if not is_whole(archive):
        raise Unreadable(
            f"{name} that is damaged", "it cannot be read: its XML breaks off, or is not as long as told", _SAVE_AGAIN
        )
    if most_cells(archive) > MOST_CELLS:
        reason = "it has a cell far outside its table: a sheet of more than 10 million cells"
        raise Unreadable(name, reason, "Delete what is below and to the right of the table, or save it as CSV.")
    return name, read_workbook(content, name)


def _beginning(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        return file.read(100)


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def _compound(content: bytes) -> tuple[str, list[Sheet]]:
    """Return the sheets of what Office wrote until 2007, and puts round what it encrypts."""
    if "EncryptedPackage".encode("utf-16-le") in content:
        seems_to_be = "an Office file that is password-protected"
        raise Unreadable(seems_to_be, "it cannot be read", "Save it without a password, or as CSV.")
    if "WordDocument".encode("utf-16-le") in content:
        raise Unreadable("a Word document", "it holds no table that can be read", _EXPORT)
    if "PowerPoint Document".encode("utf-16-le") in content:
        raise Unreadable("a PowerPoint presentation", "it holds no table that can be read", _EXPORT)
    return "an Excel workbook (.xls)", read_workbook(content, "an Excel workbook (.xls)")
