"""The parts of a fund as numbers: what each is worth, its share of the whole, and its newest returns."""

from __future__ import annotations

import math
from dataclasses import dataclass

from portfolio.data import Line, PortfolioData
from portfolio.since import Since, last_return, since


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """One portfolio of a fund, or the fund itself; NaN where a number is missing."""

    line: Line
    value: float
    """In its currency."""
    share: float
    """Of the fund's value, a ratio; without a fund, of the values listed."""
    day_return: Since
    """Since the value before the last."""
    year_to_date: Since
    """Since the last value of the year before."""


def parts(data: PortfolioData) -> list[Part]:
    """Return the fund, if there is one, and its parts."""
    lines = (*([data.head] if data.head else []), *data.family)
    values = [_value(line) for line in lines]
    whole = values[0] if data.head else math.fsum(value for value in values if not math.isnan(value))
    return [
        Part(
            line=line,
            value=value,
            share=value / whole if whole > 0 else math.nan,
            day_return=last_return(line.daily, line.cadence),
            year_to_date=since(line.daily, line.cadence, "YTD"),
        )
        for line, value in zip(lines, values, strict=True)
    ]


def _value(line: Line) -> float:
    return float(line.nav.value[-1]) if line.nav is not None and len(line.nav) else math.nan
