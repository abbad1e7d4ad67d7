"""Effects of many periods as those of one: linked so that they add up to the compounded active return.

Effects are (periods, …), returns of the whole and of its benchmark (periods,). Arithmetic effects are weighted by a
factor a period; geometric ones compound as they are.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from analytics.block import NOTHING, RESIDUE, Floats
from analytics.inputs import numbers

Linking: TypeAlias = Literal["carino", "menchero", "grap"]


def linked(effects: ArrayLike, own: ArrayLike, benchmark: ArrayLike, method: Linking = "carino") -> Floats:
    """Return effects of periods (first axis) as those of all: they add up to ∏(1 + R) − ∏(1 + B).

    Of each period they have to add up to R − B. NaN with a loss of 100 % or more (grap links that too). Raises
    ValueError when lengths differ or a value is missing.
    """
    found = numbers("effects", effects)
    return np.tensordot(linking_factors(own, benchmark, method), found, axes=(0, 0))


def linking_factors(own: ArrayLike, benchmark: ArrayLike, method: Linking = "carino") -> Floats:
    """Return what effects of each period are multiplied by.

    carino: in proportion to logs (Carino 1999), see carino_factors.
    menchero: as equal as possible, with the least squared correction (Menchero 2000, 2004).
    grap: earned before at the portfolio's return, afterwards at the benchmark's (GRAP 1997); Frongello (2002) gives
      the same totals, since his recursion comes to the same product.
    """
    mine = numbers("own", own, None)
    other = numbers("benchmark", benchmark, len(mine))
    if method == "carino":
        return carino_factors(mine, other)
    if method == "menchero":
        return _menchero(mine, other)
    if method == "grap":
        return _grap(mine, other)
    raise ValueError(f"method: {method!r} is not one of {', '.join(get_args(Linking))}")


def compounded(effects: ArrayLike) -> Floats:
    """Return ∏(1 + effect) − 1 along the first axis: how totals of geometric effects link (Bacon 2008).

    The totals of allocation and of selection do so exactly, and both together give (1 + R) / (1 + B) − 1 of all
    periods; those of segments do not add up across periods.
    """
    found: Floats = np.prod(1.0 + numbers("effects", effects), axis=0) - 1.0
    return found


def carino_factors(own: ArrayLike, benchmark: ArrayLike) -> Floats:
    """Return k_t / k of each period: effects of periods times these add up to the active return of all (Carino 1999).

    k_t = (ln(1 + R_t) − ln(1 + B_t)) / (R_t − B_t), 1 / (1 + R_t) where both are equal; k likewise of the total
    returns. NaN when one lost 100 % or more.
    """
    mine, other = np.asarray(own, dtype=np.float64), np.asarray(benchmark, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        log_own, log_other = np.log1p(mine), np.log1p(other)
        one, two = log_own.sum(), log_other.sum()
        found = _slope(log_own, log_other) / _slope(one, two)
    return np.full_like(mine, np.nan) if _is_lost(mine, other) else found


def _menchero(own: Floats, benchmark: Floats) -> Floats:
    """Return M + c (R_t − B_t): M the rate at which equal periods would link, c what makes the sum exact."""
    periods = len(own)
    if not periods or _is_lost(own, benchmark):
        return np.full(periods, np.nan)
    one, two = float(np.log1p(own).sum()), float(np.log1p(benchmark).sum())
    apart = one - two
    # (R − B) / T over (1 + R)^(1/T) − (1 + B)^(1/T), in logs: exact however close the two are.
    stretch = 1.0 if abs(apart) < NOTHING else np.expm1(apart) / (periods * np.expm1(apart / periods))
    natural = float(np.exp(two * (1.0 - 1.0 / periods)) * stretch)
    active = own - benchmark
    squares = float(active @ active)
    if squares <= RESIDUE**2:
        return np.full(periods, natural)
    left = float(np.exp(two) * np.expm1(apart)) - natural * float(active.sum())
    return np.asarray(natural + left / squares * active)


def _grap(own: Floats, benchmark: Floats) -> Floats:
    """Return ∏_{s<t} (1 + R_s) ∏_{s>t} (1 + B_s)."""
    before = np.cumprod(np.concatenate([[1.0], 1.0 + own[:-1]]))[: len(own)]
    after = np.cumprod(np.concatenate([[1.0], 1.0 + benchmark[:0:-1]]))[::-1][: len(own)]
    return np.asarray(before * after)


def _is_lost(own: Floats, benchmark: Floats) -> bool:
    return bool((own <= -1.0).any() or (benchmark <= -1.0).any())


def _slope(log_own: ArrayLike, log_other: ArrayLike) -> Floats:
    """Return (ln(1 + R) − ln(1 + B)) / (R − B) of two logs."""
    apart = np.asarray(log_own, dtype=np.float64) - np.asarray(log_other, dtype=np.float64)
    # R − B = e^B' (e^apart − 1): exact however close the two are.
    ratio = np.where(apart == 0, 1.0, apart / np.where(apart == 0, 1.0, np.expm1(apart)))
    found: Floats = ratio * np.exp(-np.asarray(log_other, dtype=np.float64))
    return found
