"""What is built from trades beside what is reported: positions, cash, net asset value, and since when they differ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.clock import DAY_SECONDS
from portfolio.allowed import Limits
from portfolio.book_history import book_history
from portfolio.built import built
from portfolio.fund import Fund
from portfolio.given import NOTHING_SAID, said_of
from portfolio.histories import fund, kept
from portfolio.holdings import LAST_SECOND, below, holders
from portfolio.reconciled import Days, Floats, Line, Sides, What, filled
from portfolio.reports import covers
from storage.clickhouse.reads.book import report_days
from storage.clickhouse.reads.book_days import cash_by_day
from storage.clickhouse.reads.booked import first_booked
from storage.state.series import Series, list_series

if TYPE_CHECKING:
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores

NO_TRADES = "it reports positions and no trades"


@dataclass(frozen=True, slots=True)
class Compared:
    """One thing as it is built and as it is reported, on one day. What is not known is NaN."""

    what: What
    portfolio: str
    """Id of the one whose it is."""
    name: str
    """Instrument, or currency."""
    about: Series | None
    """Of an instrument."""
    built: float
    """Units of an instrument, else money in `currency`; NaN: only reported."""
    reported: float
    """NaN: only built."""
    currency: str
    difference: float
    """Built less reported, what one side does not have counting as 0."""
    worth: float
    """Of the difference, in the currency of the portfolio that is looked at."""
    share: float
    """Of the net asset value of the portfolio that is looked at, a ratio."""
    is_within: bool
    """Whether it is within tolerance; what cannot be compared is not."""
    since: np.datetime64 | None
    """First day on which it differed without a break until this one; None: it does not, or nobody looked back."""
    day: np.datetime64
    """The newest day on which both sides are told: the last one, but for cash and values that were not told then."""


@dataclass(frozen=True, eq=False)
class Reconciliation:
    """Built beside reported, of a portfolio and those below it; money in its currency."""

    portfolio: Portfolio
    days: Days
    """(n,): those with a report."""
    newest: int
    """Epoch seconds of the newest report."""
    nav: float
    """Reported last, on one of the days; NaN where it never was."""
    compared: tuple[Compared, ...]
    """On the last of the days: what differs first, and the largest first."""
    positions: Floats
    """(n,): differences of positions without their signs; those of no known worth are left out."""
    cash: Floats
    """(n,): likewise."""
    navs: Floats
    """(n,): difference of the net asset value; NaN where one of them is not known."""
    names: Mapping[str, str]
    """Of the portfolios that report positions, by id."""
    begins: Mapping[str, np.datetime64]
    """Day of the report that a book begins with, of those that do not begin with nothing."""
    not_built: Mapping[str, str]
    """Why there is no book of a portfolio that reports positions, by id."""
    without_money: tuple[str, ...]
    """Ids of portfolios that told no money in or out and no cash to begin with: their cash cannot be built."""

    def of(self, *what: What) -> list[Compared]:
        """Return what is compared of these sorts."""
        return [each for each in self.compared if each.what in what]

    @property
    def beyond(self) -> list[Compared]:
        """Return what differs beyond tolerance."""
        return [each for each in self.compared if not each.is_within]

    def days_old(self, each: Compared) -> int:
        """Return how many days before the newest report it is compared."""
        return int((self.days[-1] - each.day).astype(np.int64))

    @property
    def oldest(self) -> np.datetime64 | None:
        """Return the day on which the oldest difference that still stands appeared."""
        return min((each.since for each in self.beyond if each.since is not None), default=None)


def reconciliation(
    stores: Stores, portfolio: Portfolio, limits: Limits, as_of: np.datetime64 | None = None, *,
    looks_back: bool = True,
) -> Reconciliation | None:  # fmt: skip
    """Return both sides as of the newest report up to a day (UTC); None: no portfolio here tells positions and trades.

    looks_back: whether every day before is compared too, which tells since when something differs. Kept for the
    version of the data. Raises StorageUnavailable, StorageRejected.
    """
    whole = fund(stores, portfolio.origin).seen(limits)
    end = LAST_SECOND if as_of is None else int((as_of + 1).astype("datetime64[s]").astype(np.int64))
    end = min(max(end, 0), LAST_SECOND)
    told = report_days(stores.clickhouse, portfolio.origin, [portfolio.id, *below(whole, portfolio.id)], end)
    ids = sorted(holders(whole, portfolio.id, told))
    reports = {id: told[id] for id in ids}
    traded = first_booked(stores.clickhouse, portfolio.origin, ids) if ids else {}
    if not traded:
        return None
    name = ("reconciliation", portfolio.origin, portfolio.id, *ids, str(end), str(looks_back))
    return kept(stores, name, lambda: _read(stores, portfolio, limits, whole, reports, traded, end, looks_back))


def _read(
    stores: Stores, portfolio: Portfolio, limits: Limits, whole: Fund, reports: Mapping[str, NDArray[np.int64]],
    traded: Mapping[str, int], end: int, looks_back: bool,
) -> Reconciliation | None:  # fmt: skip
    newest = max(int(at[-1]) for at in reports.values())
    told = cash_by_day(stores.clickhouse, portfolio.origin, list(traded), end)
    told_last = [*_last_of_cash(reports, told), *_last_of_navs(portfolio, whole, reports)]
    first = 0 if looks_back else min([newest, *told_last]) // DAY_SECONDS
    history = book_history(stores, portfolio, limits, _day(first * DAY_SECONDS) if first else None, _day(newest))
    if history is None:
        return None
    about = {each.symbol: each for each in list_series(stores.state, portfolio.origin)}
    books = {
        id: built(stores, whole.tree[id], whole, about, at, _ends_since(at, first))
        for id, at in reports.items()
        if id in traded
    }
    good = {id: each for id, each in books.items() if not each.problem}
    beside = Sides(stores, portfolio, whole, history, about, good)
    positions = beside.positions()
    cash = beside.cash(told, positions)
    navs = beside.navs(positions, covered=len(good) == len(reports))
    nav = float(filled(history.nav)[-1])
    shown = [_on_last(each, nav, looks_back) for each in (*positions, *cash, *navs)]
    return Reconciliation(
        portfolio=portfolio, days=history.days, newest=newest, nav=nav,
        compared=tuple(sorted((each for each in shown if each is not None), key=_gravest)),
        positions=_sum(positions, len(history.days)), cash=_sum(cash, len(history.days)),
        navs=next((each.worth for each in navs if each.portfolio == portfolio.id), np.full(len(history.days), np.nan)),
        names={id: whole.tree[id].name if id in whole.tree else id for id in (*reports, portfolio.id)},
        begins={id: each.begins for id, each in good.items() if each.begins is not None},
        not_built={id: books[id].problem if id in books else NO_TRADES for id in reports if id not in good},
        without_money=tuple(id for id, each in good.items() if not each.has_money),
    )  # fmt: skip


def _on_last(line: Line, nav: float, looks_back: bool) -> Compared | None:
    """Return a line as it is on the last day; None: it is on neither side."""
    if not any(line.sides):
        return None
    one, two, worth = float(line.built[-1]), float(line.reported[-1]), float(line.worth[line.row])
    within = np.flatnonzero(line.is_within)
    since = None if line.is_within[-1] or not looks_back else line.days[int(within[-1]) + 1 if len(within) else 0]
    return Compared(
        line.what, line.portfolio, line.name, line.about, one if line.sides[0] else math.nan,
        two if line.sides[1] else math.nan, line.currency, one - two, worth, worth / nav if nav > 0 else math.nan,
        bool(line.is_within[-1]), since, line.days[line.row],
    )  # fmt: skip


def _sum(lines: Sequence[Line], count: int) -> Floats:
    return sum((np.nan_to_num(np.abs(each.worth)) for each in lines), start=np.zeros(count))


def _ends(at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return until when the last report of each day tells."""
    last = at[np.append(np.diff(at // DAY_SECONDS) > 0, True)]
    return np.array([covers(each) for each in last.tolist()], dtype=np.int64)


def _ends_since(at: NDArray[np.int64], first: int) -> NDArray[np.int64]:
    """Return the same from the last day on that is not after `first` (days since 1970)."""
    ends = _ends(at)
    return ends[max(int(np.searchsorted(ends // DAY_SECONDS, first, side="right")) - 1, 0) :]


def _last_of_cash(
    reports: Mapping[str, NDArray[np.int64]], told: Sequence[tuple[str, str, int, float]]
) -> list[int]:  # fmt: skip
    """Return the last report of each portfolio on a day with cash: what differed there differs until cash is told."""
    days: dict[str, set[int]] = {}
    for id, _, day, _ in told:
        days.setdefault(id, set()).add(day)
    both = {id: at[np.isin(at // DAY_SECONDS, [*days.get(id, ())])] for id, at in reports.items()}
    return [int(at[-1]) for at in both.values() if len(at)]


def _gravest(each: Compared) -> tuple[bool, bool, float, str, str]:
    return each.is_within, not math.isnan(each.worth), -abs(each.worth), each.portfolio, each.name


def _day(seconds: int) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


def _last_of_navs(portfolio: Portfolio, whole: Fund, reports: Mapping[str, NDArray[np.int64]]) -> list[int]:
    """Return the last report on a day with a net asset value, of each portfolio and of what they are parts of."""
    every = {**reports, portfolio.id: np.sort(np.concatenate([*reports.values()]))}
    found = []
    for id, at in every.items():
        days = whole.history(id, said_of(whole.tree[id]) if id in whole.tree else NOTHING_SAID).nav.dates
        both = at[np.isin(at // DAY_SECONDS, days.astype(np.int64))]
        found += [int(both[-1])] if len(both) else []
    return found
