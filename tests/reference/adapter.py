"""One door from a published case to the functions of `analytics`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tests.reference.adapters import benchmark, drawdown, holdings, ratios, returns, risk, significance
from tests.reference.case import Case, Floats, Metric

METRICS: dict[str, Metric] = {
    **returns.METRICS,
    **ratios.METRICS,
    **drawdown.METRICS,
    **risk.METRICS,
    **benchmark.METRICS,
    **significance.METRICS,
    **holdings.METRICS,
}


def compute(metric: str, frame: pd.DataFrame | None, column: str | None, params: Mapping[str, Any]) -> float | Floats:
    """Return the figure of a case. `frame` is its input file with the dates as index. Raises KeyError if unknown."""
    found = METRICS[metric](Case(frame, column, params or {}))
    return found if isinstance(found, np.ndarray) and found.ndim else float(found)
