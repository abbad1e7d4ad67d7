"""The one way of NAV into ClickHouse: whoever writes it, a value that replaces another one leaves a mark.

The mark is stored before the value, so that no crash between them loses it; `restatements` of reads/portfolio.py
shows it once the value is there. It is named by the version it replaces: writing the same rows again is the same mark.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from core.errors import StorageRejected
from core.model import Facts
from storage.clickhouse.client import ClickHouse

NAV_COLUMNS = ("origin", "portfolio", "ts", "nav", "flow", "version")
MARK_COLUMNS = (
    *("origin", "portfolio", "ts", "was_version", "version", "was", "now", "flow_was", "flow_now", "at", "source"),
)
LOOKUP_TIMES = 10_000
"""Times listed in one statement, 120 kB: ClickHouse takes 262,144 bytes by default."""
LOOKUP_POINTS = 200_000
"""Most points that one statement returns."""

Point = tuple[str, str, int]
"""Origin, portfolio, epoch seconds."""


class Value(NamedTuple):
    """What stands at a point. A higher version (milliseconds) replaces a lower one."""

    nav: float
    flow: float
    version: int


def insert_nav(clickhouse: ClickHouse, facts: Facts, source: str) -> int:
    """Insert NAV after the marks of what it restates, and return how many those are.

    `source` names in a mark what brought the value. Raises StorageUnavailable or StorageRejected.
    """
    marks = restated(clickhouse, facts, source)
    # A mark twice is one mark; but the same rows without a token are dropped where a kill left ClickHouse knowing them.
    clickhouse.insert(replace(marks, token=uuid.uuid4().hex))
    clickhouse.insert(facts)
    return len(marks)


def restated(clickhouse: ClickHouse, facts: Facts, source: str) -> Facts:
    """Return the marks of the rows of `facts` that replace another value, in storage or earlier among themselves."""
    rows = _rows(facts)
    there = _stored(clickhouse, rows)
    marks: list[tuple[str | int | float, ...]] = []
    for point, value in rows:
        old = there.get(point)
        if old is not None and old.version > value.version:
            continue
        if old is not None and (old.nav, old.flow) != (value.nav, value.flow):
            numbers = (old.version, value.version, old.nav, value.nav, old.flow, value.flow)
            marks.append((*point, *numbers, value.version, source))
        there[point] = value
    return Facts("nav_restatements", MARK_COLUMNS, tuple(zip(*marks, strict=True)))


def next_version(clickhouse: ClickHouse, origin: str, portfolios: Sequence[str], now: float) -> int:
    """Return a version (milliseconds) above every stored one of `portfolios`: a clock set back loses no correction."""
    sql = "SELECT max(version) FROM nav WHERE origin = {origin:String} AND portfolio IN {names:Array(String)}"
    ((newest,),) = clickhouse.rows(sql, {"origin": origin, "names": list(portfolios)}, kind="nav version")
    return max(int(now * 1000), int(newest) + 1)


def _rows(facts: Facts) -> list[tuple[Point, Value]]:
    """Return the points of `facts` with their values, older versions first. Raises StorageRejected for rows of none."""
    missing = [name for name in NAV_COLUMNS if name not in facts.columns]
    if missing:
        raise StorageRejected(f"nav rows lack the column {missing[0]}: give {', '.join(NAV_COLUMNS)}")
    origin, portfolio, ts, nav, flow, version = (facts.data[facts.columns.index(name)] for name in NAV_COLUMNS)
    try:
        points = zip(origin, portfolio, map(int, ts), strict=True)
        values = map(Value, map(float, nav), map(float, flow), map(int, version))
        return sorted(zip(points, values, strict=True), key=lambda row: row[1].version)
    except (TypeError, ValueError) as error:
        raise StorageRejected(f"nav rows that are none: {error}") from error


def _stored(clickhouse: ClickHouse, rows: Sequence[tuple[Point, Value]]) -> dict[Point, Value]:
    """Return what stands at the points of `rows`, and at other times of theirs, where something does."""
    found: dict[Point, Value] = {}
    for origin in {point[0] for point, _ in rows}:
        names = sorted({portfolio for (of, portfolio, _), _ in rows if of == origin})
        times = sorted({ts for (of, _, ts), _ in rows if of == origin})
        if not _is_any(clickhouse, origin, names, times):
            continue
        at_once = min(max(LOOKUP_POINTS // len(names), 1), LOOKUP_TIMES)
        for first in range(0, len(times), at_once):
            # Two lists, not one of pairs: five times as quick, and what comes too much is on the same pages anyway.
            listed = ", ".join(map(str, times[first : first + at_once]))
            sql = f"""
                SELECT portfolio, toUnixTimestamp(ts), nav, flow, version FROM nav
                WHERE origin = {{origin:String}} AND portfolio IN {{names:Array(String)}} AND ts IN ({listed})
            """
            for portfolio, ts, *value in clickhouse.rows(sql, {"origin": origin, "names": names}, kind="nav before"):
                old = found.get((origin, portfolio, ts))
                if old is None or old.version <= value[-1]:
                    found[origin, portfolio, ts] = Value(*value)
    return found


def _is_any(clickhouse: ClickHouse, origin: str, names: Sequence[str], times: Sequence[int]) -> bool:
    """Return whether a point of these portfolios lies between the first and the last of `times`."""
    sql = """
        SELECT 1 FROM nav
        WHERE origin = {origin:String} AND portfolio IN {names:Array(String)}
            AND ts BETWEEN toDateTime({first:UInt32}) AND toDateTime({last:UInt32})
        LIMIT 1
    """
    asked = {"origin": origin, "names": list(names), "first": times[0], "last": times[-1]}
    return bool(clickhouse.rows(sql, asked, kind="nav before"))
