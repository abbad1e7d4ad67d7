"""What today's book would lose: in stated shocks, on the worst days there were, in scenarios that people keep."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from analytics.block import Floats
from analytics.holdings_risk import HoldingsRisk, risk_of_covariance
from analytics.stress import Shock, replayed, restless, shocked, worst_windows
from core.format import count, first_of, noun
from portfolio.allowed import Limits, seen
from portfolio.chosen import key_of
from portfolio.holdings import NOBODY_SAID, Holding
from portfolio.risk import Book, book_pnl, held_of, market_of
from portfolio.risk_query import RiskQuery
from storage.state.portfolios import list_portfolios
from storage.state.scenarios import Scenario, scenarios_in

if TYPE_CHECKING:
    from storage.stores import Stores

Kind = Literal["market", "sector", "currency", "own", "window"]
MOVE = -0.1
"""Of every stated shock that comes with Fundwatch."""
LENGTHS = (1, 5, 20)
MOST_WINDOWS = 3
TRIED = "tried"
"""Id of the outcome of the scenario that is tried."""
RESTLESS: Mapping[str, tuple[float, float]] = {
    "As they are": (1.0, 0.0),
    "Volatility × 2": (2.0, 0.0),
    "Correlation → 1": (1.0, 1.0),
    "Both": (2.0, 1.0),
}
"""By name: what deviations are multiplied with, and how far correlations go to 1."""


@dataclass(frozen=True, eq=False, slots=True)
class Outcome:
    """What a shock or a window of the past does to today's book; money in the portfolio's currency, losses below 0."""

    id: str
    """Tells it from others: "sector:Energy", "window:5:2020-03-12", "own:3"."""
    name: str
    kind: Kind
    pnl: Floats
    """By position, as Stressed.positions; 0 of those that it does not reach."""
    why_not: str = ""
    """Why it cannot be worked out; empty: it can."""
    told: str = ""
    """What it leaves out."""
    first: np.datetime64 | None = None
    last: np.datetime64 | None = None
    """Of a window."""
    scenario: Scenario | None = None

    @property
    def total(self) -> float:
        """Return the P&L of the book; NaN where it cannot be worked out."""
        return math.nan if self.why_not else math.fsum(self.pnl)


@dataclass(frozen=True, eq=False, slots=True)
class Moved:
    """VaR and ES with deviations and correlations as they might become."""

    name: str
    risk: HoldingsRisk


@dataclass(frozen=True, eq=False)
class Stressed:
    """A book with what moves it."""

    book: Book
    positions: tuple[Holding, ...]
    """Those of known value and cash in other currencies, whether they have returns or not."""
    values: Floats
    betas: Floats
    """By position; NaN of what has no returns, and everywhere without a benchmark."""
    benchmark: str

    @cached_property
    def labels(self) -> np.ndarray:
        """Return the labels of positions that scenarios name, (positions, 3)."""
        origin = self.book.found.portfolio.origin
        return np.array(
            [
                (sector(each), asset_class(each), f"strategy {origin}:{each.portfolio}")
                for each in self.positions
            ],
            dtype=np.str_,
        ).reshape(len(self.positions), 3)  # fmt: skip

    @cached_property
    def currencies(self) -> list[str]:
        """Return the currency that moves each position; the portfolio's own, which moves nothing, where none does."""
        base = self.book.found.portfolio.currency
        return [each.currency if each.moves_with_currency else base for each in self.positions]

    def sectors(self) -> list[str]:
        """Return the sectors of what is held."""
        return sorted({each.about.sector for each in self.positions if each.about.sector})

    def asset_classes(self) -> list[str]:
        """Return the asset classes of what is held."""
        return sorted({each.about.asset_class for each in self.positions if each.about.asset_class})

    def strategies(self) -> dict[str, str]:
        """Return the name by key of every portfolio that holds something."""
        origin, names = self.book.found.portfolio.origin, self.book.found.names
        ids = sorted({each.portfolio for each in self.positions})
        return {f"{origin}:{id}": names.get(id, id) for id in ids}

    def foreign(self) -> list[str]:
        """Return the currencies that move positions and are not the portfolio's."""
        return sorted({*self.currencies} - {self.book.found.portfolio.currency})


def sector(each: Holding) -> str:
    """Return the label of a position's sector."""
    return f"sector {each.about.sector or NOBODY_SAID}"


def asset_class(each: Holding) -> str:
    """Return the label of a position's asset class."""
    return f"asset class {each.about.asset_class or NOBODY_SAID}"


def stressed(stores: Stores, book: Book) -> Stressed:
    """Return a book with its betas. Raises StorageUnavailable, StorageRejected."""
    positions = held_of(book.found)
    benchmark, betas = ("", None) if book.returns.lacks else market_of(stores, book)
    by_position = np.full(len(positions), np.nan)
    if betas is not None:
        at = {id(each): number for number, each in enumerate(positions)}
        by_position[[at[id(each)] for each in book.positions]] = betas[book.columns]
    values = np.array([each.value for each in positions], dtype=np.float64)
    return Stressed(book, positions, values, by_position, benchmark)


