"""What the book of today would lose: in a stated shock, on the worst days there were, and with restless markets.

Values are (positions,) in base currency, shorts negative. Losses are negative P&L, in base currency, by position.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.block import Floats
from analytics.inputs import Groups, Labels, numbers, refuse


@dataclass(frozen=True)
class Shock:
    """What moves, as returns: −0.1 is a fall of 10 %. What is not named stays."""

    market: float = 0.0
    """Each position moves by its beta times this."""
    groups: Mapping[str, float] = field(default_factory=dict)
    """By label (sector, asset class, strategy), on top of the market. A position with several labels moves by all."""
    currencies: Mapping[str, float] = field(default_factory=dict)
    """By currency, against the base currency."""


@dataclass(frozen=True, slots=True)
class Window:
    """Days in a row: positions of the first and the last, and what the book gained or lost over them."""

    first: int
    last: int
    pnl: float


def shocked(
    values: ArrayLike,
    shock: Shock,
    betas: ArrayLike | None = None,
    groups: Labels | None = None,
    currencies: Labels | None = None,
) -> Floats:
    """Return the P&L of each position: value × ((1 + β · market + group)(1 + currency) − 1), not below −100 %.

    groups: a label a position, or (positions, kinds) labels. Raises ValueError when the shock needs betas, groups or
    currencies that are not given, names a label that no position has or a fall below −100 %, or lengths differ.
    """
    held = numbers("values", values, None)
    moved = np.zeros(len(held))
    if numbers("market", shock.market):
        if betas is None:
            raise ValueError("betas: a shock of the market needs each position's")
        moved += shock.market * numbers("betas", betas, len(held))
    moved += _by_label("groups", groups, shock.groups, len(held))
    exchanged = _by_label("currencies", currencies, shock.currencies, len(held))
    found: Floats = held * ((1.0 + np.maximum(moved, -1.0)) * (1.0 + exchanged) - 1.0)
    return found


def worst_windows(pnl: ArrayLike, length: int, count: int = 5) -> list[Window]:
    """Return the windows of `length` days in which the book would have lost most, worst first; none shares a day.

    pnl: (days,) of today's book (holdings_risk.hypothetical_pnl), summed over a window: the book is held at its size.
    Fewer where losses end. Raises ValueError when a value is missing or `length` or `count` is below 1.
    """
    days = numbers("pnl", pnl, None)
    if length < 1 or count < 1:
        raise ValueError(f"length: {length} and count: {count}; both are at least 1")
    if len(days) < length:
        return []
    sums = np.convolve(days, np.ones(length), "valid")
    found: list[Window] = []
    free = np.ones(len(sums), dtype=bool)
    for start in np.argsort(sums, kind="stable").tolist():
        if len(found) == count or sums[start] >= 0:
            break
        if free[start]:
            found.append(Window(start, start + length - 1, float(sums[start])))
            free[max(start - length + 1, 0) : start + length] = False
    return found


def replayed(values: ArrayLike, returns: ArrayLike) -> Floats:
    """Return the P&L of each position when the days of a window come again, compounded; returns: (days, positions)."""
    held = numbers("values", values, None)
    days = numbers("returns", returns, None, len(held))
    refuse("returns", days < -1.0, "is below −100 %")
    found: Floats = held * (np.prod(1.0 + days, axis=0) - 1.0)
    return found


def restless(matrix: ArrayLike, volatility: float = 1.0, correlation: float = 0.0) -> Floats:
    """Return a covariance with deviations × `volatility` and correlations moved by that share of the way to 1.

    correlation 0 leaves them, 1 moves all as one: then longs add up and shorts offset longs in full, so that a hedged
    book looks safer, not riskier. What comes is a covariance still. For holdings_risk.risk_of_covariance. Raises
    ValueError for a volatility below 0 or a correlation outside 0 to 1.
    """
    given = numbers("matrix", matrix, None, None)
    given = numbers("matrix", given, len(given), len(given))
    if not volatility >= 0.0:
        raise ValueError(f"volatility: {volatility} is below 0; give 2 for twice as much")
    if not 0.0 <= correlation <= 1.0:
        raise ValueError(f"correlation: {correlation} is not between 0 and 1")
    variances = np.diag(given)
    refuse("matrix", variances < 0, "is a variance below 0")
    together = np.sqrt(np.outer(variances, variances))
    found: Floats = volatility**2 * ((1.0 - correlation) * given + correlation * together)
    return found


def _by_label(name: str, labels: Labels | None, moves: Mapping[str, float], count: int) -> Floats:
    if not moves:
        return np.zeros(count)
    if labels is None:
        raise ValueError(f"{name}: a shock of {', '.join(sorted(moves))} needs each position's label")
    low = [label for label, move in moves.items() if not move >= -1.0]
    if low:
        raise ValueError(f"{name}: {low[0]} falls by more than 100 %, or by no number")
    given = np.asarray(labels, dtype=np.str_)
    kinds = [Groups.of(name, column, count) for column in (given.T if given.ndim == 2 else (given,))]
    _refuse_unknown(name, moves, {label for kind in kinds for label in kind.names})
    moved = np.zeros(count)
    for kind in kinds:
        by_name: NDArray[np.float64] = np.array([moves.get(label, 0.0) for label in kind.names])
        moved += by_name[kind.codes] if count else 0.0
    return moved


def _refuse_unknown(name: str, moves: Mapping[str, float], known: Collection[str]) -> None:
    """Raise ValueError for a label that nothing has: it is mistyped, and a loss of 0 would hide that."""
    wrong = next((label for label in moves if label not in known), None)
    if wrong is None:
        return
    near = difflib.get_close_matches(wrong, sorted(known), n=1, cutoff=0.5)
    instead = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known)) or 'none'}"
    raise ValueError(f"{name}: no position has {wrong}; {instead}")
