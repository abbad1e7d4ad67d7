"""Limits: where each state begins, and the scale of shares."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.limits import CRITICAL_SHARE, WARNING_SHARE, Limit, on_scale
from core.model import SEVERITY, Status

values = st.floats(allow_nan=False)


@pytest.mark.parametrize(
    ("limit", "value", "status"),
    [
        (Limit(80, 90), 79.9, Status.OK),
        (Limit(80, 90), 80, Status.WARNING),
        (Limit(80, 90), 90, Status.CRITICAL),
        (Limit(80), 1e9, Status.WARNING),
        (Limit(None, 90), 89, Status.OK),
        (Limit(None, 90), 90, Status.CRITICAL),
        (Limit(None), 1e9, Status.OK),
        (Limit(10, 5, is_floor=True), 10.1, Status.OK),
        (Limit(10, 5, is_floor=True), 10, Status.WARNING),
        (Limit(10, 5, is_floor=True), 5, Status.CRITICAL),
        (Limit(10, is_floor=True), -1, Status.WARNING),
    ],
)
def test_a_threshold_takes_effect_when_it_is_reached(limit: Limit, value: float, status: Status) -> None:
    assert limit.status(value) is status


@given(values, values, values, values)
def test_more_is_never_less_severe(warning: float, critical: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    limit, floor = Limit(warning, critical), Limit(warning, critical, is_floor=True)
    assert SEVERITY[limit.status(low)] <= SEVERITY[limit.status(high)]
    assert SEVERITY[floor.status(low)] >= SEVERITY[floor.status(high)]


def test_on_the_scale_85_percent_is_still_a_warning() -> None:
    assert [on_scale(share) for share in (0.69, WARNING_SHARE, CRITICAL_SHARE, 0.851)] == [
        Status.OK, Status.WARNING, Status.WARNING, Status.CRITICAL,
    ]  # fmt: skip
