"""What is held, how concentrated it is and how fast it can be sold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from analytics import concentration, exposure, liquidity

LABELS = ["Tech", "Energy", "Tech", "", "Energy"]
books = arrays.arrays(np.float64, (4, 5), elements=st.floats(-1e6, 1e6).map(lambda value: round(value, 2)))


def test_a_book_of_two_days() -> None:
    found = exposure.exposure([[60.0, 50.0, -30.0], [0.0, 80.0, 0.0]], [100.0, 160.0])
    assert found.long.tolist() == [110.0, 80.0]
    assert found.short.tolist() == [-30.0, 0.0]
    assert found.leverage.tolist() == [1.4, 0.5]
    assert found.net_share.tolist() == [0.8, 0.5]
    assert exposure.beta_adjusted([[60.0, 50.0, -30.0]], [100.0], [1.0, 2.0, 0.5]) == pytest.approx(1.45)


@given(books, st.floats(0.1, 10.0))
def test_groups_add_up_and_short_mirrors_long(values: np.ndarray, scale: float) -> None:
    nav = np.full(4, 1e6)
    whole, by_group = exposure.exposure(values, nav), exposure.exposure_by_group(values, nav, LABELS)
    assert by_group.names == ("", "Energy", "Tech")
    for name in ("long", "short", "gross", "net", "leverage", "net_share"):
        parts = getattr(by_group.exposure, name).sum(axis=1)
        assert parts == pytest.approx(getattr(whole, name), abs=1e-9), name
    mirror = exposure.exposure(-values, nav)
    assert mirror.long == pytest.approx(-whole.short, abs=1e-9)
    assert mirror.gross == pytest.approx(whole.gross, abs=1e-9)
    larger = exposure.exposure(values * scale, nav * scale)
    assert larger.leverage == pytest.approx(whole.leverage, rel=1e-9, abs=1e-12)
    betas = np.linspace(-0.5, 1.5, 5)
    every_day = exposure.beta_adjusted(values, nav, np.tile(betas, (4, 1)))
    assert every_day == pytest.approx(exposure.beta_adjusted(values, nav, betas), abs=1e-9)


def test_equal_positions_are_as_many_as_they_are() -> None:
    found = concentration.concentration([[10.0, -10.0, 10.0, -10.0], [0.0, 0.0, 7.0, 0.0], [0.0] * 4])
    assert found.herfindahl[:2].tolist() == [0.25, 1.0]
    assert found.effective_number[:2].tolist() == [4.0, 1.0]
    assert found.top[0].tolist() == [0.25, 1.0, 1.0]
    assert math.isnan(found.herfindahl[2])
    assert np.isnan(found.top[2]).all()


def test_the_american_antitrust_authorities_example() -> None:
    # Department of Justice, Herfindahl-Hirschman Index: four firms of 30, 30, 20 and 20 % have 2,600 points.
    assert concentration.concentration([[30.0, 30.0, 20.0, 20.0]]).herfindahl[0] * 10_000 == pytest.approx(2600)


@given(books, st.floats(0.01, 100.0))
def test_concentration_knows_neither_size_nor_side(values: np.ndarray, scale: float) -> None:
    found, other = concentration.concentration(values), concentration.concentration(-values * scale)
    assert other.herfindahl == pytest.approx(found.herfindahl, rel=1e-9, nan_ok=True)
    assert other.top == pytest.approx(found.top, rel=1e-9, nan_ok=True)
    known = found.herfindahl[~np.isnan(found.herfindahl)]
    assert ((known >= 0.2 - 1e-12) & (known <= 1.0 + 1e-12)).all()


def test_the_largest_of_many_positions_are_found() -> None:
    values = np.random.default_rng(3).lognormal(0.0, 2.0, (50, 1000))
    ordered = -np.sort(-values, axis=1)
    expected = np.stack([ordered[:, :size].sum(axis=1) for size in (1, 5, 10)], axis=1) / values.sum(axis=1)[:, None]
    assert concentration.concentration(values).top == pytest.approx(expected, rel=1e-12)


def test_a_book_goes_out_by_its_ladder() -> None:
    values, volumes = [100.0, -400.0, 0.0, 100.0], [1000.0, 200.0, 0.0, 0.0]
    assert liquidity.share_of_volume(values[:2], volumes[:2]).tolist() == [0.1, 2.0]
    assert liquidity.days_to_liquidate(values, volumes)[:3].tolist() == [0.5, 10.0, 0.0]
    found = liquidity.ladder(values, volumes, days=[0.25, 1.0, 5.0, 10.0, 60.0])
    assert found.share == pytest.approx([60 / 600, 140 / 600, 300 / 600, 500 / 600, 500 / 600])
    assert found.untradable == pytest.approx(100 / 600)
    assert np.isnan(liquidity.ladder([0.0], [5.0]).share).all()


def test_what_cannot_be_measured_is_told() -> None:
    with pytest.raises(ValueError, match=r"nav\[1\]: is not above 0"):
        exposure.exposure([[1.0], [1.0]], [10.0, 0.0])
    with pytest.raises(ValueError, match=r"values\[0, 1\]: is missing"):
        exposure.exposure([[1.0, math.nan]], [10.0])
    with pytest.raises(ValueError, match="nav: 1, not 2; lengths differ"):
        exposure.exposure([[1.0], [1.0]], [10.0])
    with pytest.raises(ValueError, match="groups: 1, not 2"):
        exposure.exposure_by_group([[1.0, 2.0]], [10.0], ["Tech"])
    with pytest.raises(ValueError, match=r"betas\[0\]: is missing"):
        exposure.beta_adjusted([[1.0]], [10.0], [math.nan])
    with pytest.raises(ValueError, match=r"betas: .* give one a position"):
        exposure.beta_adjusted([[1.0, 2.0]], [10.0], [1.0])
    with pytest.raises(ValueError, match=r"values\[0, 0\]: is missing"):
        concentration.concentration([[math.inf]])
    with pytest.raises(ValueError, match=r"volumes\[0\]: is below 0"):
        liquidity.days_to_liquidate([1.0], [-1.0])
    with pytest.raises(ValueError, match="participation: 0"):
        liquidity.ladder([1.0], [1.0], 0.0)
