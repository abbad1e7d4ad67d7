"""Contribution: what each strategy added to the return of the fund; the shares add up to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics.returns import contribution
from portfolio.data import Line, PortfolioData, history_in
from portfolio.series.total import on_days


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
    left_out: tuple[str, ...] = ()
    """Names of the parts that have values, and no rate to the currency of the family."""

    @property
    def unallocated(self) -> float:
        """Return what the parts do not explain."""
        return self.total - self.explained


def parts_with_values(data: PortfolioData) -> list[Line]:
    """Return the parts of the family that have a value in its currency."""
    return [line for line in data.family if _has_values(line) and line.currency == data.family_currency]


def parts_without_rate(data: PortfolioData) -> list[Line]:
    """Return the parts of the family that have values, and none in its currency."""
    return [line for line in data.family if _has_values(line) and line.currency != data.family_currency]


def contributed(data: PortfolioData, parts: Sequence[Line]) -> Contribution:
    """Return what `parts` added over the window; it has a return, and they have values in the family's currency."""
    shares = shares_of(data, parts)
    explained = sum(share.added for share in shares)
    are_own = all(line.portfolio and line.portfolio.parent == data.portfolio.id for line in parts)
    total = float(data.part.index[-1] - 1.0) if are_own else explained
    left_out = tuple(line.name for line in parts_without_rate(data))
    return Contribution(shares, explained, total, are_own, left_out)


def shares_of(data: PortfolioData, parts: Sequence[Line]) -> list[Share]:
    """Return what each part added over the window, day by day, largest first; they add up to the parts' return.

    That is the return of the parts taken together: their values added, their money in and out, too. They have values
    in the family's currency.
    """
    own = data.own
    every = np.unique(np.concatenate([own.daily.dates, *[line.daily.dates for line in parts]]))
    # A sum has its value on days of its own: what its parts did between them counts as it does there.
    days = own.daily.dates if own.made_of else every
    inside = days[(days >= data.part.dates[0]) & (days <= data.part.dates[-1])]
    histories = [history_in(data, line, data.family_currency) for line in parts]
    found = on_days(histories, inside, every[-1])
    added = np.asarray(contribution(found.weights(), found.returns[:, 1:]), dtype=np.float64).reshape(-1)
    shares = [Share(line.name, float(each)) for line, each in zip(parts, added, strict=True)]
    return sorted(shares, key=lambda share: -share.added)


def _has_values(line: Line) -> bool:
    return line.nav is not None and len(line.nav) > 0
