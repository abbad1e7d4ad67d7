"""Histories that might have been: put together of spans of the real one, so that neighbours stay neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from analytics.block import Block, Floats

Scheme: TypeAlias = Literal["stationary", "circular"]
DRAWN_VALUES = 1_000_000
"""Returns of resampled histories held at a time."""


def resampled(
    values: Floats,
    by: Callable[[Block], Any],
    scheme: Scheme = "stationary",
    samples: int = 1000,
    length: float | None = None,
    seed: int = 0,
) -> Floats:
    """Return the figure of each resampled history of one portfolio's returns (1-D, nothing missing).

    Empty with fewer than two returns. Raises ValueError for a scheme, number or length that cannot be meant.
    """
    count = len(values)
    if samples < 1:
        raise ValueError(f"samples: {samples} is below 1")
    span = count ** (1.0 / 3.0) if length is None else float(length)
    if span < 1 and count:
        raise ValueError(f"length: {length} is below 1 period")
    if count < 2:
        return np.empty(0)
    draw = np.random.default_rng(seed)
    step = max(1, DRAWN_VALUES // count)
    found = []
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for start in range(0, samples, step):
            places = positions(draw, min(step, samples - start), count, span, scheme)
            found.append(np.asarray(by(Block.of(values[places])), dtype=np.float64))
    return np.concatenate(found)


def positions(
    draw: np.random.Generator, samples: int, count: int, length: float, scheme: Scheme = "stationary"
) -> NDArray[np.intp]:
    """Return which return stands where in each history, (samples, count); the last is followed by the first.

    stationary: a new span begins with probability 1 / length at each place (Politis & Romano 1994); circular: after
    every `length` (Politis & Romano 1992).
    """
    if scheme not in ("stationary", "circular"):
        raise ValueError(f"scheme: {scheme!r} is not one of stationary, circular")
    places = np.arange(count)
    if scheme == "circular":
        span = max(1, round(length))
        starts = draw.integers(count, size=(samples, -(-count // span)))
        laid = (starts[:, :, None] + np.arange(span)).reshape(samples, -1)[:, :count]
        return np.asarray(laid % count, dtype=np.intp)
    begins = draw.random((samples, count)) < 1.0 / length
    begins[:, 0] = True
    begun = np.maximum.accumulate(np.where(begins, places, 0), axis=1)
    starts = draw.integers(count, size=(samples, count))
    return np.asarray((np.take_along_axis(starts, begun, axis=1) + places - begun) % count, dtype=np.intp)
