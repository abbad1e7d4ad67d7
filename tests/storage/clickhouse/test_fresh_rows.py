"""The guard of the tests themselves: rows at a fixed time are refused, whichever way they go in."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from core.model import Facts, Sample
from storage.clickhouse.client import ClickHouse
from storage.stores import Stores
from tests.support import fresh_rows
from tests.support.servers import ROOT
from tests.support.times import DAY, MIDNIGHT

FIXED = 1_700_000_000


@pytest.fixture
def on_purpose(rows_of_today: None) -> Iterator[None]:
    yield
    assert fresh_rows.REFUSED, "nothing was refused"
    fresh_rows.REFUSED.clear()


def rows(table: str, *ts: int) -> Facts:
    return Facts(table, ("ts",), (ts,))


@pytest.mark.usefixtures("on_purpose")
@pytest.mark.parametrize("table", ["samples", "samples_1h", "runs", "queries", "state_changes"])
def test_a_time_that_is_dropped_some_day_is_refused(clickhouse: ClickHouse, table: str) -> None:
    unit = 1 if table.startswith("samples") else 1_000
    assert fresh_rows.stale(rows(table, MIDNIGHT * unit)) == ""
    for ts in (FIXED, MIDNIGHT + 4 * DAY):
        with pytest.raises(AssertionError, match=rf"rows for {table} .* days old"):
            clickhouse.insert(rows(table, MIDNIGHT * unit, ts * unit))


@pytest.mark.usefixtures("on_purpose")
def test_so_it_is_from_the_writer_and_in_a_statement(stores: Stores) -> None:
    stores.writer.put("host-1", FIXED, [Sample("up", 1.0)])
    stores.writer.flush()
    assert any("rows for samples" in each for each in fresh_rows.REFUSED), "the writer goes on, the test does not"
    stores.clickhouse.command("INSERT INTO samples SELECT 1, now() - 60, 2")
    with pytest.raises(AssertionError, match="rows for samples"):
        stores.clickhouse.command("INSERT INTO samples VALUES (1, '2023-11-14 22:13:20', 2)")


@pytest.mark.usefixtures("on_purpose")
def test_what_a_thread_swallows_fails_the_test_at_its_end(stores: Stores) -> None:
    stores.writer.start()
    stores.writer.put("host-1", FIXED, [Sample("up", 1.0)])
    stores.writer.stop()


def test_no_test_names_a_time_of_these_years() -> None:
    """Such a time is taken for one of today and is so for some days; one of 2023 (1_700_000_000) is refused at once."""
    named = []
    for file in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            number = node.value if isinstance(node, ast.Constant) and isinstance(node.value, int | float) else 0
            if 1.71e9 < number < 2e9 or 1.71e12 < number < 2e12:
                named.append(f"{file.relative_to(ROOT)}:{node.lineno}: {number}")
    assert named == []
