"""What portfolios reported, as whole origins: how far it reaches, and its removal."""

from __future__ import annotations

from storage.clickhouse.client import ClickHouse

TABLES = ("nav", "positions", "cash", "orders", "trades", "transactions", "prices", "benchmark_weights")
"""What is reported."""
MADE_TABLES = ("nav_daily", "nav_flows", "nav_restatements", "price_restatements", "restatements")
"""What is made of it."""
ORIGINS = ("own", "replay", "sample")


def remove_rows(clickhouse: ClickHouse, origin: str) -> None:
    """Remove every row of `origin` and what was made of them. Raises ValueError for an unknown origin."""
    if origin not in ORIGINS:
        raise ValueError(f"unknown origin: {origin}")
    suffix = f"_local ON CLUSTER `{clickhouse.cluster}`" if clickhouse.cluster else ""
    for table in TABLES + MADE_TABLES:
        clickhouse.command(f"ALTER TABLE {table}{suffix} DROP PARTITION '{origin}'", kind="remove origin")


def nav_span(clickhouse: ClickHouse, origin: str) -> tuple[int, int] | None:
    """Return when `origin` first and last reported a NAV (epoch seconds of the points themselves), or None."""
    numbers = "toUnixTimestamp(min(ts)), toUnixTimestamp(max(ts)), count()"
    sql = f"SELECT {numbers} FROM nav_daily WHERE origin = {{origin:String}}"
    ((first, last, count),) = clickhouse.rows(sql, {"origin": origin}, kind="nav span")
    return (int(first), int(last)) if count else None


def reported_portfolios(clickhouse: ClickHouse, origin: str) -> list[str]:
    """Return every portfolio of `origin` that has values, sorted."""
    sql = "SELECT DISTINCT toString(portfolio) AS name FROM nav_daily WHERE origin = {origin:String} ORDER BY name"
    return [str(name) for (name,) in clickhouse.rows(sql, {"origin": origin}, kind="portfolios")]
