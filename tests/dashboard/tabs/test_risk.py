"""The pages Risk and Stress: what they show of a fund, of a limited viewer, and of what cannot be."""

from __future__ import annotations

import re

import pytest

from access.viewer import Viewer
from core.roles import Role
from dashboard.tabs import risk, stress, what_if
from dashboard.views.form import Form, Sent
from dashboard.views.tab import Choices, Page, View
from sample.load import load_sample
from storage.state.portfolios import Portfolio, put_portfolios
from storage.state.scenarios import Scenario, add_scenario
from storage.stores import Stores
from tests.dashboard.tabs.test_holdings import text_of

VIEWER = Viewer("ana", Role.VIEWER)
ANALYST = Viewer("ben", Role.ANALYST)
PAGES = (risk.PAGE, stress.PAGE)


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


def view(stores: Stores, page: Page = risk.PAGE, viewer: Viewer = VIEWER, **choices: str) -> View:
    assert page.build is not None
    found = page.build(stores, Choices.of(choices), viewer)
    assert set(found.slots) <= set(page.slots)
    assert set(found.figures) <= set(page.graphs)
    return found


def test_the_fund_has_all_figures_and_a_verdict_of_the_model(sample: Stores) -> None:
    found = view(sample)
    strip = text_of(found.slots["risk-strip"])
    for title in ("VaR, historical", "ES, parametric", "Diversification ratio", "Effective bets", "to S&P 500"):
        assert title in strip
    assert "n/a" not in strip
    assert found.slots["risk-remarks"] == []
    assert re.search("green|yellow|red", str(found.slots["risk-back-test-said"]))
    assert len(found.figures["risk-correlation-graph"]["data"][0]["x"]) == 20
    assert found.figures["risk-liquidity-graph"]["data"][0]["x"] == ["1 day", "2 days", "5 days", "10 days", "20 days"]
    assert "Component 1" in text_of(found.slots["risk-factors-table"])
    for panel in risk.PANELS:
        assert found.notes[panel.id] == ""


