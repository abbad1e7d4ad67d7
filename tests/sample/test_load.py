"""The sample comes into an empty database once, and leaves it whole."""

from __future__ import annotations

from pathlib import Path

from portfolio.imports.take import import_file
from sample.load import load_sample, load_sample_if_empty, remove_sample
from storage.clickhouse.portfolio_rows import TABLES, nav_span
from storage.state.portfolios import list_portfolios
from storage.state.series import list_series, remove_series
from storage.stores import Stores


def count(stores: Stores, table: str, origin: str) -> int:
    sql = f"SELECT count() FROM {table} FINAL WHERE origin = {{origin:String}}"
    return int(stores.clickhouse.rows(sql, {"origin": origin})[0][0])


def test_it_loads_into_an_empty_database_and_shows_its_steps(stores: Stores) -> None:
    seen: list[float] = []
    rows = load_sample_if_empty(stores, seen.append)
    assert rows == sum(count(stores, table, "sample") for table in TABLES)
    assert [item.id for item in list_portfolios(stores.state)] == ["fund", "equity", "pairs", "trend", "parity"]
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)
    assert nav_span(stores.clickhouse, "sample") == (1_388_620_800, 1_672_185_600)
    assert {each.sector for each in list_series(stores.state, "sample")} >= {"Energy", "Financials"}
    assert load_sample_if_empty(stores) == 0


def test_loading_again_doubles_nothing_and_removing_leaves_nothing(stores: Stores) -> None:
    load_sample(stores)
    before = [count(stores, table, "sample") for table in TABLES]
    stores.clock.advance(1)  # type: ignore[attr-defined]
    load_sample(stores)
    assert [count(stores, table, "sample") for table in TABLES] == before
    assert remove_sample(stores) == 5
    assert list_series(stores.state, "sample") == []
    assert [count(stores, table, "sample") for table in TABLES] == [0] * len(TABLES)
    assert list_portfolios(stores.state) == []
    assert load_sample_if_empty(stores) == 0, "whoever removed the sample does not want it back at the next start"
    stores.clock.advance(1)  # type: ignore[attr-defined]
    load_sample(stores)
    assert [count(stores, table, "sample") for table in TABLES] == before


def test_a_sample_of_before_orders_had_a_life_is_loaded_anew(stores: Stores) -> None:
    load_sample(stores)
    remove_series(stores.state, "sample", [each.symbol for each in list_series(stores.state, "sample")])
    stores.clock.advance(1)  # type: ignore[attr-defined]
    assert load_sample_if_empty(stores) > 0
    assert load_sample_if_empty(stores) == 0


def test_own_data_keeps_the_sample_out_and_survives_its_removal(stores: Stores, tmp_path: Path) -> None:
    file = tmp_path / "nav.csv"
    file.write_text("date,portfolio,nav,flow\n2023-01-02,fund,100,0\n", encoding="utf-8")
    import_file(stores, file)
    assert load_sample_if_empty(stores) == 0
    load_sample(stores)
    remove_sample(stores)
    assert count(stores, "nav", "own") == 1
    assert [item.origin for item in list_portfolios(stores.state)] == ["own"]
