"""When it became safe to trade, or not, as it was written down."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from storage.clickhouse.client import ClickHouse

_OF = "IN {portfolios:Array(String)}"


@dataclass(frozen=True, slots=True)
class SafeChange:
    """An answer became another one, for some portfolios in the same look."""

    at: int
    """Epoch seconds."""
    is_safe: bool
    portfolios: tuple[str, ...]
    """Ids; the empty one: of the whole fund."""
    reasons: tuple[str, ...]
    """Why, of the first of them."""


def read_safe_changes(
    clickhouse: ClickHouse, most: int, before: int, portfolios: Collection[str] | None = None
) -> list[SafeChange]:
    """Return changes before a moment (epoch seconds), the newest first.

    What is told anew after a start without being another answer is none, nor is the first answer there ever was.
    portfolios: those of these ids alone; None: of any, and of the whole fund. Raises StorageUnavailable.
    """
    which = "" if portfolios is None else f"WHERE portfolio {_OF}"
    sql = f"""
        SELECT toUnixTimestamp(ts) AS at, is_safe, arraySort(groupUniqArray(portfolio)), argMin(reasons, portfolio)
        FROM (
            SELECT ts, portfolio, is_safe, reasons, lagInFrame(is_safe, 1, 2) OVER (
                PARTITION BY portfolio ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS was_safe
            FROM readiness_changes {which}
        )
        WHERE was_safe != 2 AND is_safe != was_safe AND ts < toDateTime({{before:UInt32}}, 'UTC')
        GROUP BY ts, is_safe ORDER BY ts DESC, is_safe LIMIT {{most:UInt32}}
    """
    asked = {"before": min(before, 2**32 - 1), "most": most, "portfolios": sorted(portfolios or ())}
    rows = clickhouse.rows(sql, asked, kind="readiness changes")
    return [SafeChange(int(at), bool(safe), tuple(ids), tuple(why)) for at, safe, ids, why in rows]
