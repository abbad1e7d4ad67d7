"""What is set of a portfolio counts wherever its history is read, and is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from access.viewer import Viewer
from core.roles import Role
from dashboard.components.markup import markup
from dashboard.portfolios.tables import tree_table
from dashboard.tabs.portfolio import TAB
from dashboard.views.tab import Choices
from portfolio.data import PortfolioData
from portfolio.frequency import offered
from portfolio.given import newest_value, stale_after_seconds
from portfolio.imports.take import look_at, take
from portfolio.query import PortfolioQuery
from portfolio.reading import read
from portfolio.tree.facts import nodes
from portfolio.tree.settings import change
from storage.stores import Stores

FIRST = datetime(2020, 1, 1, tzinfo=UTC)


def bring(stores: Stores, every_days: int = 1, count: int = 300, has_weekends: bool = False) -> None:
    days = (FIRST + timedelta(days=at * every_days) for at in range(2 * count))
    kept = [day for day in days if has_weekends or every_days > 1 or day.weekday() < 5][:count]
    lines = [f"{day:%Y-%m-%d},A,{100 + at % 7}" for at, day in enumerate(kept)]
    take(stores, "a.csv", ("date,portfolio,nav\n" + "\n".join(lines)).encode(), accept=True)


def data(stores: Stores, **query: object) -> PortfolioData:
    return read(stores, PortfolioQuery(portfolio="own:A", window="ITD", **query), None)  # type: ignore[arg-type]


def test_a_rhythm_that_is_set_is_what_returns_are_measured_by(stores: Stores) -> None:
    bring(stores)
    assert (data(stores).frequency, data(stores).periods, data(stores).own.told) == ("D", 252, ())
    change(stores, "A", {"frequency": "M"})
    found = data(stores)
    assert (found.frequency, found.periods, offered(found.own.cadence)) == ("M", 12, ("M", "Q"))
    assert found.own.told == ("Rhythm: monthly, as set; the values come daily.",)
    assert [node.rhythm for node in nodes(stores, None)] == ["monthly, set"]
    change(stores, "A", {"frequency": "", "periods_per_year": "250"})
    assert (data(stores).periods, data(stores).own.told) == (250, ("Periods a year: 250, as set.",))
    assert [node.rhythm for node in nodes(stores, None)] == ["daily, found from 300 values"]


def test_a_value_of_a_day_is_as_old_as_since_the_end_of_that_day_and_stale_when_it_was(stores: Stores) -> None:
    bring(stores)
    found = data(stores)
    friday = np.datetime64("2024-03-01")
    midnight, hour = float(friday.astype("datetime64[s]").astype(int)), 3_600
    newest = newest_value("", found.own.cadence, friday, midnight)
    assert newest.age_seconds(midnight + 30 * hour) == pytest.approx(6 * hour, abs=1)
    assert newest.age_seconds(midnight + 16 * hour) == 0.0, "the day is not over"
    assert newest.known_at + newest.stale_after_seconds == midnight + 4 * 24 * hour
    noon = newest_value("", found.own.cadence, friday, midnight + 12 * hour)
    assert noon.age_seconds(midnight + 30 * hour) == 18 * hour, "one that says its time is of that time"


def test_a_rhythm_finer_than_the_values_is_told_and_not_used(stores: Stores) -> None:
    bring(stores, every_days=7, count=60)
    change(stores, "A", {"frequency": "D"})
    assert data(stores).frequency == "W"
    (told,) = data(stores).own.told
    assert told == "Rhythm: daily is set, and is finer than the values, which are weekly; weekly is used."
    assert [node.rhythm for node in nodes(stores, None)] == ["weekly, found from 60 values"]


def test_the_first_days_of_a_seven_day_fund_are_annualised_as_the_whole_of_it(stores: Stores) -> None:
    bring(stores, count=40, has_weekends=True)
    early = np.datetime64("2020-01-03")
    assert data(stores).periods == data(stores, as_of=early).periods == 365


def test_values_outside_its_life_are_left_out_and_counted(stores: Stores) -> None:
    bring(stores, has_weekends=True, count=100)
    change(stores, "A", {"inception": "2020-01-11", "ended": "2020-03-31"})
    found = data(stores)
    assert [str(day) for day in found.nav.dates[[0, -1]]] == ["2020-01-11", "2020-03-31"]
    assert len(found.nav) == 81
    assert found.nav.newest == datetime(2020, 3, 31, tzinfo=UTC).timestamp()
    assert found.own.told == (
        "A ended on 2020-03-31.",
        "19 values before its inception on 2020-01-11 and after its end left out.",
    )
    assert len(data(stores, as_of=np.datetime64("2020-01-20")).nav) == 10
    (node,) = nodes(stores, None)
    assert (node.values, node.left_out) == (81, 19)
    change(stores, "A", {"inception": "2030-01-01", "ended": ""})
    assert len(data(stores).nav) == 0


@pytest.mark.parametrize(("days", "verb"), [(-1, "ended"), (0, "ends"), (300, "ends")])
def test_what_ends_later_is_watched_until_then(stores: Stores, days: int, verb: str) -> None:
    bring(stores, count=30)
    day = (datetime.fromtimestamp(stores.clock.now(), UTC) + timedelta(days=days)).date().isoformat()
    change(stores, "A", {"ended": day})
    assert data(stores).own.told == (f"A {verb} on {day}.",)
    (node,) = nodes(stores, None)
    assert node.has_ended == (verb == "ended")
    shown = markup(tree_table([node], ""))
    assert (f"ended {day}" in shown) == node.has_ended
    view = TAB.build(stores, Choices.of({"portfolio": "own:A", "window": "ITD"}), Viewer("ann", Role.OPERATOR))
    assert ("data-stale-after" in markup(view.slots["portfolio-cards"])) != node.has_ended


def test_a_calendar_says_what_is_doubted_of_the_next_file(stores: Stores) -> None:
    bring(stores, count=15)
    last = data(stores).nav.dates[-1]

    def doubts(day: np.datetime64) -> list[str]:
        found = look_at(stores, "a.csv", f"date,portfolio,nav\n{day},A,101\n".encode())
        return [doubt.kind for doubt in found.doubts]

    saturday = np.busday_offset(last, 0, roll="forward", weekmask="Sat")
    assert doubts(saturday) == ["weekend"]
    assert doubts(last + 7) == []
    change(stores, "A", {"calendar": "7-day"})
    assert doubts(saturday) == []
    assert doubts(last + 7) == ["hole"]


@pytest.mark.parametrize(
    ("calendar", "last", "days"),
    [
        ("weekdays", "2023-12-18", 3),  # a Monday: when Wednesday is over
        ("weekdays", "2023-12-21", 5),  # a Thursday: when Monday is over
        ("XNYS", "2023-12-21", 6),  # when Tuesday is over, for Monday is Christmas
        ("7-day", "2023-12-22", 3),
    ],
)
def test_a_value_is_stale_when_two_expected_days_are_over(stores: Stores, calendar: str, last: str, days: int) -> None:
    bring(stores)
    change(stores, "A", {"calendar": calendar})
    cadence = data(stores).own.cadence
    assert stale_after_seconds(calendar, cadence, np.datetime64(last)) == days * 86_400
    assert stale_after_seconds("", cadence, np.datetime64(last)) is None
    assert stale_after_seconds(calendar, replace(cadence, rhythm="monthly"), np.datetime64(last)) is None
