"""What the Portfolio tab reads: a portfolio's daily values and an instrument's daily prices."""

from __future__ import annotations

from dataclasses import dataclass

from storage.clickhouse import ClickHouse


@dataclass(frozen=True, slots=True)
class DailySeries:
    """Values by day (UTC), oldest first: the last of each day. `flow` is the day's sum, empty for prices."""

    days: list[int]
    """Days since 1970-01-01."""
    value: list[float]
    flow: list[float]
    newest: int
    """Epoch seconds of the newest point; 0 when there is none."""


def daily_nav(clickhouse: ClickHouse, origin: str, portfolio: str) -> DailySeries:
    """Return a portfolio's NAV and flows by day. Raises StorageUnavailable or StorageRejected."""
    sql = """
        SELECT toUInt32(toDate(ts)) AS day, argMax(nav, ts) AS value, sum(flow) AS flows,
               toUnixTimestamp(max(ts)) AS newest
        FROM nav FINAL WHERE origin = {origin:String} AND portfolio = {portfolio:String}
        GROUP BY day ORDER BY day
    """
    found = clickhouse.columns(sql, {"origin": origin, "portfolio": portfolio}, kind="portfolio nav")
    return DailySeries(found["day"], found["value"], found["flows"], max(found["newest"], default=0))


def daily_prices(clickhouse: ClickHouse, origin: str, instrument: str) -> DailySeries:
    """Return an instrument's closes by day. Raises StorageUnavailable or StorageRejected."""
    sql = """
        SELECT toUInt32(toDate(ts)) AS day, argMax(price, ts) AS value, toUnixTimestamp(max(ts)) AS newest
        FROM prices FINAL WHERE origin = {origin:String} AND instrument = {instrument:String}
        GROUP BY day ORDER BY day
    """
    found = clickhouse.columns(sql, {"origin": origin, "instrument": instrument}, kind="portfolio prices")
    return DailySeries(found["day"], found["value"], [], max(found["newest"], default=0))


def priced_instruments(clickhouse: ClickHouse) -> list[tuple[str, str]]:
    """Return every (origin, instrument) that has a price, sorted. Raises StorageUnavailable or StorageRejected."""
    sql = "SELECT DISTINCT origin, instrument FROM prices ORDER BY origin, instrument"
    return [(str(origin), str(name)) for origin, name in clickhouse.rows(sql, kind="portfolio instruments")]