def stated(found: Stressed) -> list[Outcome]:
    """Return what comes with Fundwatch: the market, each sector and each foreign currency down by 10 %."""
    market = _outcome(found, "market", _market_name(found), "market", Scenario("", market=MOVE))
    sectors = [
        _outcome(found, f"sector:{name}", f"{name} −10 %", "sector", Scenario("", sectors={name: MOVE}))
        for name in found.sectors()
    ]
    foreign = [
        _outcome(found, f"currency:{name}", f"{name} −10 %", "currency", Scenario("", currencies={name: MOVE}))
        for name in found.foreign()
    ]
    return [market, *sectors, *foreign]


def own(found: Stressed, scenarios: Iterable[Scenario]) -> list[Outcome]:
    """Return the scenarios that people keep."""
    return [_outcome(found, f"own:{each.id}", each.name, "own", each) for each in scenarios]


def tried(found: Stressed, scenario: Scenario) -> Outcome:
    """Return what a scenario does that nobody keeps."""
    return _outcome(found, TRIED, "Tried", "own", scenario)


def windows(found: Stressed) -> list[Outcome]:
    """Return the days in a row on which today's book would have lost most, by length; none of a length shares a day."""
    book = found.book
    if book.returns.lacks:
        return []
    pnl, days = book_pnl(book), book.returns.days
    at = {id(each): number for number, each in enumerate(found.positions)}
    rows = [at[id(each)] for each in book.positions]
    outcomes = []
    for length in LENGTHS:
        for window in worst_windows(pnl, length, MOST_WINDOWS):
            lost = np.zeros(len(found.positions))
            lost[rows] = replayed(book.values, book.wide[window.first : window.last + 1])
            first, last = days[window.first], days[window.last]
            outcomes.append(
                Outcome(
                    f"window:{length}:{first}", f"{first} to {last}" if length > 1 else str(first), "window", lost,
                    told=_left_out(len(found.positions) - len(rows)), first=first, last=last,
                )
            )  # fmt: skip
    return outcomes


def restless_risk(book: Book, query: RiskQuery) -> list[Moved]:
    """Return parametric VaR and ES with restless markets. Where shorts hedge longs, correlation 1 is a gain of them."""
    matrix = book.matrix()
    return [
        Moved(name, risk_of_covariance(book.netted, restless(matrix, *moves), query.level, query.horizon))
        for name, moves in RESTLESS.items()
    ]


def scenarios_for(stores: Stores, limits: Limits) -> list[Scenario]:
    """Return the scenarios that may be told: none that names a portfolio which may not be seen."""
    with stores.state.reading() as connection:
        known = scenarios_in(connection)
    if limits is None:
        return known
    keys = {key_of(each) for each in seen(list_portfolios(stores.state), limits)}
    return [each for each in known if set(each.strategies) <= keys]


def named_moves(scenario: Scenario, names: Mapping[str, str]) -> str:
    """Return what a scenario moves, in words; names: of portfolios by key."""
    parts = [("market", scenario.market)] if scenario.market else []
    groups = (scenario.sectors, scenario.asset_classes, scenario.currencies)
    parts += [(name, move) for group in groups for name, move in group.items()]
    parts += [(names.get(key, key.strip()), move) for key, move in scenario.strategies.items()]
    return ", ".join(f"{name} {100 * move:+.4g} %".replace("-", "−") for name, move in parts)


def _market_name(found: Stressed) -> str:
    return f"{found.benchmark or 'Market'} −10 %"


def _outcome(found: Stressed, id: str, name: str, kind: Kind, scenario: Scenario) -> Outcome:
    nothing = np.zeros(len(found.positions))
    of_own = scenario if kind == "own" else None
    has_beta = np.isfinite(found.betas)
    if scenario.market and not has_beta.any():
        why = "the portfolio has no benchmark" if not found.benchmark else f"there are no betas to {found.benchmark}"
        if found.book.returns.lacks:
            why = f"there are no betas: {found.book.returns.lacks}"
        return Outcome(id, name, kind, nothing, why_not=why, scenario=of_own)
    groups = {f"sector {label}": move for label, move in scenario.sectors.items()}
    groups |= {f"asset class {label}": move for label, move in scenario.asset_classes.items()}
    groups |= {f"strategy {label}": move for label, move in scenario.strategies.items()}
    held, currencies = set(found.labels.ravel().tolist()), set(found.currencies)
    absent = [*(label for label in groups if label not in held), *(scenario.currencies.keys() - currencies)]
    base = found.book.found.portfolio.currency
    # A shock of what is not held here is no mistake: it was checked when it was kept, and is told.
    shock = Shock(
        scenario.market,
        {label: move for label, move in groups.items() if label in held},
        {label: move for label, move in scenario.currencies.items() if label in currencies and label != base},
    )
    pnl = shocked(found.values, shock, np.nan_to_num(found.betas), found.labels, found.currencies)
    told = [
        _left_out(int((~has_beta).sum())) if scenario.market else "",
        f"Nothing is held here of {first_of(sorted(each.strip() for each in absent))}." if absent else "",
        f"{base} does not move against itself." if base in scenario.currencies else "",
    ]
    return Outcome(id, name, kind, pnl, told=" ".join(each for each in told if each), scenario=of_own)


def _left_out(lost: int) -> str:
    return f"{count(lost, 'position')} of no known returns {noun(lost, 'stays', 'stay')} still." if lost else ""


def worst(outcomes: Sequence[Outcome]) -> Outcome | None:
    """Return the one that loses most; None where none can be worked out."""
    known = [each for each in outcomes if not each.why_not]
    return min(known, key=lambda each: each.total) if known else None
