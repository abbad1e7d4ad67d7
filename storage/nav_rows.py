"""The one way of NAV into ClickHouse: whoever writes it, a value that replaces another one leaves a mark.

The mark is stored before the value, so that no crash between them loses it; `storage.reads.portfolio.restatements`
shows it once the value is there. It is named by the version it replaces: writing the same rows again is the same mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from core.model import Facts
from storage.clickhouse import ClickHouse, quoted

NAV_COLUMNS = ("origin", "portfolio", "ts", "nav", "flow", "version")
MARK_COLUMNS = (
    *("origin", "portfolio", "ts", "was_version", "version", "was", "now", "flow_was", "flow_now", "at", "source"),
)
LOOKUP_BYTES = 150_000
"""Of the list of points in one statement; ClickHouse takes 262,144 by default."""

Point = tuple[str, str, int]
"""Origin, portfolio, epoch seconds."""


class Value(NamedTuple):
    """What stands at a point. A higher version (milliseconds) replaces a lower one."""

    nav: float
    flow: float
    version: int


def insert_facts(clickhouse: ClickHouse, facts: Facts, source: str = "collector") -> None:
    """Insert rows of any table as `ClickHouse.insert` does; NAV is compared with what is there and marked.

    `source` names in a mark what brought the value. Raises StorageUnavailable or StorageRejected.
    """
    if facts.table == "nav" and len(facts):
        clickhouse.insert(restated(clickhouse, facts, source))
    clickhouse.insert(facts)


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
    """Return the points of `facts` with their values, older versions first."""
    origin, portfolio, ts, nav, flow, version = (facts.data[facts.columns.index(name)] for name in NAV_COLUMNS)
    points = zip(origin, portfolio, map(int, ts), strict=True)
    values = map(Value, map(float, nav), map(float, flow), map(int, version))
    return sorted(zip(points, values, strict=True), key=lambda row: row[1].version)


def _stored(clickhouse: ClickHouse, rows: Sequence[tuple[Point, Value]]) -> dict[Point, Value]:
    """Return what stands at the points of `rows`, where something does."""
    found: dict[Point, Value] = {}
    for origin in {point[0] for point, _ in rows}:
        points = sorted({point for point, _ in rows if point[0] == origin})
        if not _is_any(clickhouse, origin, points):
            continue
        for listed in _lists(points):
            sql = f"""
                SELECT portfolio, toUnixTimestamp(ts), nav, flow, version FROM nav FINAL
                WHERE origin = {{origin:String}} AND (portfolio, ts) IN ({listed})
            """
            for portfolio, ts, *value in clickhouse.rows(sql, {"origin": origin}, kind="nav before"):
                found[origin, portfolio, ts] = Value(*value)
    return found


def _is_any(clickhouse: ClickHouse, origin: str, points: Sequence[Point]) -> bool:
    """Return whether a point of these portfolios lies between the first and the last of `points`."""
    sql = """
        SELECT 1 FROM nav
        WHERE origin = {origin:String} AND portfolio IN {names:Array(String)}
            AND ts BETWEEN toDateTime({first:UInt32}) AND toDateTime({last:UInt32})
        LIMIT 1
    """
    times = [ts for _, _, ts in points]
    names = sorted({portfolio for _, portfolio, _ in points})
    asked = {"origin": origin, "names": names, "first": min(times), "last": max(times)}
    return bool(clickhouse.rows(sql, asked, kind="nav before"))


def _lists(points: Sequence[Point]) -> Iterator[str]:
    """Yield `points` as lists of SQL tuples that each fit into a statement."""
    listed: list[str] = []
    length = 0
    for _, portfolio, ts in points:
        listed.append(f"({quoted([portfolio])}, {ts})")
        length += len(listed[-1].encode()) + 2
        if length > LOOKUP_BYTES:
            yield ", ".join(listed)
            listed, length = [], 0
    if listed:
        yield ", ".join(listed)
