"""All figures of many portfolios at once: what the Portfolio tab, the reports and the API show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from analytics.block import Block, Bools, Floats, Pair
from analytics.calendar import Dates
from analytics.metrics import METRICS, Metric, Need, Scope
from analytics.shapes import check_dates, enter, on_common_dates

if TYPE_CHECKING:
    import pandas as pd

    from analytics.shapes import Returns

CHUNK_VALUES = 262_144
"""Returns worked on at a time: what is shared of them then stays in the processor's cache, and memory bounded."""
ARENA_VALUES = 2_000_000
UNKNOWN = "cannot be told from these returns"


@dataclass(frozen=True, eq=False)
class Summary:
    """Figures by metric (rows) and portfolio (columns); NaN where there is none, with the reason."""

    metrics: tuple[Metric, ...]
    names: tuple[Any, ...]
    values: Floats
    _reasons: dict[tuple[str, int], str]
    _remarks: dict[tuple[str, int], str] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Floats:
        """Return a metric's figures by portfolio. Raises KeyError."""
        found: Floats = self.values[self._rows[key]]
        return found

    def of(self, key: str, portfolio: int = 0) -> float:
        """Return one figure. Raises KeyError or IndexError."""
        return float(self[key][portfolio])

    def reason(self, key: str, portfolio: int = 0) -> str:
        """Return why a figure is missing; empty when it is there."""
        return self._reasons.get((key, portfolio), "")

    def remark(self, key: str, portfolio: int = 0) -> str:
        """Return what must be known beside a figure, such as a gap in its history; empty when nothing must."""
        return self._remarks.get((key, portfolio), "")

    def frame(self) -> pd.DataFrame:
        """Return metric × portfolio; `attrs["reasons"]` says by (metric, portfolio) why one is missing."""
        import pandas as pd

        keys = [metric.key for metric in self.metrics]
        found = pd.DataFrame(self.values, index=pd.Index(keys, name="metric"), columns=list(self.names))
        found.attrs["reasons"] = {(key, self.names[at]): why for (key, at), why in self._reasons.items()}
        return found

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {metric.key: row for row, metric in enumerate(self.metrics)}


def summarize(
    returns: Returns,
    benchmark: Returns | None = None,
    risk_free: float = 0.0,
    periods_per_year: float = 252,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return every metric (rows, see `metrics.METRICS`) of every portfolio (columns) in one pass.

    returns: simple returns a period, a Series or DataFrame (time × portfolios) or array; NaN where there is none.
    benchmark: its returns, joined on dates; rows about it are left out without one. risk_free: a year. level: of
    VaR, expected shortfall and intervals. Units are those of Metric.unit; a missing figure is NaN, and
    `attrs["reasons"]` says why. Raises ValueError naming the date of a return that is there twice, out of order or
    infinite.
    """
    given = [returns] if benchmark is None else list(on_common_dates(returns, benchmark))
    shape, (own, *rest), _ = enter(tuple(given), {})
    dates = shape.index.tz_localize(None).to_numpy() if hasattr(shape.index, "asi8") else None
    names = list(shape.columns) if shape.columns is not None else None
    if names is None and shape.dimensions == 1:
        names = [shape.name if shape.name is not None else "portfolio"]
    return summary(dates, own, rest[0] if rest else None, risk_free, periods_per_year, names, level).frame()


def summary(
    dates: Dates | None,
    returns: ArrayLike,
    benchmark: ArrayLike | None = None,
    risk_free: float | Floats = 0.0,
    periods: float = 252,
    names: Sequence[Any] | None = None,
    level: float = 0.95,
    metrics: Sequence[Metric] = METRICS,
    since: np.datetime64 | None = None,
    trials: int = 1,
) -> Summary:
    """Return the figures of a (portfolios, time) array of returns; see `summarize`. A 1-D array is one portfolio.

    dates: datetime64, as long as the returns; without them the figures of calendar periods are missing. benchmark: one
    for all, or one a portfolio; on the same dates. since: date of the value before the first return, from which time
    elapses; without one it lies the mean distance of two dates before the first. risk_free: a year, or an array with
    the rate of each period; a return whose period has none (NaN) counts in no figure that needs one.
    trials: strategies tried, for the deflated Sharpe ratio.
    """
    own = np.atleast_2d(np.asarray(returns, dtype=np.float64))
    other = None if benchmark is None else np.atleast_2d(np.asarray(benchmark, dtype=np.float64))
    days = None if dates is None else np.asarray(dates, dtype="datetime64[D]")
    if days is not None:
        if len(days) != own.shape[1]:
            raise ValueError(f"{len(days)} dates for {own.shape[1]} returns")
        check_dates(np.asarray(dates))
    asked = tuple(metric for metric in metrics if other is not None or not metric.needs_benchmark)
    called = tuple(names if names is not None else range(len(own)))
    values = np.full((len(asked), len(own)), np.nan)
    reasons: dict[tuple[str, int], str] = {}
    step = max(1, CHUNK_VALUES // max(own.shape[1], 1))
    if len(own) > step:
        _reuse_memory()
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for start in range(0, len(own), step):
            part = slice(start, start + step)
            block = Block.of(own[part], days, called[part])
            pair = None
            if other is not None:
                pair = Pair.of(block, Block.of(other if len(other) == 1 else other[part], days))
            scope = Scope(block, days, pair, periods, risk_free, level, since, trials)
            _fill(values[:, part], asked, scope, reasons, start)
    return Summary(asked, called, values, reasons)


def _reuse_memory() -> None:
    """Let the allocator keep the pages of large arrays between chunks.

    glibc gives an array of megabytes back to the kernel when it is freed, until it has seen a larger one freed; asking
    for the pages anew costs more than half of the time of the figures.
    """
    np.empty(ARENA_VALUES)


def _fill(
    into: Floats, metrics: Sequence[Metric], scope: Scope, reasons: dict[tuple[str, int], str], first: int
) -> None:
    """Compute the metrics of a scope, and why what is missing is."""
    met: dict[Need, Bools] = {}
    for row, metric in enumerate(metrics):
        into[row] = metric.compute(scope)
        for need in metric.needs:
            if need.is_strict:
                into[row, ~_met(need, scope, met)] = np.nan
    into[~np.isfinite(into)] = np.nan
    for row, at in zip(*np.nonzero(np.isnan(into)), strict=True):
        metric = metrics[row]
        reasons[metric.key, first + int(at)] = _why(metric, scope, int(at), met)


def _why(metric: Metric, scope: Scope, at: int, met: dict[Need, Bools]) -> str:
    for need in metric.needs:
        if not _met(need, scope, met)[at]:
            return need.reason
    return UNKNOWN


def _met(need: Need, scope: Scope, met: dict[Need, Bools]) -> Bools:
    """Return where a need is met; worked out once a scope."""
    if need not in met:
        met[need] = np.asarray(need.is_met(scope), dtype=np.bool_)
    return met[need]
