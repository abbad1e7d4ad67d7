"""What the tables and cards of ClickHouse are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.format import ratio
from core.kinds.clickhouse.tables import Refused
from core.tables import Row
from dashboard.components.age import local_time
from dashboard.sources.shown import Shown
from dashboard.sources.table import rows_by_instance, words


def nothing_of(row: type[Row], fine: str) -> Callable[[Shown], str]:
    """Return what says why a table has no rows: `fine`, or that the question was refused."""

    def nothing(shown: Shown) -> str:
        found = rows_by_instance(shown.chosen, Refused)
        refused = [f"{instance.name}: {each.why}" for instance, each in found if each.question == row.TABLE]
        return "Not available: " + "; ".join(refused) if refused else fine

    return nothing


TABLE = (words("database", "Database"), words("table", "Table"))
"""The columns that name a table."""


def compression(uncompressed: float, compressed: float) -> float | None:
    """Return how many times smaller the compressed bytes are."""
    return uncompressed / compressed if compressed else None


def times(value: float) -> str:
    """Return a compression: "3.20 ×"."""
    return f"{ratio(value)} ×"


def yes(value: bool) -> str:
    """Return whether, in a word."""
    return "yes" if value else "no"


def time_or_never(value: float) -> Any:
    """Return a time in the reader's zone; never for none."""
    return local_time(value) if value else "never"


def warning_if(is_bad: object) -> str:
    """Return the tone of something that is bad or not."""
    return "warning" if is_bad else ""
