"""Exposure over time says of each day what that day's holdings say, and its groups add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.clock import SystemClock
from core.portfolio_limits.limit import PortfolioLimit
from portfolio.book_history import book_history
from portfolio.concentrated import concentrated
from portfolio.day_holdings import holdings
from portfolio.exposure import ExposureCourse, exposure_course
from portfolio.holdings import GROUPS, Group
from portfolio.limits.measures import Measures
from portfolio.query import PortfolioQuery
from sample.load import load_sample, portfolios
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.ingest.test_door import DAY, NOW, at
from tests.support.funded import sender

FUND, *STRATEGIES = portfolios("sample")


def course(stores: Stores, by: Group = "sector", **choices: str) -> ExposureCourse:
    book = book_history(stores, FUND, None)
    query, problems = PortfolioQuery.parse(choices)
    assert book is not None and not problems
    found = exposure_course(book, query, by)
    assert found is not None
    return found


def test_each_day_is_what_is_held_on_it_and_groups_add_up(stores: Stores) -> None:
    load_sample(stores)
    for by in GROUPS:
        found = course(stores, by)
        for name in ("long", "short", "gross", "net"):
            parts = getattr(found.groups.exposure, name).sum(axis=1)
            np.testing.assert_allclose(parts, getattr(found.whole, name), atol=1e-6)
    for day in ("2015-03-31", "2020-03-16", "2022-12-28"):
        alone = holdings(stores, FUND, None, np.datetime64(day))
        assert alone is not None
        row = int(np.flatnonzero(found.days == np.datetime64(day))[0])
        whole = alone.all()
        assert found.whole.long[row] == pytest.approx(whole.long)
        assert found.whole.short[row] == pytest.approx(whole.short)
        assert found.whole.nav[row] == pytest.approx(alone.nav)


def test_concentration_is_one_figure_wherever_it_is_told(stores: Stores) -> None:
    parts = [Portfolio("own", name, name.title(), parent="all") for name in ("one", "other")]
    put_portfolios(stores.state, [Portfolio("own", "all", "All"), *parts])
    stores = replace(stores, clock=SystemClock())
    send = sender(stores)
    held = (("one", "SAME", 100), ("other", "SAME", 100), ("one", "APART", 100), ("one", "BOTH", 100),
            ("other", "BOTH", -100))  # fmt: skip
    rows = [
        {"portfolio": name, "ts": at(NOW), "instrument": symbol, "quantity": many, "price": 1}
        for name, symbol, many in held
    ]
    assert send("positions", rows).status_code == 200
    assert send("nav", [{"portfolio": each.id, "ts": at(NOW), "nav": 1_000} for each in parts]).status_code == 200
    own = Portfolio("own", "all", "All")
    whole, book = holdings(stores, own, None), book_history(stores, own, None)
    assert whole is not None and book is not None
    course = exposure_course(book, PortfolioQuery.parse({})[0], "sector")
    assert course is not None
    measures = Measures(stores, own, None, stores.clock.now())
    limits = [measures.of(PortfolioLimit(key, 1.0, "all")).value for key in ("hhi", "largest_1", "largest_5")]
    shares = 2 / 3, 1 / 3
    expected = [sum(each**2 for each in shares), 2 / 3, 1.0]
    assert limits == pytest.approx(expected)
    for found in (concentrated(whole.positions), course.dense):
        assert [found.herfindahl[-1], *found.top[-1, :2]] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("choices", "first", "last"),
    [({"window": "YTD"}, "2021-12-31", "2022-12-28"),
     ({"window": "YTD", "asof": "2020-06-30"}, "2019-12-31", "2020-06-30"),
     ({"from": "2020-02-01", "to": "2020-03-31"}, "2020-02-03", "2020-03-31")],
)  # fmt: skip
def test_the_window_is_that_of_the_other_pages(stores: Stores, choices: dict[str, str], first: str, last: str) -> None:
    load_sample(stores)
    found = course(stores, **choices)
    assert (str(found.days[0]), str(found.days[-1])) == (first, last)


def test_a_day_before_anything_was_told_has_no_exposure(stores: Stores) -> None:
    load_sample(stores)
    book = book_history(stores, FUND, None)
    assert book is not None
    assert exposure_course(book, PortfolioQuery.parse({"asof": "2000-01-01"})[0], "sector") is None


def test_a_group_without_a_rate_is_not_known_and_not_nothing(stores: Stores) -> None:
    own = Portfolio("own", "alpha", "Alpha", currency="EUR")
    put_portfolios(stores.state, [own])
    clocked = replace(stores, clock=SystemClock())
    send, day = sender(clocked), at(NOW // DAY * DAY - DAY)
    rows = [{"portfolio": "alpha", "ts": day, "instrument": name, "quantity": 5, "price": 10, "currency": currency}
            for name, currency in (("ACME", "EUR"), ("ALP", "CHF"))]  # fmt: skip
    assert send("positions", rows).status_code == 200
    assert send("nav", [{"portfolio": "alpha", "ts": day, "nav": 1_000}]).status_code == 200
    book = book_history(clocked, own, None)
    assert book is not None
    found = exposure_course(book, PortfolioQuery(), "currency")
    assert found is not None
    net = dict(zip(found.groups.names, found.groups.exposure.net[-1], strict=True))
    assert net["EUR"] == found.whole.net[-1] == 50
    assert np.isnan(net["CHF"])
    assert found.without_rate == ("CHF",)
