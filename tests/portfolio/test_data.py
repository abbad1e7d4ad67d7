"""What a query asks for is read without a page, and is what the page shows."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
from csv import reader
from dataclasses import replace

import numpy as np
import pytest

from core.errors import NoPortfolio
from dashboard.tabs.portfolio import TAB
from portfolio.query import PortfolioQuery
from portfolio.reading import read
from portfolio.summary import columns, side_by_side
from portfolio.warnings import warnings
from storage.stores import Stores
from tests.dashboard.portfolio.test_tab import put_nav, put_prices
from tests.support.application import create_app


def course(seed: int) -> list[float]:
    steps = np.random.default_rng(seed).normal(0.0006, 0.01, 599)
    return [100.0, *(100 * np.cumprod(1 + steps)).tolist()]


@pytest.fixture
def fund(stores: Stores) -> Stores:
    for seed, name in enumerate(("alpha", "beta")):
        put_nav(stores, name, course(seed), origin="sample")
    put_prices(stores, course(9))
    return stores


def test_it_needs_nothing_of_the_dashboard_or_the_collectors() -> None:
    code = "import sys, portfolio.warnings, portfolio.summary, portfolio.imports.handover; print(sorted(sys.modules))"
    loaded = ast.literal_eval(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
    assert not {name.partition(".")[0] for name in loaded} & {"dashboard", "collectors", "sample", "dash", "flask"}


def test_the_page_s_file_holds_what_a_query_reads(fund: Stores) -> None:
    query = PortfolioQuery(
        portfolio="sample:beta", window="1Y", frequency="W", risk_free=0.02, compared=("sample:alpha",)
    )
    data = read(fund, query, None)
    found = side_by_side(data)
    client = create_app(fund, pages=(TAB,)).server.test_client()
    address = "/portfolio/metrics.csv?portfolio=sample:beta&window=1Y&frequency=W&rf=2&compare=sample:alpha"
    head, *rows = reader(io.StringIO(client.get(address).get_data(as_text=True).removeprefix("\ufeff")))
    names = [line.name for line in columns(data)]
    assert names == ["Beta", "Alpha", "S&P 500"]
    assert head == ["Metric", "Group", "Unit", *names, "Definition", "Note"]
    assert len(rows) == len(found.metrics)
    for metric, row in zip(found.metrics, rows, strict=True):
        told = [float(cell) if cell else np.nan for cell in row[3:6]]
        assert told == pytest.approx([found.of(metric.key, at) for at in range(3)], nan_ok=True)


def test_without_a_portfolio_there_is_nothing_to_read(stores: Stores) -> None:
    with pytest.raises(NoPortfolio):
        read(stores, PortfolioQuery(), None)


def test_a_portfolio_has_its_own_benchmark_unless_another_or_none_is_chosen(fund: Stores) -> None:
    benchmarks = [
        read(fund, PortfolioQuery(benchmark=each), None).benchmark_name for each in ("", "SP500", "none", "NOPE")
    ]
    assert benchmarks == ["S&P 500", "S&P 500", "", ""]


def test_what_is_not_there_is_told_beside_the_data(fund: Stores) -> None:
    query = PortfolioQuery(portfolio="own:gone", benchmark="NOPE", compared=("own:lost",))
    data = read(fund, query, None)
    assert data.query is query
    assert warnings(fund, data) == [
        "Portfolio: there is no “own:gone”; Alpha is used.",
        "Benchmark: there are no prices of “NOPE”; none is used.",
        "Compare: there is no portfolio “own:lost”.",
    ]
    fine = replace(query, portfolio="sample:beta", benchmark="", compared=("sample:alpha",))
    assert warnings(fund, read(fund, fine, None)) == []
