"""The series of an exporter that are looked for: every word typed is in their name, labels, type or help. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.kinds.scrape.spec import Family, Series

PAGE_ROWS = 100


@dataclass(frozen=True, slots=True)
class Found:
    """The page of the series found that is shown, from 0."""

    rows: Sequence[Series]
    page: int
    count: int
    """All that were found."""
    of: int
    """All that there are."""

    @property
    def first(self) -> int:
        """Place of the first one shown, from 1."""
        return self.page * PAGE_ROWS + 1

    @property
    def is_last(self) -> bool:
        """Whether no page follows."""
        return (self.page + 1) * PAGE_ROWS >= self.count


def find(rows: Sequence[Series], families: dict[str, Family], typed: str, page: int) -> Found:
    """Return a page of the series that hold every word typed; the last page when there are not so many."""
    words = typed.lower().split()
    found = [row for row in rows if _holds(row, families.get(row.family), words)] if words else rows
    last = max((len(found) - 1) // PAGE_ROWS, 0)
    page = min(max(page, 0), last)
    return Found(found[page * PAGE_ROWS : (page + 1) * PAGE_ROWS], page, len(found), len(rows))


def _holds(row: Series, family: Family | None, words: Sequence[str]) -> bool:
    about = f"{family.kind} {family.help}" if family else ""
    text = f"{row.metric} {row.told_labels} {about}".lower()
    return all(word in text for word in words)
