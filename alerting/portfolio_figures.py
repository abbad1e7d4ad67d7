"""What figures of portfolios are worth: worked out once a version of the data, so many a tick and no more."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.alerts.evaluate import Value
from core.alerts.expression import Figure
from core.alerts.figures import VALUE_OVERDUE
from portfolio.chosen import key_of
from portfolio.due import NO_VALUE, Due, due_of
from portfolio.given import has_ended
from portfolio.rule_figures import figures_of, is_meant, key_of_figure, labels_of
from portfolio.vocabulary import query_of
from storage.state.portfolios import OWN, Portfolio, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

TURN_SECONDS = 0.25
"""So long figures are worked out at once: those that are left keep the value that they had until the next time."""
AWAY_SECONDS = 60
"""While Redis does not tell the version of the data they are worked out so often."""
NOT_YET = "it is not worked out yet"
MOST_KEPT = 20_000

Asked = tuple[str, tuple[tuple[str, str], ...]]
"""Window and settings of a figure."""


@dataclass(frozen=True, slots=True)
class Known:
    """Figures of a portfolio in a window, and the version of the data that they are of."""

    version: str
    figures: Mapping[str, tuple[float | None, str]]
    """Value, or None and why there is none."""


class PortfolioFigures:
    """Remembers what was worked out. Its methods are called by one thread."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._keys: dict[Asked, set[str]] = {}
        self._known: OrderedDict[tuple[str, Asked], Known] = OrderedDict()
        self._due: dict[str, tuple[str, Due]] = {}
        """By id, with the version of the data that each is of."""
        self._turn_until = -math.inf
        self._first, self._left = "", ""
        """Portfolios by id: with which this turn begins, and the first one that it left for the next."""

    def use(self, figures: Iterable[Figure]) -> None:
        """Work these out together where one of them is asked for."""
        self._keys = {}
        for figure in figures:
            self._keys.setdefault(_asked(figure), set()).add(key_of_figure(figure))

    def begin(self) -> None:
        """Begin a turn, with what the last one left."""
        self._first, self._left = self._left, ""
        self._turn_until = self._stores.clock.monotonic() + TURN_SECONDS

    def values(self, figure: Figure) -> list[Value]:
        """Return what a figure is worth of every portfolio that is meant: no value where that which is due is overdue.

        Raises StorageUnavailable or StorageRejected.
        """
        now, version = self._stores.clock.now(), self._version()
        found = []
        for portfolio in self.going_on(now):
            if not is_meant(portfolio, figure):
                continue
            overdue = self._due_of(portfolio, version).why_overdue(now) if portfolio.origin == OWN else ""
            if overdue:
                found.append(Value(labels_of(portfolio), None, overdue))
                continue
            known = self._figures(portfolio, figure, version)
            figures = known.figures[key_of_figure(figure)] if known else (None, NOT_YET)
            found.append(Value(labels_of(portfolio), *figures))
        return found

    def own_values(self, name: str) -> list[Value]:
        """Return VALUE_AGE or VALUE_OVERDUE of every portfolio of the fund that has not ended.

        Raises StorageUnavailable or StorageRejected.
        """
        now, version = self._stores.clock.now(), self._version()
        found = []
        for portfolio in self.going_on(now, OWN):
            due = self._due_of(portfolio, version)
            overdue = due.why_overdue(now)
            if name == VALUE_OVERDUE:
                found.append(Value(labels_of(portfolio), float(bool(overdue)), overdue))
            else:
                age = None if due.newest is None else due.newest.age_seconds(now)
                found.append(Value(labels_of(portfolio), age, NO_VALUE if age is None else ""))
        return found

    def going_on(self, now: float, origin: str | None = None) -> list[Portfolio]:
        """Return the portfolios of an origin, of any without one, that have not ended; first what the last turn left.

        Raises StorageUnavailable.
        """
        found = [each for each in list_portfolios(self._stores.state, origin) if not has_ended(each, now)]
        first = next((place for place, each in enumerate(found) if each.id == self._first), 0)
        return found[first:] + found[:first]

    def _figures(self, portfolio: Portfolio, figure: Figure, version: str) -> Known | None:
        """Return what is known of a portfolio, of an older version where this turn is over; None: not yet known."""
        asked = _asked(figure)
        name = (key_of(portfolio), asked)
        known, wanted = self._known.get(name), self._keys.get(asked, set()) | {key_of_figure(figure)}
        is_complete = known is not None and wanted <= known.figures.keys()
        if known is not None and is_complete and known.version == version:
            return known
        if self._is_over(portfolio):
            return known if is_complete else None
        self._known[name] = made = Known(version, figures_of(self._stores, portfolio, query_of(figure), wanted))
        self._known.move_to_end(name)
        while len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)
        return made

    def _due_of(self, portfolio: Portfolio, version: str) -> Due:
        known = self._due.get(portfolio.id)
        if known is None or (known[0] != version and not self._is_over(portfolio)):
            known = self._due[portfolio.id] = version, due_of(self._stores, portfolio)
        return known[1]

    def _is_over(self, portfolio: Portfolio) -> bool:
        """Return whether this turn works out nothing more, of that portfolio neither."""
        is_over = self._stores.clock.monotonic() > self._turn_until
        if is_over and not self._left:
            self._left = portfolio.id
        return is_over

    def _version(self) -> str:
        found = self._stores.live.known_version("portfolio", "replay")
        return found if found is not None else f"away {int(self._stores.clock.now() // AWAY_SECONDS)}"


def _asked(figure: Figure) -> Asked:
    return figure.window, figure.settings