def test_choices_change_what_is_shown(sample: Stores) -> None:
    found = view(sample, method="cornish_fisher", level="99", horizon="10", history="1y", group="portfolio",
                 factors="SP500, nonsense")  # fmt: skip
    assert "99 %, 10 days" in text_of(found.slots["risk-positions-said"])
    assert "Sector pairs" in text_of(found.slots["risk-groups-table"])
    assert "S&P 500" in text_of(found.slots["risk-factors-table"])
    assert "there is no series “nonsense”" in text_of(found.slots["risk-remarks"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_what_cannot_be_is_told_and_the_usual_shown(sample: Stores, page: Page) -> None:
    found = view(sample, page, portfolio="own:nobody", level="1", horizon="0", history="x", asof="never", scenario="y")
    told = text_of(found.slots[f"{page.id}-remarks"])
    for word in ("Portfolio", "Level", "Horizon", "History", "As of"):
        assert word in told
    assert found.slots[f"{page.id}-positions-table"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_without_positions_or_prices_it_is_said_what_to_send(stores: Stores, page: Page) -> None:
    assert "No portfolio yet" in text_of(view(stores, page).slots[f"{page.id}-strip"])
    put_portfolios(stores.state, [Portfolio("own", "alpha", "<b>Alpha</b>", currency="EUR")])
    assert "<b>Alpha</b> reported no positions" in text_of(view(stores, page).slots[f"{page.id}-strip"])
    report(stores, "alpha")
    found = view(stores, page)
    assert "60 are needed" in text_of([found.slots[f"{page.id}-strip"], found.slots[f"{page.id}-remarks"]])


def report(stores: Stores, name: str) -> None:
    ts = int(stores.clock.now()) // 86_400 * 86_400
    stores.clickhouse.command(
        "INSERT INTO positions (origin, portfolio, ts, instrument, quantity, price, market_value, version) "
        f"VALUES ('own', '{name}', toDateTime({ts}), '{name.upper()}', 10, 5, 50, 1)"
    )


@pytest.mark.parametrize("page", (*PAGES, what_if.PAGE), ids=lambda page: page.id)
def test_a_portfolio_of_cash_alone_has_nothing_to_lose_and_it_is_said(stores: Stores, page: Page) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha", currency="EUR")])
    ts = int(stores.clock.now()) // 86_400 * 86_400
    stores.clickhouse.command(
        "INSERT INTO positions (origin, portfolio, ts, instrument, quantity, price, market_value, version) "
        f"VALUES ('own', 'alpha', toDateTime({ts}), 'CASH', 500, 1, 500, 1)"
    )
    found = view(stores, page, trades="buy 5 ACME")
    told = text_of([found.slots.get(f"{page.id}-strip"), found.slots[f"{page.id}-remarks"]])
    assert "nothing of a known value is held" in told
    if page is what_if.PAGE:
        assert "no instrument “ACME”" in told


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_who_may_see_a_part_alone_sees_no_other(stores: Stores, page: Page) -> None:
    put_portfolios(
        stores.state,
        [Portfolio("own", "fund", "Fund"), Portfolio("own", "alpha", "Alpha", "fund"),
         Portfolio("own", "beta", "Beta", "fund")],
    )  # fmt: skip
    for name in ("alpha", "beta"):
        report(stores, name)
    add_scenario(stores.state, Scenario("Crash", strategies={"own:beta": -0.1}))
    limited = Viewer("ben", Role.ANALYST, portfolios=frozenset({"alpha"}))
    for portfolio in ("own:fund", "own:beta", "own:alpha", ""):
        found = view(stores, page, limited, portfolio=portfolio)
        shown = repr(found).replace(f"“{portfolio}”", "")
        assert "BETA" not in shown and "own:beta" not in shown and "Crash" not in shown


def test_var_of_stress_is_that_of_risk_by_its_method_and_says_of_which_days(sample: Stores) -> None:
    def card(found: View, of: str) -> str:
        (strip,) = [text_of(slot) for name, slot in found.slots.items() if name.endswith("-strip")]
        return strip[strip.index(of) :][:260]

    for choices in ({}, {"history": "all"}):
        of_risk = card(view(sample, risk.PAGE, **choices), "VaR, parametric").split()
        of_stress = card(view(sample, stress.PAGE, **choices), "VaR, as they are")
        amount = " ".join(of_risk[of_risk.index("parametric") + 1 :][:2])
        assert amount in of_stress, (choices, of_risk)
        assert "parametric, 95 %, 1 day, returns 20" in of_stress
    windows = text_of(view(sample, stress.PAGE).slots["stress-windows-table"])
    assert "2020-03-16" in windows, "the worst days are of all there were"


@pytest.mark.parametrize(("given", "told"), [("costs", "did you mean cost?"), ("zzz", "there are asof, cost,")])
def test_a_name_in_the_address_that_means_nothing_is_told(sample: Stores, given: str, told: str) -> None:
    remarks = text_of(view(sample, what_if.PAGE, **{given: "10"}).slots["what-if-remarks"])
    assert f"“{given}”" in remarks and told in remarks
    fine = view(sample, what_if.PAGE, cost="10", level="99", trades="buy 1 XOM").slots["what-if-remarks"]
    assert "Address" not in text_of(fine)


def form_of(stores: Stores, name: str) -> Form:
    assert stress.PAGE.forms is not None
    return next(each for each in stress.PAGE.forms(stores) if each.rule.endswith(name))


def test_a_scenario_is_kept_seen_by_all_chosen_and_deleted(sample: Stores) -> None:
    keep = form_of(sample, "/keep")
    assert (keep.role, keep.is_shared) == (Role.ANALYST, True)
    before = sample.live.version("scenarios")
    wrong = keep.do(Sent({"portfolio": "sample:fund", "name": "Oil", "sectors": "Enrgy -30"}), ANALYST)
    assert not wrong.is_done and "did you mean Energy" in wrong.fields["sectors"]
    said = keep.do(Sent({"portfolio": "sample:fund", "name": "Oil", "sectors": "Energy -30"}), ANALYST)
    assert said.is_done and sample.live.version("scenarios") != before
    found = view(sample, stress.PAGE, scenario="own:1")
    assert "Oil" in text_of(found.slots["stress-own-table"])
    assert found.slots["stress-positions-said"] == "Oil"
    assert form_of(sample, "/delete").do(Sent({"id": "1"}), ANALYST).is_done
    assert not form_of(sample, "/delete").do(Sent({"id": "1"}), ANALYST).is_done
    gone = view(sample, stress.PAGE, scenario="own:1")
    assert "Shock: there is none" in text_of(gone.slots["stress-remarks"])


def test_everybody_tries_a_scenario_in_the_address_and_analysts_may_keep_it(sample: Stores) -> None:
    limited = Viewer("lim", Role.ANALYST, portfolios=frozenset({"alpha"}))
    form = form_of(sample, "/try")
    assert (form.role, form.is_shared) == (Role.VIEWER, False)
    typed = {"query": "?portfolio=sample:fund&scenario=market", "sectors": "energy -30", "market": ""}
    wrong = form.do(Sent(typed | {"sectors": "Enrgy -30", "market": "x"}), VIEWER)
    assert not wrong.is_done and set(wrong.fields) == {"sectors", "market"} and not wrong.goto
    assert form.do(Sent({"query": ""}), VIEWER).fields["market"].startswith("nothing moves")
    assert form.do(Sent(typed), VIEWER).goto == "/portfolio/stress?portfolio=sample%3Afund&sectors=energy+-30"
    for viewer, says in ((VIEWER, "Only analysts"), (ANALYST, "Keep"), (limited, "may see every portfolio")):
        found = view(sample, stress.PAGE, viewer, sectors="energy -30")
        assert found.slots["stress-positions-said"] == "Tried"
        assert "Energy −30 %" in text_of(found.slots["stress-own-table"])
        assert "Take back" in text_of(found.slots["stress-own-table"])
        assert says in text_of(found.slots["stress-new-table"])
        assert ("/portfolio/stress/keep" in repr(found.slots["stress-new-table"])) == (viewer is ANALYST)
    assert "/keep" not in repr(view(sample, stress.PAGE, ANALYST).slots["stress-new-table"]), "nothing is tried"
    bad = view(sample, stress.PAGE, sectors="Enrgy -30")
    assert "did you mean Energy?" in text_of(bad.slots["stress-remarks"])
    kept = form_of(sample, "/keep").do(
        Sent({"query": "?sectors=Energy+-30", "portfolio": "sample:fund", "sectors": "Energy -30", "name": "Oil"}),
        ANALYST,
    )
    assert kept.goto == "/portfolio/stress?scenario=own%3A1", "the address lets go of it"


def test_what_if_adds_a_trade_to_the_address_and_takes_it_back(sample: Stores) -> None:
    assert what_if.PAGE.forms is not None
    (add,) = what_if.PAGE.forms(sample)
    typed = {"query": "?portfolio=sample:equity", "side": "sell", "amount": "250000", "unit": "money",
             "instrument": "xom"}  # fmt: skip
    said = add.do(Sent(typed), VIEWER)
    assert said.goto == "/portfolio/what-if?portfolio=sample%3Aequity&trades=sell+250000+money+of+XOM"
    wrong = add.do(Sent(typed | {"instrument": "XOMM", "amount": "-5", "side": "hold"}), VIEWER)
    assert not wrong.is_done and set(wrong.fields) == {"instrument", "amount", "side"}
    assert "did you mean XOM?" in wrong.fields["instrument"]
    found = view(sample, what_if.PAGE, portfolio="sample:equity", trades="sell 250000 money of XOM; nonsense", cost="x")
    told = text_of(found.slots["what-if-remarks"])
    assert "“nonsense” is none such as" in told and "Costs" in told
    assert "Take back" in text_of(found.slots["what-if-trades-table"])
    table = text_of(found.slots["what-if-figures-table"])
    for name in (
        "Net asset value",
        "Gross: leverage",
        "Beta",
        "VaR, historical",
        "ES, parametric",
        "Out within 20 days",
    ):
        assert name in table


def test_what_if_says_which_limits_trades_would_breach(sample: Stores) -> None:
    fine = view(sample, what_if.PAGE)
    assert "would breach" not in text_of(fine.slots["what-if-limits-table"])
    assert text_of(fine.slots["what-if-remarks"]) == ""
    found = view(sample, what_if.PAGE, trades="buy 9000000 money of XOM")
    told = text_of(found.slots["what-if-remarks"])
    assert "These trades would breach" in told
    assert "Position at most 25.0 %: XOM 3" in told and "Restricted" not in told, "what was broken stays so"
    table = text_of(found.slots["what-if-limits-table"])
    assert "Sector Health Care → Energy" in table and "Position LLY → XOM" in table
    assert table.index("would breach") < table.index("kept") and "Gross exposure" in table and "stays broken" in table
    assert "would breach " in text_of(found.slots["what-if-limits-said"])
    past = view(sample, what_if.PAGE, trades="buy 9000000 money of XOM", asof="2020-01-02")
    assert "leave the day empty" in text_of(past.slots["what-if-limits-table"])
