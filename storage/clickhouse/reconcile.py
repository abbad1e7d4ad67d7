"""Makes whole what a kill, or damage, left in part: rows made of other rows are compared with them at a start.

ClickHouse puts an insert in place table by table: the rows, then what its views make of them. Killed in between, the
rows are there and the rest is not. What waits in the spool settle.py completes; this is for batches that went straight
from memory, as imports and nearly all samples do. Only what is newest is looked at: the rest was whole at an earlier
start. But samples that others sent are of any day, so all days are looked at of which they are kept as they were sent.
What is found is worked out as a difference, so that doing it again adds nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from core.clock import DAY_SECONDS
from core.errors import StorageError
from core.format import count
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.settle import ROLLUPS, lacking_sql

NEWEST_VERSIONS = 2 * DAY_SECONDS * 1_000
"""Milliseconds: how long before the newest row of `nav` the oldest was written that is looked at."""
HOUR_SECONDS = 3_600
ALWAYS = {"insert_deduplicate": 0}
"""The same rows may lack, and be made, more than once: they are not taken for a repeated insert."""

CLOSES = """
    SELECT origin, portfolio, day, ts, nav, rank
    FROM (
        SELECT
            origin, portfolio, toDate(n.ts) AS day, max(n.ts) AS ts,
            argMax(n.nav, bitShiftLeft(toUInt128(toUnixTimestamp(n.ts)), 64) + version) AS nav,
            max(bitShiftLeft(toUInt128(toUnixTimestamp(n.ts)), 64) + version) AS rank
        FROM nav AS n WHERE version >= {since} GROUP BY origin, portfolio, day
        SETTINGS optimize_aggregation_in_order = 1
    ) AS made
    LEFT JOIN (
        SELECT origin, portfolio, day, max(rank) AS known FROM nav_daily GROUP BY origin, portfolio, day
    ) AS there
    USING (origin, portfolio, day)
    WHERE made.rank > there.known
"""
"""Closes of days that `nav_daily` lacks, as its view makes them."""
FLOWS = """
    SELECT DISTINCT origin, portfolio, ts FROM nav
    WHERE version >= {since} AND flow != 0
        AND (origin, portfolio, ts) NOT IN (SELECT origin, portfolio, ts FROM nav_flows)
"""
MADE_OF_NAV = {"nav_daily": ("close", CLOSES), "nav_flows": ("flow", FLOWS)}

log = logging.getLogger(__name__)


def reconcile(clickhouse: ClickHouse, raw_days: int) -> list[str]:
    """Complete what is made of the newest rows, say so in one line of the log, and return what was added.

    raw_days: so long samples are kept as they were sent.
    Nobody may write meanwhile: call it before the writer starts. On a server others may, and then rollups are left as
    they are; on a cluster Keeper decides. ClickHouse not answering is told, and is no reason not to start.
    """
    if clickhouse.cluster:
        return []
    try:
        found = [*(_rollups(clickhouse, raw_days) if clickhouse.is_embedded else ()), *_of_nav(clickhouse)]
    except StorageError as error:
        log.warning("whether rows made of others are missing is not known: %s", error)
        return []
    if found:
        log.warning("rows made of others were missing and are made anew: %s", ", ".join(found))
    return found


def _rollups(clickhouse: ClickHouse, raw_days: int) -> Iterator[str]:
    sql = f"""
        SELECT toUnixTimestamp(toDateTime(toDate(partition), 'UTC')), sum(rows) FROM system.parts
        WHERE database = currentDatabase() AND table = 'samples' AND active
            AND toDate(partition) >= toDate(now('UTC')) - {raw_days}
        GROUP BY partition
    """
    days = {int(day): int(rows) for day, rows in clickhouse.rows(sql, kind="reconcile")}
    for rollup in ROLLUPS if days else ():
        rolled = _points(clickhouse, f"sum(points) FROM {rollup}", min(days), max(days) + DAY_SECONDS, DAY_SECONDS)
        short = sorted(day for day, rows in days.items() if rows > rolled.get(day, 0))
        added = sum(_complete(clickhouse, rollup, day) for day in short)
        if added:
            yield f"{count(added, 'sample')} in {rollup}"


def _complete(clickhouse: ClickHouse, rollup: str, day: int) -> int:
    """Add what `rollup` lacks of a day, hour by hour, and return how many samples that are."""
    end = day + DAY_SECONDS
    there = _points(clickhouse, "count() FROM samples", day, end, HOUR_SECONDS)
    rolled = _points(clickhouse, f"sum(points) FROM {rollup}", day, end, HOUR_SECONDS)
    short = {hour: rows - rolled.get(hour, 0) for hour, rows in there.items() if rows > rolled.get(hour, 0)}
    for hour in sorted(short):
        asked = f"ts >= toDateTime({hour}) AND ts < toDateTime({hour + HOUR_SECONDS})"
        sql = f"""
            INSERT INTO {rollup} (series, ts, low, high, total, points)
            SELECT * REPLACE toUInt64(lacking) AS lacking FROM ({lacking_sql(rollup, asked)})
        """
        clickhouse.command(sql, kind="reconcile", settings=ALWAYS)
    return sum(short.values())


def _points(clickhouse: ClickHouse, what: str, start: int, end: int, width: int) -> dict[int, int]:
    """Return how many samples there are in each `width` seconds from `start` to `end`, by its begin (epoch seconds)."""
    sql = f"""
        SELECT intDiv(toUnixTimestamp(ts), {width}) * {width} AS begin, {what}
        WHERE ts >= toDateTime({start}) AND ts < toDateTime({end}) GROUP BY begin
    """
    return {int(begin): int(points) for begin, points in clickhouse.rows(sql, kind="reconcile")}


def _of_nav(clickhouse: ClickHouse) -> Iterator[str]:
    ((newest,),) = clickhouse.rows("SELECT max(version) FROM nav", kind="reconcile")
    since = max(int(newest) - NEWEST_VERSIONS, 0)
    for table, (noun, sql) in MADE_OF_NAV.items():
        lacking = sql.format(since=since)
        ((rows,),) = clickhouse.rows(f"SELECT count() FROM ({lacking})", kind="reconcile")
        if rows:
            clickhouse.command(f"INSERT INTO {table} {lacking}", kind="reconcile", settings=ALWAYS)
            yield f"{count(int(rows), noun)} in {table}"
