"""Text with a separator between its columns: finding the separator, splitting the lines."""

from __future__ import annotations

import csv
import io
import re
from array import array
from collections import Counter, deque
from collections.abc import Iterator
from functools import partial

from portfolio.imports.headers import role_of
from portfolio.imports.sheet import KEPT_ROWS, MOST_ROWS, Sheet, SplitRows, Unreadable

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
LOOKED_AT_LINES = 40
_SAID = re.compile(r"sep=(.)\s*\r?\n?", re.IGNORECASE)


def split(content: bytes, codec: str, head: str) -> Sheet:
    """Return the rows of a text that begins with `head`. They are split as they are gone through, not held.

    Raises Unreadable when it has no columns, or more than 500,000 rows.
    """
    said = _SAID.match(head)
    separator = said[1] if said and said[1] in SEPARATORS else _separator(head)
    split_rows = partial(_rows, content, codec, separator, bool(said))
    lines = array("L")
    first: list[list[str]] = []
    last: deque[list[str]] = deque(maxlen=KEPT_ROWS)
    for line, row in split_rows():
        lines.append(line)
        if len(first) < KEPT_ROWS:
            first.append(row)
        last.append(row)
        if len(lines) > MOST_ROWS + LOOKED_AT_LINES:
            raise Unreadable(seems(separator), f"it has more than {MOST_ROWS:,} rows", "Split it.")
    if not lines:
        raise Unreadable("an empty file", "the file is empty", "Give one with a header and rows.")
    rows = SplitRows(lambda: (row for _, row in split_rows()), len(lines), first, last)
    return Sheet("", rows, lines, separator)


def _rows(content: bytes, codec: str, separator: str, skips_first: bool) -> Iterator[tuple[int, list[str]]]:
    """Yield line and row of those that are not empty. Raises Unreadable."""
    text = io.TextIOWrapper(io.BytesIO(content), codec, newline="")
    reader = csv.reader(text, delimiter=separator, skipinitialspace=True, strict=True)
    try:
        if skips_first:
            next(reader, None)
        for row in reader:
            if any(row) and any(map(str.strip, row)):
                yield reader.line_num, row
    except csv.Error as error:
        reason = f"line {max(reader.line_num, 1)} is not readable as CSV: {error}"
        raise Unreadable(seems(separator), reason, "Look for a quote that is not closed, or not doubled.") from error


def seems(separator: str) -> str:
    """Return what a text file with this separator is called."""
    return f"a text file with a {SEPARATORS[separator]} between the columns"


def _separator(text: str) -> str:
    """Return the separator with which most of a line are known headers, then most lines have equally many columns."""
    head = [line for line in io.StringIO(text) if line.strip()][:LOOKED_AT_LINES]
    return max(SEPARATORS, key=lambda separator: _score(head, separator))


def _score(head: list[str], separator: str) -> tuple[int, float, int]:
    try:
        rows = list(csv.reader(head, delimiter=separator, skipinitialspace=True))
    except csv.Error:
        return 0, 0.0, 0
    widths = Counter(len(row) for row in rows if len(row) > 1)
    if not widths:
        return 0, 0.0, 0
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
    known = max(sum(role_of(cell) is not None for cell in row) for row in rows if len(row) > 1)
    return known, count / len(rows), width
