"""The parts of a fund as numbers: what each is worth, its share of the whole, and its newest returns."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from portfolio.data import Line, PortfolioData, history_in
from portfolio.history import History, Nav
from portfolio.series.total import is_over
from portfolio.since import Since, last_return, since


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """One portfolio of a fund, or the fund itself; NaN where a number is missing."""

    line: Line
    value: float
    """In the currency of its line: the fund's, or its own where there is no rate."""
    share: float
    """Of the fund's value, a ratio; without a fund, of the values listed. In one currency; NaN without a rate, and of a
    part that has ended."""
    day_return: Since
    """Since the value before the last."""
    year_to_date: Since
    """Since the last value of the year before."""


def parts(data: PortfolioData) -> list[Part]:
    """Return the fund, if there is one, and its parts."""
    lines = (*([data.head] if data.head else []), *data.family)
    values = [_value(line.nav) for line in lines]
    histories = [history_in(data, line, data.family_currency) for line in lines]
    ends = [each.nav.dates[-1] for each in (histories[:1] if data.head else histories) if len(each.nav)]
    shared = [math.nan if ends and _is_over(each, max(ends)) else _value(each.nav) for each in histories]
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


def _is_over(history: History, last: np.datetime64) -> bool:
    return len(history.nav) > 0 and is_over(history, last)


def _value(nav: Nav | None) -> float:
    return float(nav.value[-1]) if nav is not None and len(nav) else math.nan
