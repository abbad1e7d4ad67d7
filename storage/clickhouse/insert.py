"""Rows of any table into ClickHouse, by the way that the table has, at once or after they waited in the spool."""

from __future__ import annotations

from core.model import Facts
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.nav_rows import insert_nav
from storage.clickhouse.pushed import insert_pushed, is_pushed
from storage.clickhouse.reported import insert_reported, of_own_portfolios


def insert_facts(clickhouse: ClickHouse, facts: Facts, source: str = "collector") -> None:
    """Insert rows as `ClickHouse.insert` does; what replaces what own portfolios reported leaves a mark first."""
    if facts.table == "nav" and len(facts):
        insert_nav(clickhouse, facts, source)
    elif of_own_portfolios(facts):
        insert_reported(clickhouse, facts, source)
    elif is_pushed(facts):
        insert_pushed(clickhouse, facts)
    else:
        clickhouse.insert(facts)
