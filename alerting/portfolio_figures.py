"""What figures of portfolios are worth: worked out once a version of the data, so many a tick and no more."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alerting.evaluate import Value
from core.alerts.expression import Figure
from core.alerts.figures import VALUE_AGE, VALUE_OVERDUE
from core.format import coarse_duration
from core.model import Labels, labels
from portfolio.chosen import key_of
from portfolio.given import has_ended, said_of, stale_after_seconds
from portfolio.histories import fund
from portfolio.query import PortfolioQuery
from portfolio.reading import read_alone
from portfolio.summary import ALL_METRICS, side_by_side
from portfolio.vocabulary import SPOKEN, query_of
from status.freshness import value_stale_after_seconds
from storage.state.portfolios import OWN, Portfolio, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

TURN_SECONDS = 0.25
"""So long figures are worked out at once: those that are left keep the value that they had until the next time."""
AWAY_SECONDS = 60
"""While Redis does not tell the version of the data they are worked out so often."""
ORIGIN = "origin"
METRIC = {metric.key: metric for metric in ALL_METRICS}
NO_VALUE = "it has no value yet"
MOST_KEPT = 20_000

Asked = tuple[str, tuple[tuple[str, str], ...]]
"""Window and settings of a figure."""


@dataclass(frozen=True, slots=True)
class Worked:
    """Figures of a portfolio in a window, and the version of the data that they are of."""

    version: str
    figures: Mapping[str, tuple[float | None, str]]
    """Value, or None and why there is none."""


class PortfolioFigures:
    """Remembers what was worked out. Its methods are called by one thread."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._keys: dict[Asked, set[str]] = {}
        self._known: OrderedDict[tuple[str, Asked], Worked] = OrderedDict()
        self._turn_until = -math.inf

    def use(self, figures: Iterable[Figure]) -> None:
        """Work these out together where one of them is asked for."""
        self._keys = {}
        for figure in figures:
            self._keys.setdefault(_asked(figure), set()).add(_key(figure))

    def begin(self) -> None:
        """Begin a turn."""
        self._turn_until = self._stores.clock.monotonic() + TURN_SECONDS

    def values(self, figure: Figure) -> list[Value]:
        """Return what a figure is worth of every portfolio that is meant and has a value that is not overdue.

        Raises StorageUnavailable or StorageRejected.
        """
        now = self._stores.clock.now()
        found = []
        for portfolio in _meant(list_portfolios(self._stores.state), figure):
            if has_ended(portfolio, now):
                continue
            overdue = why_overdue(self._stores, portfolio, now)
            if overdue:
                found.append(Value(_labels(portfolio), None, overdue))
            elif (worked := self._worked(portfolio, figure)) is not None:
                found.append(
                    Value(_labels(portfolio), *worked.figures.get(_key(figure), (None, "no benchmark is set")))
                )
        return found

    def _worked(self, portfolio: Portfolio, figure: Figure) -> Worked | None:
        """Return what is known of a portfolio; None: its turn has not come yet."""
        asked = _asked(figure)
        name, version = (key_of(portfolio), asked), self._version()
        known, wanted = self._known.get(name), self._keys.get(asked, set()) | {_key(figure)}
        if known is not None and known.version == version and wanted <= known.figures.keys():
            return known
        if known is not None and self._stores.clock.monotonic() > self._turn_until:
            return known
        if self._stores.clock.monotonic() > self._turn_until:
            return None
        self._known[name] = made = Worked(version, figures_of(self._stores, portfolio, query_of(figure), wanted))
        self._known.move_to_end(name)
        while len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)
        return made

    def _version(self) -> str:
        found = self._stores.live.known_version("portfolio", "replay")
        return found if found is not None else f"away {int(self._stores.clock.now() // AWAY_SECONDS)}"


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


def own_values(stores: Stores, name: str) -> list[Value]:
    """Return VALUE_AGE or VALUE_OVERDUE of every portfolio of the fund that has not ended.

    Raises StorageUnavailable or StorageRejected.
    """
    now = stores.clock.now()
    found = []
    for portfolio in list_portfolios(stores.state, OWN):
        if has_ended(portfolio, now):
            continue
        nav = fund(stores, OWN).history(portfolio.id, said_of(portfolio)).nav
        overdue = why_overdue(stores, portfolio, now)
        if name == VALUE_OVERDUE:
            found.append(Value(_labels(portfolio), float(bool(overdue)), overdue))
        elif name == VALUE_AGE:
            age = max(now - float(nav.newest), 0.0) if len(nav) else None
            found.append(Value(_labels(portfolio), age, "" if len(nav) else NO_VALUE))
    return found


def why_overdue(stores: Stores, portfolio: Portfolio, now: float) -> str:
    """Return what is to be said of a portfolio of the fund whose value is due and has not come; else empty."""
    if portfolio.origin != OWN:
        return ""
    history = fund(stores, OWN).history(portfolio.id, said_of(portfolio))
    nav = history.nav
    if not len(nav):
        return NO_VALUE
    by_calendar = stale_after_seconds(portfolio.calendar, history.cadence, nav.dates[-1])
    after = by_calendar or value_stale_after_seconds(history.cadence.longest_days)
    age = now - float(nav.newest)
    return f"the newest value is {coarse_duration(age)} old" if age > after else ""


def _meant(known: Sequence[Portfolio], figure: Figure) -> list[Portfolio]:
    """Return the portfolios that a figure is asked of: the fund's own, unless it says something of the origin."""
    says_origin = any(each.label == ORIGIN for each in figure.matchers)
    of = [each for each in known if says_origin or each.origin == OWN]
    return [
        each
        for each in of
        if all(
            matcher.holds({"portfolio": each.id, ORIGIN: each.origin}.get(matcher.label, ""))
            for matcher in figure.matchers
        )
    ]


def _labels(portfolio: Portfolio) -> Labels:
    if portfolio.origin == OWN:
        return labels(portfolio=portfolio.id)
    return labels(portfolio=portfolio.id, origin=portfolio.origin)


def _key(figure: Figure) -> str:
    return SPOKEN.get(figure.name, figure.name)


def _asked(figure: Figure) -> Asked:
    return figure.window, figure.settings
