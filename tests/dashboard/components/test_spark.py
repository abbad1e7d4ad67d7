"""Sparklines: from ten points on, before that an empty place of the same size."""

from __future__ import annotations

import pytest

from dashboard.components.spark import FEWEST_POINTS, spark


@pytest.mark.parametrize("gaps", [0, 5])
def test_fewer_than_ten_points_are_no_course(gaps: int) -> None:
    missing: list[float | None] = [None] * gaps
    few = spark([*missing, *map(float, range(FEWEST_POINTS - 1))])
    assert "fw-spark-none" in few.className
    assert getattr(few, "style", None) is None
    assert "svg" in spark([*missing, *map(float, range(FEWEST_POINTS))]).style["maskImage"]
