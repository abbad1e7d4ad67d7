"""A start completes what a kill left in part: once, wholly, and never twice."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.model import Facts
from portfolio.tree.configured import prepare_tree
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.nav_rows import NAV_COLUMNS, insert_nav
from storage.clickhouse.reconcile import reconcile
from storage.clickhouse.settle import ROLLUPS
from storage.state.portfolios import OWN, Portfolio, know_as, list_portfolios, put_portfolios
from storage.stores import Stores
from tests.support.servers import ROOT
from tests.support.times import DAY, MIDNIGHT

Row = tuple[int, int, float]
"""Series, epoch seconds, value."""

ROWS = [
    (2**63 + n, MIDNIGHT + at, float(n + at % 7))
    for n in range(5)
    for at in (0, 1, 59, 60, 3_599, 3_600, DAY, DAY + 61)
]


def insert(client: ClickHouse, rows: list[Row]) -> None:
    client.insert(Facts("samples", ("series", "ts", "value"), tuple(map(list, zip(*rows, strict=True)))))


def rolled(client: ClickHouse, rollup: str) -> list[tuple[object, ...]]:
    sql = f"""
        SELECT series, toUnixTimestamp(at), min(low), max(high), sum(total), sum(points)
        FROM (SELECT *, ts AS at FROM {rollup}) GROUP BY 1, 2 ORDER BY 1, 2
    """
    return client.rows(sql)


def wanted(rows: list[Row], width: int) -> list[tuple[object, ...]]:
    buckets: defaultdict[tuple[int, int], list[float]] = defaultdict(list)
    for series, ts, value in rows:
        buckets[series, ts // width * width].append(value)
    return [(*key, min(of), max(of), sum(of), len(of)) for key, of in sorted(buckets.items())]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(sorted(ROLLUPS)), st.integers(0, 4), st.sampled_from([0, 60, 3_600, DAY]))))
def test_whatever_is_missing_in_rollups_is_completed_once(
    clickhouse: ClickHouse, gone: list[tuple[str, int, int]]
) -> None:
    for table in ("samples", *ROLLUPS):
        clickhouse.command(f"TRUNCATE TABLE {table}")
    insert(clickhouse, ROWS)
    for rollup, n, at in gone:
        which = f"series = {2**63 + n} AND ts >= toDateTime({MIDNIGHT + at // ROLLUPS[rollup] * ROLLUPS[rollup]})"
        clickhouse.command(f"ALTER TABLE {rollup} DELETE WHERE {which} SETTINGS mutations_sync = 2")
    assert bool(reconcile(clickhouse, 7)) == bool(gone)
    assert reconcile(clickhouse, 7) == []
    for rollup, width in ROLLUPS.items():
        assert rolled(clickhouse, rollup) == wanted(ROWS, width), rollup


def test_the_same_rows_can_be_missing_twice(clickhouse: ClickHouse) -> None:
    insert(clickhouse, ROWS)
    for _ in range(2):
        clickhouse.command("TRUNCATE TABLE samples_1h")
        assert len(reconcile(clickhouse, 7)) == 1
        assert rolled(clickhouse, "samples_1h") == wanted(ROWS, 3_600)


def test_a_start_after_kill_9_between_the_tables_of_an_insert_completes_them(tmp_path: Path) -> None:
    folder = tmp_path / "clickhouse"
    command = [sys.executable, "-m", "tests.support.hammer", str(folder)]
    child = subprocess.Popen([*command, "1"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for _ in range(12):
        child.stdout.readline()
    child.kill()
    child.wait()
    # As a kill between the tables leaves it: ClickHouse knows the batch, and its newest parts were never put in place.
    for rollup in ROLLUPS:
        parts = [path for path in (folder / "data" / "fundwatch" / rollup).glob("*_*_*_*") if path.is_dir()]
        shutil.rmtree(max(parts, key=lambda path: int(path.name.split("_")[2])).resolve())
    told = subprocess.run([*command, "count"], cwd=ROOT, capture_output=True, text=True, check=True)
    there = json.loads(told.stdout)
    assert there["mended"] and there["rows"] >= 12 * 250
    assert there["rolled"] == dict.fromkeys(ROLLUPS, there["rows"])
    again = json.loads(subprocess.run([*command, "count"], cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    assert again == there | {"mended": False}


def nav(portfolio: str, at: int, value: float, flow: float, version: int) -> Facts:
    return Facts("nav", NAV_COLUMNS, ([OWN], [portfolio], [at], [value], [flow], [version]))


@pytest.mark.parametrize("table", ["nav_daily", "nav_flows"])
def test_days_and_flows_that_nav_has_and_they_lack_are_made_anew(clickhouse: ClickHouse, table: str) -> None:
    def seen() -> tuple[object, object]:
        daily = clickhouse.rows("SELECT portfolio, toUnixTimestamp(ts), nav FROM nav_daily FINAL ORDER BY 1, 2")
        return daily, clickhouse.rows("SELECT portfolio, toUnixTimestamp(ts) FROM nav_flows FINAL ORDER BY 1, 2")

    version = MIDNIGHT * 1_000
    for number, value in enumerate((100.0, 101.0)):
        for portfolio in ("alpha", "beta"):
            insert_nav(clickhouse, nav(portfolio, MIDNIGHT + number, value, 5.0, version + number), "test")
    insert_nav(clickhouse, nav("alpha", MIDNIGHT + 1, 99.0, 5.0, version + 9), "test")
    whole = seen()
    clickhouse.command(f"ALTER TABLE {table} DELETE WHERE portfolio = 'alpha' SETTINGS mutations_sync = 2")
    assert seen() != whole
    assert len(reconcile(clickhouse, 7)) == 1
    assert seen() == whole
    assert reconcile(clickhouse, 7) == []


def test_a_portfolio_with_values_and_no_entry_gets_one_at_the_start(
    stores: Stores, caplog: pytest.LogCaptureFixture
) -> None:
    put_portfolios(stores.state, [Portfolio(OWN, "alpha", "Alpha", position=3)])
    with stores.state.begin() as connection:
        know_as(connection, {"merged": "alpha"})
    for portfolio in ("alpha", "lost", "merged"):
        insert_nav(stores.clickhouse, nav(portfolio, MIDNIGHT, 100.0, 0.0, 1), "test")
    prepare_tree(stores)
    assert [each.id for each in list_portfolios(stores.state, OWN)] == ["alpha", "lost"]
    assert "Currency not told" in list_portfolios(stores.state, OWN)[1].note
    assert len([line for line in caplog.messages if "lost" in line]) == 1
    caplog.clear()
    prepare_tree(stores)
    assert not caplog.messages
