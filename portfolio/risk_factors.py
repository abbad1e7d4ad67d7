"""What moves a book: principal components of its instruments, or series that somebody picks."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.factors import factor_loadings
from portfolio.chosen import benchmarks
from portfolio.risk import Book, Risk, book_pnl, series_returns

if TYPE_CHECKING:
    from storage.stores import Stores

MOST_COMPONENTS = 5
NAMED = 4
"""Instruments that a component is called by."""


@dataclass(frozen=True, slots=True)
class Factor:
    """What the book has of a factor."""

    name: str
    about: str
    """Of a component: the instruments that have most of it."""
    gain: float
    """Of the book when the factor moves up by its deviation of a day, in the portfolio's currency."""
    beta: float
    """What the portfolio moves when the factor moves by one, over NAV; NaN of a component."""
    t_value: float
    share: float
    """Of the book's variance."""


@dataclass(frozen=True, slots=True)
class Factors:
    """The factors, and the share of the book's variance that they explain together."""

    rows: tuple[Factor, ...]
    explained: float
    told: tuple[str, ...] = ()


def components(risk: Risk) -> Factors:
    """Return the first principal components of what is held, the one that varies most first."""
    found = risk.principal
    names = [key.instrument for key in risk.book.returns.keys]
    rows = []
    for at in range(min(MOST_COMPONENTS, len(names))):
        direction = found.directions[:, at]
        most = np.argsort(-np.abs(direction), kind="stable")[:NAMED]
        about = ", ".join(f"{'+' if direction[each] > 0 else '−'}{names[each]}" for each in most)
        rows.append(
            Factor(f"Component {at + 1}", about, float(found.exposure[at]), math.nan, math.nan, float(found.book[at]))
        )
    return Factors(tuple(rows), math.fsum(row.share for row in rows))


def picked(stores: Stores, book: Book, keys: tuple[str, ...]) -> Factors:
    """Return what the book has of series, by least squares on its hypothetical P&L; told: those that cannot be used.

    Raises StorageUnavailable, StorageRejected.
    """
    offered = benchmarks(stores, book.found.portfolio)
    told, used = [], {}
    for key in keys:
        if key not in offered:
            near = difflib.get_close_matches(key, list(offered), n=1, cutoff=0.5)
            instead = f"Did you mean {near[0]}?" if near else "The page Benchmarks lists what there is."
            told.append(f"Factors: there is no series “{key}”. {instead}")
            continue
        moved = series_returns(stores, book, key)
        if moved is None:
            told.append(f"Factors: {offered[key]} has too few values on these days.")
            continue
        used[key] = moved
    if not used:
        return Factors((), math.nan, tuple(told))
    matrix, pnl = np.column_stack([*used.values()]), book_pnl(book)
    there = np.isfinite(matrix).all(axis=1)
    # In shares of more than the book loses in a day: what is regressed is returns, which end at −100 %.
    unit = 2.0 * float(np.abs(pnl).max()) or 1.0
    found = factor_loadings(pnl[there] / unit, matrix[there])
    loadings, t_values = np.asarray(found.loadings) * unit, np.asarray(found.t_values)
    away = pnl[there] - pnl[there].mean()
    shares = loadings * ((matrix[there] - matrix[there].mean(axis=0)).T @ away) / float(away @ away)
    deviation = matrix[there].std(axis=0, ddof=1)
    if np.isnan(loadings).any():
        told.append("Factors: these series say the same, or have too few days in common; pick fewer.")
    nav = book.found.nav
    rows = tuple(
        Factor(offered[key], key, float(beta * sigma), _over(float(beta), nav), float(t), float(part))
        for key, beta, sigma, t, part in zip(used, loadings, deviation, t_values, shares, strict=True)
    )
    return Factors(rows, float(found.r_squared), tuple(told))


def _over(value: float, nav: float) -> float:
    return value / nav if nav > 0 else math.nan
