"""What a metric is, and what it is told of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np

from analytics.block import Block, Bools, Floats, Pair
from analytics.calendar import SHORTEST_YEAR, Dates, years_of
from analytics.returns import per_period_rate
from analytics.risk import WARM_UP

Unit = Literal["percent", "ratio", "periods", "count", "number", "years"]
"""percent: a ratio that is shown in percent; ratio and number: plain; periods: days, weeks or months."""
Group = Literal["Returns", "Reward for risk", "Drawdown", "Risk", "Against the benchmark", "How sure"]


@dataclass(eq=False)
class Scope:
    """Several portfolios' returns with what their figures depend on."""

    block: Block
    dates: Dates | None
    pair: Pair | None
    periods: float
    risk_free: float | Floats
    """A year; an array is of each period."""
    level: float
    since: np.datetime64 | None = None
    """Date of the value before the first return; None where it is not known."""
    trials: int = 1
    """Strategies that were tried before this one was chosen, itself among them."""

    @cached_property
    def years(self) -> Floats | None:
        """Return the elapsed time of each portfolio; None without dates."""
        return None if self.dates is None else years_of(self.dates, self.block, self.since)

    @cached_property
    def common_years(self) -> Floats | None:
        """Return the elapsed time of what each portfolio has in common with the benchmark; None without dates."""
        if self.dates is None or self.beside.own is self.block:
            return self.years
        return years_of(self.dates, self.beside.own, self.since)

    @cached_property
    def rate(self) -> float | Floats:
        """Return the risk-free rate a period: a number, or one for each."""
        rate = self.risk_free
        return rate if isinstance(rate, np.ndarray) else per_period_rate(rate, self.periods)

    @property
    def beside(self) -> Pair:
        """Return the returns beside the benchmark's. Only for metrics that need one."""
        assert self.pair is not None
        return self.pair


@dataclass(frozen=True, slots=True)
class Need:
    """What a metric cannot do without: where it is met, and what is said where it is not."""

    is_met: Callable[[Scope], Bools]
    reason: str
    is_strict: bool = False
    """Whether a figure that could be worked out all the same is not told where this is not met."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a portfolio."""

    key: str
    title: str
    group: Group
    unit: Unit
    definition: str
    """What it is, in a sentence; formula and source."""
    compute: Callable[[Scope], Floats]
    needs: tuple[Need, ...] = ()
    """Checked in order when the figure is missing: the first that is not met is the reason."""

    @property
    def needs_benchmark(self) -> bool:
        """Return whether the figure is about a benchmark."""
        return self.group == "Against the benchmark"


class MakeMetric(Protocol):
    """Makes a metric of one group."""

    def __call__(
        self, key: str, title: str, unit: Unit, definition: str, compute: Callable[[Scope], Floats], /, *needs: Need
    ) -> Metric: ...


def in_group(group: Group) -> MakeMetric:
    """Return what makes the metrics of `group`."""

    def make(
        key: str, title: str, unit: Unit, definition: str, compute: Callable[[Scope], Floats], /, *needs: Need
    ) -> Metric:
        return Metric(key, title, group, unit, definition, compute, needs)

    return make


def _some(least: int) -> Callable[[Scope], Bools]:
    return lambda scope: scope.block.count >= least


def _all(scope: Scope, is_met: bool) -> Bools:
    return np.full(len(scope.block.values), is_met)


def _no_debt(scope: Scope) -> Bools:
    return np.asarray(~(scope.block.filled < -1.0).any(axis=1))


def _falls(scope: Scope) -> Bools:
    return np.asarray((scope.block.filled < 0).any(axis=1))


def _drew_down(scope: Scope) -> Bools:
    met: Bools = np.fmin.reduce(scope.block.path, axis=1, initial=0.0) < 0
    return met


def _is_year(scope: Scope) -> Bools:
    return scope.block.count >= scope.periods if scope.years is None else scope.years >= SHORTEST_YEAR


def otherwise(reason: str) -> Need:
    """Return the need that stands last: when all before it are met, this is what is lacking."""
    return Need(lambda scope: _all(scope, False), reason)


ANY = Need(_some(1), "no returns")
TWO = Need(_some(2), "needs two returns")
THREE = Need(_some(3), "needs three returns")
FOUR = Need(_some(4), "needs four returns")
ENOUGH_RETURNS = 20
"""Returns below which a ratio or a tail is not told: it would say more of chance than of the portfolio."""
ENOUGH = Need(_some(ENOUGH_RETURNS), f"needs {ENOUGH_RETURNS} returns", is_strict=True)
WARMED_UP = Need(_some(WARM_UP + 1), f"needs {WARM_UP + 1} returns: the first {WARM_UP} set the scale")
YEAR = Need(_is_year, "needs a year of returns: less is not annualised")
YEAR_OF_RETURNS = Need(
    lambda scope: scope.block.count >= scope.periods, "needs as many returns as a year has: less is not annualised"
)
SOLVENT = Need(_no_debt, "a loss of more than 100 %: nothing compounds through a debt")
VARIES = Need(lambda scope: scope.block.squares > 0, "the returns never vary")
FALLS = Need(_falls, "no return was negative")
DREW_DOWN = Need(_drew_down, "there was no drawdown")
DATED = Need(lambda scope: _all(scope, scope.dates is not None), "the returns have no dates")
BENCHMARK = Need(lambda scope: _all(scope, scope.pair is not None), "no benchmark is chosen")
COMMON = Need(
    lambda scope: _all(scope, False) if scope.pair is None else scope.pair.own.count >= 2,
    "portfolio and benchmark have fewer than two days in common",
)
ENOUGH_COMMON = Need(
    lambda scope: _all(scope, False) if scope.pair is None else scope.pair.own.count >= ENOUGH_RETURNS,
    f"needs {ENOUGH_RETURNS} returns in common with the benchmark",
    is_strict=True,
)
BENCHMARK_VARIES = Need(
    lambda scope: _all(scope, False) if scope.pair is None else np.broadcast_to(
        scope.pair.other.squares > 0, len(scope.block.values)
    ),
    "the benchmark's returns never vary",
)  # fmt: skip
