"""How exposed a portfolio was on every day it told of: long, short, by group, and how concentrated."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analytics.concentration import Concentration, concentration
from analytics.exposure import Exposure, GroupedExposure, exposure, exposure_by_group
from analytics.performance import anchor_day
from portfolio.book_history import BookHistory
from portfolio.holdings import Group
from portfolio.query import PortfolioQuery


@dataclass(frozen=True, eq=False)
class ExposureCourse:
    """Days are rows (n); money in the portfolio's currency."""

    days: NDArray[np.datetime64]
    """(n,): those whose net asset value is known and above 0."""
    whole: Exposure
    groups: GroupedExposure
    dense: Concentration
    newest: int
    """Epoch seconds of the newest report of the last of the days."""
    without_nav: int
    """Days of the window that are left out: leverage means nothing without capital."""
    without_rate: tuple[str, ...]
    """Currencies of positions that are left out, since they have no known value."""
    unreported: tuple[str, ...]
    """Portfolios below that trade and report no positions: they are in the net asset value alone."""


def exposure_course(book: BookHistory, query: PortfolioQuery, by: Group) -> ExposureCourse | None:
    """Return the exposure over the window or range of days that is asked for; None: no day of it has a net asset value.

    Where the portfolio has no value of its own on a day, positions and cash are it.
    """
    first, last = _span(book, query)
    rows = np.flatnonzero((book.days >= first) & (book.days <= last))
    unknown = np.isnan(book.values[rows])
    held = np.where(unknown, 0.0, book.values[rows])
    owned = np.where(unknown, 0.0, book.owned[rows])
    nav = np.where(np.isnan(book.nav[rows]), owned.sum(axis=1) + book.cash[rows], book.nav[rows])
    known = nav > 0
    if not known.any():
        return None
    held, nav = held[known], nav[known]
    lost = {book.positions[column].currency for column in np.flatnonzero(unknown.any(axis=0))}
    whole, groups = exposure(held, nav), exposure_by_group(held, nav, book.group(by))
    is_lost = exposure_by_group(unknown[known].astype(np.float64), nav, book.group(by)).exposure.gross > 0
    return ExposureCourse(
        book.days[rows][known], _where_known(whole, np.asarray(unknown[known].any(axis=1))),
        replace(groups, exposure=_where_known(groups.exposure, is_lost)),
        concentration(held, names=book.group("instrument")), int(book.reported[rows][known][-1]),
        int((~known).sum()), tuple(sorted(lost)), book.unreported,
    )  # fmt: skip


def _where_known(found: Exposure, has_unknown: NDArray[np.bool_]) -> Exposure:
    """Return exposures, NaN where values are missing and none is known: that is no 0."""
    nothing = has_unknown & (found.gross == 0)
    return replace(found, long=np.where(nothing, np.nan, found.long), short=np.where(nothing, np.nan, found.short))


def _span(book: BookHistory, query: PortfolioQuery) -> tuple[np.datetime64, np.datetime64]:
    until = book.days if query.as_of is None else book.days[book.days <= query.as_of]
    if not len(until):
        return book.days[0], book.days[0] - 1
    if query.span is not None:
        return query.span[0], min(query.span[1], until[-1])
    return anchor_day(until, query.window), until[-1]
