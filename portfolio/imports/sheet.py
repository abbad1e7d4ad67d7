"""A table as a file holds it: rows of cells, before anything of it is understood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

LARGEST_BYTES = 32 * 1024 * 1024
MOST_ROWS = 500_000
"""So that a file is one insert, which ClickHouse takes whole or not at all."""

Cell = str | float | int | bool | datetime | date | None
"""What a cell holds: a text, or of a workbook or Parquet file what it says itself."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows that are not empty, with their line numbers (from 1)."""

    name: str
    """Of a workbook's sheet; empty elsewhere."""
    rows: Sequence[Sequence[Cell]]
    lines: Sequence[int]
    separator: str = ""
    """Between the columns of a text file; empty elsewhere."""


class Unreadable(Exception):
    """A file that no table can be read from. It never leaves `portfolio.imports`: what it says is told in a refusal."""

    def __init__(self, seems: str, reason: str, remedy: str) -> None:
        self.seems, self.reason, self.remedy = seems, reason, remedy
        super().__init__(f"{seems}: {reason}")
