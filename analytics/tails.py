"""What may be lost: value at risk and expected shortfall, as positive losses, by several estimators."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from analytics.block import Block, Bools, Floats, over
from analytics.risk import DECAY, ewma_course, ewma_volatility, kurtosis, skewness
from analytics.shapes import figure

Method: TypeAlias = Literal["historical", "gaussian", "cornish_fisher", "ewma"]
Tail: TypeAlias = Literal["fractional", "below", "at_or_below"]
REACH = 4.0
"""Deviations either way over which the Cornish-Fisher quantile has to rise: all levels up to 99.997 %."""


@figure
def value_at_risk(
    returns: Block,
    level: float = 0.95,
    horizon: int = 1,
    method: Method = "historical",
    ddof: int = 1,
    guarded: bool = True,
    decay: float = DECAY,
    between: Literal["linear", "lower"] = "linear",
) -> Floats:
    """Return the loss that is not exceeded with probability `level` over `horizon` periods, as a positive number.

    historical: −quantile of the returns at 1 − level, linear between two (Hyndman & Fan 1996, type 7) or, `between`
      "lower", the observed loss at or beyond it. Over a horizon: of the compounded returns of all its overlapping
      spans in which no return is missing.
    gaussian: −(μ h + z σ √h). `ddof` of σ.
    cornish_fisher: z corrected for skewness and kurtosis (Zangari 1996), which fall with √h and h. NaN where the
      corrected quantile is not monotone within ±4 deviations, since it then orders losses wrongly (Maillard 2012);
      `guarded=False` gives the formula's number all the same.
    ewma: the historical quantile of returns over the exponentially weighted volatility of their day, times today's
      (filtered historical simulation, Hull & White 1998), times √h.

    NaN without observations, gaussian and cornish_fisher with fewer than two. Negative when even that quantile is a
    gain. Raises ValueError for a level outside 0 to 1, a horizon below 1 or an unknown method.
    """
    share = _share(level, horizon, method)
    if method == "historical":
        spans = _spans(returns, horizon)
        return 0.0 - (spans.quantile(share) if between == "linear" else _order_statistic(spans, share))
    if method == "ewma":
        filtered, now = _filtered(returns, decay)
        return np.asarray(0.0 - filtered.quantile(share) * now * np.sqrt(horizon))
    mean, sigma = _spread(returns, horizon, ddof)
    if method == "gaussian":
        return np.asarray(-(mean + ndtri(share) * sigma))
    skew, kurt = _shape(returns, horizon)
    found: Floats = -(mean + cornish_fisher(ndtri(share), skew, kurt) * sigma)
    return np.where(is_monotone(skew, kurt), found, np.nan) if guarded else found


@figure
def expected_shortfall(
    returns: Block,
    level: float = 0.95,
    horizon: int = 1,
    method: Method = "historical",
    ddof: int = 1,
    guarded: bool = True,
    decay: float = DECAY,
    tail: Tail = "fractional",
) -> Floats:
    """Return the mean loss in the worst 1 − level of cases over `horizon` periods, as a positive number.

    historical: the mean of the worst n (1 − level) returns, the last of them in part (Rockafellar & Uryasev 2002).
      `tail` "below" takes those below the type 7 quantile instead, "at_or_below" those up to the one before it.
    gaussian: −μ h + σ √h φ(z) / (1 − level).
    cornish_fisher: of the Edgeworth density beyond the Cornish-Fisher quantile (Boudt, Peterson & Croux 2008), never
      less than the value at risk. NaN where that quantile is not monotone, see value_at_risk.
    ewma: as value_at_risk.

    Parameters, NaN and errors as in value_at_risk.
    """
    share = _share(level, horizon, method)
    if method == "historical":
        return 0.0 - _tail_mean(_spans(returns, horizon), share, tail)
    if method == "ewma":
        filtered, now = _filtered(returns, decay)
        return np.asarray(0.0 - _tail_mean(filtered, share, tail) * now * np.sqrt(horizon))
    mean, sigma = _spread(returns, horizon, ddof)
    z = float(ndtri(share))
    if method == "gaussian":
        return np.asarray(-mean + sigma * _normal_density(z) / share)
    skew, kurt = _shape(returns, horizon)
    found: Floats = -mean + sigma * edgeworth_tail(cornish_fisher(z, skew, kurt), share, skew, kurt)
    return np.where(is_monotone(skew, kurt), found, np.nan) if guarded else found


@figure
def reward_to_tail(
    returns: Block,
    risk_free: ArrayLike = 0.0,
    level: float = 0.95,
    measure: Literal["value_at_risk", "expected_shortfall"] = "value_at_risk",
    method: Method = "historical",
    ddof: int = 1,
    guarded: bool = True,
) -> Floats:
    """Return the mean excess return a period over the value at risk or expected shortfall of it (Dowd 2000).

    NaN where that is not a loss.
    """
    excess = returns.minus(risk_free)
    found = value_at_risk if measure == "value_at_risk" else expected_shortfall
    loss = found(excess, level, method=method, ddof=ddof, guarded=guarded)
    return over(excess.mean, np.where(loss > 0, loss, np.nan))


@figure
def entropic_value_at_risk(returns: Block, level: float = 0.95) -> Floats:
    """Return min over θ > 0 of θ ln(E[exp(−r / θ)] / (1 − level)), which bounds the expected shortfall.

    Ahmadi-Javid 2012. With fewer than 1 / (1 − level) observations it is the worst loss.
    """
    share = _share(level, 1, "gaussian")
    count = returns.known
    worst = np.where(returns.count > 0, -np.fmin.reduce(returns.values, axis=1, initial=np.inf), np.nan)
    # Losses as distances from the worst, in deviations: the exponentials then stay within 0 to 1.
    scale = np.where(returns.deviation(0) > 0, returns.deviation(0), np.nan)
    below = np.where(returns.there, (-returns.filled - worst[:, None]) / scale[:, None], -np.inf)
    low, high = np.full(len(count), -12.0), np.full(len(count), 12.0)
    for _ in range(60):
        middle = (low + high) / 2.0
        rate = np.exp(middle)
        weights = np.exp(rate[:, None] * below)
        mean = weights.sum(axis=1) / count
        tilted = (weights * np.where(returns.there, below, 0.0)).sum(axis=1) / count
        # The derivative of the bound falls through 0 at the minimum: s K'(s) − K(s) + ln(1 − level).
        is_past = rate * tilted / mean - np.log(mean) + np.log(share) > 0
        high, low = np.where(is_past, middle, high), np.where(is_past, low, middle)
    rate = np.exp((low + high) / 2.0)
    mean = np.exp(rate[:, None] * below).sum(axis=1) / count
    found = worst + scale * (np.log(mean) - np.log(share)) / rate
    return np.where(np.isnan(scale), worst, np.minimum(found, worst))


@figure
def exceedances(returns: Block, loss: ArrayLike) -> Floats:
    """Return how many losses were larger than `loss`: a number, one a portfolio, or one a portfolio and period."""
    limit = np.asarray(loss, dtype=np.float64)
    limit = limit[:, None] if limit.ndim == 1 and len(limit) == len(returns.values) else limit
    return np.asarray(np.count_nonzero(-returns.values > limit, axis=1), dtype=np.float64)


def cornish_fisher(z: ArrayLike, skew: ArrayLike, kurt: ArrayLike) -> Floats:
    """Return z + (z² − 1) S / 6 + (z³ − 3 z) K / 24 − (2 z³ − 5 z) S² / 36, K in excess (Zangari 1996)."""
    at, s, k = (np.asarray(value, dtype=np.float64) for value in (z, skew, kurt))
    found: Floats = at + (at**2 - 1) * s / 6 + (at**3 - 3 * at) * k / 24 - (2 * at**3 - 5 * at) * s**2 / 36
    return found


def is_monotone(skew: ArrayLike, kurt: ArrayLike, reach: float = REACH) -> Bools:
    """Return whether the Cornish-Fisher quantile rises everywhere within ±reach deviations (Maillard 2012)."""
    s, k = np.asarray(skew, dtype=np.float64), np.asarray(kurt, dtype=np.float64)
    # Its slope is a z² + b z + c: least at the ends, or at the vertex of a parabola that opens upwards.
    a, b, c = k / 8 - s**2 / 6, s / 3, 1 - k / 8 + 5 * s**2 / 36
    with np.errstate(divide="ignore", invalid="ignore"):
        vertex = np.where(a > 0, np.clip(-b / (2 * a), -reach, reach), reach)
        slopes = [a * z**2 + b * z + c for z in (-reach, reach, vertex)]
    return np.asarray(np.minimum.reduce(slopes) > 0)


def _share(level: float, horizon: int, method: str) -> float:
    if method not in ("historical", "gaussian", "cornish_fisher", "ewma"):
        raise ValueError(f"method: {method!r} is not one of historical, gaussian, cornish_fisher, ewma")
    ends = method in ("historical", "ewma")
    if not (0.0 <= level <= 1.0 if ends else 0.0 < level < 1.0):
        raise ValueError(f"level: {level} is not between 0 and 1; give 0.95 for 95 %")
    if horizon < 1:
        raise ValueError(f"horizon: {horizon} is below 1 period")
    # 1 − 0.95 is 0.050000000000000044: enough to move a quantile off an observation.
    return round(1.0 - level, 12)


def _spans(returns: Block, horizon: int) -> Block:
    if horizon == 1:
        return returns

    def make() -> Block:
        if returns.values.shape[1] < horizon:
            return Block(np.empty((len(returns.values), 0)))
        windows = np.lib.stride_tricks.sliding_window_view(returns.values, horizon, axis=1)
        return Block(np.prod(1.0 + windows, axis=2) - 1.0)

    return returns.keep(("spans", horizon), make)


def _filtered(returns: Block, decay: float) -> tuple[Block, Floats]:
    def make() -> tuple[Block, Floats]:
        before = ewma_course(returns, 1.0, decay)
        filtered = returns.values / before
        # Nothing moved before and nothing now: 0 / 0.
        if not (np.fmin.reduce(before, axis=None, initial=np.inf) > 0):
            filtered = np.where(before > 0, filtered, np.where((before == 0) & (returns.values == 0), 0.0, np.nan))
        return Block(filtered), ewma_volatility(returns, 1.0, decay)

    return returns.keep(("filtered", decay), make)


def _spread(returns: Block, horizon: int, ddof: int) -> tuple[Floats, Floats]:
    return returns.mean * horizon, returns.deviation(ddof) * np.sqrt(horizon)


def _shape(returns: Block, horizon: int) -> tuple[Floats, Floats]:
    skew = returns.keep("skewness", lambda: skewness(returns))
    kurt = returns.keep("kurtosis", lambda: kurtosis(returns))
    # A constant series has no shape; its quantile is its mean.
    is_constant = returns.squares == 0
    return np.where(is_constant, 0.0, skew) / np.sqrt(horizon), np.where(is_constant, 0.0, kurt) / horizon


def _order_statistic(returns: Block, share: float) -> Floats:
    if not returns.values.shape[1]:
        return np.full(len(returns.values), np.nan)
    place = np.maximum(np.ceil(np.round(returns.count * share, 9)) - 1.0, 0.0).astype(np.intp)
    return returns.ordered[np.arange(len(returns.values)), place]


def _tail_mean(returns: Block, share: float, tail: Tail) -> Floats:
    """Return the mean of the worst `share` of the returns."""
    if not returns.values.shape[1]:
        return np.full(len(returns.values), np.nan)
    size = _tail_size(returns, share, tail)
    whole = np.floor(size).astype(np.intp)
    rows = np.arange(len(returns.values))
    most = int(whole.max(initial=0)) + 1
    ordered = returns.tail(share)
    worst = np.nan_to_num(ordered[:, :most], nan=0.0)
    sums = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(worst, axis=1)], axis=1)
    part = worst[rows, np.minimum(whole, worst.shape[1] - 1)] * (size - whole)
    found = over(sums[rows, np.minimum(whole, worst.shape[1])] + part, size)
    # At level 1 the tail is the worst return alone.
    return np.where((size == 0) & (tail == "fractional"), ordered[:, 0], found)


def _tail_size(returns: Block, share: float, tail: Tail) -> Floats:
    if tail == "fractional":
        return np.round(returns.count * share, 9)
    if tail == "at_or_below":
        last = np.round((returns.count - 1.0) * share, 9)
        return np.where(returns.count > 0, np.floor(last) + 1.0, 0.0)
    if tail == "below":
        limit = returns.quantile(share)
        return np.asarray(np.count_nonzero(returns.values < limit[:, None], axis=1), dtype=np.float64)
    raise ValueError(f"tail: {tail!r} is not one of fractional, below, at_or_below")


def edgeworth_tail(h: ArrayLike, share: float, skew: ArrayLike, kurt: ArrayLike) -> Floats:
    """Return −E[z | z ≤ h] of the Edgeworth density, in deviations, at least −h."""
    at, s, k = (np.asarray(value, dtype=np.float64) for value in (h, skew, kurt))
    third, fourth, sixth = at**3, at**4 - 2 * at**2 - 1, at**6 - 9 * at**4 + 9 * at**2 + 3
    found = _normal_density(at) / share * (1 + s / 6 * third + k / 24 * fourth + s**2 / 72 * sixth)
    return np.maximum(found, -at)


def _normal_density(z: ArrayLike) -> Floats:
    return np.asarray(np.exp(-0.5 * np.square(z)) / np.sqrt(2.0 * np.pi))
