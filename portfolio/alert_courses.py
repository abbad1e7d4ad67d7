"""What the figures of an alert were before it began and since: of portfolios as of past values; and which one decides.

Of what is collected the courses are read by whoever draws them; what they are of is told here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.alerts.expression import Figure
from core.alerts.figures import LIMIT, LIMIT_LEVEL, Of
from core.alerts.labels import OWN as OF_EVERY_ALERT
from core.alerts.rule import Rule
from core.alerts.thresholds import Bound, bounds_of
from core.clock import DAY_SECONDS
from core.metrics import unit_of
from portfolio.as_it_was import past_of
from portfolio.given import said_of
from portfolio.histories import fund
from portfolio.limits.measures import FIGURES_OF_RETURNS
from portfolio.reports import covers
from portfolio.rule_figures import figures_of, key_of_figure, past_values
from portfolio.vocabulary import query_of, vocabulary

if TYPE_CHECKING:
    from core.alerts.series import Series
    from core.portfolio_limits.limit import PortfolioLimit
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores

MOST_FIGURES = 4
"""Of a rule, the first, whose courses are looked at to tell which decides."""
WITHIN_DAYS_SECONDS = (3_600, DAY_SECONDS)
"""Spans of which values that come within days are looked at, where it began in one of them."""
SHORTEST_DAYS, LONGEST_DAYS = 31, 366
"""What is looked at of values that come by the day, or since it began; so many of the newest, however old they are."""
FEWEST_VALUES = 10
"""Within days: with fewer it is looked at by the day."""
MOST_VALUES = 60
"""Each is worked out alone."""


@dataclass(frozen=True, slots=True)
class FigureCourse:
    """What a figure was, epoch seconds; None: a gap."""

    bound: Bound
    times: Sequence[float]
    values: Sequence[float | None]

    @property
    def unit(self) -> str:
        """Return the base unit of its values."""
        return unit_of_figure(self.bound.figure)

    @property
    def last(self) -> float | None:
        """Return the newest value; None: there is none now."""
        return self.values[-1] if self.values else None


def unit_of_figure(figure: Figure) -> str:
    """Return the base unit of a figure's values."""
    kind = vocabulary().get(figure.name)
    return kind.unit if kind else unit_of(figure.name)


def deciding(courses: Sequence[FigureCourse]) -> FigureCourse | None:
    """Return the one that is beyond its bound by most, as a share of it, else the first; None: there is none."""
    beyond = [each for each in courses if each.last is not None and each.bound.beyond(each.last) >= 0]
    most = max(beyond, key=lambda each: each.bound.beyond(each.last or 0.0), default=None)
    return most or (courses[0] if courses else None)


def watched(rule: Rule, of: Mapping[str, str], limits: Callable[[], Sequence[PortfolioLimit]]) -> list[Bound]:
    """Return the figures of an alert of a rule that have a past, at most MOST_FIGURES; of: its labels.

    limits: returns those of portfolios: of one on what was lost it is the figure that is limited.
    """
    found = []
    for bound in bounds_of(rule):
        if bound.figure.name == LIMIT_LEVEL:
            found += _limited(limits(), of)
        elif _is_kept(bound.figure):
            found.append(bound)
    return found[:MOST_FIGURES]


def is_of_portfolios(figure: Figure) -> bool:
    """Return whether a figure is one of portfolios."""
    kind = vocabulary().get(figure.name)
    return kind is not None and kind.of is Of.PORTFOLIO


def series_labels(of: Mapping[str, str], rule: Rule) -> dict[str, str]:
    """Return which of the labels of an alert are of what it watches."""
    return {name: value for name, value in of.items() if name not in OF_EVERY_ALERT and rule.labels.get(name) != value}


