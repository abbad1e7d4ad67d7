"""Contribution: what each strategy added to the return of the fund; the shares add up to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics.block import Floats
from analytics.calendar import Dates, carried
from analytics.returns import contribution
from portfolio.data import Line, PortfolioData

LONGEST_GAP = np.timedelta64(7, "D")
"""A part whose values ended longer ago than this no longer exists: a weekend or holidays are no end."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one part added to the return of the whole, as a ratio."""

    name: str
    added: float


@dataclass(frozen=True, slots=True)
class Contribution:
    """What the parts added to a return in the window, as ratios."""

    shares: list[Share]
    """Largest first."""
    explained: float
    """The sum of the shares; NaN after a total loss, to which shares do not add up."""
    total: float
    """The return of the chosen portfolio when the parts are its own, else that of the parts together."""
    are_own: bool
    """Whether the parts are those of the chosen portfolio."""

    @property
    def unallocated(self) -> float:
        """Return what the parts do not explain."""
        return self.total - self.explained


def parts_with_values(data: PortfolioData) -> list[Line]:
    """Return the parts of the family that have a value."""
    return [line for line in data.family if line.nav is not None and len(line.nav)]


def contributed(data: PortfolioData, parts: Sequence[Line]) -> Contribution:
    """Return what `parts` added over the window; it has a return and they have values."""
    shares = shares_of(data, parts)
    explained = sum(share.added for share in shares)
    are_own = all(line.portfolio and line.portfolio.parent == data.portfolio.id for line in parts)
    total = float(data.part.index[-1] - 1.0) if are_own else explained
    return Contribution(shares, explained, total, are_own)


def shares_of(data: PortfolioData, parts: Sequence[Line]) -> list[Share]:
    """Return what each part added over the window, day by day, largest first; they add up to the parts' return.

    That is the return of the parts taken together: their values added, their money in and out, too.
    """
    days = np.unique(np.concatenate([data.own.daily.dates, *[line.daily.dates for line in parts]]))
    inside = days[(days >= data.part.dates[0]) & (days <= data.part.dates[-1])]
    values, flows, returns = (np.stack(each) for each in zip(*[_on_days(line, inside) for line in parts], strict=True))
    start = values[:, :-1] + np.maximum(flows[:, 1:], 0.0)
    # What moves from part to part is no money of the whole.
    whole = values[:, :-1].sum(axis=0) + np.maximum(flows[:, 1:].sum(axis=0), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = np.where(whole > 0, start / whole, 0.0)
    found = np.asarray(contribution(weights, returns[:, 1:]), dtype=np.float64).reshape(-1)
    shares = [Share(line.name, float(added)) for line, added in zip(parts, found, strict=True)]
    return sorted(shares, key=lambda share: -share.added)


def _on_days(line: Line, days: Dates) -> tuple[Floats, Floats, Floats]:
    """Return value, flow and return of a part on `days`; 0 before it existed and from a week after its last value.

    On a day without a value it has the last one, and returns and flows span from one of `days` to the next.
    """
    assert line.nav is not None
    nav, daily = line.nav, line.daily
    value, flow = carried(nav.dates, nav.value, days, 0.0), carried(nav.dates, np.cumsum(nav.flow), days, 0.0)
    value[days > nav.dates[-1] + LONGEST_GAP] = 0.0
    level = carried(daily.dates, daily.index, days, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = np.concatenate([[0.0], np.where(level[:-1] > 0, level[1:] / level[:-1] - 1.0, 0.0)])
    return np.maximum(value, 0.0), np.diff(flow, prepend=0.0), returns
