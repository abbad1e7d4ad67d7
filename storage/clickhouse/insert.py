"""Rows of any table into ClickHouse, by the way that the table has, at once or after they waited in the spool."""

from __future__ import annotations

from collections.abc import Sequence

from core.model import Facts
from core.settings.model import Settings
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.nav_rows import insert_nav
from storage.clickhouse.pushed import insert_pushed, is_pushed
from storage.clickhouse.reported import insert_reported
from storage.clickhouse.reported_tables import of_own_portfolios
from storage.clickhouse.settle import settle
from storage.turns import turn


def insert_facts(clickhouse: ClickHouse, facts: Facts, source: str = "collector") -> None:
    """Insert rows as `ClickHouse.insert` does; what replaces what own portfolios reported leaves a mark first.

    What others write too is for `insert_in_turn`.
    """
    if facts.table == "nav" and len(facts):
        insert_nav(clickhouse, facts, source)
    elif of_own_portfolios(facts):
        insert_reported(clickhouse, facts, source)
    else:
        clickhouse.insert(facts)


def insert_in_turn(clickhouse: ClickHouse, settings: Settings, facts: Facts) -> None:
    """Insert rows that waited, after what is there by now is looked up.

    Raises StorageUnavailable or StorageRejected.
    """
    if not is_pushed(facts) and not of_own_portfolios(facts):
        insert_facts(clickhouse, facts)
        return
    with turn(settings.data_dir, facts.table):
        if is_pushed(facts):
            insert_pushed(clickhouse, facts, settings.retention)
        else:
            insert_facts(clickhouse, facts)


def settle_in_turn(clickhouse: ClickHouse, settings: Settings, batch: Facts, tried: float) -> Sequence[Facts] | None:
    """Return what `settle` does, while nobody sends samples: what is on its way must not look like missing."""
    if not is_pushed(batch):
        return settle(clickhouse, batch, tried)
    with turn(settings.data_dir, batch.table):
        return settle(clickhouse, batch, tried)
