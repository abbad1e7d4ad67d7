"""Figures of portfolios as rules read them, now and as they were on past days."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from core.alerts.expression import Figure
from core.alerts.series import Series
from core.model import Labels, labels
from portfolio.given import has_ended, said_of, stale_after_seconds
from portfolio.histories import fund
from portfolio.query import DAY_SECONDS, PortfolioQuery
from portfolio.reading import read_alone
from portfolio.summary import ALL_METRICS, side_by_side
from portfolio.vocabulary import SPOKEN, query_of
from storage.state.portfolios import OWN, Portfolio, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

ORIGIN = "origin"
METRIC = {metric.key: metric for metric in ALL_METRICS}
MOST_PORTFOLIOS = 12
"""Of which the past is worked out at once."""


def past_of_portfolios(stores: Stores) -> Callable[[Figure, float, float], tuple[Sequence[Series], int]]:
    """Return what works out a figure as it was with each value between two times (epoch seconds), by portfolio.

    Beside them how many were left out. What it returns raises StorageUnavailable or StorageRejected.
    """

    def of(figure: Figure, start: float, end: float) -> tuple[Sequence[Series], int]:
        going_on = [each for each in list_portfolios(stores.state) if not has_ended(each, end)]
        meant = [each for each in going_on if is_meant(each, figure)]
        some = meant[:MOST_PORTFOLIOS]
        made = [one for each in some if (one := _past_of(stores, each, figure, start, end)) is not None]
        return made, len(meant) - len(some)

    return of


def _past_of(stores: Stores, portfolio: Portfolio, figure: Figure, start: float, end: float) -> Series | None:
    """Return the figure with each value from the last one before `start` on; None: there is no value."""
    history = fund(stores, portfolio.origin).history(portfolio.id, said_of(portfolio))
    days = history.nav.dates[history.nav.dates <= np.datetime64(int(end), "s").astype("datetime64[D]")]
    if not len(days):
        return None
    before = np.datetime64(int(start), "s").astype("datetime64[D]")
    first = max(int(np.searchsorted(days, before, side="right")) - 1, 0)
    key, query = key_of_figure(figure), query_of(figure)
    found = [figures_of(stores, portfolio, replace(query, as_of=day), [key])[key][0] for day in days[first:]]
    times = [float(day.astype("datetime64[s]").astype(int)) for day in days[first:]]
    known = next((place for place, value in enumerate(found) if value is not None), None)
    if known is None:
        return None
    stale_after = stale_after_seconds(portfolio.calendar, history.cadence, days[-1]) or 30 * DAY_SECONDS
    plain = Figure(figure.name, (), figure.window, figure.settings)
    return Series(plain, labels_of(portfolio), [max(at, start) for at in times[known:]], found[known:], stale_after)


def figures_of(
    stores: Stores, portfolio: Portfolio, query: PortfolioQuery, keys: Iterable[str]
) -> dict[str, tuple[float | None, str]]:
    """Return figures of a portfolio by key: the value, or None and why there is none.

    Raises StorageUnavailable or StorageRejected.
    """
    wanted = [METRIC[key] for key in keys]
    found = side_by_side(read_alone(stores, portfolio, query), wanted)
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
