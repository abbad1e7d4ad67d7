"""What trading costs: shortfall against the decision, turnover, slippage, and what a trade brings on average."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analytics.block import over


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Costs as shares of the paper value, positive when they hurt; they add up to `total`."""

    delay: float
    """The price moved between the decision and the order's arrival."""
    realised: float
    """The price moved between arrival and the fills."""
    missed: float
    """The price moved away from what was not filled."""
    explicit: float
    """Commissions and fees."""

    @property
    def total(self) -> float:
        """Return paper profit less real profit, over the paper value."""
        return self.delay + self.realised + self.missed + self.explicit


def implementation_shortfall(
    ordered: float,
    filled: float,
    decision_price: float,
    arrival_price: float,
    fill_price: float,
    close_price: float,
    commission: float = 0.0,
    side: int = 1,
) -> Shortfall:
    """Return the parts of the implementation shortfall (Perold 1988; Wagner & Edwards 1993).

    fill_price: average of the fills; close_price: when the rest was cancelled; side: 1 buys, −1 sells. NaN when the
    paper value is 0.
    """
    paper = ordered * decision_price
    unit = side / paper if paper else float("nan")
    return Shortfall(
        delay=unit * filled * (arrival_price - decision_price),
        realised=unit * filled * (fill_price - arrival_price),
        missed=unit * (ordered - filled) * (close_price - decision_price),
        explicit=commission / paper if paper else float("nan"),
    )


def turnover(traded: float, capital: float) -> float:
    """Return the value traded over capital (mean gross book, or net liquidation value: say which); NaN when it is 0."""
    return float(over(traded, capital))


def after_slippage(period_return: float, period_turnover: float, basis_points: float) -> float:
    """Return the return less turnover times a cost in basis points of the value traded."""
    return period_return - period_turnover * basis_points / 10_000.0


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
