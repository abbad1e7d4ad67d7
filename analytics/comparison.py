"""Two groups beside each other, and shares with how sure they are: inside outages and outside, this broker and that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit

from analytics.block import Floats, over
from analytics.inputs import numbers, share


@dataclass(frozen=True, eq=False)
class Estimate:
    """A figure with the ends of its two-sided confidence interval; NaN where there is too little to tell."""

    value: float
    low: float
    high: float
    count: int
    """Observations it comes from."""

    @property
    def is_told_apart(self) -> bool:
        """Return whether the interval leaves 0 out; False when it is not known."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums of values: all that a mean and its interval take of them. Those of two groups added are those of both."""

    count: int
    total: float
    squares: float
    """Σ x²."""

    @property
    def mean(self) -> float:
        """Return the mean; NaN without values."""
        return self.total / self.count if self.count else float("nan")

    @property
    def error_squared(self) -> float:
        """Return the square of the mean's standard error; NaN with fewer than two values."""
        if self.count < 2:
            return float("nan")
        spread = max(self.squares - self.total * self.total / self.count, 0.0)
        return spread / (self.count - 1) / self.count


@dataclass(frozen=True, slots=True)
class WeightedMoments:
    """Sums of values and their weights: all that `weighted_mean` takes of them."""

    count: int
    weight: float
    """Σ w."""
    value: float
    """Σ w x."""
    weight_squares: float
    """Σ w²."""
    cross: float
    """Σ w² x."""
    squares: float
    """Σ w² x²."""

    @property
    def mean(self) -> float:
        """Return Σ w x / Σ w; NaN when nothing weighs."""
        return self.value / self.weight if self.weight > 0 else float("nan")

    @property
    def error_squared(self) -> float:
        """Return the square of the mean's standard error (see `weighted_mean`); NaN with fewer than two values."""
        if self.count < 2 or not self.weight > 0:
            return float("nan")
        mean = self.mean
        pull = max(self.squares - 2.0 * mean * self.cross + mean * mean * self.weight_squares, 0.0)
        return self.count / (self.count - 1) * pull / self.weight**2


@dataclass(frozen=True, eq=False)
class Shares:
    """Successes over trials, by group, with Wilson's interval; NaN without trials."""

    value: Floats
    low: Floats
    high: Floats


def share_interval(successes: ArrayLike, trials: ArrayLike, level: float = 0.95) -> Shares:
    """Return successes over trials and the score interval of that share (Wilson 1927): good at 0, at all, and of few.

    Raises ValueError when lengths differ, a count is missing or below 0, or there are more successes than trials.
    """
    z = float(ndtri((1.0 + share("level", level)) / 2.0))
    tried = numbers("trials", trials)
    got = numbers("successes", successes, *tried.shape)
    if (got < 0).any() or (got > tried).any():
        raise ValueError("successes: below 0 or above trials; count each once")
    value = over(got, tried)
    spread = over(z * z, tried)
    centre = (value + spread / 2.0) / (1.0 + spread)
    reach = np.sqrt(spread * value * (1.0 - value) + spread**2 / 4.0) / (1.0 + spread)
    # At none and at all the interval ends there: what is beyond is rounding.
    low = np.where(got == 0, 0.0 * value, np.maximum(centre - reach, 0.0))
    high = np.where(got == tried, 1.0 + 0.0 * value, np.minimum(centre + reach, 1.0))
    return Shares(value, low, high)


def share_difference(
    successes: int, trials: int, other_successes: int, other_trials: int, level: float = 0.95
) -> Estimate:
    """Return p₁ − p₂ with Newcombe's interval from both Wilson intervals (Newcombe 1998, method 10).

    NaN when either has no trials. Raises ValueError as `share_interval`.
    """
    found = share_interval([successes, other_successes], [trials, other_trials], level)
    one, two = found.value
    low = np.hypot(one - found.low[0], found.high[1] - two)
    high = np.hypot(found.high[0] - one, two - found.low[1])
    return Estimate(float(one - two), float(one - two - low), float(one - two + high), trials + other_trials)


