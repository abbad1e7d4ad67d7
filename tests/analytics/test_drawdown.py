"""Spells under water, and how deep the worst one should be."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from analytics import drawdown
from analytics.expected_drawdown import brownian_drawdown, expected_max_drawdown
from analytics.returns import wealth

NAN = math.nan
COURSE = np.array([0.10, -0.20, NAN, 0.10, 0.20, 0.0, -0.05, NAN, -0.01])
"""Peak after the first, back on the fifth, under water since the seventh."""


def test_a_spell_lasts_from_its_peak_to_its_recovery_in_observations() -> None:
    assert drawdown.episode_count(COURSE) == 2
    assert drawdown.longest_duration(COURSE) == 3
    assert drawdown.current_duration(COURSE) == 2
    assert drawdown.recovery_time(COURSE) == 2
    assert drawdown.time_under_water(COURSE) == pytest.approx(4 / 7)
    assert drawdown.average_duration(COURSE) == pytest.approx(2.5)
    assert drawdown.max_drawdown(COURSE) == pytest.approx(-0.2)
    assert drawdown.current_drawdown(COURSE) == pytest.approx(0.95 * 0.99 - 1)
    assert drawdown.current_drawdown_rank(COURSE) == pytest.approx(4 / 7)
    assert np.isnan(drawdown.drawdown_path(COURSE)[[2, 7]]).all()


def test_the_longest_spell_may_be_the_running_one() -> None:
    fall = [0.1, -0.1, 0.2, -0.3, 0.01, 0.01, 0.01]
    assert drawdown.longest_duration(fall) == drawdown.current_duration(fall) == 4
    assert math.isnan(drawdown.recovery_time(fall))
    assert drawdown.recovery_time([-0.1, 0.01, 0.2, -0.05]) == 2


def test_drawdown_at_risk_counts_the_worst_share_of_days() -> None:
    path = drawdown.drawdown_path(np.append(np.full(19, -0.01), [0.0]))
    assert drawdown.drawdown_at_risk(np.append(np.full(19, -0.01), [0.0]), 0.95) == pytest.approx(np.sort(path)[1])
    beyond = drawdown.conditional_drawdown_at_risk(np.append(np.full(19, -0.01), [0.0]), 0.85)
    assert beyond == pytest.approx(np.sort(path)[:3].mean())
    with pytest.raises(ValueError, match=r"level: 1\.5"):
        drawdown.drawdown_at_risk(path, 1.5)


def test_answers_come_back_in_kind() -> None:
    frame = pd.DataFrame({"A": COURSE, "B": -COURSE}, index=pd.date_range("2024-01-01", periods=len(COURSE)))
    deepest = drawdown.max_drawdown(frame)
    assert isinstance(deepest, pd.Series) and list(deepest.index) == ["A", "B"]
    path = drawdown.drawdown_path(frame)
    assert isinstance(path, pd.DataFrame) and path.index.equals(frame.index)
    assert drawdown.max_drawdown(frame.to_numpy()).shape == (2,)
    assert isinstance(drawdown.max_drawdown(frame["A"]), float)


def test_the_worst_of_equal_spells_is_the_oldest() -> None:
    levels = wealth([-0.1, 1 / 0.9 - 1, -0.1, 1 / 0.9 - 1, -0.2])
    assert [spell.peak for spell in drawdown.worst_episodes(levels, 2)] == [4, 0]
    with pytest.raises(ValueError, match="position 1 is missing"):
        drawdown.episodes([1.0, NAN, 2.0])


@pytest.mark.parametrize(
    ("x", "rising", "falling"),
    [(0.01, 0.084693, 0.092708), (0.1, 0.243050, 0.325586), (0.5, 0.463159, 0.884593), (1.5, 0.668992, 1.970740),
     (4.5, 0.905305, 4.990430), (50, 1.476457, None), (1000, 2.219765, None)],
)  # fmt: skip
def test_the_expected_worst_drawdown_is_the_published_one(x: float, rising: float, falling: float | None) -> None:
    # Tables of Q_p and Q_n in the paper; its series is cut off and misses its own limits by up to 0.5 %.
    assert brownian_drawdown(1.0, 1.0, 2 * x) == pytest.approx(2 * rising, rel=5e-3)
    if falling is not None:
        assert brownian_drawdown(-1.0, 1.0, 2 * x) == pytest.approx(2 * falling, rel=5e-3)


def test_the_expected_worst_drawdown_meets_its_limits() -> None:
    assert brownian_drawdown(0.0, 2.0, 9.0) == pytest.approx(math.sqrt(math.pi / 2) * 2 * 3)
    assert brownian_drawdown([1e-9, -1e-9], 1.0, 100.0) == pytest.approx(10 * math.sqrt(math.pi / 2), rel=1e-6)
    for x in (1400.0, 5000.0):
        assert brownian_drawdown(1.0, 1.0, 2 * x) == pytest.approx(2 * (math.log(x) / 4 + 0.49088), rel=1e-3)
        assert brownian_drawdown(-1.0, 1.0, 2 * x) == pytest.approx(2 * x + 1, rel=4e-3)
    assert brownian_drawdown([0.1, -0.1], 0.0, 5.0) == pytest.approx([0.0, 0.5])


@pytest.mark.parametrize("drift", [0.02, 0.0, -0.02])
def test_the_expected_worst_drawdown_is_what_a_simulation_shows(drift: float) -> None:
    steps = np.random.default_rng(1).normal(drift, 1.0, (1500, 1000))
    levels = np.concatenate([np.zeros((1500, 1)), np.cumsum(steps, axis=1)], axis=1)
    seen = (np.maximum.accumulate(levels, axis=1) - levels).max(axis=1).mean()
    # Peak and trough between two steps go unseen: 0.5826 of a step's deviation each (Broadie, Glasserman & Kou 1997).
    assert brownian_drawdown(drift, 1.0, 1000) == pytest.approx(seen + 2 * 0.5826, rel=0.03)


def test_what_to_expect_of_a_fund_is_a_drawdown_of_its_wealth() -> None:
    daily = np.random.default_rng(3).normal(0.0004, 0.01, (2520, 300))
    expected = expected_max_drawdown(0.0004, 0.01, 2520)
    assert isinstance(expected, float)
    assert expected == pytest.approx(drawdown.max_drawdown(daily).mean(), abs=0.02)
    assert math.isnan(expected_max_drawdown(NAN, 0.01, 10))
