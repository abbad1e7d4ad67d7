"""CSV as a spreadsheet takes it: its encoding said, and no text that would be run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

_RISKY = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would run as a formula."""


def csv_file(rows: Iterable[Iterable[str | float | None]]) -> bytes:
    """Return rows as a file; numbers in full precision, None as an empty cell, texts as they are."""
    into = io.StringIO()
    csv.writer(into, lineterminator="\r\n").writerows(rows)
    return ("\ufeff" + into.getvalue()).encode()


def harmless(text: str) -> str:
    """Return a text, not a number, so that a spreadsheet shows it and does not run it."""
    return f"'{text}" if text.startswith(_RISKY) else text
