"""Every portfolio at a glance: the headline figures of each as its own page tells them, worked out once a version."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from analytics.cadence import Rhythm
from core.memo import Memo
from portfolio import given
from portfolio.allowed import Limits, seen
from portfolio.chosen import key_of
from portfolio.headlines import Compared, CurrentDrawdown, current_drawdown, day_return, net_asset_value, to_date_return
from portfolio.query import NO_BENCHMARK, PortfolioQuery
from portfolio.reading import read_alone
from portfolio.summary import ALL_METRICS, side_by_side
from portfolio.tree.listing import in_order
from storage.clickhouse.client import ClickHouse
from storage.state.portfolios import OWN, Portfolio, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

SPARK_VALUES = 60
KEPT = 1_000
YEAR = "1Y"
SHARPE = next(metric for metric in ALL_METRICS if metric.key == "sharpe")
ASKED, _ = PortfolioQuery.parse({"window": YEAR, "benchmark": NO_BENCHMARK})


@dataclass(frozen=True, slots=True)
class Figures:
    """Headline figures of a portfolio as of its last value."""

    value: float
    """In its currency; NaN: it has no value yet."""
    last_day: str
    newest: given.Newest | None
    """The newest value as its age counts; None without one, of a sample, and of what has ended."""
    rhythm: Rhythm
    """How often it is valued, and so what the return of its last value is of."""
    day: Compared
    month: Compared
    year: Compared
    drawdown: CurrentDrawdown
    sharpe: float
    """Of a year; NaN where there is none."""
    why_no_sharpe: str
    index: tuple[float, ...]
    """Growth over the newest SPARK_VALUES values, oldest first."""


@dataclass(frozen=True, slots=True)
class Glance:
    """A portfolio and its figures."""

    depth: int
    """0: part of no other."""
    portfolio: Portfolio
    figures: Figures
    has_ended: bool

    @property
    def key(self) -> str:
        """Its key in a query."""
        return key_of(self.portfolio)


_KEPT: WeakKeyDictionary[ClickHouse, Memo[Figures]] = WeakKeyDictionary()


def glances(stores: Stores, limits: Limits) -> list[Glance]:
    """Return every portfolio that may be seen, each before its parts, the fund's own first.

    Raises StorageUnavailable or StorageRejected.
    """
    known = sorted(seen(list_portfolios(stores.state), limits), key=lambda each: each.origin != OWN)
    version, now = stores.live.version("portfolio"), stores.clock.now()
    memo = _KEPT.setdefault(stores.clickhouse, Memo(KEPT))

    def glance(depth: int, portfolio: Portfolio) -> Glance:
        ended = given.has_ended(portfolio, now)
        figures = memo.get((version, portfolio, ended), lambda: figures_of(stores, portfolio, has_ended=ended))
        return Glance(depth, portfolio, figures, ended)

    return [glance(depth, each) for depth, each in in_order(known)]


def figures_of(stores: Stores, portfolio: Portfolio, *, has_ended: bool = False) -> Figures:
    """Return the figures of a portfolio. Raises StorageUnavailable or StorageRejected."""
    data = read_alone(stores, portfolio, ASKED)
    nav, summary = data.nav, side_by_side(data, [SHARPE])
    sharpe, why = summary.of(SHARPE.key), summary.reason(SHARPE.key)
    if data.query.window != YEAR:
        sharpe, why = math.nan, "it is not valued often enough"
    is_aged = portfolio.origin == OWN and not has_ended and len(nav) > 0
    newest = (
        given.newest_value(portfolio.calendar, data.own.cadence, nav.dates[-1], float(nav.newest)) if is_aged else None
    )
    return Figures(
        value=net_asset_value(data).value,
        last_day=str(nav.dates[-1]) if len(nav) else "",
        newest=newest,
        rhythm=data.own.cadence.rhythm,
        day=day_return(data),
        month=to_date_return(data, "MTD"),
        year=to_date_return(data, "YTD"),
        drawdown=current_drawdown(data),
        sharpe=sharpe,
        why_no_sharpe=why,
        index=tuple(float(f"{each:.6g}") for each in data.own.daily.index[-SPARK_VALUES:]),
    )
