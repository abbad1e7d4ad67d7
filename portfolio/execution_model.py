"""What the execution of orders is told as: parts of orders, periods, months, what size costs, what an outage cost.

Slippage and shortfall are positive when they hurt, whichever side was traded. What is not known is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.comparison import (
    Estimate,
    Moments,
    WeightedMoments,
    difference_of,
    share_difference,
    share_interval,
    total_difference_of,
)
from analytics.execution import BASIS_POINTS, turnover
from analytics.impact import ImpactFit
from portfolio.outage import Band
from storage.clickhouse.reads.execution import Leg, Step
from storage.clickhouse.reads.orders_worked import By

if TYPE_CHECKING:
    from storage.state.portfolios import Portfolio

BYS: Mapping[By, str] = {
    "strategy": "Strategy", "venue": "Venue", "instrument": "Instrument", "hour": "Hour", "size": "Size",
    "broker": "Broker",
}  # fmt: skip
FEWEST_INSIDE = 5
"""Orders within an outage from which on it is compared with the rest."""
UNKNOWN = math.nan
WITHOUT_VOLUMES = (
    "The interval's VWAP takes the market's volumes, which no kind of rows tells, and own fills alone would be "
    "compared with themselves: the mean of the prices told meanwhile (TWAP) stands for it."
)
NO_PRICES = (
    "Send prices of the instruments within the day, several between the sending and the last fill of an order (prices, "
    "docs/your-data.md)."
)

NO_PRICE_WITHIN_DAYS = "no prices within the day"
NO_PRICE_WITHIN_ORDERS = "no filled order had two prices meanwhile"


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What orders cost against the price at which they were decided on, in money; positive when it hurt."""

    orders: int
    """Ended ones of which all is known that it takes."""
    paper: float
    """Σ |ordered| × decision price."""
    delay: float
    """From the decision to the arrival at the market."""
    impact: float
    """From arrival to the fills: impact and spread."""
    missed: float
    """Of what was not filled, from the decision to the close of the day on which the order ended."""
    explicit: float
    """Commission and fees."""
    total: float
    """Paper profit less real profit: worked out by itself, and the four parts add up to it."""

    def in_basis_points(self, part: float) -> float:
        """Return a part over the paper value, in basis points; NaN without one."""
        return part / self.paper * BASIS_POINTS if self.paper else UNKNOWN


@dataclass(frozen=True, slots=True)
class Part:
    """Orders added up: all, a group, a period, those within an outage."""

    name: str
    key: str
    """What the group is of, as orders tell it: the id of a strategy, a symbol."""
    orders: int
    ended: int
    filled: int
    rejected: int
    cancelled: int
    expired: int
    fill_ratio: float
    """Filled over ordered quantity of the ended ones."""
    traded: float
    """Filled quantity × arrival price."""
    arrival: Estimate
    """Slippage against the price at arrival, basis points, by value."""
    decision: Estimate
    shortfall: Shortfall
    lost: Moments
    """Shortfall by order, in money."""
    slipped: WeightedMoments
    """Of slippage against arrival."""
    arrival_lost: float
    """Slippage against arrival in money."""

    def share(self, number: int) -> Estimate:
        """Return a number of orders over all ended ones, with Wilson's interval; NaN without any."""
        found = share_interval([number], [self.ended])
        return Estimate(float(found.value[0]), float(found.low[0]), float(found.high[0]), self.ended)


@dataclass(frozen=True, slots=True)
class Period:
    """Orders that were sent in a day, week or month."""

    day: np.datetime64
    """Its first one."""
    part: Part


@dataclass(frozen=True, slots=True)
class Point:
    """Orders of about one size beside each other."""

    share: float
    """Of a day's volume, on average."""
    cost: Estimate
    """Slippage against arrival, basis points, each order alike."""
    fitted: float


@dataclass(frozen=True, slots=True)
class Impact:
    """What size costs. Without a fit `why` says why, and what would make one."""

    fit: ImpactFit | None
    points: tuple[Point, ...]
    """From small to large."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Month:
    """What was traded in a month."""

    month: np.datetime64
    traded: float
    costs: float
    """Commission and fees."""
    capital: float
    """Mean net asset value; NaN where it has none."""

    @property
    def turnover(self) -> float:
        """Return bought and sold over capital."""
        return float(turnover(self.traded, self.capital))

    @property
    def drag(self) -> float:
        """Return commission and fees over capital."""
        return float(turnover(self.costs, self.capital))


@dataclass(frozen=True, slots=True)
class Trading:
    """What was traded, what it cost, and what that takes of a year's return."""

    months: tuple[Month, ...]
    traded: float
    costs: float
    fills: int
    without_order: int
    turnover_a_year: float
    """Bought and sold over the mean net asset value."""
    drag_a_year: float
    """Commission and fees over each day's net asset value."""
    slippage_a_year: float
    """Slippage against arrival over the mean net asset value."""


@dataclass(frozen=True, slots=True)
class Outage:
    """Orders that were sent while something was broken, beside the others."""

    bands: tuple[Band, ...]
    inside: Part
    outside: Part

    @property
    def seconds(self) -> int:
        """Return how long it was."""
        return sum(end - start for start, end in self.bands)

    @property
    def is_compared(self) -> bool:
        """Return whether there are orders enough on both sides."""
        return min(self.inside.orders, self.outside.orders) >= FEWEST_INSIDE

    @property
    def slippage(self) -> Estimate:
        """Return how much more it was inside, in basis points (Welch)."""
        return difference_of(self.inside.slipped, self.outside.slipped)

    @property
    def rejects(self) -> Estimate:
        """Return how much larger the share of rejected orders was inside (Newcombe)."""
        one, other = self.inside, self.outside
        return share_difference(one.rejected, one.ended, other.rejected, other.ended)

    @property
    def fills(self) -> Estimate:
        """Return how much larger the share of filled orders was inside."""
        one, other = self.inside, self.outside
        return share_difference(one.filled, one.ended, other.filled, other.ended)

    @property
    def cost(self) -> Estimate:
        """Return what the orders inside cost more than as many outside did, in money."""
        return total_difference_of(self.inside.lost, self.outside.lost)


@dataclass(frozen=True, slots=True)
class Execution:
    """How a portfolio's orders were carried out in a window. Money is in the portfolio's currency."""

    portfolio: Portfolio
    first: np.datetime64
    last: np.datetime64
    """The days (UTC) of the window, both included."""
    newest: int
    """Epoch seconds of the newest order or trade in it."""
    zone: str
    by: By
    step: Step
    whole: Part
    parts: tuple[Part, ...]
    """By what was asked for: those that traded most first, hours and sizes in their order."""
    periods: tuple[Period, ...]
    legs: tuple[Leg, ...]
    reasons: tuple[tuple[str, str, int], ...]
    """Status, reason and count."""
    interval: Estimate
    """Slippage against the mean price between sending and last fill, of the orders of which that is known."""
    no_interval: str
    """Why that is known of none; empty: it is of some."""
    impact: Impact
    trading: Trading
    outage: Outage | None
    """None: nothing was broken."""
    told: tuple[str, ...]
    """What is left out of figures, and why."""
    names: Mapping[str, str]
    """Of the portfolios, by id."""
