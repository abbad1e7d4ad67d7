from __future__ import annotations

import pytest

from portfolio.freshness import value_stale_after_seconds


@pytest.mark.parametrize(("period", "fresh", "stale"), [(1, 3.9, 4.1), (7, 9, 10), (31, 36, 42), (92, 115, 125)])
def test_a_portfolio_s_value_is_stale_after_its_own_rhythm(period: float, fresh: float, stale: float) -> None:
    after = value_stale_after_seconds(period) / 86_400
    assert fresh < after < stale
    assert value_stale_after_seconds(float("inf")) == value_stale_after_seconds(1), "not known: as of days"
