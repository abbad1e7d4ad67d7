"""What is stored round the points that a file brings: the days before, the value on the last of them, what follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from storage.clickhouse.client import ClickHouse
from storage.clickhouse.import_rows import NAMES_AT_ONCE, NAV, Imported

DAYS_BEFORE = 20


class Stored(NamedTuple):
    """Days are days since 1970-01-01; empty or None where nothing is stored."""

    days: tuple[int, ...]
    """The last days with a value before the first one asked for, oldest first."""
    before: float | None
    """The value on the last of them."""
    before_ts: int
    """Epoch seconds of that value, 0 when there is none."""
    after: tuple[int, float] | None
    """The first day with a value after the last one asked for, and that value."""
    last_ts: int
    """Epoch seconds of the newest value of all."""


def stored_around(
    clickhouse: ClickHouse,
    table: Imported,
    origin: str,
    names: Sequence[str],
    first_days: Sequence[int],
    last_days: Sequence[int],
) -> dict[str, Stored]:
    """Return what is stored before the first and after the last day of each name that has anything stored.

    Raises StorageUnavailable or StorageRejected.
    """
    daily = "nav_daily FINAL" if table is NAV else "prices FINAL"
    day, value = ("day", "nav") if table is NAV else ("toDate(ts)", "price")
    sql = f"""
        WITH {{names:Array(String)}} AS names,
             toUInt16(day_of) AS day, toUInt16(first_of) AS first, toUInt16(last_of) AS last
        SELECT name, arraySort(arraySlice(arrayReverseSort(groupUniqArrayIf(day, day < first)), 1, {DAYS_BEFORE})),
               argMaxIf(value, ts, day < first), maxIf(ts, day < first),
               minIf(day, day > last), argMinIf(value, ts, day > last), countIf(day > last), max(ts)
        FROM (
            SELECT toString({table.name}) AS name, {day} AS day_of, toUnixTimestamp(ts) AS ts, {value} AS value,
                   {{first:Array(UInt16)}}[indexOf(names, name)] AS first_of,
                   {{last:Array(UInt16)}}[indexOf(names, name)] AS last_of
            FROM {daily} WHERE origin = {{origin:String}} AND {table.name} IN names
        )
        GROUP BY name
    """
    found: dict[str, Stored] = {}
    for start in range(0, len(names), NAMES_AT_ONCE):
        part = slice(start, start + NAMES_AT_ONCE)
        days_of = {"first": list(first_days[part]), "last": list(last_days[part])}
        asked = {"origin": origin, "names": list(names[part]), **days_of}
        for name, days, before, before_ts, after_day, after, count_after, last_ts in clickhouse.rows(
            sql, asked, kind="import around"
        ):
            follows = (int(after_day), float(after)) if count_after else None
            is_before = bool(days)
            found[str(name)] = Stored(
                tuple(map(int, days)), float(before) if is_before else None, int(before_ts), follows, int(last_ts)
            )
    return found
