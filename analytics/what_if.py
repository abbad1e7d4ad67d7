"""Trades that are thought of: every figure of the book before and after them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.block import Floats
from analytics.concentration import concentration
from analytics.exposure import beta_adjusted, exposure
from analytics.holdings_risk import historical_risk, risk_of_covariance
from analytics.inputs import numbers, positive, refuse
from analytics.liquidity import LADDER_DAYS, SHARE_OF_VOLUME, ladder


@dataclass(frozen=True, eq=False)
class Holdings:
    """What figures are made from, by position, and what the fund is worth. A figure whose data is None is left out."""

    values: Floats
    nav: float
    betas: Floats | None = None
    volumes: Floats | None = None
    """What trades a day, in currency."""
    returns: Floats | None = None
    """(days, positions): for historical risk."""
    matrix: Floats | None = None
    """Covariance a day: for parametric risk."""
    instruments: NDArray[np.intp] | None = None
    """Of each position: those in one share what it trades, longs and shorts alike. None: each has one of its own."""
    is_paid: NDArray[np.bool_] | None = None
    """Of each position: whether cash was paid for it, as is not for a future's notional. None: for all."""


@dataclass(frozen=True)
class Change:
    """A figure before and after."""

    name: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        """Return after − before."""
        return self.after - self.before


def what_if(
    held: Holdings, trades: ArrayLike, cost_ratio: float = 0.0, level: float = 0.95, horizon: int = 1
) -> tuple[Change, ...]:
    """Return every figure of the book before and after trades. trades: currency bought (+) or sold (−) by position.

    Cash pays, but for what is not `is_paid`: NAV falls by costs alone, `cost_ratio` of what is traded. Raises
    ValueError when lengths differ, a value is missing, costs are below 0 or they take the whole NAV.
    """
    values = numbers("values", held.values, None)
    bought = numbers("trades", trades, len(values))
    refuse("cost_ratio", numbers("cost_ratio", cost_ratio) < 0, "is below 0")
    left = held.nav - cost_ratio * float(np.abs(bought).sum())
    after = replace(held, values=values + bought, nav=left)
    old, new = headline(held, level, horizon), headline(after, level, horizon)
    return tuple(Change(name, old[name], new[name]) for name in old)


def headline(held: Holdings, level: float = 0.95, horizon: int = 1) -> dict[str, float]:
    """Return the figures of a book by name: shares of NAV, counts, and losses in currency.

    Raises ValueError when a value is missing, lengths differ or NAV is not above 0.
    """
    values = numbers("values", held.values, None)
    nav = float(positive("nav", held.nav))
    whole, spread = exposure(values[None], [nav]), concentration(values[None], names=held.instruments)
    found = {
        "nav": nav,
        "cash": nav - float(values.sum() if held.is_paid is None else values[held.is_paid].sum()),
        "long_ratio": float(whole.long[0]) / nav,
        "short_ratio": float(whole.short[0]) / nav,
        "gross_ratio": float(whole.leverage[0]),
        "net_ratio": float(whole.net_share[0]),
        "herfindahl": float(spread.herfindahl[0]),
        "effective_number": float(spread.effective_number[0]),
        "largest_share": float(spread.top[0, 0]),
    }
    if held.betas is not None:
        found["beta_adjusted_ratio"] = float(beta_adjusted(values[None], [nav], held.betas)[0])
    if held.volumes is not None:
        steps = ladder(*_shared(values, held.volumes, held.instruments), SHARE_OF_VOLUME, LADDER_DAYS)
        found |= {
            f"out_in_{days:.0f}_days_ratio": float(out) for days, out in zip(steps.days, steps.share, strict=True)
        }
    if held.returns is not None:
        risk = historical_risk(values, held.returns, level, horizon)
        found |= {"historical_var": risk.value_at_risk, "historical_es": risk.expected_shortfall}
    if held.matrix is not None:
        risk = risk_of_covariance(values, held.matrix, level, horizon)
        found |= {"parametric_var": risk.value_at_risk, "parametric_es": risk.expected_shortfall}
    return found


def _shared(values: Floats, volumes: Floats, instruments: NDArray[np.intp] | None) -> tuple[Floats, Floats]:
    """Return gross values and volumes, of each instrument once."""
    if instruments is None:
        return values, volumes
    _, first, column = np.unique(instruments, return_index=True, return_inverse=True)
    return np.bincount(column, np.abs(values)).astype(np.float64), volumes[first]
