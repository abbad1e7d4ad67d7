"""What trading costs: shortfall and slippage by order, turnover, and what costs take of a return.

Orders are the first axis. Costs are positive when they hurt, whichever side was traded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analytics.block import Floats, over
from analytics.comparison import Estimate, weighted_mean
from analytics.inputs import numbers, positive

BASIS_POINTS = 10_000.0


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Costs as shares of the paper value, positive when they hurt, by order; they add up to `total`."""

    delay: Any
    """The price moved between the decision and the order's arrival."""
    realised: Any
    """The price moved between arrival and the fills: impact and spread."""
    missed: Any
    """The price moved away from what was not filled: the opportunity."""
    explicit: Any
    """Commissions and fees."""
    paper: Any
    """|ordered| · decision price: shares times this are currency."""

    @property
    def total(self) -> Any:
        """Return paper profit less real profit, over the paper value."""
        return self.delay + self.realised + self.missed + self.explicit


def implementation_shortfall(
    ordered: ArrayLike,
    filled: ArrayLike,
    decision_price: ArrayLike,
    arrival_price: ArrayLike,
    fill_price: ArrayLike,
    close_price: ArrayLike,
    commission: ArrayLike = 0.0,
    side: ArrayLike = 1,
) -> Shortfall:
    """Return the parts of the implementation shortfall (Perold 1988; Wagner & Edwards 1993), of one order or many.

    fill_price: average of the fills, any number where nothing was filled; close_price: when the rest was cancelled, any
    number where nothing was left; side: 1 buys, −1 sells. NaN when the paper value is 0.
    """
    whole, done, decision, arrival, fill, close, fees, sign = (
        np.asarray(given, dtype=np.float64)
        for given in (ordered, filled, decision_price, arrival_price, fill_price, close_price, commission, side)
    )
    paper = whole * decision
    unit = over(sign, paper)
    return Shortfall(
        delay=unit * done * (arrival - decision),
        realised=np.where(done == 0, 0.0 * unit, unit * done * (fill - arrival)),
        missed=np.where(whole == done, 0.0 * unit, unit * (whole - done) * (close - decision)),
        explicit=over(fees, paper),
        paper=paper,
    )


def slippage(side: ArrayLike, price: ArrayLike, reference: ArrayLike) -> Floats:
    """Return how much worse than a reference each fill or order was, in basis points of the reference.

    reference: the price at the decision, at arrival, or the interval's VWAP (`interval_vwap`). side: 1 buys, −1 sells.
    Raises ValueError when lengths differ, a value is missing or a price is not above 0.
    """
    paid = positive("price", price, None)
    usual = positive("reference", reference, len(paid))
    return _sides(side, len(paid)) * (paid - usual) / usual * BASIS_POINTS


def mean_slippage(
    side: ArrayLike, price: ArrayLike, reference: ArrayLike, quantity: ArrayLike, level: float = 0.95
) -> Estimate:
    """Return the slippage of all in basis points, by value traded, with Student's interval (comparison.weighted_mean).

    Orders are taken as independent. Raises as `slippage`, and when a quantity is below 0.
    """
    found = slippage(side, price, reference)
    value = numbers("quantity", quantity, len(found)) * np.asarray(reference, dtype=np.float64)
    return weighted_mean(found, value, level)


def interval_vwap(
    times: ArrayLike, prices: ArrayLike, volumes: ArrayLike, starts: ArrayLike, ends: ArrayLike
) -> Floats:
    """Return Σ price · volume / Σ volume of the market between each start and end, both included.

    times: of the market's trades or bars, in order. NaN where nothing traded. Raises ValueError when lengths differ,
    times are out of order, a price is not above 0, a volume is below 0, or an end is before its start.
    """
    when = numbers("times", times, None)
    paid, traded = positive("prices", prices, len(when)), numbers("volumes", volumes, len(when))
    begun = numbers("starts", starts, None)
    ended = numbers("ends", ends, len(begun))
    for wrong, told in (
        ((np.diff(when) < 0).any(), "times: the market's trades are out of order"),
        ((traded < 0).any(), "volumes: one is below 0"),
        ((ended < begun).any(), "ends: one is before its start"),
    ):
        if wrong:
            raise ValueError(told)
    first, last = np.searchsorted(when, begun, "left"), np.searchsorted(when, ended, "right")
    # Less the mean price: what is taken from each other stays small, so that a short interval late in the day is exact.
    middle = float(paid.mean()) if len(paid) else 0.0
    value = np.concatenate([[0.0], np.cumsum((paid - middle) * traded)])
    volume = np.concatenate([[0.0], np.cumsum(traded)])
    return middle + over(value[last] - value[first], volume[last] - volume[first])


def turnover(traded: ArrayLike, capital: ArrayLike) -> Floats:
    """Return the value traded over capital (mean gross book, or net liquidation value: say which); NaN when it is 0."""
    return over(traded, capital)


def cost_drag(costs: ArrayLike, capital: ArrayLike, periods: float) -> float:
    """Return what costs took of the return a year: mean of costs over capital a period, × periods.

    Raises ValueError when lengths differ, a value is missing or capital is not above 0; NaN without a period.
    """
    invested = positive("capital", capital, None)
    taken = numbers("costs", costs, len(invested)) / invested
    return float(taken.mean()) * periods if len(taken) else float("nan")


def after_slippage(period_return: float, period_turnover: float, basis_points: float) -> float:
    """Return the return less turnover times a cost in basis points of the value traded."""
    return period_return - period_turnover * basis_points / BASIS_POINTS


def expectancy(profits: ArrayLike) -> float:
    """Return the mean profit of a closed trade; NaN without one."""
    values = np.asarray(profits, dtype=np.float64)
    return float(values.mean()) if len(values) else float("nan")


def expectancy_ratio(profits: ArrayLike) -> float:
    """Return (1 + mean win / mean loss) · share of wins − 1: gained a unit lost (Tharp 1998); NaN without a loss."""
    values = np.asarray(profits, dtype=np.float64)
    wins, losses = values[values > 0], values[values < 0]
    if not len(losses):
        return float("nan")
    mean_win = float(wins.mean()) if len(wins) else 0.0
    return (1.0 + mean_win / -float(losses.mean())) * len(wins) / len(values) - 1.0


def _sides(side: ArrayLike, count: int) -> Floats:
    found = numbers("side", side)
    if not np.isin(found, (1.0, -1.0)).all():
        raise ValueError("side: one is neither 1 (buys) nor −1 (sells)")
    return np.broadcast_to(found, (count,))
