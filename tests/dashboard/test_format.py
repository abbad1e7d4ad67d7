"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import format


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0123, "1.23 %"),
        (0.09994, "9.99 %"),
        (0.09996, "10.0 %"),
        (-0.142, "−14.2 %"),
        (0, "0.00 %"),
        (-0.00001, "0.00 %"),
    ],
)
def test_percent(value: float, text: str) -> None:
    assert format.percent(value) == text


def test_signs_are_shown_where_they_matter() -> None:
    assert format.percent(0.0042, signed=True) == "+0.42 %"
    assert format.ratio(-0.905, signed=True).startswith("−")
    assert format.money(145_600, signed=True) == "+146 K"
    assert format.money(-145_600, "USD") == "−146 K USD"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12_412_345, "12.4 M"),
        (999_600, "1.00 M"),
        (999_400, "999 K"),
        (1_000, "1.00 K"),
        (0, "0.00"),
        (2.5e9, "2.50 B"),
    ],
)
def test_money_has_three_significant_figures(value: float, text: str) -> None:
    assert format.money(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1023, "1.00 KiB"),
        (1536, "1.50 KiB"),
        (1024**3 * 128, "128 GiB"),
        (-2048, "−2.00 KiB"),
    ],
)
def test_bytes_are_binary(value: float, text: str) -> None:
    assert format.bytes_(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"), (0.000_05, "50 µs"), (0.0042, "4.2 ms"), (0.5, "500 ms"), (4, "4.0 s"), (41, "41 s"),
        (9_600, "2 h 40 min"),
        (86_400 * 41, "41 d"), (86_400 * 400, "1 y 35 d"), (3_599.6, "1 h"), (-90, "−1 min 30 s"),
    ],
)  # fmt: skip
def test_durations_show_their_largest_two_units(seconds: float, text: str) -> None:
    assert format.duration(seconds) == text


@pytest.mark.parametrize(
    "show", [format.percent, format.ratio, format.number, format.money, format.bytes_, format.duration, format.rate]
)
@pytest.mark.parametrize("nothing", [None, math.nan, math.inf])
def test_nothing_is_never_a_number(show: object, nothing: float | None) -> None:
    assert show(nothing) == "n/a"  # type: ignore[operator]


@given(st.floats(min_value=-1e15, max_value=1e15))
def test_a_hyphen_never_stands_for_minus(value: float) -> None:
    for show in (format.percent, format.ratio, format.number, format.money, format.bytes_, format.duration):
        assert "-" not in show(value)
