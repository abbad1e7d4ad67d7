"""Effects of many periods: the published totals, and exactly the compounded active return."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from analytics import attribution, linking, returns
from analytics.linking import Linking

# Bacon, Practical Portfolio Performance Measurement and Attribution (2008), tables 8.1 to 8.5, as in the tests of
# PortfolioAttribution (github.com/R-Finance): UK, Japanese and US equities over four quarters.
WEIGHTS = np.array([[0.4, 0.3, 0.3], [0.7, 0.2, 0.1], [0.3, 0.5, 0.2], [0.3, 0.5, 0.2]])
PASSIVE_WEIGHTS = np.array([[0.4, 0.2, 0.4], [0.4, 0.3, 0.3], [0.5, 0.4, 0.1], [0.4, 0.4, 0.2]])
GAINED = np.array([[0.2, -0.05, 0.06], [-0.05, 0.03, -0.05], [-0.2, 0.08, -0.15], [0.1, -0.07, 0.25]])
PASSIVE = np.array([[0.1, -0.04, 0.08], [-0.07, 0.04, -0.1], [-0.25, 0.05, -0.2], [0.05, -0.05, 0.1]])
OWN, BENCHMARK = (WEIGHTS * GAINED).sum(axis=1), (PASSIVE_WEIGHTS * PASSIVE).sum(axis=1)
LINKED: dict[Linking, tuple[list[float], list[float]]] = {
    "carino": ([0.0165, -0.0060, 0.0015, 0.0120], [0.0804, 0.0018, 0.0385, 0.1207]),
    "menchero": ([0.0156, -0.0078, 0.0014, 0.0092], [0.0838, 0.0005, 0.0391, 0.1234]),
    "grap": ([0.0167, -0.0055, 0.0011, 0.0124], [0.0785, 0.0016, 0.0402, 0.1203]),
}
METHODS = pytest.mark.parametrize("method", LINKED)
some_returns = arrays.arrays(np.float64, (2, 12), elements=st.floats(-0.5, 0.5))


@METHODS
def test_a_year_of_quarters_is_the_published_one(method: Linking) -> None:
    effects = attribution.brinson(WEIGHTS, PASSIVE_WEIGHTS, GAINED, PASSIVE, "BF", fold=True)
    for found, published in zip((effects.allocation, effects.selection), LINKED[method], strict=True):
        year = linking.linked(found, OWN, BENCHMARK, method)
        assert [*year, year.sum()] == pytest.approx(published, abs=1e-4)


@METHODS
@given(some_returns)
def test_linked_effects_add_up_to_the_compounded_active_return(method: Linking, pair: np.ndarray) -> None:
    own, benchmark = pair
    linked = linking.linked(own - benchmark, own, benchmark, method)
    active = returns.total_return(own) - returns.total_return(benchmark)
    assert linked == pytest.approx(active, rel=1e-12, abs=1e-12)


@METHODS
def test_daily_effects_of_ten_years_are_exact(method: Linking) -> None:
    draw = np.random.default_rng(4)
    effects = draw.normal(0.0, 0.002, (2520, 3))
    benchmark = draw.normal(0.0003, 0.01, 2520)
    own = benchmark + effects.sum(axis=1)
    linked = linking.linked(effects, own, benchmark, method).sum()
    assert linked == pytest.approx(np.prod(1 + own) - np.prod(1 + benchmark), abs=1e-12)


@METHODS
def test_equal_returns_link_effects_that_cancel(method: Linking) -> None:
    same = np.array([0.02, -0.01, 0.03])
    effects = np.array([[0.01, -0.01], [0.02, -0.02], [-0.01, 0.01]])
    allocation, selection = linking.linked(effects, same, same, method)
    assert allocation == pytest.approx(-selection, abs=1e-15)
    assert allocation == pytest.approx(0.02, rel=0.1)


def test_geometric_totals_compound_to_the_active_return_of_all_periods() -> None:
    effects = attribution.brinson_geometric(WEIGHTS, PASSIVE_WEIGHTS, GAINED, PASSIVE)
    allocation, selection = (
        float(linking.compounded(part.sum(axis=1))) for part in (effects.allocation, effects.selection)
    )
    own, benchmark = returns.total_return(OWN), returns.total_return(BENCHMARK)
    active = attribution.excess_geometric(float(own), float(benchmark))
    assert (1 + allocation) * (1 + selection) - 1 == pytest.approx(active, abs=1e-12)


def test_what_cannot_be_linked_is_told() -> None:
    for method in ("carino", "menchero"):
        assert math.isnan(float(linking.linked([0.1, 0.1], [-1.0, 0.1], [-0.9, 0.0], method)))
    assert linking.linked([-0.1, 0.1], [-1.0, 0.1], [-0.9, 0.0], "grap") == pytest.approx(-0.1)
    with pytest.raises(ValueError, match=r"benchmark: 1, not 2; lengths differ"):
        linking.linked([0.1, 0.1], [0.1, 0.1], [0.0])
    with pytest.raises(ValueError, match=r"own\[1\]: is missing"):
        linking.linked([0.1, 0.1], [0.1, math.nan], [0.0, 0.0])
    with pytest.raises(ValueError, match="not one of carino, menchero, grap"):
        linking.linked([0.1], [0.1], [0.0], "log")  # type: ignore[arg-type]
