"""The value at risk that was to be said of each past day, the evening before: of the book as it then was."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from analytics.backtest import REACH_BACK
from analytics.block import Floats
from analytics.inputs import numbers, share
from analytics.modified_risk import modified_losses


def past_var(
    books: ArrayLike,
    returns: ArrayLike,
    places: ArrayLike,
    level: float = 0.95,
    reach: int = REACH_BACK,
    method: Literal["historical", "parametric", "cornish_fisher"] = "historical",
) -> Floats:
    """Return the VaR of each of t past days, from the `reach` days before each; losses positive.

    books: (t, positions), values at the end of the day before; returns: (n, positions), nothing missing; places: (t,),
    which of the n each day is. Historical simulation as holdings_risk.historical_risk; parametric: normal with mean 0;
    Cornish-Fisher as modified_risk.modified_risk, NaN of a day on which it does not hold. Raises ValueError when
    lengths differ, a value is missing or a day has fewer days before it.
    """
    held = numbers("books", books, None, None)
    days = numbers("returns", returns, None, held.shape[1])
    at = numbers("places", places, len(held)).astype(np.intp)
    if reach < 2 or (at < reach).any() or (at >= len(days)).any():
        raise ValueError(f"places: a day has fewer than {reach} days before it, or is none of {len(days)}")
    # What each book would have gained on each day: windows of it are all that a day's VaR takes.
    pnl = np.take_along_axis(held @ days.T, at[:, None] + np.arange(-reach, 0), axis=1)
    tail = round(1.0 - share("level", level), 12)
    if method == "cornish_fisher":
        return modified_losses(pnl, share("level", level), 1)[0] if len(pnl) else np.zeros(0)
    if method == "parametric":
        return np.asarray(-float(ndtri(tail)) * np.sqrt(np.mean(pnl**2, axis=1)))
    return np.asarray(-np.quantile(pnl, tail, axis=1)) if len(pnl) else np.zeros(0)
