"""Benchmarks, rates, currencies and sums of parts, from files to figures, on real stores."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import ChangeRejected, ImportRejected
from dashboard.portfolio.charts.contribution import contributions
from portfolio.chosen import benchmarks
from portfolio.contribution import contributed, parts_with_values
from portfolio.data import PortfolioData
from portfolio.imports.mapping import Mapping
from portfolio.imports.take import ImportResult, take
from portfolio.imports.undo import undo
from portfolio.parts import parts
from portfolio.query import PortfolioQuery
from portfolio.reading import read
from portfolio.series.decide import BLENDED, RATED, SERIES, UNBLENDED, decide, parts_text
from portfolio.series.reference import catalogue
from portfolio.summary import side_by_side
from portfolio.told import told
from portfolio.tree.order import ChangeOrder, carry_out, read_change
from portfolio.tree.settings import add, change
from portfolio.warnings import warnings
from storage.state.changes import changed_by_hand, recent_changes
from storage.state.portfolios import list_portfolios
from storage.state.series import list_series
from storage.stores import Stores
from tests.dashboard.portfolio.test_tab import put_prices

DAYS = 60
CASH_ALONE = "CASH alone is no blend: use a series of rates as the benchmark"
USED = "it is the risk-free rate of EUR: give that another one first"
NO_ZZZ = "there is no currency ZZZ: give a code of ISO 4217 such as EUR"
OF_A_BLEND = "that can be part of a blend"
FIRST = np.datetime64("2023-01-02")
WEEKDAYS = np.array([FIRST + day for day in range(2 * DAYS) if day % 7 < 5])[:DAYS]


def bring(
    stores: Stores, name: str, values: np.ndarray | list[float], kind: str, column: str, **said: str
) -> ImportResult:
    stores.clock.advance(1)  # type: ignore[attr-defined]
    rows = [f"{day},{value:.10g}" for day, value in zip(WEEKDAYS, values, strict=False)]
    text = "\n".join([f"date,{column}", *rows])
    return take(stores, f"{name}.csv", text.encode(), Mapping(portfolio=name, kind=kind, **said), who="ann")


def course(seed: int, start: float = 100.0) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(0.001, 0.01, DAYS - 1)
    return start * np.cumprod([1.0, *(1 + steps)])


def shown(stores: Stores, portfolio: str = "own:Alpha", **asked: object) -> PortfolioData:
    return read(stores, PortfolioQuery(portfolio=portfolio, **asked), None)  # type: ignore[arg-type]


def beta_of(data: PortfolioData) -> float:
    return side_by_side(data).of("beta")


def test_returns_of_an_instrument_become_an_index_to_compare_with(stores: Stores) -> None:
    returns = np.diff(course(1)) / course(1)[:-1]
    result = bring(stores, "MSCI", returns, "index", "return", currency="EUR")
    assert "new instrument: MSCI" in str(result) and "index of MSCI begins at 100" in str(result)
    (series,) = list_series(stores.state, "own")
    assert (series.kind, series.currency, series.note) == ("price", "EUR", "Index of its returns, 100 on 2022-12-30")
    assert list_portfolios(stores.state) == []
    undo(stores, result.number)
    assert list_series(stores.state, "own") == []


def test_a_file_that_names_instruments_and_has_returns_is_one_of_an_index(stores: Stores) -> None:
    rows = [f"{day},MSCI,0.01" for day in WEEKDAYS[:12]]
    result = take(stores, "r.csv", "\n".join(["date,ticker,total return", *rows]).encode(), Mapping())
    assert result.kind == "index"
    assert list_series(stores.state, "own")[0].kind == "total_return"


def test_rates_may_be_zero_and_negative_and_are_never_prices(stores: Stores) -> None:
    result = bring(stores, "ESTR", [-0.58, 0.0, 3.9, *[3.9] * 20], "rates", "rate", currency="EUR")
    assert (result.kind, result.rows) == ("rates", 23)
    series = catalogue(stores, "own").series["ESTR"]
    assert (series.kind, series.currency, series.day_count) == ("rate", "EUR", "act/360")
    with pytest.raises(ImportRejected, match="ESTR is a series of rates, and the file has prices"):
        bring(stores, "ESTR", course(1), "prices", "close")
    with pytest.raises(ImportRejected, match="rate is −100 % a year or less"):
        bring(stores, "BAD", [-100.0, 1.0], "rates", "rate")


@pytest.mark.parametrize("symbol", ["EURUSD=X", "EUR/USD", "eurusd"])
def test_a_pair_of_currencies_is_one_by_its_symbol(stores: Stores, symbol: str) -> None:
    bring(stores, symbol, course(1, 1.1), "", "close")
    series = catalogue(stores, "own").series["EURUSD"]
    assert (series.kind, series.currency) == ("fx", "USD")


def test_own_instruments_are_offered_to_own_portfolios_and_the_sample_s_to_the_sample(stores: Stores) -> None:
    put_prices(stores, [100.0, 101.0, 102.0])
    bring(stores, "Alpha", course(0), "nav", "nav")
    bring(stores, "SPX", course(1), "prices", "close")
    bring(stores, "SOFR", [4.3] * DAYS, "rates", "rate", currency="USD")
    bring(stores, "EURUSD", course(2, 1.1), "prices", "close")
    decide(stores, BLENDED, "", {"name": "60/40", "parts": "SPX 60, CASH 40"})
    (own,) = list_portfolios(stores.state, "own")
    assert benchmarks(stores, own) == {"blend:60/40": "60/40", "SOFR": "SOFR", "SPX": "SPX"}


def test_a_blend_is_a_benchmark_like_any_other(stores: Stores) -> None:
    one, two = course(1), course(2)
    bring(stores, "SPX", one, "prices", "close", currency="USD")
    bring(stores, "AGG", two, "prices", "close", currency="USD")
    decide(stores, BLENDED, "", {"name": "60/40", "parts": "SPX=60; AGG=40", "rebalancing": "daily"})
    mixed = 0.6 * np.diff(one) / one[:-1] + 0.4 * np.diff(two) / two[:-1]
    bring(stores, "Alpha", 1e6 * np.cumprod([1.0, *(1 + 1.5 * mixed)]), "nav", "nav", currency="USD")
    change(stores, "Alpha", {"benchmark": "blend:60/40"})
    data = shown(stores)
    assert data.benchmark_name == "60/40"
    assert beta_of(data) == pytest.approx(1.5)
    with pytest.raises(ChangeRejected, match="is the benchmark of Alpha"):
        decide(stores, UNBLENDED, "60/40", {})


def test_what_cannot_be_decided_names_field_and_fix_and_changes_nothing(stores: Stores) -> None:
    bring(stores, "SPX", course(1), "prices", "close")
    bring(stores, "ESTR", [1.0] * DAYS, "rates", "rate", currency="EUR")
    decide(stores, RATED, "EUR", {"rate": "ESTR"})
    for do, key, fields, wrong in (
        (BLENDED, "", {"name": "x", "parts": "SPX 60"}, {"parts": "the weights sum to 60 %: they must sum to 100 %"}),
        (BLENDED, "", {"name": "x", "parts": "QQQ 100"}, {"parts": f"there is no series 'QQQ' {OF_A_BLEND}"}),
        (SERIES, "SPX", {"currency": "euro"}, {"currency": "'EURO': give three capitals such as EUR"}),
        (SERIES, "SPX", {"currency": "zzz"}, {"currency": NO_ZZZ}),
        (BLENDED, "", {"name": "x", "parts": "SPX 100", "currency": "ZZZ"}, {"currency": NO_ZZZ}),
        (RATED, "ZZZ", {"rate": "2"}, {"currency": NO_ZZZ}),
        (RATED, "USD", {"rate": "ESTR"}, {"rate": "ESTR is a rate on EUR, not on USD"}),
        (RATED, "USD", {"rate": "SPX"}, {"rate": "SPX is no series of rates: its kind is price"}),
        (BLENDED, "", {"name": "x", "parts": "CASH 100"}, {"parts": CASH_ALONE}),
        (SERIES, "ESTR", {"kind": "price"}, {"kind": USED}),
        (SERIES, "ESTR", {"currency": "USD"}, {"currency": USED}),
    ):  # fmt: skip
        before = stores.live.version("portfolio")
        with pytest.raises(ChangeRejected) as refused:
            decide(stores, do, key, fields)
        assert refused.value.fields == wrong
        assert stores.live.version("portfolio") == before


def test_a_blend_is_named_by_its_name_too_and_what_is_no_benchmark_is_refused(stores: Stores) -> None:
    bring(stores, "Alpha", course(0), "nav", "nav", currency="USD")
    with pytest.raises(ChangeRejected) as refused:
        change(stores, "Alpha", {"benchmark": "SPX"})
    assert refused.value.fields == {"benchmark": "there are no prices of 'SPX': import some first"}
    number = bring(stores, "SPX", course(1), "prices", "close", currency="USD").number
    decide(stores, BLENDED, "", {"name": "60/40", "parts": "SPX 60; CASH 40"})
    with pytest.raises(ChangeRejected) as refused:
        add(stores, {"name": "Beta", "benchmark": "SPY"})
    assert refused.value.fields == {"benchmark": "there are no prices of 'SPY': give one of 60/40, SPX"}
    change(stores, "Alpha", {"benchmark": "60/40"})
    assert shown(stores).benchmark_name == "60/40"
    undo(stores, number)
    assert warnings(stores, shown(stores)) == ["Benchmark: 60/40 has no values: there are none of SPX; none is used."]
    change(stores, "Alpha", {"benchmark": "blend:60/40", "note": "other fields can be changed"})


def test_weights_keep_their_digits_and_may_have_decimal_commas(stores: Stores) -> None:
    for at, symbol in enumerate("XYZ"):
        bring(stores, symbol, course(at), "prices", "close")
    decide(stores, BLENDED, "", {"name": "third", "parts": "X 33.333333; Y 33,333333; Z 33,333334"})
    blend = catalogue(stores, "own").blends["blend:third"]
    assert blend.parts == (("X", 33.333333), ("Y", 33.333333), ("Z", 33.333334))
    decide(stores, BLENDED, "third", {"parts": parts_text(blend)})
    assert catalogue(stores, "own").blends["blend:third"] == blend


def test_a_series_that_is_no_rate_any_more_is_no_risk_free_rate(stores: Stores) -> None:
    number = bring(stores, "SOFR", [3.6] * DAYS, "rates", "rate", currency="USD").number
    bring(stores, "Alpha", course(0), "nav", "nav", currency="USD")
    bring(stores, "SPX", course(1), "prices", "close", currency="USD")
    decide(stores, BLENDED, "", {"name": "mixed", "parts": "SPX 60, CASH 40"})
    decide(stores, RATED, "USD", {"rate": "SOFR"})
    undo(stores, number)
    bring(stores, "SOFR", course(2), "prices", "close", currency="USD")
    assert told(shown(stores, benchmark="blend:mixed")) == [
        "mixed: cash earns 0 % a year: SOFR, set for USD, is no series of rates.",
        "Risk-free rate: 0 %: SOFR, set for USD, is no series of rates.",
    ]


def test_a_benchmark_in_another_currency_is_converted_and_that_is_told(stores: Stores) -> None:
    index, rate = course(1), course(2, 1.1)
    bring(stores, "STOXX", index, "prices", "close", currency="EUR")
    bring(stores, "Alpha", index * rate, "nav", "nav", currency="USD")
    data = shown(stores, benchmark="STOXX")
    assert beta_of(data) != pytest.approx(1.0)
    assert told(data) == [
        "STOXX is in EUR, not in USD: there are no prices of EURUSD to convert it with.",
    ]
    bring(stores, "EURUSD", rate, "prices", "close")
    data = shown(stores, benchmark="STOXX")
    assert beta_of(data) == pytest.approx(1.0)
    assert told(data) == ["STOXX is converted from EUR to USD with EURUSD."]


def test_cash_is_a_benchmark_and_the_risk_free_rate(stores: Stores) -> None:
    bring(stores, "SOFR", [3.6] * DAYS, "rates", "rate", currency="USD")
    bring(stores, "Alpha", course(0), "nav", "nav", currency="USD")
    plain = side_by_side(shown(stores, benchmark="SOFR"))
    weekend = 3 * 3.6 / 100 / 360
    steps = shown(stores, benchmark="SOFR").benchmark.daily.returns[1:]  # type: ignore[union-attr]
    assert steps[:5] == pytest.approx([*[weekend / 3] * 4, weekend])
    decide(stores, RATED, "USD", {"rate": "SOFR"})
    data = shown(stores)
    assert told(data) == ["Risk-free rate: USD: SOFR, act/360."]
    excess = data.part.returns[1:] - steps
    expected = excess.mean() / excess.std(ddof=1) * math.sqrt(data.periods)
    assert side_by_side(data).of("sharpe") == pytest.approx(expected)
    assert plain.of("sharpe") != pytest.approx(expected)
    typed = shown(stores, risk_free=0.0)
    assert side_by_side(typed).of("sharpe") == pytest.approx(plain.of("sharpe"))
    decide(stores, RATED, "USD", {"rate": "2,5 %"})
    assert side_by_side(shown(stores)).of("sharpe") == pytest.approx(
        side_by_side(shown(stores, risk_free=0.025)).of("sharpe")
    )
    decide(stores, RATED, "USD", {"rate": ""})
    assert side_by_side(shown(stores)).of("sharpe") == pytest.approx(plain.of("sharpe"))


def test_a_rate_whose_series_is_gone_is_told(stores: Stores) -> None:
    number = bring(stores, "SOFR", [3.6] * DAYS, "rates", "rate", currency="USD").number
    bring(stores, "Alpha", course(0), "nav", "nav", currency="USD")
    decide(stores, RATED, "USD", {"rate": "SOFR"})
    undo(stores, number)
    assert told(shown(stores)) == ["Risk-free rate: 0 %: SOFR, set for USD, has no rates."]


def test_the_inbox_takes_what_is_decided_as_an_order(stores: Stores) -> None:
    bring(stores, "SPX", course(1), "prices", "close")
    order = read_change("x.change.json", ChangeOrder(BLENDED, "all", {"parts": "SPX 100"}).to_json().encode())
    assert str(carry_out(stores, order)) == "all: SPX 100 %; weights restored: monthly."
    with pytest.raises(ChangeRejected, match="there is no blend 'none'"):
        carry_out(stores, ChangeOrder(UNBLENDED, "none"))


def test_returns_before_a_rate_is_known_count_in_no_ratio_and_that_is_told(stores: Stores) -> None:
    bring(stores, "Alpha", course(0), "nav", "nav", currency="USD")
    stores.clock.advance(1)  # type: ignore[attr-defined]
    rows = "\n".join(["date,rate", *(f"{day},3.6" for day in WEEKDAYS[30:])])
    take(stores, "s.csv", rows.encode(), Mapping(portfolio="SOFR", kind="rates", currency="USD"))
    decide(stores, RATED, "USD", {"rate": "SOFR"})
    assert "It is not known in 30 of the 59 days shown: ratios leave their returns out." in told(shown(stores))


@pytest.fixture
def fund(stores: Stores) -> Stores:
    """A fund in dollars without values: Beta in euros with money in and out, Gamma since the middle."""
    bring(stores, "EURUSD", course(7, 1.1), "prices", "close")
    bring(stores, "Alpha", course(0, 1e6), "nav", "nav", currency="USD")
    money = ["date,nav,flow"]
    value = 5e5
    for at, (day, step) in enumerate(zip(WEEKDAYS, np.diff(course(3), prepend=100.0) / 1000, strict=True)):
        flow = {10: 1e5, 25: -5e4}.get(at, 0.0)
        value = (value + max(flow, 0)) * (1 + step) + min(flow, 0)
        money.append(f"{day},{value},{flow}")
    take(stores, "Beta.csv", "\n".join(money).encode(), Mapping(portfolio="Beta", currency="EUR"))
    gamma = "\n".join(["date,nav", *(f"{day},{2e5 + 100 * at}" for at, day in enumerate(WEEKDAYS[30:]))])
    take(stores, "Gamma.csv", gamma.encode(), Mapping(portfolio="Gamma", currency="USD"))
    id = add(stores, {"name": "Fund", "currency": "USD"})
    for each in ("Alpha", "Beta", "Gamma"):
        change(stores, each, {"parent": id})
    return stores


def the_fund(stores: Stores, **asked: object) -> PortfolioData:
    (id,) = [each.id for each in list_portfolios(stores.state, "own") if each.name == "Fund"]
    return shown(stores, f"own:{id}", **asked)


def test_a_fund_without_values_is_the_sum_of_its_parts_in_its_currency(fund: Stores) -> None:
    data = the_fund(fund)
    alone = {each: shown(fund, f"own:{each}").nav for each in ("Alpha", "Beta", "Gamma")}
    rate = course(7, 1.1)
    expected = alone["Alpha"].value + alone["Beta"].value * rate
    expected[30:] += alone["Gamma"].value
    assert data.nav.value == pytest.approx(expected, rel=1e-6)
    assert data.nav.flow[[10, 25, 30]] == pytest.approx([1e5 * rate[10], -5e4 * rate[25], 2e5], rel=1e-6)
    assert data.nav.flow.nonzero()[0].tolist() == [10, 25, 30]
    parts_said = "Fund is the sum of its 3 parts: Alpha, Beta, Gamma."
    assert told(data) == [parts_said, "Converted from EUR to USD with EURUSD: Beta."]
    assert warnings(fund, data) == []


@pytest.mark.parametrize("window", ["ITD", "MTD", "QTD"])
def test_what_the_parts_added_is_the_return_of_the_sum(fund: Stores, window: str) -> None:
    data = the_fund(fund, window=window)
    found = contributed(data, parts_with_values(data))
    assert found.are_own
    assert found.unallocated == pytest.approx(0.0, abs=1e-12)
    assert found.total == pytest.approx(float(np.prod(1 + data.part.returns[1:])) - 1)


def test_shares_of_a_fund_are_told_in_one_currency(fund: Stores) -> None:
    found = parts(the_fund(fund))
    assert [each.line.name for each in found] == ["Fund", "Alpha", "Beta", "Gamma"]
    assert found[0].share == 1.0
    assert math.fsum(each.share for each in found[1:]) == pytest.approx(1.0)
    assert found[2].value < 6e5 * 1.01
    change(fund, "Beta", {"ended": str(WEEKDAYS[-9])})
    ended = parts(the_fund(fund))
    assert math.isnan(ended[2].share) and ended[2].value > 0
    assert ended[1].share + ended[3].share == pytest.approx(1.0)


def test_values_of_its_own_count_and_days_of_its_parts_alone_are_told(fund: Stores) -> None:
    (id,) = [each.id for each in list_portfolios(fund.state, "own") if each.name == "Fund"]
    bring(fund, "Fund", course(5, 2e6)[:-3], "nav", "nav", currency="USD")
    data = shown(fund, f"own:{id}")
    assert len(data.nav) == DAYS - 3
    assert told(data) == [
        "Fund has values of its own, which count; those of its parts alone do not: "
        f"3 days from {WEEKDAYS[-3]} to {WEEKDAYS[-1]}."
    ]


def test_a_part_that_cannot_be_converted_is_left_out_and_told(fund: Stores) -> None:
    bring(fund, "Delta", course(4), "nav", "nav", currency="JPY")
    (id,) = [each.id for each in list_portfolios(fund.state, "own") if each.name == "Fund"]
    before = the_fund(fund).nav.value
    change(fund, "Delta", {"parent": id})
    data = the_fund(fund)
    assert data.nav.value == pytest.approx(before)
    assert "Delta: there is no rate from JPY to USD; it is left out." in told(data)


def test_contributions_of_parts_without_a_rate_say_so(stores: Stores) -> None:
    id = add(stores, {"name": "Fund", "currency": "USD"})
    for at, name in enumerate(("Alpha", "Beta", "Gamma")):
        bring(stores, name, course(at), "nav", "nav", currency="EUR")
        change(stores, name, {"parent": id})
    bring(stores, "Fund", course(5, 300), "nav", "nav", currency="USD")
    lost = "No rate from EUR to USD: Alpha, Beta, Gamma left out. Needs two strategies or more."
    assert contributions(the_fund(stores)).note == lost
    for name in ("Alpha", "Beta"):
        change(stores, name, {"currency": "USD"})
    data = the_fund(stores)
    assert contributions(data).subtitle.endswith("of Fund; no rate to USD: Gamma left out")
    assert told(data) == ["Contribution and shares: Gamma: there is no rate from EUR to USD; it is left out."]
    change(stores, id, {"currency": "EUR"})
    assert [line.name for line in parts_with_values(the_fund(stores))] == ["Gamma"]


def test_days_of_parts_alone_are_those_within_what_is_said(stores: Stores) -> None:
    id = add(stores, {"name": "Fund", "currency": "USD"})
    bring(stores, "Alpha", course(0), "nav", "nav", currency="USD")
    bring(stores, "Fund", course(1)[:-3], "nav", "nav", currency="USD")
    change(stores, "Alpha", {"parent": id})
    assert "do not: 3 days" in told(the_fund(stores))[-1]
    change(stores, "Alpha", {"ended": str(WEEKDAYS[-2])})
    assert "do not: 2 days" in told(the_fund(stores))[-1]
    change(stores, id, {"ended": str(WEEKDAYS[-4])})
    assert not any("do not" in line for line in told(the_fund(stores)))


def test_instruments_that_do_not_say_their_currency_are_named_in_one_sentence(stores: Stores) -> None:
    bring(stores, "Alpha", course(1), "nav", "nav")
    bring(stores, "SPX", course(2), "prices", "close")
    bring(stores, "AGG", course(3), "prices", "close")
    decide(stores, BLENDED, "", {"name": "60/40", "parts": "SPX=60; AGG=40"})
    said = "SPX, AGG do not say their currency: taken for USD."
    assert [line for line in told(shown(stores, benchmark="blend:60/40")) if "currency" in line] == [said]
    put_prices(stores, [100.0, 101.0, 102.0])
    assert catalogue(stores, "sample").series["SP500"].currency == "USD", "the sample's is known"


def test_parts_beside_each_other_are_in_the_currency_of_the_fund_and_what_has_no_rate_says_its_own(
    stores: Stores,
) -> None:
    add(stores, {"name": "Fund"})
    rate = course(7, 1.1)
    for name, currency, seed in (("Dollars", "USD", 0), ("Euros", "EUR", 1), ("Yen", "JPY", 2)):
        bring(stores, name, course(seed), "nav", "nav", currency=currency)
        change(stores, name, {"parent": "Fund"})
    bring(stores, "EURUSD", rate, "prices", "close")
    data = shown(stores, "own:Fund")
    of = {part.line.name: part for part in parts(data)}
    assert {name: part.line.currency for name, part in of.items()} == {
        "Fund": "USD", "Dollars": "USD", "Euros": "USD", "Yen": "JPY",
    }  # fmt: skip
    assert of["Euros"].value == pytest.approx(course(1)[-1] * rate[-1])
    assert of["Fund"].value == pytest.approx(of["Dollars"].value + of["Euros"].value)
    day = (course(1)[-1] * rate[-1]) / (course(1)[-2] * rate[-2]) - 1.0
    assert of["Euros"].day_return.value == pytest.approx(day)
    assert "Converted from EUR to USD with EURUSD: Euros." in told(data)


def test_what_is_decided_of_benchmarks_and_rates_is_in_the_list_of_changes(stores: Stores) -> None:
    bring(stores, "SPX", course(1), "prices", "close")
    decide(stores, SERIES, "SPX", {"currency": "usd"}, who="ann")
    decide(stores, SERIES, "SPX", {"currency": "USD"}, who="ann")
    decide(stores, BLENDED, "", {"name": "mix", "parts": "SPX 60, CASH 40"}, who="ben")
    decide(stores, UNBLENDED, "mix", {}, who="ben")
    decide(stores, RATED, "EUR", {"rate": "2,5"}, who="ann")
    decide(stores, RATED, "EUR", {"rate": ""}, who="ann")
    with pytest.raises(ChangeRejected):
        decide(stores, UNBLENDED, "mix", {}, who="ben")
    assert [(each.who, each.portfolio, each.detail) for each in recent_changes(stores.state)] == [
        ("ann", "EUR", "risk-free rate taken away: 0 % is used"),
        ("ann", "EUR", "risk-free rate 2.5 % a year"),
        ("ben", "mix", "blend removed"),
        ("ben", "mix", "blend mix: SPX 60 %, CASH 40 %; weights restored: monthly"),
        ("ann", "SPX", "currency USD"),
    ]
    assert changed_by_hand(stores.state) == set(), "a series is no portfolio of that name"
