"""What a reading holds, looked up by name; and the clock by which a collector takes one."""

from __future__ import annotations

from typing import Any

from core.model import Reading


class Time:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def value(reading: Reading, metric: str, instance: str = "main", **labels: str) -> float | None:
    """Return the value of the series with just these labels, None when there is none."""
    wanted = {"instance": instance, **labels}
    return next((each.value for each in reading.samples if each.metric == metric and dict(each.labels) == wanted), None)


def rows(reading: Reading, table: str) -> list[dict[str, Any]]:
    """Return the rows of a table; fails when it is not there."""
    found = next(each for each in reading.tables if each.name == table)
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def check(reading: Reading, name: str) -> dict[str, Any]:
    """Return one row of what is judged; fails when it is not there."""
    return next(row for row in rows(reading, "checks") if row["name"] == name)
