"""Choices that could be read and still cannot be shown: of things that are not there, or have no days there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.portfolio.data import Shown, benchmarks, key_of
from dashboard.portfolio.query import BETWEEN_KEYS, NO_BENCHMARK
from dashboard.views.tab import Choices

if TYPE_CHECKING:
    from storage.stores import Stores


def doubts(stores: Stores, shown: Shown, choices: Choices) -> list[str]:
    """Return a sentence for each: field, what is wrong with it, what is shown instead.

    Raises StorageUnavailable or StorageRejected.
    """
    return [
        *_portfolio(shown, choices),
        *_benchmark(stores, shown, choices),
        *_range(shown),
        *_compared(shown, choices),
    ]


def _portfolio(shown: Shown, choices: Choices) -> list[str]:
    wanted = choices.get("portfolio", "")
    if wanted in ("", key_of(shown.portfolio)):
        return []
    return [f"Portfolio: there is no “{wanted}”; {shown.portfolio.name} is shown."]


def _benchmark(stores: Stores, shown: Shown, choices: Choices) -> list[str]:
    wanted = choices.get("benchmark", "")
    if wanted in ("", NO_BENCHMARK) or shown.benchmark is not None:
        return []
    if any(wanted == symbol for symbol, _ in benchmarks(stores, shown.portfolio)):
        return [f"Benchmark: {wanted} has no price that early; none is shown."]
    return [f"Benchmark: there are no prices of “{wanted}”; none is shown."]


def _range(shown: Shown) -> list[str]:
    if shown.span is None or len(shown.part) or not len(shown.nav):
        return []
    start, end = shown.span
    there = f"the values run from {shown.nav.dates[0]} to {shown.nav.dates[-1]}"
    return [f"Range: no value from {start} to {end}; {there}. No figure is shown."]


def _compared(shown: Shown, choices: Choices) -> list[str]:
    found = []
    if shown.own.key in choices.get("compare", "").split(BETWEEN_KEYS):
        found.append(f"Compare: {shown.portfolio.name} is the portfolio itself; it is shown once.")
    if len(shown.part):
        found += [
            f"Compare: {line.name} has no day in common with {shown.portfolio.name} here; no line of it is shown."
            for line in shown.compared
            if not len(line.part)
        ]
    return found
