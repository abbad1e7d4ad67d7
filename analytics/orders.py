"""How orders fare: how many are filled, rejected and cancelled, and how long each leg of their way takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from analytics.block import Floats, over
from analytics.comparison import Shares, share_interval
from analytics.inputs import numbers, refuse

QUANTILES = (0.5, 0.95, 0.99)
LEGS = ("decision", "submit", "acknowledge", "first_fill", "last_fill")
"""The stamps of an order, in order: a leg goes from one to the next."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """By outcome, of all orders."""

    names: tuple[str, ...]
    counts: Floats
    shares: Shares


@dataclass(frozen=True, eq=False)
class Latencies:
    """By leg, in seconds."""

    legs: tuple[str, ...]
    """"submit → acknowledge"."""
    counts: Floats
    """Orders that went the leg."""
    quantiles: Floats
    """(legs, quantiles); NaN where none did."""


def outcomes(states: Sequence[str], names: Sequence[str] | None = None, level: float = 0.95) -> Outcomes:
    """Return how often each outcome came, with Wilson's interval. states: an outcome an order.

    names: the outcomes to tell, those that did not come among them; in alphabetical order without. Raises ValueError
    for an outcome that is none of these.
    """
    given = np.asarray(states, dtype=np.str_)
    told = tuple(sorted(set(map(str, given)))) if names is None else tuple(names)
    unknown = set(map(str, given)) - set(told)
    if unknown:
        raise ValueError(f"states: {min(unknown)!r} is none of {', '.join(told)}")
    counts = np.array([np.count_nonzero(given == name) for name in told], dtype=np.float64)
    return Outcomes(told, counts, share_interval(counts, np.full(len(told), float(len(given))), level))


def fill_ratio(ordered: ArrayLike, filled: ArrayLike) -> float:
    """Return filled over ordered quantity of all orders; NaN when none was ordered.

    Raises ValueError when lengths differ, a quantity is missing or below 0, or more was filled than ordered.
    """
    wanted = numbers("ordered", ordered, None)
    got = numbers("filled", filled, len(wanted))
    refuse("ordered", wanted < 0, "is below 0; quantities have no side here")
    refuse("filled", got < 0, "is below 0; quantities have no side here")
    refuse("filled", got > wanted * (1.0 + 1e-9), "is more than was ordered")
    return float(over(got.sum(), wanted.sum()))


def latencies(
    stamps: ArrayLike, names: Sequence[str] = LEGS, quantiles: Sequence[float] = QUANTILES, tolerance: float = 0.0
) -> Latencies:
    """Return the quantiles of what each leg took, in seconds, linear between ranks.

    stamps: (orders, names) in seconds, NaN where an order never got there. Raises ValueError when a stamp is more than
    `tolerance` seconds earlier than one of those before it (a fill before its order): it names the stamp and the order.
    What is within it, by clocks that differ a little, took 0.
    """
    times = np.asarray(stamps, dtype=np.float64)
    if times.ndim != 2 or times.shape[1] != len(names):
        raise ValueError(f"stamps: {times.shape}; give (orders, {len(names)}): {', '.join(names)}")
    if np.isinf(times).any():
        refuse("stamps", np.isinf(times), "is infinite")
    early = times[:, 1:] < np.fmax.accumulate(times, axis=1)[:, :-1] - tolerance
    if early.any():
        order, leg = map(int, np.argwhere(early)[0])
        raise ValueError(f"stamps: {names[leg + 1]} of order {order} is before what comes before it")
    took = np.maximum(np.diff(times, axis=1), 0.0)
    there = ~np.isnan(took)
    found = np.full((took.shape[1], len(quantiles)), np.nan)
    for at in np.flatnonzero(there.any(axis=0)).tolist():
        found[at] = np.quantile(took[there[:, at], at], quantiles)
    legs = tuple(f"{start} → {end}" for start, end in pairwise(names))
    return Latencies(legs, there.sum(axis=0).astype(np.float64), found)
