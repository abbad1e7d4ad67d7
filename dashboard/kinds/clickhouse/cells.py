"""What the tables of ClickHouse are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dash import html

from core.format import ratio
from dashboard.components.age import local_time
from dashboard.sources.shown import Shown
from dashboard.sources.table import Field, source_table, words
from status.instances import Row

ID = "database"
MOST_ROWS, LEAST_ROWS = 60, 10


def rows_of(shown: Shown, name: str) -> list[Row]:
    """Return the first rows of a table of each of those shown, fewer of each where there are many."""
    most = max(MOST_ROWS // max(len(shown.chosen), 1), LEAST_ROWS)
    return [row for each in shown.chosen for row in each.dicts(name)[:most]]


def nothing_of(shown: Shown, name: str, fine: str) -> str:
    """Return why a table has no rows: what that means, or why the question was refused."""
    refused = [(each, row["why"]) for each in shown.chosen for row in each.dicts("refused") if row["question"] == name]
    if not refused:
        return fine
    return "Not told: " + "; ".join(f"{each.name}: {why}" for each, why in refused)


def table_of(shown: Shown, id: str, name: str, fields: Sequence[Field], caption: str, fine: str) -> html.Div:
    """Return the table of a question's rows."""
    rows = rows_of(shown, name)
    return source_table(
        f"{ID}-clickhouse-{id}-rows", fields, rows, caption=caption, nothing=nothing_of(shown, name, fine)
    )


def place(title: str) -> tuple[Field, ...]:
    """Return the columns that name a table."""
    return words("database", "Database"), words("table", title)


def yes(value: Any) -> str:
    """Return whether, in a word."""
    return "yes" if value else "no"


def times(value: float) -> str:
    """Return a compression: "3.20 ×"."""
    return f"{ratio(value)} ×"


def time_or_never(value: Any) -> Any:
    """Return a time in the reader's zone; never for none."""
    return local_time(value) if value else "never"


def tone_of(key: str, warning: float, critical: float) -> Callable[[Row], str]:
    """Return the tone of a value above one limit or the other."""
    return lambda row: "critical" if row[key] > critical else "warning" if row[key] > warning else ""
