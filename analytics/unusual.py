"""How unusual a value is beside earlier ones: a z-score that outliers among these do not move."""

from __future__ import annotations

import math

MEDIAN_SCALE = 0.6745
"""The median distance from the median of a normal distribution, in standard deviations."""
MEAN_SCALE = 1.253314
"""A standard deviation of a normal distribution over its mean distance from the median: √(π/2)."""


def robust_z(value: float, median: float, median_deviation: float, mean_deviation: float) -> float:
    """Return how many standard deviations a value is from the median, NaN where earlier values give no scale.

    0.6745 (x − median) / MAD (Iglewicz & Hoaglin 1993). Where more than half of the earlier values are the same one,
    so that MAD is 0: (x − median) / (1.253314 × mean distance from the median), as IBM Cognos Analytics has it. Where
    all of them are the same one there is no scale: 0 for that value, NaN for any other.
    """
    distance = value - median
    if median_deviation > 0:
        return MEDIAN_SCALE * distance / median_deviation
    if mean_deviation > 0:
        return distance / (MEAN_SCALE * mean_deviation)
    return 0.0 if distance == 0 else math.nan
