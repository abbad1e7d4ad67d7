"""How figures take returns: as a Series, a DataFrame (time × portfolios), an array (1-D, or 2-D likewise) or a Block.

They give a float, a Series by portfolio, or an array; a course over time comes back in the shape it came in. Objects
with dates are joined on them first. pandas is only loaded by who uses it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.block import Block, Pair, spanned

if TYPE_CHECKING:
    import pandas as pd

Returns: TypeAlias = "pd.Series[float] | pd.DataFrame | ArrayLike | Block"
Figure: TypeAlias = Any
"""A float, a Series by portfolio, or an array: as the input was given."""


def figure(function: Callable[..., Any]) -> Callable[..., Figure]:
    """Let a function of a Block take any kind of returns; its (k,) or (k, n) answer goes back in the same kind.

    Rates among the other arguments that are pandas objects are joined on dates first (inner join).
    """

    @wraps(function)
    def wrapped(returns: Returns, *args: Any, **kwargs: Any) -> Figure:
        if isinstance(returns, Block):
            return function(returns, *args, **kwargs)
        shape, (own, *rest), named = enter((returns, *args), kwargs)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return shape.leave(function(Block.of(own, shape.index, shape.names), *rest, **named))

    return wrapped


def pair_figure(function: Callable[..., Any]) -> Callable[..., Figure]:
    """Let a function of a Pair take returns and a benchmark of any kind, joined on complete rows; or a Pair alone."""

    @wraps(function)
    def wrapped(returns: Returns | Pair, benchmark: Returns | None = None, *args: Any, **kwargs: Any) -> Figure:
        if isinstance(returns, Pair):
            return function(returns, *(args if benchmark is None else (benchmark, *args)), **kwargs)
        if isinstance(returns, Block) and isinstance(benchmark, Block):
            return function(Pair.of(returns, benchmark), *args, **kwargs)
        if benchmark is None:
            raise ValueError("benchmark is missing: give its returns")
        returns, benchmark = on_common_dates(returns, benchmark)
        shape, (own, other, *rest), named = enter((returns, benchmark, *args), kwargs)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            pair = Pair.of(
                Block.of(own, shape.index, shape.names),
                Block.of(other, shape.index, ["the benchmark"] * len(np.atleast_2d(other))),
            )
            return shape.leave(function(pair, *rest, **named))

    return wrapped


@dataclass(frozen=True)
class Shape:
    """How the input was given, so that the answer goes back in kind."""

    dimensions: int
    index: Any = None
    columns: Any = None
    name: Any = None

    @property
    def names(self) -> Any:
        """Return what the portfolios are called; None where that is not known."""
        if self.columns is not None:
            return self.columns
        return None if self.name is None else [self.name]

    def leave(self, found: Any) -> Figure:
        """Return (k,) as float, Series or array; (k, n) as Series, DataFrame or array with time first."""
        values = np.asarray(found)
        if values.ndim == 2:
            return self._over_time(values)
        if self.dimensions == 1:
            return values[0].item()
        if self.columns is None:
            return values
        import pandas as pd

        return pd.Series(values, index=self.columns)

    def _over_time(self, values: NDArray[Any]) -> Figure:
        if self.index is None:
            return values[0] if self.dimensions == 1 else values.T
        import pandas as pd

        if self.dimensions == 1:
            return pd.Series(values[0], index=self.index, name=self.name)
        return pd.DataFrame(values.T, index=self.index, columns=self.columns, copy=False)


def check_dates(index: Any, what: str = "returns") -> None:
    """Raise ValueError naming the first date that is out of order, twice there or missing."""
    if hasattr(index, "asi8"):
        numbers, unknown = np.asarray(index.asi8), np.asarray(index.isna())
    else:
        numbers = np.asarray(index)
        unknown = np.isnat(numbers) if numbers.dtype.kind == "M" else np.zeros(len(numbers), dtype=bool)
    missing = np.flatnonzero(unknown)
    if len(missing):
        raise ValueError(f"{what}: row {int(missing[0])} has no date")
    wrong = np.flatnonzero(numbers[1:] <= numbers[:-1])
    if not len(wrong):
        return
    day = index[int(wrong[0]) + 1]
    problem = "is there twice" if day == index[int(wrong[0])] else f"comes after {index[int(wrong[0])]}"
    raise ValueError(f"{what}: {day} {problem}; give each date once, in order")


def _is_pandas(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "pandas" and hasattr(value, "index")


def enter(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Shape, list[Any], dict[str, Any]]:
    """Return the shape of the first argument, and all of them as arrays with time last, joined on dates."""
    first = args[0]
    if not _is_pandas(first):
        return _enter_array(args, kwargs)
    index = first.index
    others = [value for value in (*args[1:], *kwargs.values()) if _is_pandas(value)]
    for value in (first, *others):
        _check_index(value.index)
    for other in others:
        if not other.index.equals(index):
            index = _joined(index, other.index)

    def at(value: Any) -> Any:
        if not _is_pandas(value):
            return value
        is_same = value.index.equals(index)
        return (value if is_same else value.reindex(index)).to_numpy(dtype=np.float64).T

    columns = getattr(first, "columns", None)
    shape = Shape(first.ndim, index, columns, getattr(first, "name", None))
    return shape, [at(value) for value in args], {name: at(value) for name, value in kwargs.items()}


def on_common_dates(one: Any, other: Any) -> tuple[Any, Any]:
    """Return both on the dates they share, each return from one of these to the next, where both are pandas objects.

    What lies between two common dates is compounded: a benchmark without a value on a day goes on from the day before.
    """
    if not (_is_pandas(one) and _is_pandas(other)) or one.index.equals(other.index):
        return one, other
    for each in (one, other):
        _check_index(each.index)
    common = _joined(one.index, other.index)
    if not hasattr(one.index, "asi8"):
        return one, other
    return _spanning(one, common), _spanning(other, common)


def _spanning(given: Any, dates: Any) -> Any:
    if len(dates) == len(given.index):
        return given
    kept = given.index.isin(dates)
    rows = np.atleast_2d(given.to_numpy(dtype=np.float64).T)
    found = np.array([spanned(row, kept & ~np.isnan(row))[kept] for row in rows])
    values = found.T if given.ndim == 2 else found[0]
    if given.ndim == 2:
        return type(given)(values, index=given.index[kept], columns=given.columns)
    return type(given)(values, index=given.index[kept], name=given.name)


def _enter_array(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Shape, list[Any], dict[str, Any]]:
    """Bring arrays to time last; only what is as long as the returns is turned."""
    first = np.asarray(args[0], dtype=np.float64)

    def at(value: Any) -> Any:
        if _is_pandas(value):
            return value.to_numpy(dtype=np.float64).T
        if isinstance(value, np.ndarray) and value.ndim == 2:
            return value.T
        return value

    return Shape(first.ndim), [first.T, *[at(value) for value in args[1:]]], {k: at(v) for k, v in kwargs.items()}


def _check_index(index: Any) -> None:
    if hasattr(index, "asi8"):
        check_dates(index)
    elif not index.is_unique:
        raise ValueError(f"returns: row {index[index.duplicated()][0]} is there twice; give each once")


def _joined(one: Any, other: Any) -> Any:
    zone, other_zone = getattr(one, "tz", None), getattr(other, "tz", None)
    if (zone is None) != (other_zone is None):
        raise ValueError(f"dates differ: one side is in {zone or other_zone}, the other has no time zone; give it one")
    return one.intersection(other)
