"""Value at risk and shortfall of a book with skewness and kurtosis counted, and what each position has of them.

Values are (instruments,) in currency, shorts negative; returns (days, instruments), nothing missing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from analytics.block import Block, Floats
from analytics.holdings_risk import AT_A_TIME, HoldingsRisk
from analytics.inputs import numbers, refuse, share
from analytics.tails import cornish_fisher, edgeworth_tail, expected_shortfall, value_at_risk

STEP = 1e-5
"""Of skewness and kurtosis: their slopes weigh nothing in the sum of components, which is exact whatever they are."""
Loss = Callable[[float, float], float]
"""Of skewness and excess kurtosis of a day: the loss over the horizon, in its deviations."""


def modified_risk(values: ArrayLike, returns: ArrayLike, level: float = 0.95, horizon: int = 1) -> HoldingsRisk | None:
    """Return the Cornish-Fisher risk of today's book by position (Boudt, Peterson & Croux 2008).

    VaR −(μ h + q σ √h), q the quantile corrected for skewness and kurtosis (tails.value_at_risk): it is homogeneous in
    the values, so that components, value × derivative, add up. None where it does not hold: tails too fat for its
    quantile to rise everywhere, or a book that does not vary. Raises ValueError as holdings_risk.historical_risk.
    """
    held = numbers("values", values, None)
    days = numbers("returns", returns, None, len(held))
    refuse("returns", days < -1.0, "is below −100 %")
    share("level", level)
    if len(days) < 2 or horizon < 1:
        raise ValueError(f"returns: too few days ({len(days)}), or horizon {horizon} below 1")
    pnl = days @ held
    var, es = modified_losses(pnl[None], level, horizon)
    if np.isnan(var[0]):
        return None
    var_slope, es_slope = _slopes(pnl, days, level, horizon)
    without = np.concatenate(
        [_without(pnl, held, days, start, level, horizon) for start in range(0, len(held), AT_A_TIME)]
    ) if len(held) else np.zeros(0)  # fmt: skip
    return HoldingsRisk(
        float(var[0]), float(es[0]), var_slope, var_slope * held, es_slope * held, float(var[0]) - without
    )


def modified_losses(books: Floats, level: float, horizon: int) -> tuple[Floats, Floats]:
    """Return Cornish-Fisher VaR and ES of each book, (books,), from the P&L of its days, (books, days); NaN where it
    does not hold.

    In shares of more than a book loses in a day: tails takes returns.
    """
    unit = 2.0 * np.abs(books).max(axis=1)
    safe = np.where(unit > 0, unit, 1.0)
    block = Block(books / safe[:, None])
    var = np.asarray(value_at_risk(block, level, horizon, "cornish_fisher"))
    es = np.asarray(expected_shortfall(block, level, horizon, "cornish_fisher"))
    return np.where(unit > 0, var * safe, np.nan), np.where(unit > 0, es * safe, np.nan)


def _without(pnl: Floats, held: Floats, days: Floats, start: int, level: float, horizon: int) -> Floats:
    """Return the VaR of the book without each of some positions; 0 where nothing is left that varies."""
    part = slice(start, start + AT_A_TIME)
    books = np.ascontiguousarray((pnl[:, None] - days[:, part] * held[part]).T)
    found = modified_losses(books, level, horizon)[0]
    is_still = np.abs(books).max(axis=1) <= 1e-12 * np.abs(pnl).max()
    return np.where(is_still, 0.0, found)


def _slopes(pnl: Floats, days: Floats, level: float, horizon: int) -> tuple[Floats, Floats]:
    """Return the derivatives of VaR and ES by position."""
    mean = days.mean(axis=0)
    away, each = pnl - pnl.mean(), days - mean
    second, third, fourth = (float(np.mean(away**power)) for power in (2, 3, 4))
    sigma = np.sqrt(second)
    by_second, by_third, by_fourth = (power * (away ** (power - 1)) @ each / len(days) for power in (2, 3, 4))
    skew, kurt = third / sigma**3, fourth / second**2 - 3.0
    to_sigma = by_second / (2 * sigma)
    to_skew = by_third / sigma**3 - 3 * skew / sigma * to_sigma
    to_kurt = by_fourth / second**2 - 4 * (kurt + 3.0) / sigma * to_sigma
    # tails has the deviation of a sample, n − 1, and skewness and kurtosis of the days as they are, n.
    root = np.sqrt(horizon * len(days) / (len(days) - 1))
    found = []
    for loss in _losses_by_shape(level, horizon):
        of_skew = (loss(skew + STEP, kurt) - loss(skew - STEP, kurt)) / (2 * STEP)
        of_kurt = (loss(skew, kurt + STEP) - loss(skew, kurt - STEP)) / (2 * STEP)
        moved = loss(skew, kurt) * to_sigma + sigma * (of_skew * to_skew + of_kurt * to_kurt)
        found.append(root * moved - horizon * mean)
    return found[0], found[1]


def _losses_by_shape(level: float, horizon: int) -> tuple[Loss, Loss]:
    """Return VaR and ES as functions of the shape."""
    tail = round(1.0 - level, 12)
    z = float(ndtri(tail))

    def quantile(skew: float, kurt: float) -> float:
        return float(cornish_fisher(z, skew / np.sqrt(horizon), kurt / horizon))

    def beyond(skew: float, kurt: float) -> float:
        s, k = skew / np.sqrt(horizon), kurt / horizon
        return float(edgeworth_tail(quantile(skew, kurt), tail, s, k))

    return lambda skew, kurt: -quantile(skew, kurt), beyond
