"""A fund that holds nothing, on its first day or its last: no figure where there is none, and no error."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analytics import (
    book,
    book_course,
    comparison,
    concentration,
    contribution,
    covariance,
    execution,
    exposure,
    holdings_risk,
    linking,
    liquidity,
    round_trips,
    stress,
    what_if,
)

NOTHING = np.zeros((5, 0))


def test_no_positions() -> None:
    nav = np.full(5, 10.0)
    assert exposure.exposure(NOTHING, nav).leverage.tolist() == [0.0] * 5
    assert exposure.exposure_by_group(NOTHING, nav, []).names == ()
    assert np.isnan(concentration.concentration(NOTHING).top).all()
    assert np.isnan(liquidity.ladder([], []).share).all()
    assert covariance.ledoit_wolf(NOTHING).matrix.shape == (0, 0)
    for risk in (holdings_risk.historical_risk([], NOTHING), holdings_risk.parametric_risk([], NOTHING)):
        assert (risk.value_at_risk, risk.expected_shortfall) == (0.0, 0.0)
    assert len(stress.shocked([], stress.Shock(market=-0.1), betas=[])) == 0
    assert what_if.headline(what_if.Holdings(np.zeros(0), 10.0))["gross_ratio"] == 0.0


def test_no_days() -> None:
    none = np.zeros((0, 2))
    assert len(exposure.exposure(none, []).gross) == 0
    for periods in (None, []):
        found = contribution.contributions(none, [], ["a", "b"], periods)
        assert found.total.tolist() == [0.0, 0.0]
        assert found.total_costs == 0.0
    for method in ("carino", "menchero", "grap"):
        assert linking.linked([], [], [], method) == 0.0
    assert len(book_course.course([], [], ["A"], np.zeros((0, 1))).nav) == 0


def test_no_trades() -> None:
    built = book.build([])
    assert book.value(built, {}, {}).nav == 0.0
    assert round_trips.round_trips(built.closed) == []
    assert len(round_trips.excursions([], [1.0], [5.0]).adverse) == 0
    assert math.isnan(execution.mean_slippage([], [], [], []).value)
    assert np.isnan(execution.interval_vwap([], [], [], [1.0], [2.0])).all()
    assert math.isnan(float(execution.implementation_shortfall(0, 0, 0, 0, 0, 0).total))
    assert math.isnan(comparison.weighted_mean([], []).low)


def test_what_is_no_number_is_told_by_its_field() -> None:
    with pytest.raises(ValueError, match="values: holds something that is no number"):
        exposure.exposure([["ten"]], [1.0])
