"""The parts of a fund as numbers: what each is worth, its share of the whole, and its newest returns."""

from __future__ import annotations

import math
from dataclasses import dataclass

from portfolio.data import Line, PortfolioData, history_in
from portfolio.history import Nav
from portfolio.since import Since, last_return, since


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """One portfolio of a fund, or the fund itself; NaN where a number is missing."""

    line: Line
    value: float
    """In its currency."""
    share: float
    """Of the fund's value, a ratio; without a fund, of the values listed. In one currency; NaN without a rate."""
    day_return: Since
    """Since the value before the last."""
    year_to_date: Since
    """Since the last value of the year before."""


def parts(data: PortfolioData) -> list[Part]:
    """Return the fund, if there is one, and its parts."""
    lines = (*([data.head] if data.head else []), *data.family)
    values = [_value(line.nav) for line in lines]
    shared = [_value(history_in(data, line, data.family_currency).nav) for line in lines]
    whole = shared[0] if data.head else math.fsum(value for value in shared if not math.isnan(value))
    return [
        Part(
            line=line,
            value=value,
            share=in_whole / whole if whole > 0 else math.nan,
            day_return=last_return(line.daily, line.cadence),
            year_to_date=since(line.daily, line.cadence, "YTD"),
        )
        for line, value, in_whole in zip(lines, values, shared, strict=True)
    ]


def _value(nav: Nav | None) -> float:
    return float(nav.value[-1]) if nav is not None and len(nav) else math.nan
