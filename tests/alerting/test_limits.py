"""Limits of portfolios, over real stores: from a push of positions to the alert, the breach and whether it is safe."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from alerting.figures import Figures
from alerting.quiet import Causes
from alerting.router import Router
from alerting.runner import Runner
from core.alerts.rule import Rule
from core.clock import FakeClock
from core.errors import ChangeRejected
from core.portfolio_limits.limit import LimitState, Operator, PortfolioLimit
from core.readiness import Checks, State
from core.settings.limits import SetLimits
from core.settings.readiness import Readiness as Rules
from core.settings.routes import routes_of
from portfolio.limits.change import changes, delete, save
from portfolio.limits.judge import Finding, stands
from portfolio.rule_files import in_force
from portfolio.tree.delete import delete as delete_portfolio
from portfolio.tree.merge import merge
from status.alerts import alerts_now
from storage.state.alerts import KeptIncident, read_incidents
from storage.state.portfolio_limits import Breach, breaches_in
from storage.state.portfolios import Portfolio, list_portfolios, put_portfolios
from storage.stores import Stores
from tests.ingest.test_door import at
from tests.support.alerting import QuietParts
from tests.support.api import client_of
from tests.support.funded import sender
from tests.support.readiness import QUICK, Fund, put_values, safe_stores

POSITION = {"portfolio": "alpha", "figure": "position", "value": "50 %"}
Push = Callable[..., None]


class Engine(QuietParts):
    """The alert engine of a process, with the rules that come with Fundwatch and what they really read."""

    def __init__(self, fund: Fund) -> None:
        stores = self.stores = fund.stores
        settings = stores.settings

        def rules() -> list[Rule]:
            return [*in_force(stores)]

        router = Router(lambda: routes_of(settings.routes, settings.channels), stores.clock)
        self.runner = Runner(stores, rules, Figures(stores), router, Causes({}), None, lambda *_: self)

    def incidents(self, *, closed: bool = False) -> list[KeptIncident]:
        with self.stores.state.reading() as connection:
            found = read_incidents(connection, closed=closed)
        return [each for each in found if each.group.startswith("rule=limits,")]

    def fires(self) -> set[tuple[str, str]]:
        """Return severity and sentence of each alert that fires, as the engine told last."""
        told = [each for each in alerts_now(self.stores).firing if each.rule == "limits"]
        return {(each.severity, each.text.removeprefix("alpha: ")) for each in told}


@pytest.fixture
def fund(stores: Stores) -> Fund:
    return Fund(safe_stores(stores))


@pytest.fixture
def push(fund: Fund) -> Push:
    """Sends what alpha holds: quantities at a price of 10, where alpha is worth 109."""
    send = sender(fund.stores)

    def sent(currency: str = "USD", **quantities: float) -> None:
        of = {"portfolio": "alpha", "ts": at(fund.stores.clock.now()), "currency": currency, "price": 10}
        rows = [{**of, "instrument": name, "quantity": quantity} for name, quantity in quantities.items()]
        answer = send("positions", rows)
        assert answer.status_code == 200, answer.text

    return sent


def found(fund: Fund, portfolio: str = "alpha", later_seconds: float = 0.0) -> dict[str, Finding]:
    known = [each for each in list_portfolios(fund.stores.state) if each.id == portfolio]
    now = fund.stores.clock.now() + later_seconds
    return {each.limit.figure: each for each in stands(fund.stores, known, None, now)}


def breaches(fund: Fund, portfolio: str = "alpha") -> list[Breach]:
    with fund.stores.state.reading() as connection:
        return breaches_in(connection, [portfolio], 100)


def test_a_push_of_positions_breaks_a_limit_is_told_and_stops_trading_and_the_next_one_mends_it(
    fund: Fund, push: Push
) -> None:
    push(AAA=4, BBB=2)
    save(fund.stores, POSITION, "ana")
    save(fund.stores, {**POSITION, "figure": "largest_1", "value": "90 %", "severity": "warning"}, "ana")
    engine = Engine(fund)
    fund.becomes_safe()
    engine.runner.step()
    assert engine.incidents() == [] and breaches(fund) == []

    push(AAA=6, BBB=0.1)
    fund.goes_on(1)
    assert fund.why("alpha") == ["position AAA 55.0 %, at most 50.0 % allowed"]
    assert fund.why() == ["alpha: position AAA 55.0 %, at most 50.0 % allowed"]
    assert (asked(fund, "alpha"), asked(fund, "beta")) == (503, 200)
    engine.runner.step()
    groups = {each.group for each in engine.incidents()}
    assert len(groups) == 2 and all("portfolio=alpha, limit=" in each for each in groups), "an incident for each limit"
    assert engine.fires() == {
        ("critical", "position AAA 55.0 %, at most 50.0 % allowed"),
        ("warning", "largest position 98.4 %, at most 90.0 % allowed"),
    }
    both = breaches(fund)
    assert {each.limit.figure for each in both} == {"position", "largest_1"}
    begun = next(each for each in both if each.limit.figure == "position")
    assert begun.value == begun.worst == pytest.approx(60 / 109)
    assert (begun.limit.value, begun.ended_at) == (0.5, None)

    push(AAA=8, BBB=0.1)
    fund.goes_on(1)
    push(AAA=4, BBB=2)
    fund.goes_on(1)
    assert not fund.now.of("alpha").is_safe, "kept again, and for a while"
    fund.becomes_safe()
    assert asked(fund, "alpha") == 200
    over = {each.limit.figure: each for each in breaches(fund)}["position"]
    assert over.worst == pytest.approx(80 / 109) and over.value == pytest.approx(60 / 109)
    assert over.ended_at is not None and over.ended_why == "it is kept again"
    engine.runner.step()
    advance(fund, 2)
    engine.runner.step()
    assert engine.incidents() == []


def asked(fund: Fund, portfolio: str) -> int:
    """Return what a trading system is answered."""
    answer = client_of(fund.stores).get(f"/api/v1/trading-readiness/{portfolio}")
    return int(answer.status_code)


def advance(fund: Fund, seconds: float) -> None:
    clock = fund.stores.clock
    assert isinstance(clock, FakeClock)
    clock.advance(seconds)


def test_a_limit_that_is_edited_or_deleted_in_a_breach_ends_it_and_every_version_is_kept(
    fund: Fund, push: Push
) -> None:
    push(AAA=6)
    made, _ = save(fund.stores, POSITION, "ana")
    fund.goes_on(2)
    assert len(breaches(fund)) == 1 and not fund.now.of("alpha").is_safe
    tighter, _ = save(fund.stores, {**POSITION, "value": "40 %"}, "ben", id=made.id, version=made.version)
    fund.goes_on(1)
    assert [(each.limit.value, each.ended_at) for each in breaches(fund)] == [(0.5, None)], "as it was when it began"
    with pytest.raises(ChangeRejected, match="ben changed it meanwhile"):
        save(fund.stores, POSITION, "ana", id=made.id, version=made.version)
    looser, _ = save(fund.stores, {**POSITION, "value": "70 %"}, "ana", id=made.id, version=tighter.version)
    fund.goes_on(1)
    assert [each.ended_why for each in breaches(fund)] == ["the limit was changed"]
    fund.becomes_safe()
    save(fund.stores, {**POSITION, "value": "1 %"}, "ana", id=made.id, version=looser.version)
    fund.goes_on(1)
    delete(fund.stores, made.id, "ana")
    fund.goes_on(1)
    assert breaches(fund)[0].ended_why == "the limit holds for it no more"
    assert "position" not in found(fund)


def test_a_limit_that_is_on_something_else_from_now_on_ends_its_breach_and_begins_another(
    fund: Fund, push: Push
) -> None:
    push(AAA=6)
    made, _ = save(fund.stores, POSITION, "ana")
    fund.goes_on(2)
    money = {**POSITION, "figure": "position_money", "value": "50"}
    save(fund.stores, money, "ana", id=made.id, version=made.version)
    fund.goes_on(1)
    now, before = breaches(fund)
    assert (before.ended_why, before.worst) == ("the limit was changed", pytest.approx(60 / 109))
    assert (now.limit.figure, now.worst, now.ended_at) == ("position_money", 60.0, None)


def test_what_cannot_be_worked_out_is_not_safe_and_a_breach_goes_on_in_it(fund: Fund, push: Push) -> None:
    save(fund.stores, {"portfolio": "beta", "figure": "gross", "value": "100 %"}, "ana")
    push(AAA=6)
    save(fund.stores, {**POSITION, "portfolio": "fund", "below": "on", "value": "40 %"}, "ana")
    fund.goes_on(2)
    assert any("gross exposure is not known: no positions were reported" in each for each in fund.why("beta"))
    check = next(each for each in fund.now.checks if each.portfolio == "beta" and each.check == Checks.LIMITS)
    assert check.state == State.UNKNOWN
    assert [each.ended_at for each in breaches(fund)] == [None]
    push(AAA=6, currency="JPY")
    fund.goes_on(1)
    assert "position is not known: there is no rate for JPY" in fund.why("alpha")[0]
    assert [each.ended_at for each in breaches(fund)] == [None], "nobody knows that it is over"
    push(AAA=1)
    fund.goes_on(1)
    assert [each.ended_why for each in breaches(fund)] == ["it is kept again"]
    save(fund.stores, {**POSITION, "figure": "liquidate_days", "value": "3 d"}, "ana")
    assert "the average daily volume of AAA is not known" in found(fund)["liquidate_days"].why
    late = found(fund, later_seconds=5 * 86_400)
    assert "position is not known: a report of positions is 5 d" in late["position"].why


def test_a_warning_does_not_stop_trading_and_a_warn_level_is_told_before(fund: Fund, push: Push) -> None:
    push(AAA=5)
    engine = Engine(fund)
    save(fund.stores, {**POSITION, "severity": "warning", "value": "10 %"}, "ana")
    save(fund.stores, {"portfolio": "alpha", "figure": "leverage", "value": "0.5 x"}, "ana")
    fund.becomes_safe()
    engine.runner.step()
    assert engine.fires() == {
        ("warning", "position AAA 45.9 %, at most 10.0 % allowed"),
        ("warning", "leverage 0.46 ×, at most 0.50 × allowed: 91.7 % used"),
    }, "a limit that is broken and no more than a warning, and the warn level of one that is critical"
    check = next(each for each in fund.now.checks if each.portfolio == "alpha" and each.check == Checks.LIMITS)
    assert check.why == "3 limits kept; 1 other of no severity that stops trading broken or not known"
    near = found(fund)["leverage"]
    assert near.use == pytest.approx(50 / 109 / 0.5) and near.headroom_money == pytest.approx(0.5 * 109 - 50)


def test_restricted_instruments_are_found_when_held_and_when_bought_and_sold_within_the_day(
    fund: Fund, push: Push
) -> None:
    push(AAA=4)
    _, hint = save(fund.stores, {"portfolio": "fund", "figure": "restricted", "of": "AAB, ZZZ", "below": "on"}, "ana")
    assert "did you mean 'AAA'" in hint, "what nobody knows yet may be restricted, and may be mistyped"
    assert found(fund)["restricted"].value == 0
    now = fund.stores.clock.now()
    trade = {"portfolio": "alpha", "ts": at(now), "instrument": "ZZZ", "quantity": 2, "price": 7}
    rows = [{**trade, "trade_id": "1", "side": "buy"}, {**trade, "trade_id": "2", "side": "sell"}]
    assert sender(fund.stores)("trades", rows).status_code == 200
    fund.goes_on(1)
    assert "held or bought, and restricted: ZZZ" in fund.why("alpha")
    save(fund.stores, {"portfolio": "alpha", "figure": "turnover", "value": "20 %"}, "ana")
    assert found(fund)["turnover"].value == pytest.approx(28 / 109)


def test_a_part_that_is_worth_something_and_tells_no_positions_is_not_nothing(fund: Fund, push: Push) -> None:
    state, now = fund.stores.state, fund.stores.clock.now()
    push(AAA=4)
    save(fund.stores, {"portfolio": "fund", "figure": "gross", "value": "100 %"}, "ana")
    assert found(fund, "fund")["gross"].why == "gross exposure is not known: no positions of Beta were reported"
    beta = next(each for each in list_portfolios(state) if each.id == "beta")
    put_portfolios(state, [replace(beta, ended=str(np.datetime64(int(now), "s").astype("datetime64[D]") - 5))])
    fund.stores.live.bump("portfolio")
    assert found(fund, "fund")["gross"].value is not None, "what has ended holds nothing"


def test_positions_whose_sector_nobody_told_keep_no_limit_that_they_could_break(fund: Fund, push: Push) -> None:
    send = sender(fund.stores)
    send("instruments", [{"symbol": "AAA", "sector": "Technology"}, {"symbol": "BBB", "sector": "Energy"}])
    push(AAA=1, BBB=1, CCC=5)
    told = {"portfolio": "alpha", "figure": "sector", "value": "30 %"}
    save(fund.stores, {**told, "of": "Technology"}, "ana")
    assert found(fund)["sector"].why == "sector Technology is not known: the sector of CCC was not told"
    push(AAA=1, BBB=1, CCC=1)
    assert found(fund)["sector"].value == pytest.approx(10 / 109), "kept whatever the others are"
    push(AAA=4, CCC=5)
    assert found(fund)["sector"].state is LimitState.BREACHED, "broken whatever the others are"


def test_what_was_bought_after_the_report_and_before_the_newest_trades_is_found(fund: Fund, push: Push) -> None:
    push(AAA=4, ZZZ=0)
    save(fund.stores, {"portfolio": "fund", "figure": "restricted", "of": "ZZZ", "below": "on"}, "ana")
    save(fund.stores, {"portfolio": "alpha", "figure": "turnover", "value": "20 %"}, "ana")
    now = fund.stores.clock.now()
    trade = {"portfolio": "alpha", "quantity": 2, "price": 7, "side": "buy"}
    days = ((1, "ZZZ"), (2, "AAA"))
    rows = [{**trade, "ts": at(now + day * 86_400), "instrument": name, "trade_id": name} for day, name in days]
    advance(fund, 2 * 86_400)
    assert sender(fund.stores)("trades", rows).status_code == 200
    told = found(fund)
    assert told["restricted"].of == "ZZZ"
    assert told["turnover"].value == pytest.approx(14 / 109), "of the newest day alone"


def test_days_to_sell_are_those_of_an_instrument_that_strategies_hold_together(fund: Fund, push: Push) -> None:
    send = sender(fund.stores)
    send("instruments", [{"symbol": "AAA", "daily_volume": 10}])
    push(AAA=4)
    other = {"portfolio": "beta", "ts": at(fund.stores.clock.now()), "currency": "USD", "price": 10}
    save(fund.stores, {"portfolio": "fund", "figure": "liquidate_days", "value": "3 d"}, "ana")
    for quantity, days in ((4, 4.0), (-3, 0.5)):
        send("positions", [{**other, "instrument": "AAA", "quantity": quantity}])
        assert found(fund, "fund")["liquidate_days"].value == pytest.approx(days)


def test_turnover_counts_what_was_bought_after_the_report_with_its_multiplier_and_in_its_currency(
    fund: Fund, push: Push
) -> None:
    stores, today = fund.stores, at(fund.stores.clock.now())
    send = sender(stores)
    beta = next(each for each in list_portfolios(stores.state) if each.id == "beta")
    put_portfolios(stores.state, [replace(beta, currency="EUR")])
    push(AAA=4)
    send("positions", [{"portfolio": "beta", "ts": today, "instrument": "AAA", "quantity": 0, "price": 10}])
    send("instruments", [{"symbol": "ES", "asset_class": "future", "multiplier": 50, "currency": "USD"}])
    trade = {"ts": today, "side": "buy"}
    future = {**trade, "portfolio": "alpha", "instrument": "ES", "trade_id": "1", "quantity": 1, "price": 5000}
    assert send("trades", [future]).status_code == 200
    save(stores, {"portfolio": "fund", "figure": "turnover", "value": "20 %", "below": "on"}, "ana")
    assert found(fund)["turnover"].value == pytest.approx(250_000 / 109)
    other = {**trade, "portfolio": "beta", "instrument": "AAA", "trade_id": "2", "quantity": 3, "price": 10}
    assert send("trades", [other]).status_code == 200
    assert "turnover of a day is not known: there is no rate for EUR" in found(fund, "fund")["turnover"].why


@pytest.mark.parametrize("operator", ["at most", "at least"])
def test_a_value_that_is_no_number_is_never_within_a_limit(operator: Operator) -> None:
    assert PortfolioLimit("turnover", 0.2, operator=operator).state(math.nan) is LimitState.UNKNOWN


WRONG: dict[str, tuple[dict[str, str], str, str]] = {
    "a portfolio": ({"portfolio": "alfa"}, "portfolio", "did you mean 'alpha'"),
    "a figure": ({"figure": "positon"}, "figure", "did you mean 'position'"),
    "an instrument": ({"of": "AAB"}, "of", "did you mean 'AAA'"),
    "no value": ({"value": ""}, "value", "is empty: write a share such as 10 %"),
    "a negative value": ({"value": "-10 %"}, "value", "is negative"),
    "a comma for a point": ({"value": "1,5 %"}, "value", "is no amount"),
    "a wrong unit": ({"value": "5 d"}, "value", "has the wrong unit, it is ratio"),
    "percent without the sign": ({"value": "50"}, "value", "write 50 % if that is meant"),
    "a huge value": ({"value": "1e999"}, "value", "is no amount"),
    "too much": ({"value": "99999999 %"}, "value", "too much"),
    "a warn level": ({"warn": "180 %"}, "warn", "not between 0 and 100 %"),
    "a severity": ({"severity": "critcal"}, "severity", "did you mean 'critical'"),
    "an operator": ({"operator": "over"}, "operator", "is none of at most and at least"),
    "a note": ({"note": "x" * 301}, "note", "more than 300 characters"),
    "a list without names": ({"figure": "restricted", "value": ""}, "of", "give the instruments"),
    "names of what has none": ({"figure": "gross", "of": "AAA"}, "of", "leave it empty"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_is_refused_with_its_field_and_the_fix_and_changes_nothing(
    fund: Fund, push: Push, wrong: str
) -> None:
    given, field, why = WRONG[wrong]
    push(AAA=4)
    with pytest.raises(ChangeRejected) as refused:
        save(fund.stores, {**POSITION, **given}, "ana")
    assert why in refused.value.fields[field], refused.value.fields
    assert "position" not in found(fund)


def test_limits_of_the_settings_hold_beside_those_set_here_and_general_ones_give_way(stores: Stores) -> None:
    set_there: list[dict[str, Any]] = [
        {"portfolio": "alpha", "figure": "drawdown", "at_most": "30 %"},
        {"portfolio": "fund", "figure": "net", "at_least": "-20 %", "below": True},
        {"figure": "leverage", "at_most": 2},
    ]
    limits = SetLimits.model_validate({"drawdown_ratio": 0.12, "portfolios": set_there})
    fund = Fund(safe_stores(stores, QUICK, limits=limits))
    alpha, beta, whole = (found(fund, name) for name in ("alpha", "beta", "fund"))
    assert (alpha["drawdown"].limit.value, beta["drawdown"].limit.value) == (0.3, 0.12)
    assert {"net", "leverage", "daily_loss"} <= {*alpha} and {*alpha} == {*beta} == {*whole}
    with pytest.raises(ValueError, match=r"limits.drawdown_ratio: set that"):
        SetLimits.model_validate({"portfolios": [{"figure": "drawdown", "at_most": "9 %"}]})
    with pytest.raises(ValueError, match="at_most: '5 d' has the wrong unit"):
        SetLimits.model_validate({"portfolios": [{"portfolio": "alpha", "figure": "gross", "at_most": "5 d"}]})


def test_a_limit_of_the_settings_that_names_what_is_not_known_is_not_kept(stores: Stores) -> None:
    limits = SetLimits.model_validate(
        {"portfolios": [{"portfolio": "alpha", "figure": "position", "of": "AAB", "at_most": "5 %"}]}
    )
    fund = Fund(safe_stores(stores, QUICK, limits=limits))
    row = {"portfolio": "alpha", "ts": at(fund.stores.clock.now()), "currency": "USD", "price": 10}
    sender(fund.stores)("positions", [{**row, "instrument": "AAA", "quantity": 4}])
    told = found(fund)["position"]
    assert told.why == "position AAB is not known: no instrument AAB is known; did you mean 'AAA'?"
    assert told.stops


def test_a_limit_that_stops_trading_gives_way_only_to_another_that_does(fund: Fund) -> None:
    own = {"portfolio": "alpha", "figure": "drawdown", "value": "8 %"}
    made, _ = save(fund.stores, {**own, "severity": "warning"}, "ana")
    put_values(fund.stores, "alpha", [100.0] * 9 + [40.0])
    fund.stores.live.bump("portfolio")
    alpha = next(each for each in list_portfolios(fund.stores.state) if each.id == "alpha")
    every = stands(fund.stores, [alpha], None, fund.stores.clock.now())
    there = {each.limit.value: each for each in every if each.limit.figure == "drawdown"}
    assert {*there} == {0.08, 0.15} and there[0.15].stops and not there[0.08].stops
    save(fund.stores, {**own, "value": "75 %"}, "ana", id=made.id, version=made.version)
    assert found(fund)["drawdown"].limit.value == 0.75


def test_limits_of_earlier_settings_stop_the_start_and_say_where_they_stand_now() -> None:
    with pytest.raises(ValueError, match=r"write a limit of the portfolio under limits.portfolios"):
        Rules.model_validate({"portfolios": [{"portfolio": "alpha", "drawdown_limit_ratio": 0.1}]})
    with pytest.raises(ValueError, match="drawdown is part of the check limits now"):
        Rules.model_validate({"without": ["drawdown"]})


def test_breaches_of_a_portfolio_that_is_deleted_or_merged_are_those_of_no_other_one(fund: Fund, push: Push) -> None:
    push(AAA=6)
    save(fund.stores, {**POSITION, "portfolio": "fund", "below": "on"}, "ana")
    fund.goes_on(2)
    (began,) = breaches(fund)
    merge(fund.stores, "alpha", "beta", "beta", "ben")
    (moved,) = breaches(fund, "beta")
    assert (moved.worst, moved.ended_why) == (began.worst, "the limit holds for it no more")
    assert breaches(fund) == []
    delete_portfolio(fund.stores, "beta", "Beta", "ben")
    put_portfolios(fund.stores.state, [Portfolio("own", "beta", "Another Beta")])
    assert breaches(fund, "beta") == []


def test_limits_of_a_portfolio_that_is_deleted_or_merged_mean_no_other_one(fund: Fund) -> None:
    state = fund.stores.state
    save(fund.stores, {"portfolio": "beta", "figure": "drawdown", "value": "3 %"}, "ana")
    save(fund.stores, {"portfolio": "alpha", "figure": "drawdown", "value": "4 %"}, "ana")
    merge(fund.stores, "alpha", "fund", "fund", "ben")
    assert found(fund, "fund")["drawdown"].limit.value == 0.04, "it goes on for what it became part of"
    advance(fund, 1.0)
    delete_portfolio(fund.stores, "beta", "Beta", "ben")
    put_portfolios(state, [Portfolio("own", "beta", "Another Beta")])
    assert found(fund, "beta")["drawdown"].limit.value == 0.15
    newest, *_ = changes(fund.stores)
    assert (newest.who, newest.was is not None, newest.now) == ("ben", True, None)
