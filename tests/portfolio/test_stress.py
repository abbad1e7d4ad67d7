"""What today's book would lose: shocks, windows and scenarios add up, and what is mistyped is no loss of 0."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from core.errors import ChangeRejected
from portfolio.risk import book_of, market_of
from portfolio.risk_query import RiskQuery
from portfolio.scenarios import keep_scenario
from portfolio.stress import Stressed, named_moves, own, restless_risk, scenarios_for, stated, stressed, windows
from sample.load import load_sample, portfolios
from storage.state.portfolios import OWN, Portfolio, put_portfolios
from storage.state.scenarios import Scenario, add_scenario, delete_scenario, forget_in_scenarios, scenarios_in
from storage.stores import Stores

FUND, *STRATEGIES = portfolios("sample")
ALL = RiskQuery(history="all")


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


def of(stores: Stores, portfolio: Portfolio = FUND) -> Stressed:
    book = book_of(stores, portfolio, None, None, ALL)
    assert book is not None
    return stressed(stores, book)


def test_stated_shocks_are_values_times_their_moves(sample: Stores) -> None:
    found = of(sample)
    shocks = {each.id: each for each in stated(found)}
    _, betas = market_of(sample, found.book)
    assert betas is not None
    assert shocks["market"].total == pytest.approx(-0.1 * float(found.book.netted @ betas), rel=1e-9)
    energy = math.fsum(each.value for each in found.positions if each.about.sector == "Energy")
    assert shocks["sector:Energy"].total == pytest.approx(-0.1 * energy, rel=1e-9)
    sectors = [each for each in shocks.values() if each.kind == "sector"]
    assert math.fsum(each.total for each in sectors) == pytest.approx(-0.1 * math.fsum(found.values), rel=1e-9)
    assert not [each for each in shocks.values() if each.kind == "currency"], "all of it is in the fund's own currency"


def test_the_fund_loses_what_its_strategies_lose(sample: Stores) -> None:
    parts = [{each.id: each.total for each in stated(of(sample, each))} for each in STRATEGIES]
    for each in stated(of(sample)):
        assert each.total == pytest.approx(math.fsum(part.get(each.id, 0.0) for part in parts), rel=1e-9)


def test_the_worst_days_are_those_of_the_prices(sample: Stores) -> None:
    found = of(sample)
    past = windows(found)
    day = next(each for each in past if each.id.startswith("window:1:"))
    worst = int(np.argmin(found.book.returns.returns @ found.book.netted))
    assert day.first == day.last == found.book.returns.days[worst]
    assert day.total == pytest.approx(float(found.book.returns.returns[worst] @ found.book.netted), rel=1e-9)
    twenty = [each for each in past if each.id.startswith("window:20:")]
    assert all(each.first is not None and each.last is not None for each in twenty)
    spans = sorted((each.first, each.last) for each in twenty)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(spans))


def test_restless_markets(sample: Stores) -> None:
    now, wild, as_one, both = restless_risk(of(sample).book, ALL)
    assert wild.risk.value_at_risk == pytest.approx(2 * now.risk.value_at_risk, rel=1e-9)
    assert both.risk.value_at_risk == pytest.approx(2 * as_one.risk.value_at_risk, rel=1e-9)


def test_a_scenario_is_kept_as_it_was_typed_and_moves_all_that_it_names(sample: Stores) -> None:
    found = of(sample)
    typed = {"name": "Oil and banks", "market": "-5 %", "sectors": "energy −20, Financials: -10%",
             "strategies": "Trend following +3"}  # fmt: skip
    made = keep_scenario(sample, found, typed, "ana")
    assert (made.market, made.sectors) == (-0.05, {"Energy": -0.2, "Financials": -0.1})
    assert made.strategies == {"sample:trend": 0.03}
    (kept,) = scenarios_for(sample, None)
    assert kept == made
    (outcome,) = own(found, [kept])
    moves = [
        -0.05 * beta + made.sectors.get(each.about.sector, 0.0) + (0.03 if each.portfolio == "trend" else 0.0)
        for each, beta in zip(found.positions, found.betas, strict=True)
    ]
    assert outcome.total == pytest.approx(float(np.array(moves) @ found.values), rel=1e-9)
    told = named_moves(kept, {"sample:trend": "Trend following"})
    assert told == "market −5 %, Energy −20 %, Financials −10 %, Trend following +3 %"


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("sectors", "Enrgy -10", "nothing held is of the sector “Enrgy”; did you mean Energy?"),
        ("sectors", "Energy", "give a name and percent"),
        ("sectors", "Energy -10, energy -5", "Energy is named twice"),
        ("sectors", "Energy -1e9", "give a name and percent"),
        ("sectors", "Energy -101", "give a name and percent"),
        ("strategies", "Trend -10", "did you mean Trend following?"),
        ("currencies", "EUR -10", "nothing held is of the currency “EUR”; there are none"),
        ("currencies", "USD -10", "USD is the portfolio's own currency"),
        ("asset_classes", "equities -10", "did you mean equity?"),
        ("market", "much", "“much” is no number of percent"),
        ("market", "-200", "is no number of percent"),
        ("market", "0", "nothing moves"),
        ("name", "", "give 1 to 80 characters"),
        ("name", "a\nb", "give 1 to 80 characters"),
    ],
)
def test_what_nothing_held_is_of_is_refused_with_what_is_nearest(
    sample: Stores, field: str, typed: str, said: str
) -> None:
    with pytest.raises(ChangeRejected) as refused:
        keep_scenario(sample, of(sample), {"name": "Crash", field: typed}, "ana")
    assert said in refused.value.fields[field]
    assert scenarios_for(sample, None) == []


def test_what_is_not_held_here_is_told_and_loses_nothing(sample: Stores) -> None:
    (outcome,) = own(of(sample), [Scenario("Gold", sectors={"Gold": -0.5}, currencies={"USD": -0.1})])
    assert outcome.total == 0
    assert outcome.told == "Nothing is held here of sector Gold. USD does not move against itself."


def test_without_a_benchmark_the_market_moves_nothing_and_it_is_said(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio(OWN, "alpha", "Alpha", currency="EUR")])
    ts = int(stores.clock.now()) // 86_400 * 86_400
    stores.clickhouse.command(
        "INSERT INTO positions (origin, portfolio, ts, instrument, quantity, price, market_value, currency, version) "
        f"VALUES ('own', 'alpha', toDateTime({ts}), 'ACME', 10, 5, 50, 'EUR', 1)"
    )
    found = of(stores, Portfolio(OWN, "alpha", "Alpha", currency="EUR"))
    market = stated(found)[0]
    assert math.isnan(market.total)
    assert "60 are needed" in market.why_not
    assert windows(found) == []
    with pytest.raises(ChangeRejected) as refused:
        keep_scenario(stores, found, {"name": "Crash", "market": "-10"}, "ana")
    assert "no benchmark" in refused.value.fields["market"]


def test_a_foreign_currency_falls_with_all_that_is_in_it(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio(OWN, "alpha", "Alpha", currency="EUR")])
    ts = int(stores.clock.now()) // 86_400 * 86_400
    stores.clickhouse.command(
        "INSERT INTO positions (origin, portfolio, ts, instrument, quantity, price, market_value, currency, version) "
        f"VALUES ('own', 'alpha', toDateTime({ts}), 'ACME', 10, 5, 50, 'USD', 1), "
        f"('own', 'alpha', toDateTime({ts}), 'HOME', 10, 5, 50, 'EUR', 1)"
    )
    stores.clickhouse.command(
        "INSERT INTO prices (origin, instrument, ts, price, version) "
        f"VALUES ('own', 'EURUSD', toDateTime({ts}), 1.25, 1)"
    )
    found = of(stores, Portfolio(OWN, "alpha", "Alpha", currency="EUR"))
    (currency,) = [each for each in stated(found) if each.kind == "currency"]
    assert (currency.id, currency.total) == ("currency:USD", pytest.approx(-0.1 * 50 / 1.25))
    made = keep_scenario(stores, found, {"name": "Dollar", "currencies": "usd -20"}, "ana")
    assert own(found, [made])[0].total == pytest.approx(-0.2 * 50 / 1.25)
    with pytest.raises(ChangeRejected) as refused:
        keep_scenario(stores, found, {"name": "Other", "currencies": "UDS -20"}, "ana")
    assert "did you mean USD?" in refused.value.fields["currencies"]


def test_a_name_is_taken_once_and_a_scenario_deleted_once(stores: Stores) -> None:
    made = add_scenario(stores.state, Scenario("Crash", market=-0.3, who="ana", made_at=5.0))
    with pytest.raises(ChangeRejected, match="Nothing was kept"):
        add_scenario(stores.state, Scenario("CRASH", market=-0.2))
    delete_scenario(stores.state, made.id, "ben", 6.0)
    with pytest.raises(ChangeRejected, match="Nothing was deleted"):
        delete_scenario(stores.state, made.id, "ben", 7.0)


def test_who_may_see_some_portfolios_is_told_no_scenario_that_names_another(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio(OWN, name, name.title()) for name in ("alpha", "beta")])
    add_scenario(stores.state, Scenario("Of alpha", strategies={"own:alpha": -0.1}))
    add_scenario(stores.state, Scenario("Of beta", strategies={"own:beta": -0.1}))
    add_scenario(stores.state, Scenario("Of all", market=-0.1))
    assert [each.name for each in scenarios_for(stores, frozenset({"alpha"}))] == ["Of all", "Of alpha"]
    with stores.state.begin() as connection:
        forget_in_scenarios(connection, ["alpha"])
        assert {key for each in scenarios_in(connection) for key in each.strategies}.isdisjoint({"own:alpha"})
