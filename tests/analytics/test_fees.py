"""Gross and net of the fees that a fund's terms state."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from analytics import fees
from analytics.fees import Accrual, Terms

YEAR_ENDS = ["2020-12-31", "2021-12-31", "2022-12-31", "2023-12-31", "2024-01-31"]
DAYS = np.arange("2022-01-01", "2024-03-01", dtype="datetime64[D]")[::7]
some_terms = st.builds(
    Terms,
    management=st.floats(0.0, 0.05),
    performance=st.floats(0.0, 0.5),
    hurdle=st.floats(0.0, 0.1),
    has_high_water_mark=st.booleans(),
    crystallisation=st.sampled_from(["month", "quarter", "halfyear", "year"]),
    accrual=st.sampled_from(get_args(Accrual)),
)
weekly = arrays.arrays(np.float64, len(DAYS), elements=st.floats(-0.2, 0.2))


def test_two_and_twenty_over_three_years() -> None:
    found = fees.net_of_fees(YEAR_ENDS, [0.0, 0.2, -0.1, 0.3, 0.0], Terms(0.02, 0.2))
    # 1 · 1.2 − 0.02 = 1.18, of which 20 % of 0.18 is paid: 1.144. It falls and makes the loss good first.
    assert found.net_value[1] == pytest.approx(1.144)
    fallen = 1.144 * 0.9 - 1.144 * 0.02
    assert found.net_value[2] == pytest.approx(fallen)
    risen = fallen * 1.3 - fallen * 0.02
    assert found.net_value[3] == pytest.approx(risen - 0.2 * (risen - 1.144))
    assert found.crystallised == pytest.approx([0.0, 0.036, 0.0, 0.2 * (risen - 1.144), 0.0])
    assert found.mark[:4] == pytest.approx([1.0, 1.0, 1.144, 1.144])


@pytest.mark.parametrize(
    ("accrual", "charged"),
    [
        # 2.4 % a year on a unit that comes in at the end of 15 November 2023, 15 of 30 days before its end,
        # and goes 1 · 1.02 (30 Nov.) · 1.01 (29 Dec.) · 1 (31 Jan.) · 1.03 (29 Feb.) · 1.01 (28 March, a Thursday).
        ("daily", lambda v: [0.024 * 15 / 365 * v[0], 0.024 * 29 / 365 * v[1], 0.024 * 33 / 365 * v[2],
                             0.024 * 29 / 365 * v[3], 0.024 * 28 / 365 * v[4]]),
        ("daily_360", lambda v: [0.024 * 15 / 360 * v[0], 0.024 * 29 / 360 * v[1], 0.024 * 33 / 360 * v[2],
                                 0.024 * 29 / 360 * v[3], 0.024 * 28 / 360 * v[4]]),
        # Half of November, then whole months; March, of which a weekday is to come, not yet.
        ("month", lambda v: [0.001 * v[0] * 1.02, 0.002 * v[1] * 1.01, 0.002 * v[2], 0.002 * v[3] * 1.03, 0.0]),
        ("month_advance", lambda v: [0.001 * v[0], 0.002 * v[1], 0.002 * v[2], 0.002 * v[3], 0.002 * v[4]]),
        # The fourth quarter has 46 of 92 days left.
        ("quarter", lambda v: [0.0, 0.003 * v[1] * 1.01, 0.0, 0.0, 0.0]),
        ("quarter_advance", lambda v: [0.003 * v[0], 0.0, 0.006 * v[2], 0.0, 0.0]),
    ],
)  # fmt: skip
def test_a_management_fee_is_charged_as_its_terms_say(accrual: Accrual, charged: Callable[[Any], list[float]]) -> None:
    days = ["2023-11-15", "2023-11-30", "2023-12-29", "2024-01-31", "2024-02-29", "2024-03-28"]
    gross = [0.0, 0.02, 0.01, 0.0, 0.03, 0.01]
    found = fees.net_of_fees(days, gross, Terms(0.024, accrual=accrual))
    assert found.management[1:] == pytest.approx(charged(found.net_value), rel=1e-12)
    assert found.net_value[1:] == pytest.approx(found.net_value[:-1] * (1 + np.array(gross[1:])) - found.management[1:])
    ended = fees.net_of_fees([*days, "2024-03-29"], [*gross, 0.0], Terms(0.024, accrual=accrual))
    last = {"month": 0.002, "quarter": 0.006}.get(accrual)
    assert last is None or ended.management[-1] == pytest.approx(last * ended.net_value[-2], rel=1e-12)


def test_half_years_are_paid_at_the_end_of_june_and_december() -> None:
    days = ["2023-12-29", "2024-03-28", "2024-06-28", "2024-09-30", "2024-12-31", "2025-01-31"]
    found = fees.net_of_fees(days, [0.0, 0.1, 0.0, 0.1, 0.0, 0.0], Terms(performance=0.2, crystallisation="halfyear"))
    assert found.crystallised == pytest.approx([0.0, 0.0, 0.02, 0.0, 0.2 * 0.108, 0.0])


def test_without_a_high_water_mark_a_recovery_costs() -> None:
    gross = [0.0, -0.5, 0.5, 0.0, 0.0]
    kept = fees.net_of_fees(YEAR_ENDS, gross, Terms(performance=0.2))
    anew = fees.net_of_fees(YEAR_ENDS, gross, Terms(performance=0.2, has_high_water_mark=False))
    assert kept.net_value[-1] == pytest.approx(0.75)
    assert anew.net_value[-1] == pytest.approx(0.70)


def test_a_hurdle_is_free_of_fees() -> None:
    found = fees.net_of_fees(YEAR_ENDS[:3], [0.0, 0.10, 0.05], Terms(performance=0.2, hurdle=0.05))
    assert found.net_value[1] == pytest.approx(1.10 - 0.2 * 0.05)
    assert found.performance[2] == pytest.approx(0.0)


def test_what_is_accrued_is_taken_back_when_the_gain_is_lost() -> None:
    days = ["2024-01-01", "2024-01-02", "2024-01-03"]
    found = fees.net_of_fees(days, [0.0, 0.1, -1 / 11], Terms(performance=0.2))
    assert found.performance == pytest.approx([0.0, 0.02, -0.02])
    assert found.net_value[-1] == pytest.approx(1.0)
    assert not found.crystallised.any()


@given(weekly, some_terms)
@settings(deadline=None, max_examples=100)
def test_gross_of_net_is_gross(gross: np.ndarray, terms: Terms) -> None:
    gross[0] = 0.0
    there = fees.net_of_fees(DAYS, gross, terms)
    back = fees.gross_of_fees(DAYS, there.net, terms)
    assert back.gross == pytest.approx(gross, abs=1e-9)
    assert back.net_value == pytest.approx(there.net_value, rel=1e-9)
    assert (there.net_value <= np.cumprod(1 + gross) * (1 + 1e-9)).all()
    assert back.management.sum() == pytest.approx(there.management.sum(), rel=1e-9)


def test_no_fees_change_nothing() -> None:
    gross = np.random.default_rng(1).normal(0.0, 0.02, len(DAYS))
    gross[0] = 0.0
    assert fees.net_of_fees(DAYS, gross, Terms()).net == pytest.approx(gross, abs=1e-14)
    empty = fees.net_of_fees(DAYS[:0], [], Terms(0.02, 0.2))
    assert len(empty.net) == 0


def test_terms_and_series_that_cannot_be_meant_are_told() -> None:
    with pytest.raises(ValueError, match=r"management: 2 is not a share a year; give 0\.02 for 2 %"):
        fees.net_of_fees(DAYS[:2], [0.0, 0.1], Terms(management=2))
    with pytest.raises(ValueError, match="performance: nan"):
        fees.net_of_fees(DAYS[:2], [0.0, 0.1], Terms(performance=math.nan))
    with pytest.raises(ValueError, match="crystallisation: 'decade' is not one of month, quarter, halfyear, year"):
        fees.net_of_fees(DAYS[:2], [0.0, 0.1], Terms(crystallisation="decade"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"returns\[1\]: is missing"):
        fees.net_of_fees(DAYS[:2], [0.0, math.nan], Terms())
    with pytest.raises(ValueError, match=r"returns\[1\]: is −100 % or less"):
        fees.net_of_fees(DAYS[:2], [0.0, -1.0], Terms())
    with pytest.raises(ValueError, match="returns: 1, not 2"):
        fees.net_of_fees(DAYS[:2], [0.0], Terms())
    with pytest.raises(ValueError, match="dates: one is missing, there twice or out of order"):
        fees.net_of_fees(DAYS[[1, 0]], [0.0, 0.1], Terms())
    with pytest.raises(ValueError, match=r"returns\[1\]: nothing is left"):
        fees.net_of_fees(["2020-01-01", "2024-01-01"], [0.0, -0.97], Terms(management=0.1))
