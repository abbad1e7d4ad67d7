"""How concentrated positions are: the one meaning that pages, limits and What-if share."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from analytics.concentration import Concentration, concentration
from portfolio.holdings import Holding


def concentrated(positions: Iterable[Holding]) -> Concentration:
    """Return the concentration of positions by instrument, those of no known value left out; NaN of none."""
    known = [each for each in positions if not math.isnan(each.value)]
    return concentration(np.array([[each.value for each in known]]), names=[each.instrument for each in known])
