"""Text with a separator between its columns: finding the separator, splitting the lines."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

from portfolio.imports.headers import role_of
from portfolio.imports.sheet import MOST_ROWS, Sheet, Unreadable

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
LOOKED_AT_LINES = 40
_SAID = re.compile(r"sep=(.)\s*\r?\n?", re.IGNORECASE)


def split(text: str) -> Sheet:
    """Return the rows of a text. Raises Unreadable when it has no columns, or more than 500,000 rows."""
    said = _SAID.match(text)
    separator = said[1] if said and said[1] in SEPARATORS else _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        if said:
            next(reader, None)
        for row in reader:
            if any(row) and any(map(str.strip, row)):
                rows.append(row)
                lines.append(reader.line_num)
                if len(rows) > MOST_ROWS + LOOKED_AT_LINES:
                    raise Unreadable(seems(separator), f"it has more than {MOST_ROWS:,} rows", "Split it.")
    except csv.Error as error:
        reason = f"line {max(reader.line_num, 1)} is not readable as CSV: {error}"
        raise Unreadable(seems(separator), reason, "Look for a quote that is not closed, or not doubled.") from error
    if not rows:
        raise Unreadable("an empty file", "the file is empty", "Give one with a header and rows.")
    return Sheet("", rows, lines, separator)


def seems(separator: str) -> str:
    """Return what a text file with this separator is called."""
    return f"a text file with a {SEPARATORS[separator]} between the columns"


def _separator(text: str) -> str:
    """Return the separator with which most of a line are known headers, then most lines have equally many columns."""
    head = [line for line in io.StringIO(text[:200_000]) if line.strip()][:LOOKED_AT_LINES]
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
