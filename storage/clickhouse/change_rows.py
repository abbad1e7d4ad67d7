"""Rows of portfolios that are taken out or put elsewhere: the two statements that this is made of."""

from __future__ import annotations

import uuid

from storage.clickhouse.client import ClickHouse

LONGEST_SECONDS = 600
"""Of a statement: the rows of a portfolio may be millions."""


def delete_where(clickhouse: ClickHouse, table: str, which: str, kind: str) -> None:
    """Delete the rows of a table that are `which`; harmless when there are none."""
    place = f"{table}_local ON CLUSTER `{clickhouse.cluster}`" if clickhouse.cluster else table
    clickhouse.command(
        f"DELETE FROM {place} WHERE {which}", kind=kind, settings={"max_execution_time": LONGEST_SECONDS}
    )


def insert_select(clickhouse: ClickHouse, table: str, columns: str, select: str, kind: str) -> None:
    """Insert what a query returns into rows that replace themselves; harmless when it is repeated."""
    # With a token of its own: rows that were stored once are dropped as known when they come back without one.
    chosen = {"insert_deduplication_token": uuid.uuid4().hex, "max_execution_time": LONGEST_SECONDS}
    clickhouse.command(f"INSERT INTO {table} ({columns}) {select}", kind=kind, settings=chosen)