def labels_of_figure(figure: Figure, of: Mapping[str, str], *, is_only: bool) -> dict[str, str]:
    """Return which labels the series of a collected figure has; of: those of what is watched; is_only: it is alone.

    The labels of an alert of several figures are those of all of them.
    """
    kind = vocabulary().get(figure.name)
    there = kind.labels if kind and not is_only else None
    said = {each.label: each.value for each in figure.matchers if each.operator == "="}
    return said | {name: value for name, value in of.items() if there is None or name in there}


def portfolio_course(
    stores: Stores, portfolio: Portfolio, bound: Bound, since: float, end: float
) -> FigureCourse | None:
    """Return what a figure of a portfolio was since a time and before it until `end`; None: it has no value.

    Of values that come within the day since it began, an hour of them at least; else of days, SHORTEST_DAYS at least.
    Raises StorageUnavailable or StorageRejected.
    """
    series = _within_days(stores, portfolio, bound.figure, since, end)
    found = _course(bound, series, end) if series else _of_days(stores, portfolio, bound, since, end)
    return found if found and any(value is not None for value in found.values) else None


def _within_days(stores: Stores, portfolio: Portfolio, figure: Figure, since: float, end: float) -> Series | None:
    whole = fund(stores, portfolio.origin)
    history = whole.history(portfolio.id, said_of(portfolio))
    # Values that are built from trades, and those that are stamped midnight, are of whole days.
    if history.built or not history.nav.newest % DAY_SECONDS:
        return None
    for span in WITHIN_DAYS_SECONDS:
        if end - since > span:
            continue
        start, step = int(end) - span, span // MOST_VALUES
        past = past_of(stores.clickhouse, whole, portfolio.origin, portfolio.id, start, int(end), step)
        moments = past.moments(start, step) if past else []
        if past and len(moments) > FEWEST_VALUES:
            return past_values(stores, portfolio, figure, past, moments)
    return None


def _course(bound: Bound, series: Series, end: float) -> FigureCourse:
    """Return a series of values, each of which stands until the next one, up to `end`."""
    # When the next one would be overdue is told as well, and may lie ahead.
    pairs = [each for each in zip(series.times, series.values, strict=True) if each[0] <= end]
    pairs += [(end, value) for _, value in pairs[-1:]]
    return FigureCourse(bound, [at for at, _ in pairs], [value for _, value in pairs])


def _of_days(stores: Stores, portfolio: Portfolio, bound: Bound, since: float, end: float) -> FigureCourse | None:
    whole, query, key = fund(stores, portfolio.origin), query_of(bound.figure), key_of_figure(bound.figure)
    days = whole.history(portfolio.id, said_of(portfolio)).nav.dates
    last = np.datetime64(int(end), "s").astype("datetime64[D]")
    back = min(max(math.ceil((end - since) / DAY_SECONDS) + 1, SHORTEST_DAYS), LONGEST_DAYS)
    known = days[days <= last]
    # Values may come by the month, or have ended.
    some = known[-max(int(np.count_nonzero(known > last - back)), SHORTEST_DAYS) :]
    if not len(some):
        return None
    # The newest stays, however few of them are looked at.
    picked = some[:: -math.ceil(len(some) / MOST_VALUES)][::-1]
    values = [
        figures_of(stores, portfolio, replace(query, as_of=day), [key], whole)[key][0] for day in picked
    ]  # fmt: skip
    times = [min(covers(float(day.astype(np.int64)) * DAY_SECONDS), end) for day in picked]
    return FigureCourse(bound, times, values)


def _limited(limits: Sequence[PortfolioLimit], of: Mapping[str, str]) -> list[Bound]:
    """Return what a limit is on that an alert names, where its past is known: a loss, as rules read it."""
    limit = next((each for each in limits if each.id == of.get(LIMIT)), None)
    figure = FIGURES_OF_RETURNS.get(limit.figure) if limit else None
    return [Bound(Figure(figure), (-limit.value,), is_above=False)] if limit and figure else []


def _is_kept(figure: Figure) -> bool:
    kind = vocabulary().get(figure.name)
    return kind is None or kind.of in (Of.COLLECTED, Of.PORTFOLIO)
