"""No test stores a row that ClickHouse drops some day: one that writes at a fixed time fails while it is written.

The engine drops rows older than a table keeps, by its own clock and when it likes: a test of such rows passes by luck,
and for some days. What a test stores may be half as old as that.
"""

from __future__ import annotations

import re
import time
from typing import Any

from core.model import Facts
from core.settings.stores import Retention
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import TTL_DAYS
from storage.clickhouse.settle import ADDED
from tests.support.times import DAY

INSERTS = re.compile(rf"\bINSERT INTO ({'|'.join(TTL_DAYS)})\b(?!.*\bnow)", re.DOTALL)
REFUSED: list[str] = []
"""What was refused of the test that runs, should a thread of the product have swallowed the error."""


def stale(facts: Facts) -> str:
    """Return what is wrong with the times of rows, or nothing."""
    if facts.table not in TTL_DAYS or not len(facts):
        return ""
    per_second = ADDED[facts.table].per_second if facts.table in ADDED else 1
    kept_days = getattr(Retention(), TTL_DAYS[facts.table][1])
    ts = facts.data[facts.columns.index("ts")]
    oldest, newest = ((time.time() - of(ts) / per_second) / DAY for of in (min, max))
    if oldest <= kept_days / 2 and newest >= -1:
        return ""
    return (
        f"rows for {facts.table} are {newest:.1f} to {oldest:.1f} days old, and ClickHouse drops them "
        f"after {kept_days}: use a time of today (tests/support/times.py)"
    )


def watch() -> None:
    """Refuse such rows from now on in this process."""
    insert, command = ClickHouse.insert, ClickHouse.command

    def checked_insert(self: ClickHouse, facts: Facts, *args: Any, **given: Any) -> None:
        _refuse(stale(facts))
        insert(self, facts, *args, **given)

    def checked_command(self: ClickHouse, sql: str, *args: Any, **given: Any) -> Any:
        # What is made of stored rows has their time.
        found = INSERTS.search(sql) if given.get("kind") != "reconcile" else None
        _refuse(f"rows for {found[1]} whose time says no now(): use a time of today" if found else "")
        return command(self, sql, *args, **given)

    ClickHouse.insert, ClickHouse.command = checked_insert, checked_command  # type: ignore[method-assign]


def _refuse(wrong: str) -> None:
    if wrong:
        REFUSED.append(wrong)
        raise AssertionError(wrong)