def mean_difference(values: ArrayLike, other: ArrayLike, level: float = 0.95) -> Estimate:
    """Return mean₁ − mean₂ with Welch's interval: Student's t, spreads that differ (Welch 1947).

    The interval is NaN with fewer than two values on a side. Raises ValueError when a value is missing.
    """
    first, second = numbers("values", values, None), numbers("other", other, None)
    apart = _mean(first) - _mean(second)
    if min(len(first), len(second)) < 2:
        return Estimate(apart, float("nan"), float("nan"), len(first) + len(second))
    errors = float(first.var(ddof=1) / len(first)), float(second.var(ddof=1) / len(second))
    return _welch(apart, errors, (len(first), len(second)), level)


def difference_of(one: Moments | WeightedMoments, other: Moments | WeightedMoments, level: float = 0.95) -> Estimate:
    """Return mean₁ − mean₂ with Welch's interval from sums: as `mean_difference`, of weighted means too."""
    apart = one.mean - other.mean
    if min(one.count, other.count) < 2:
        return Estimate(apart, float("nan"), float("nan"), one.count + other.count)
    return _welch(apart, (one.error_squared, other.error_squared), (one.count, other.count), level)


def total_difference_of(one: Moments, other: Moments, level: float = 0.95) -> Estimate:
    """Return what `total_difference` returns, from sums."""
    found = difference_of(one, other, level)
    return Estimate(one.count * found.value, one.count * found.low, one.count * found.high, found.count)


def mean_of(sums: Moments, level: float = 0.95) -> Estimate:
    """Return the mean with Student's interval, n − 1 degrees of freedom, from sums; NaN as `weighted_mean`."""
    if sums.count < 2:
        return Estimate(sums.mean, float("nan"), float("nan"), sums.count)
    reach = _t(sums.count - 1.0, level) * float(np.sqrt(sums.error_squared))
    return Estimate(sums.mean, sums.mean - reach, sums.mean + reach, sums.count)


def weighted_mean_of(sums: WeightedMoments, level: float = 0.95) -> Estimate:
    """Return what `weighted_mean` returns, from sums."""
    if sums.count < 2:
        return Estimate(sums.mean, float("nan"), float("nan"), sums.count)
    reach = _t(sums.count - 1.0, level) * float(np.sqrt(sums.error_squared))
    return Estimate(sums.mean, sums.mean - reach, sums.mean + reach, sums.count)


def total_difference(values: ArrayLike, other: ArrayLike, level: float = 0.95) -> Estimate:
    """Return what the first group lost or gained in all against the second: its count × `mean_difference`.

    Of costs in currency by order, inside and outside of outages, this is what the outages cost.
    """
    count = len(numbers("values", values, None))
    found = mean_difference(values, other, level)
    return Estimate(count * found.value, count * found.low, count * found.high, found.count)


def weighted_mean(values: ArrayLike, weights: ArrayLike, level: float = 0.95) -> Estimate:
    """Return Σ w x / Σ w with Student's interval, n − 1 degrees of freedom.

    The error is that of a ratio of means: √(n / (n − 1) Σ w² (x − mean)²) / Σ w (Cochran 1977, ch. 6). The interval is
    NaN of fewer than two values, all is NaN when nothing weighs. Raises ValueError when lengths differ, a value is
    missing, or a weight is below 0.
    """
    found = numbers("values", values, None)
    weight = numbers("weights", weights, len(found))
    if (weight < 0).any():
        raise ValueError("weights: one is below 0; a mean takes sizes, not sides")
    count, whole = len(found), float(weight.sum())
    mean = float(over(weight @ found, whole))
    if count < 2 or not whole > 0:
        return Estimate(mean, float("nan"), float("nan"), count)
    pull = weight * (found - mean)
    reach = _t(count - 1.0, level) * float(np.sqrt(count / (count - 1.0) * (pull @ pull))) / whole
    return Estimate(mean, mean - reach, mean + reach, count)


def _welch(apart: float, errors: tuple[float, float], counts: tuple[int, int], level: float) -> Estimate:
    """Return a difference of two means with its interval; errors: squares of the means' standard errors."""
    total = sum(errors)
    if total == 0:
        return Estimate(apart, apart, apart, sum(counts))
    freedom = total**2 / sum(error**2 / (count - 1) for error, count in zip(errors, counts, strict=True))
    reach = _t(freedom, level) * float(np.sqrt(total))
    return Estimate(apart, apart - reach, apart + reach, sum(counts))


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _t(freedom: float, level: float) -> float:
    return float(stdtrit(freedom, (1.0 + share("level", level)) / 2.0))
