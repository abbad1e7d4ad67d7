"""Returns explained by several factors at once: loadings, what is left, and how sure they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.block import RESIDUE, Block, Floats
from analytics.shapes import Returns, enter


@dataclass(frozen=True, eq=False)
class Loadings:
    """A regression of each portfolio on the factors. NaN where there are too few rows, or factors say the same.

    Of one portfolio: `loadings` and `t_values` are a Series by factor (or an array) and the rest numbers. Of many: a
    DataFrame portfolio × factor (or an array), and a Series (or an array) by portfolio.
    """

    loadings: Any
    t_values: Any
    """Each loading over its standard error."""
    alpha: Any
    """The intercept a period × periods."""
    alpha_t_value: Any
    specific_risk: Any
    """The deviation of what is left · √periods; degrees of freedom: rows − factors − 1."""
    r_squared: Any
    observations: Any


def factor_loadings(returns: Returns, factors: Returns, risk_free: ArrayLike = 0.0, periods: float = 1.0) -> Loadings:
    """Return the least-squares regression of r − rf on the factors, an intercept with them.

    returns: a Series, a DataFrame (time × portfolios) or arrays alike. factors: a DataFrame (time × factors) or array,
    of excess returns; joined on dates. risk_free: a rate a period or a series. Each portfolio is on the rows that it
    and all factors have. Raises ValueError when lengths differ.
    """
    given: Any = factors
    given = given.to_frame() if hasattr(given, "to_frame") else given
    shape, (own, explaining, rate), _ = enter((returns, given, risk_free), {})
    block = Block.of(own, shape.index, shape.names).minus(rate)
    by_factor = np.atleast_2d(np.asarray(explaining, dtype=np.float64))
    if by_factor.shape[1] != block.values.shape[1]:
        raise ValueError("returns and factors differ in length")
    count = len(by_factor)
    # By portfolio: alpha, the loadings, then as many t-values, risk, R² and rows.
    found = np.full((len(block.values), 2 * (count + 1) + 3), np.nan)
    for rows, at in _alike(block.there & ~np.isnan(by_factor).any(axis=0)):
        found[rows] = _regressed(block.values[np.ix_(rows, at)], by_factor[:, at])
    names = getattr(given, "columns", None)
    return Loadings(
        loadings=_by_factor(shape, found[:, 1 : count + 1], names),
        t_values=_by_factor(shape, found[:, count + 2 : 2 * count + 2], names),
        alpha=shape.leave(found[:, 0] * periods),
        alpha_t_value=shape.leave(found[:, count + 1]),
        specific_risk=shape.leave(found[:, -3] * np.sqrt(periods)),
        r_squared=shape.leave(found[:, -2]),
        observations=shape.leave(found[:, -1]),
    )


def _alike(there: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield the portfolios that have the same rows, and these rows."""
    packed = np.packbits(there, axis=1)
    _, kind = np.unique(packed, axis=0, return_inverse=True)
    order = np.argsort(kind.ravel(), kind="stable")
    ends = np.flatnonzero(np.diff(kind.ravel()[order])) + 1
    for rows in np.split(order, ends):
        if len(rows):
            yield rows, np.flatnonzero(there[rows[0]])


def _regressed(own: Floats, factors: Floats) -> Floats:
    """Return, by portfolio, alpha and loadings, their t-values, the deviation of what is left, R² and the rows."""
    count, rows = factors.shape
    found = np.full((len(own), 2 * (count + 1) + 3), np.nan)
    found[:, -1] = rows
    freedom = rows - count - 1
    if freedom < 1:
        return found
    mean = factors.mean(axis=1, keepdims=True)
    away = (factors - mean).T
    scale = np.sqrt((away**2).sum(axis=0))
    if not scale.all():
        return found
    directions, weights = np.linalg.qr(away / scale)
    if np.abs(np.diag(weights)).min() <= RESIDUE**0.5:
        return found
    back = np.linalg.inv(weights)
    centred = (own - own.mean(axis=1, keepdims=True)).T
    loadings = (back @ (directions.T @ centred)) / scale[:, None]
    left = centred - away @ loadings
    squares, whole = (left**2).sum(axis=0), (centred**2).sum(axis=0)
    squares = np.where(squares <= RESIDUE * whole, 0.0, squares)
    variance = squares / freedom
    inverse = (back @ back.T) / np.outer(scale, scale)
    errors = np.sqrt(np.diag(inverse)[:, None] * variance)
    alpha = own.mean(axis=1) - (mean.T @ loadings)[0]
    alpha_error = np.sqrt(variance * (1.0 / rows + (mean.T @ inverse @ mean).item()))
    found[:, 0], found[:, 1 : count + 1] = alpha, loadings.T
    with np.errstate(divide="ignore", invalid="ignore"):
        found[:, count + 1] = np.where(alpha_error > 0, alpha / alpha_error, np.nan)
        found[:, count + 2 : 2 * count + 2] = np.where(errors > 0, loadings / errors, np.nan).T
        found[:, -2] = np.where(whole > 0, 1.0 - squares / whole, np.nan)
    found[:, -3] = np.sqrt(variance)
    return found


def _by_factor(shape: Any, values: Floats, names: Any) -> Any:
    if names is None:
        return values[0] if shape.dimensions == 1 else values
    import pandas as pd

    if shape.dimensions == 1:
        return pd.Series(values[0], index=names)
    return pd.DataFrame(values, index=shape.columns, columns=names)
