"""How unusual a value is, beside values whose scale is known."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.unusual import robust_z


def z_of(value: float, past: list[float]) -> float:
    middle = statistics.median(past)
    distances = [abs(each - middle) for each in past]
    return robust_z(value, middle, statistics.median(distances), statistics.fmean(distances))


def test_among_normal_values_it_is_the_z_score() -> None:
    past = np.random.default_rng(3).normal(10.0, 2.0, 200_001).tolist()
    assert z_of(16.0, past) == pytest.approx(3.0, rel=0.02)
    # A sixth of them may be anything: by mean and standard deviation it would be −0.4.
    wild = [*past, *[1e9] * 40_000]
    assert (16.0 - statistics.fmean(wild)) / statistics.pstdev(wild) < 0
    assert 2.0 < z_of(16.0, wild) < 3.0


def test_where_most_values_are_the_same_the_mean_distance_is_the_scale() -> None:
    past = [5.0] * 9 + [7.0]
    assert z_of(6.0, past) == pytest.approx(1.0 / (math.sqrt(math.pi / 2) * 0.2), rel=1e-6)
    assert z_of(5.0, [5.0] * 10) == 0.0
    assert math.isnan(z_of(5.1, [5.0] * 10))


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=50), st.floats(-1e6, 1e6), st.floats(0.5, 8.0))
def test_it_does_not_depend_on_the_unit(past: list[float], value: float, factor: float) -> None:
    found, scaled = z_of(value, past), z_of(value * factor, [each * factor for each in past])
    if math.isfinite(found) and math.isfinite(scaled) and abs(found) < 1e6 and max(past) - min(past) > 1e-3:
        middle = statistics.median(past)
        if statistics.median([abs(each - middle) for each in past]) > 1e-6:
            assert scaled == pytest.approx(found, rel=1e-6, abs=1e-6)
