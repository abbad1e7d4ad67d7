"""Figures of portfolios as rules read them, now and as they were on past days."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.alerts.expression import Figure
from core.alerts.series import OfPortfolios, PastFigures, Series
from core.model import Labels, labels
from portfolio.as_it_was import Past, past_of
from portfolio.chosen import key_of
from portfolio.given import has_ended, newest_value, said_of
from portfolio.histories import fund
from portfolio.money import CASH_SHARE
from portfolio.query import PortfolioQuery
from portfolio.reading import read_alone
from portfolio.summary import ALL_METRICS, side_by_side
from portfolio.vocabulary import SPOKEN, query_of
from storage.state.portfolios import OWN, Portfolio, list_portfolios

if TYPE_CHECKING:
    from portfolio.fund import Fund
    from storage.stores import Stores

ORIGIN = "origin"
METRIC = {metric.key: metric for metric in ALL_METRICS}
MOST_PORTFOLIOS = 40
"""Of which the past is worked out at once."""
MOST_FIGURES = 1_000
"""Worked out at once, of all portfolios together: past that values are looked at less often."""


def past_of_portfolios(stores: Stores) -> OfPortfolios:
    """Return what works out a figure as it was with each value between two times (epoch seconds), by portfolio.

    What it returns raises StorageUnavailable or StorageRejected.
    """

    def of(figure: Figure, start: int, end: int, every: int) -> PastFigures:
        going_on = [each for each in list_portfolios(stores.state) if not has_ended(each, end)]
        meant = [each for each in going_on if is_meant(each, figure)]
        some = {key_of(each): each for each in meant[:MOST_PORTFOLIOS]}
        pasts = {key: _past(stores, each, start, end, every) for key, each in some.items()}
        there = {key: past for key, past in pasts.items() if past is not None}
        step = _step(list(there.values()), start, every)
        made = [past_values(stores, some[key], figure, past, past.moments(start, step)) for key, past in there.items()]
        return PastFigures([each for each in made if each is not None], len(meant) - len(some), step)

    return of


def _past(stores: Stores, portfolio: Portfolio, start: int, end: int, every: int) -> Past | None:
    whole = fund(stores, portfolio.origin)
    return past_of(stores.clickhouse, whole, portfolio.origin, portfolio.id, start, end, every)


def _step(pasts: Sequence[Past], start: int, every: int) -> int:
    """Return how often values are looked at: a multiple of `every` by which they are few enough."""
    step = every
    while (many := sum(len(each.moments(start, step)) for each in pasts)) > max(MOST_FIGURES, 2 * len(pasts)):
        step = every * max(step // every + 1, step // every * many // MOST_FIGURES)
    return step


def past_values(
    stores: Stores, portfolio: Portfolio, figure: Figure, past: Past, moments: Sequence[int]
) -> Series | None:
    """Return a figure with each value, and none from when the next one was overdue; None: there is no value.

    moments: of the past, as it returns them. Raises StorageUnavailable or StorageRejected.
    """
    key, query, said = key_of_figure(figure), query_of(figure), said_of(portfolio)
    times: list[float] = []
    values: list[float | None] = []
    for moment, following in itertools.zip_longest(moments, moments[1:], fillvalue=math.inf):
        whole = past.at(int(moment))
        history = whole.history(portfolio.id, said)
        if not len(history.nav):
            continue
        as_of = replace(query, as_of=history.nav.dates[-1])
        overdue_at = math.inf
        if portfolio.origin == OWN:
            newest = newest_value(portfolio.calendar, history.cadence, history.nav.dates[-1], history.nav.newest)
            overdue_at = math.floor(newest.known_at + newest.stale_after_seconds) + 1.0
        if moment < overdue_at:
            times.append(float(moment))
            values.append(figures_of(stores, portfolio, as_of, [key], whole)[key][0])
        if overdue_at < following:
            times.append(max(overdue_at, float(moment)))
            values.append(None)
    if not times:
        return None
    plain = Figure(figure.name, (), figure.window, figure.settings)
    return Series(plain, labels_of(portfolio), times, values, math.inf)


def figures_of(
    stores: Stores, portfolio: Portfolio, query: PortfolioQuery, keys: Iterable[str], whole: Fund | None = None
) -> dict[str, tuple[float | None, str]]:
    """Return figures of a portfolio by key: the value, or None and why there is none; whole: as for `read_alone`.

    Raises StorageUnavailable or StorageRejected.
    """
    wanted = [METRIC[key] for key in keys]
    data = read_alone(stores, portfolio, query, whole, with_cash=any(each.key == CASH_SHARE for each in wanted))
    found = side_by_side(data, wanted)
    told = {metric.key for metric in found.metrics}
    figures: dict[str, tuple[float | None, str]] = {}
    for metric in wanted:
        value = found.of(metric.key) if metric.key in told else math.nan
        why = found.reason(metric.key) if metric.key in told else "no benchmark is set"
        figures[metric.key] = (value, "") if math.isfinite(value) else (None, why)
    return figures


def is_meant(portfolio: Portfolio, figure: Figure) -> bool:
    """Return whether a figure is asked of a portfolio: of the fund's own, unless it says something of the origin."""
    if portfolio.origin != OWN and all(each.label != ORIGIN for each in figure.matchers):
        return False
    known = {"portfolio": portfolio.id, ORIGIN: portfolio.origin}
    return all(matcher.holds(known.get(matcher.label, "")) for matcher in figure.matchers)


def labels_of(portfolio: Portfolio) -> Labels:
    """Return the labels of figures of a portfolio."""
    if portfolio.origin == OWN:
        return labels(portfolio=portfolio.id)
    return labels(portfolio=portfolio.id, origin=portfolio.origin)


def key_of_figure(figure: Figure) -> str:
    """Return the key that the All-metrics table has for a figure."""
    return SPOKEN.get(figure.name, figure.name)
