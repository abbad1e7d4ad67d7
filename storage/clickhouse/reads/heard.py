"""When collectors were heard of, first and last: each of their runs leaves a sample of `collector_up`."""

from __future__ import annotations

from collections.abc import Sequence

from storage.clickhouse.client import ClickHouse

HOUR_SECONDS = 3_600
KIND = "collectors heard of"
BEFORE = 0.0
HEARD = "collector_up"
"""The sample, with the label `collector`."""


def last_heard(clickhouse: ClickHouse, sources: Sequence[str], until: float) -> dict[tuple[str, str], float]:
    """Return when each collector was last heard of until `until` (epoch seconds), by the host it ran on and its name.

    By the second; by the hour, and then too early, where samples are no longer kept. Raises StorageUnavailable.
    """
    named = _series(clickhouse, sources)
    if not named:
        return {}
    within = (
        "series IN {series:Array(UInt64)} AND ts <= toDateTime({until:UInt32}) AND ts >= toDateTime({since:UInt32})"
    )
    newest = f"SELECT series, toUnixTimestamp(max(ts)) FROM %s WHERE {within} GROUP BY series"
    parameters = {"series": list(named), "until": int(until), "since": 0}
    found = dict(clickhouse.rows(newest % "samples_1h", parameters, kind=KIND))
    parameters["since"] = max(min(found.values(), default=0) - HOUR_SECONDS, 0)
    found |= dict(clickhouse.rows(newest % "samples", parameters, kind=KIND))
    return {named[int(number)]: float(heard) for number, heard in found.items()}


def first_heard(clickhouse: ClickHouse, sources: Sequence[str], host: str, start: float) -> float | None:
    """Return the minute in which these collectors were first heard of, when that is after `start` (epoch seconds).

    BEFORE when they were heard of before; None when they never were. host: empty for any. Raises StorageUnavailable.
    """
    # An hour that ends by then; what began in the one after it, the minutes tell. One question: every page asks it.
    sql = """
        WITH numbers AS (
            SELECT series FROM series
            WHERE metric = 'collector_up' AND labels['collector'] IN {sources:Array(String)}
                AND {host:String} IN ('', host)
        )
        SELECT toUnixTimestamp(min(ts)), count(), (
            SELECT count() FROM (
                SELECT 1 FROM samples_1h WHERE series IN numbers AND ts <= toDateTime({whole:UInt32}) LIMIT 1
            )
        ) FROM samples_1m WHERE series IN numbers AND ts > toDateTime({whole:UInt32})
    """
    parameters = {"sources": list(sources), "host": host, "whole": max(int(start) - HOUR_SECONDS, 0)}
    ((ts, rows, rows_before),) = clickhouse.rows(sql, parameters, kind=KIND)
    if rows and ts > start and not rows_before:
        return float(ts)
    return BEFORE if rows or rows_before else None


def _series(clickhouse: ClickHouse, sources: Sequence[str]) -> dict[int, tuple[str, str]]:
    """Return host and collector by number of series."""
    sql = """
        SELECT series, any(host), any(labels['collector']) FROM series
        WHERE metric = 'collector_up' AND labels['collector'] IN {sources:Array(String)} GROUP BY series
    """
    rows = clickhouse.rows(sql, {"sources": list(sources)}, kind=KIND)
    return {int(number): (str(host), str(source)) for number, host, source in rows}
