"""Portfolios of the settings file: made at the start, read-only afterwards, and a mistake stops the start."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from access.viewer import Viewer
from core.errors import ChangeRejected, SettingsError
from core.roles import Role
from core.settings.limits import SetLimits
from core.settings.model import Settings
from core.settings.portfolios import SetPortfolio
from core.settings.readiness import Readiness, ReadinessOfPortfolio
from dashboard.tabs.readiness import build
from dashboard.views.tab import Choices
from portfolio.tree.configured import prepare_tree
from portfolio.tree.delete import delete
from portfolio.tree.merge import merge
from portfolio.tree.settings import add, change
from storage.state.changes import recent_changes
from storage.state.portfolios import list_known_names, list_portfolios
from storage.state.series import Blend, Series, put_blend, put_series
from storage.stores import Stores


def configured(stores: Stores, *items: dict[str, Any]) -> Stores:
    settings = Settings(data_dir=stores.settings.data_dir, portfolios=tuple(SetPortfolio(**each) for each in items))
    return Stores(settings, stores.clickhouse, stores.live, stores.state, stores.writer, stores.clock)


def test_what_the_file_says_counts_and_the_rest_stays_as_it_was_set(stores: Stores) -> None:
    add(stores, {"name": "macro", "currency": "EUR", "note": "mine"})
    started = configured(
        stores,
        {"id": "macro", "name": "Global macro", "parent": "fund", "currency": "USD"},
        {"id": "fund", "colour": 2, "inception": "2020-01-02"},
    )
    for _ in range(2):
        prepare_tree(started)
        found = {each.id: each for each in list_portfolios(stores.state)}
        macro, fund = found["macro"], found["fund"]
        assert (macro.name, macro.parent, macro.currency, macro.note) == ("Global macro", "fund", "USD", "mine")
        assert (fund.name, fund.parent, fund.colour, fund.inception) == ("fund", "", "2", "2020-01-02")
        assert len(recent_changes(stores.state)) == 3, "a start that changes nothing is no change"
    with pytest.raises(ChangeRejected) as raised:
        change(started, "macro", {"currency": "EUR", "note": "other"})
    assert raised.value.fields == {"currency": "is set in fundwatch.yaml: change it there"}
    change(started, "macro", {"currency": "USD", "note": "other", "strategy": "macro"})
    for refused in (lambda: delete(started, "fund", "fund"), lambda: merge(started, "fund", "macro")):
        with pytest.raises(ChangeRejected, match=r"fund is set in fundwatch.yaml: take it out there first"):
            refused()
    prepare_tree(configured(stores, {"id": "macro", "name": "Macro"}))
    assert list_known_names(stores.state) == {"Global macro": "macro"}
    assert list_portfolios(stores.state)[0].parent == "fund", "what is taken out of the file stays as it was"


def test_a_tree_may_be_turned_upside_down(stores: Stores) -> None:
    prepare_tree(configured(stores, {"id": "a"}, {"id": "b", "parent": "a"}))
    prepare_tree(configured(stores, {"id": "a", "parent": "b"}, {"id": "b", "parent": ""}))
    assert {each.id: each.parent for each in list_portfolios(stores.state)} == {"a": "b", "b": ""}


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ([{"id": "a", "parent": "x"}], "portfolios[0].parent='x' (fundwatch.yaml): give the id of another portfolio"),
        ([{"id": "a", "parent": "a"}], "portfolios[0].parent='a' (fundwatch.yaml): give the id of another portfolio"),
        ([{"id": "a", "parent": "b"}, {"id": "b", "parent": "a"}], "parent 'b' of portfolio a is part of it"),
        ([{"id": "a", "calendar": "XXXX"}], "portfolios[0].calendar='XXXX' (fundwatch.yaml): give weekdays, 7-day"),
        (
            [{"id": "a"}, {"id": "b", "name": "there"}],
            "portfolios[1].name='there' (fundwatch.yaml): is what files call",
        ),
        (
            [{"id": "a", "inception": "2020-01-02", "ended": "2019-01-02"}],
            "ended '2019-01-02' of portfolio a: give a day",
        ),
        ([{"id": "gone"}], "portfolios[0].id='gone' (fundwatch.yaml): is part of there now"),
    ],
)
def test_what_cannot_be_stops_the_start_and_changes_nothing(
    stores: Stores, items: list[dict[str, Any]], told: str
) -> None:
    add(stores, {"name": "there"})
    add(stores, {"name": "gone"})
    merge(stores, "gone", "there")
    was = list_portfolios(stores.state)
    with pytest.raises(SettingsError, match=re.escape(told)):
        prepare_tree(configured(stores, *items))
    assert list_portfolios(stores.state) == was


def test_a_blend_is_named_by_its_name_and_a_benchmark_may_come_later(stores: Stores) -> None:
    put_blend(stores.state, Blend("own", "60/40", "Mixed", (("SPX", 60.0), ("AGG", 40.0))))
    started = configured(stores, {"id": "macro", "benchmark": "Mixed"}, {"id": "fund", "benchmark": "SPX"})
    for _ in range(2):
        prepare_tree(started)
        found = {each.id: each.benchmark for each in list_portfolios(stores.state)}
        assert found == {"macro": "blend:60/40", "fund": "SPX"}
    assert len(recent_changes(stores.state)) == 2


def test_a_mistyped_portfolio_under_readiness_stops_the_start_and_one_that_is_none_is_told(stores: Stores) -> None:
    for name in ("macro", "pairs"):
        add(stores, {"name": name})
    change(stores, "macro", {"name": "Global macro"})

    def started(name: str) -> Stores:
        rules = Readiness(portfolios=(ReadinessOfPortfolio(portfolio=name, without=("feeds",)),))
        return replace(stores, settings=stores.settings.model_copy(update={"readiness": rules}))

    prepare_tree(started("macro"))
    for wrong in ("marco", "Global macro"):
        with pytest.raises(SettingsError, match=f"'{wrong}' is no portfolio of the fund; did you mean 'macro'"):
            prepare_tree(started(wrong))
    later = started("crypto")
    prepare_tree(later)
    view = build(later, Choices(), Viewer("ana", Role.OPERATOR))
    assert "names 'crypto', which is no portfolio" in view.notes["readiness-checks"]
    merge(stores, "pairs", "macro", "macro", "ana")
    prepare_tree(started("pairs"))


def test_names_in_limits_that_nobody_told_of_are_in_the_log_at_the_start(
    stores: Stores, caplog: pytest.LogCaptureFixture
) -> None:
    add(stores, {"name": "macro"})
    put_series(stores.state, [Series("own", "XOM", "Exxon", sector="Energy")])
    limits = SetLimits.model_validate({"portfolios": [
        {"portfolio": "macro", "figure": "sector", "at_most": "20 %", "of": "Enrgy"},
        {"portfolio": "macro", "figure": "sector", "at_most": "30 %", "of": "Energy"},
        {"portfolio": "crypto", "figure": "gross", "at_most": "200 %"},
        {"portfolio": "*", "figure": "restricted", "of": ["XOM", "TWTR"]},
    ]})  # fmt: skip
    prepare_tree(replace(stores, settings=stores.settings.model_copy(update={"limits": limits})))
    told = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert told == [
        "limits.portfolios: 'crypto' is no portfolio of the fund yet: what it says counts for nobody",
        "limits.portfolios: sector of macro names the sector 'Enrgy', which nobody has told of yet; "
        "did you mean 'Energy'?",
        "limits.portfolios: restricted of * names the instrument 'TWTR', which nobody has told of yet",
    ]
