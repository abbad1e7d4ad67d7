"""One published case, prepared the same way for every metric: rows cut, signs turned, columns joined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Rate: TypeAlias = float | Floats


@dataclass(frozen=True, eq=False)
class Case:
    """The input file of a case (dates as index, all columns), the column it is about, and its parameters."""

    frame: pd.DataFrame | None
    column: str | None
    params: Mapping[str, Any]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a parameter."""
        return self.params.get(name, default)

    @cached_property
    def table(self) -> pd.DataFrame:
        """Return the whole file between `start` and `end` and at `rows`, missing values as they are."""
        frame = pd.DataFrame() if self.frame is None else self.frame
        if "start" in self.params or "end" in self.params:
            frame = frame.sort_index().loc[self.get("start") : self.get("end")]
        if "rows" in self.params:
            first, last = self.get("rows")
            frame = frame.iloc[first:last]
        return frame

    @cached_property
    def series(self) -> pd.Series[float]:
        """Return the column of the case, missing values included."""
        sign = -1.0 if self.get("negate") else 1.0
        own: pd.Series[float] = pd.to_numeric(self.table[self._column])
        return own * (sign * float(self.get("scale_input", 1.0)))

    @cached_property
    def joined(self) -> pd.DataFrame:
        """Return `own` with `benchmark`, `rate` and `target` where the case has them, on complete rows."""
        columns = {"own": self.series}
        for name, key in (("benchmark", "benchmark_column"), ("rate", "rf_column"), ("target", "mar_column")):
            if key in self.params:
                columns[name] = pd.to_numeric(self.table[self.get(key)])
        if self.get("negate_benchmark"):
            columns["benchmark"] = -columns["benchmark"]
        return pd.DataFrame(columns).astype(np.float64).dropna()

    @property
    def values(self) -> Floats:
        """Return the column of the case on complete rows."""
        return self.joined["own"].to_numpy()

    @property
    def benchmark(self) -> Floats:
        """Return the benchmark on complete rows."""
        return self.joined["benchmark"].to_numpy()

    @property
    def rate(self) -> Rate:
        """Return the risk-free rate a period: a number, or one a complete row."""
        return self.joined["rate"].to_numpy() if "rf_column" in self.params else float(self.get("rf") or 0.0)

    @property
    def target(self) -> Rate:
        """Return the minimum acceptable return a period: a number, or one a complete row."""
        return self.joined["target"].to_numpy() if "mar_column" in self.params else float(self.get("mar") or 0.0)

    @property
    def dates(self) -> NDArray[np.datetime64]:
        """Return the dates of the complete rows."""
        index = pd.DatetimeIndex(self.joined.index)
        return index.tz_localize(None).to_numpy().astype("datetime64[D]")

    @property
    def periods(self) -> float:
        """Return the periods a year; 1 (not annualised) when the case names none."""
        return float(self.get("periods") or 1)

    @property
    def geometric(self) -> bool:
        """Return whether returns compound, unless the case says otherwise."""
        return bool(self.get("geometric", True))

    @cached_property
    def weighted(self) -> Floats:
        """Return the returns of `columns` at constant `weights` (the first row's for rebalancing each period)."""
        part = self.table[list(self.get("columns"))].dropna()
        return np.asarray(part.to_numpy(dtype=np.float64) @ np.asarray(self.get("weights"), dtype=np.float64))

    @property
    def _column(self) -> Any:
        return self.table.columns[0] if self.column is None else self.column


Metric: TypeAlias = Callable[[Case], Any]
