"""What the book of today may lose: value at risk and expected shortfall, and what each position has of them.

Values are (instruments,) in currency, shorts negative; returns (days, instruments), nothing missing. Losses are
positive and in the currency of the values. Components add up to the whole: value × derivative (Euler; Tasche 2000).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from analytics.block import Floats, smallest
from analytics.covariance import covariance, ledoit_wolf
from analytics.inputs import numbers, refuse, share

Places: TypeAlias = NDArray[np.intp]
Scaling: TypeAlias = Literal["sqrt", "overlapping"]
Estimate: TypeAlias = Literal["ledoit_wolf", "sample"]
AT_A_TIME = 256
"""Positions left out at a time: the books without each of them are held at once."""


@dataclass(frozen=True, eq=False)
class HoldingsRisk:
    """Of a book, and by position."""

    value_at_risk: float
    expected_shortfall: float
    marginal_var: Floats
    """What one more unit of currency in the position adds."""
    component_var: Floats
    """Adds up to value_at_risk."""
    component_es: Floats
    """Adds up to expected_shortfall."""
    incremental_var: Floats
    """What the book's falls by when the position is sold into cash; these do not add up."""


def historical_risk(
    values: ArrayLike, returns: ArrayLike, level: float = 0.95, horizon: int = 1, scaling: Scaling = "sqrt"
) -> HoldingsRisk:
    """Return the risk of today's book on the days that were (historical simulation).

    VaR: −quantile of the book's P&L, linear between ranks (Hyndman & Fan 1996, type 7), and its components the P&L of
    positions on the two days it lies between; ES: mean of the worst share exactly (Rockafellar & Uryasev 2002).
    Over a horizon: "sqrt" is a day's times √horizon (Basel 1996), "overlapping" takes all spans of so many days,
    compounded. Raises ValueError when lengths differ, a value is missing or there are too few days.
    """
    tail, held = 1.0 - share("level", level), numbers("values", values, None)
    days = _scenarios(returns, len(held), horizon, scaling)
    scale = float(np.sqrt(horizon)) if scaling == "sqrt" else 1.0
    pnl = days @ held
    order = np.argsort(pnl, kind="stable")
    between, parts = _quantile_days(order, tail)
    marginal = -scale * (parts @ days[between])
    worst, weights = _tail_days(order, tail)
    mean = -scale * (weights @ days[worst])
    whole = float(marginal @ held)
    without = _without_each(pnl, held, days, tail) * scale
    return HoldingsRisk(whole, float(mean @ held), marginal, marginal * held, mean * held, whole - without)


def parametric_risk(
    values: ArrayLike,
    returns: ArrayLike,
    level: float = 0.95,
    horizon: int = 1,
    estimate: Estimate = "ledoit_wolf",
) -> HoldingsRisk:
    """Return the risk of today's book when returns are normal with mean 0: z σ √horizon, ES φ(z) / (1 − level) σ √h.

    The mean of daily returns is too small beside its error to be of use, so it is taken as 0 (RiskMetrics 1996). A
    position's component is z v (Σv) / σ. All 0 when the book does not vary. Raises as `historical_risk`.
    """
    held = numbers("values", values, None)
    days = _scenarios(returns, len(held), horizon, "sqrt")
    if estimate not in get_args(Estimate):
        raise ValueError(f"estimate: {estimate!r} is not one of {', '.join(get_args(Estimate))}")
    matrix = ledoit_wolf(days).matrix if estimate == "ledoit_wolf" else covariance(days)
    return risk_of_covariance(held, matrix, level, horizon)


def risk_of_covariance(values: ArrayLike, matrix: ArrayLike, level: float = 0.95, horizon: int = 1) -> HoldingsRisk:
    """Return `parametric_risk` of a covariance matrix a day: one that is shrunk, stressed or stated."""
    held = numbers("values", values, None)
    given = numbers("matrix", matrix, len(held), len(held))
    z, root = float(ndtri(share("level", level))), float(np.sqrt(_horizon(horizon)))
    shortfall = float(np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi) / (1.0 - level))
    moved = given @ held
    sigma = float(np.sqrt(max(float(held @ moved), 0.0)))
    slope = moved / sigma if sigma > 0 else np.zeros_like(moved)
    left = np.sqrt(np.maximum(sigma**2 - 2.0 * held * moved + held**2 * np.diag(given), 0.0))
    return HoldingsRisk(
        value_at_risk=z * sigma * root,
        expected_shortfall=shortfall * sigma * root,
        marginal_var=z * root * slope,
        component_var=z * root * held * slope,
        component_es=shortfall * root * held * slope,
        incremental_var=z * root * (sigma - left),
    )


def hypothetical_pnl(values: ArrayLike, returns: ArrayLike) -> Floats:
    """Return what today's book would have gained on each day: to back-test (backtest.backtest) or for its tails."""
    held = numbers("values", values, None)
    found: Floats = numbers("returns", returns, None, len(held)) @ held
    return found


def _scenarios(returns: ArrayLike, count: int, horizon: int, scaling: Scaling) -> Floats:
    days = numbers("returns", returns, None, count)
    refuse("returns", days < -1.0, "is below −100 %")
    if scaling not in get_args(Scaling):
        raise ValueError(f"scaling: {scaling!r} is not one of {', '.join(get_args(Scaling))}")
    spans = len(days) - (_horizon(horizon) - 1 if scaling == "overlapping" else 0)
    if spans < 2:
        raise ValueError(f"returns: too few days ({len(days)}) for a horizon of {horizon}")
    if scaling == "sqrt" or horizon == 1:
        return days
    return np.asarray(np.lib.stride_tricks.sliding_window_view(1.0 + days, horizon, axis=0).prod(axis=2) - 1.0)


def _horizon(horizon: int) -> int:
    if horizon < 1:
        raise ValueError(f"horizon: {horizon} is below 1 day")
    return horizon


def _quantile_place(count: int, tail: float) -> tuple[int, int, float]:
    """Return the ranks between which the quantile lies, and how far it is from the lower one."""
    place = round((count - 1) * tail, 9)
    low = int(place)
    return low, min(low + 1, count - 1), place - low


def _quantile_days(order: Places, tail: float) -> tuple[Places, Floats]:
    """Return the two days between which the quantile lies, and the weight of each."""
    low, high, part = _quantile_place(len(order), tail)
    return order[[low, high]], np.array([1.0 - part, part])


def _tail_days(order: Places, tail: float) -> tuple[Places, Floats]:
    """Return the worst days and their weights, which add up to 1: the last one's is what is left of the share."""
    size = max(round(len(order) * tail, 9), 1e-9)
    count = int(np.ceil(size))
    weights = np.ones(count)
    weights[-1] = size - (count - 1)
    return order[:count], weights / size


def _without_each(pnl: Floats, held: Floats, days: Floats, tail: float) -> Floats:
    """Return the VaR of the book without each position."""
    found = np.empty(len(held))
    for start in range(0, len(held), AT_A_TIME):
        part = slice(start, start + AT_A_TIME)
        books = np.ascontiguousarray((pnl[:, None] - days[:, part] * held[part]).T)
        found[part] = -_quantiles(books, tail)
    return found


def _quantiles(books: Floats, tail: float) -> Floats:
    low, high, part = _quantile_place(books.shape[1], tail)
    ordered = smallest(books, high + 1)
    found: Floats = ordered[:, low] * (1.0 - part) + ordered[:, high] * part
    return found
