"""What portfolios reported, as whole origins: how far it reaches, and its removal."""

from __future__ import annotations

from storage.clickhouse.client import ClickHouse

TABLES = ("nav", "positions", "cash", "orders", "trades", "transactions", "prices")
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


def newest_nav(clickhouse: ClickHouse, origin: str) -> int | None:
    """Return when `origin` last reported a NAV (epoch seconds of the point itself), or None."""
    sql = "SELECT toUnixTimestamp(max(ts)), count() FROM nav_daily WHERE origin = {origin:String}"
    ((newest, count),) = clickhouse.rows(sql, {"origin": origin}, kind="newest nav")
    return int(newest) if count else None


def reported_portfolios(clickhouse: ClickHouse, origin: str) -> list[str]:
    """Return every portfolio of `origin` that has values, sorted."""
    sql = "SELECT DISTINCT toString(portfolio) AS name FROM nav_daily WHERE origin = {origin:String} ORDER BY name"
    return [str(name) for (name,) in clickhouse.rows(sql, {"origin": origin}, kind="portfolios")]
