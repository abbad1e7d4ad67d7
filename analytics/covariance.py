"""How returns of instruments move together: covariance, shrunk where there are few days, and what it says of a book.

Returns are (days, instruments), nothing missing: the caller decides what a missing day means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from analytics.block import Floats, over
from analytics.inputs import numbers, refuse


@dataclass(frozen=True, eq=False)
class Shrunk:
    """A covariance matrix pulled towards one in which all vary alike and apart."""

    matrix: Floats
    """(instruments, instruments), a period."""
    shrinkage: float
    """How far, 0 to 1."""


def covariance(returns: ArrayLike) -> Floats:
    """Return the sample covariance, n − 1. Raises ValueError with fewer than two days or a missing return."""
    away = _centred(returns)
    return _square(away) / (len(away) - 1)


def ledoit_wolf(returns: ArrayLike) -> Shrunk:
    """Return (1 − δ) S + δ μ I, S the covariance (n) and μ the mean variance (Ledoit & Wolf 2004).

    δ = min(1, Σ_t ‖x_t x_tᵀ − S‖² / n² / ‖S − μ I‖²): the less the sample says, the more it is shrunk. Raises
    ValueError with fewer than two days or a missing return.
    """
    away = _centred(returns)
    days, count = away.shape
    sample = _square(away) / days
    mean = float(np.trace(sample)) / max(count, 1)
    own = float(np.vdot(sample, sample))
    # Σ_t ‖x_t x_tᵀ‖² is Σ_t (x_tᵀ x_t)²: no matrix a day.
    sizes = np.vecdot(away, away)
    error = (float(sizes @ sizes) / days - own) / days
    distance = own - count * mean * mean
    delta = 1.0 if distance <= 0 else min(max(error / distance, 0.0), 1.0)
    matrix = (1.0 - delta) * sample
    matrix[np.diag_indices(count)] += delta * mean
    return Shrunk(matrix, delta)


def correlation(matrix: ArrayLike) -> Floats:
    """Return the correlations of a covariance matrix; NaN beside an instrument that does not vary."""
    given = _matrix(matrix)
    deviation = np.sqrt(np.diag(given))
    found = np.clip(over(given, np.outer(deviation, deviation)), -1.0, 1.0)
    return np.where(np.eye(len(given), dtype=bool) & ~np.isnan(found), 1.0, found)


def book_deviation(values: ArrayLike, matrix: ArrayLike) -> float:
    """Return √(vᵀ Σ v), the deviation a period of a book of such values."""
    given = _matrix(matrix)
    held = numbers("values", values, len(given))
    return float(np.sqrt(max(float(held @ given @ held), 0.0)))


def diversification_ratio(values: ArrayLike, matrix: ArrayLike) -> float:
    """Return Σ |v| σ / √(vᵀ Σ v): 1 when all move as one, √n for n equal ones apart (Choueifaty & Coignard 2008).

    NaN when the book does not vary.
    """
    given = _matrix(matrix)
    held = numbers("values", values, len(given))
    return float(over(np.abs(held) @ np.sqrt(np.diag(given)), book_deviation(held, given)))


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components, the one with the largest variance first."""

    directions: Floats
    """(instruments, components), of length 1; the instrument that has most of one has it with a plus."""
    deviation: Floats
    """(components,), a period."""
    market: Floats
    """Share of the instruments' variance, adds up to 1."""
    book: Floats
    """Share of the book's variance, adds up to 1; NaN when it does not vary."""
    exposure: Floats
    """What the book gains when a component moves by its deviation, in the currency of the values."""

    @property
    def effective_bets(self) -> float:
        """Return exp(−Σ p ln p), p the shares of the book's variance by component (Meucci 2009).

        1 when one source of risk makes all of it, n when n that move apart make the same each. NaN when the book does
        not vary.
        """
        if np.isnan(self.book).any() or not len(self.book):
            return float("nan")
        return float(np.exp(-np.sum(xlogy(self.book, self.book))))


def principal_shares(values: ArrayLike, matrix: ArrayLike) -> Components:
    """Return the principal components of a covariance matrix, and what a book has of them."""
    given = _matrix(matrix)
    held = numbers("values", values, len(given))
    variances, directions = np.linalg.eigh(given)
    variances, directions = np.maximum(variances[::-1], 0.0), directions[:, ::-1]
    if len(given):
        largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=0)[None], axis=0)
        directions = directions * np.where(largest < 0, -1.0, 1.0)
    exposure = (held @ directions) * np.sqrt(variances)
    own = exposure**2
    return Components(
        directions, np.sqrt(variances), over(variances, variances.sum()), over(own, own.sum()), exposure
    )  # fmt: skip


def _centred(returns: ArrayLike) -> Floats:
    found = numbers("returns", returns, None, None)
    if len(found) < 2:
        raise ValueError(f"returns: too few days ({len(found)}); a covariance takes at least two")
    centred: Floats = found - found.mean(axis=0)
    return centred


def _square(away: Floats) -> Floats:
    found: Floats = away.T @ away
    return found


def _matrix(matrix: ArrayLike) -> Floats:
    given = numbers("matrix", matrix, None, None)
    given = numbers("matrix", given, len(given), len(given))
    refuse("matrix", np.diag(given) < 0, "is a variance below 0")
    return given
