"""Positions built from transactions beside those that were reported: what differs, and by how much."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analytics.block import Bools

TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Difference:
    """One symbol on both sides; NaN on the side that does not have it at all."""

    symbol: str
    built: float
    reported: float
    is_within: bool

    @property
    def difference(self) -> float:
        """Return built − reported, what one side does not have counting as 0."""
        return _or_nothing(self.built) - _or_nothing(self.reported)


def reconcile(
    built: Mapping[str, float],
    reported: Mapping[str, float],
    tolerance: float = TOLERANCE,
    tolerance_ratio: float = 0.0,
) -> tuple[Difference, ...]:
    """Return every symbol of either side, those beyond tolerance first and the largest difference first among them.

    Within: |built − reported| ≤ tolerance + tolerance_ratio · |reported|, in the unit of what is compared: units,
    cash or market value. Raises ValueError that names the symbol whose number is missing, or a tolerance below 0.
    """
    _check(tolerance, tolerance_ratio)
    for side, numbers in (("built", built), ("reported", reported)):
        wrong = [symbol for symbol, number in numbers.items() if not math.isfinite(number)]
        if wrong:
            raise ValueError(f"{side}: {wrong[0]} is missing or infinite; leave it out, or give a number")
    found = []
    for symbol in built.keys() | reported.keys():
        one, two = built.get(symbol, math.nan), reported.get(symbol, math.nan)
        is_within = bool(agree(_or_nothing(one), _or_nothing(two), tolerance, tolerance_ratio))
        found.append(Difference(symbol, one, two, is_within))
    return tuple(sorted(found, key=lambda each: (each.is_within, -abs(each.difference), each.symbol)))


def agree(built: ArrayLike, reported: ArrayLike, tolerance: float = TOLERANCE, tolerance_ratio: float = 0.0) -> Bools:
    """Return where both sides are within tolerance of each other, as `reconcile` has it; what is NaN never is.

    Raises ValueError for a tolerance below 0.
    """
    _check(tolerance, tolerance_ratio)
    one, two = np.asarray(built, dtype=np.float64), np.asarray(reported, dtype=np.float64)
    found: Bools = np.abs(one - two) <= tolerance + tolerance_ratio * np.abs(two)
    return found


def _check(tolerance: float, tolerance_ratio: float) -> None:
    if not (tolerance >= 0 and tolerance_ratio >= 0):
        raise ValueError(f"tolerance: {tolerance} and {tolerance_ratio}; neither is below 0")


def _or_nothing(number: float) -> float:
    return 0.0 if math.isnan(number) else number
