"""Numbers as people read them."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from pathlib import Path

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
    ("seconds", "text"),
    [
        (0, "0 s"), (0.4, "0 s"), (-0.4, "0 s"), (61, "61 s"), (119.4, "119 s"), (119.6, "2 min"), (660, "11 min"),
        (3_570, "1 h"), (5_580, "1 h 33 min"), (9_600, "2 h 40 min"), (86_400 * 3 + 3_600 * 4 + 300, "3 d 4 h"),
        (-660, "−11 min"),
    ],
)  # fmt: skip
def test_sentences_tell_seconds_below_two_minutes_and_whole_minutes_then(seconds: float, text: str) -> None:
    assert format.coarse_duration(seconds) == text


@given(st.floats(min_value=120, max_value=1e9))
def test_a_coarse_duration_has_no_seconds_beyond_two_minutes(seconds: float) -> None:
    assert not format.coarse_duration(seconds).endswith(" s")


def test_how_long_ago() -> None:
    assert [format.ago(seconds) for seconds in (-1, 0, 59, 86, 660)] == [
        "just now", "just now", "just now", "86 s ago", "11 min ago",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0 rows"), (1, "1 row"), (1.4, "1 row"), (2, "2 rows"), (12_000, "12\u202f000 rows"), (None, "n/a rows")],
)
def test_counts_agree_with_their_nouns(amount: float | None, text: str) -> None:
    assert format.count(amount, "row") == text


def test_a_count_may_have_a_plural_of_its_own() -> None:
    assert [format.count(n, "query", "queries") for n in (1, 2)] == ["1 query", "2 queries"]


@pytest.mark.skipif(shutil.which("node") is None, reason="needs a JavaScript engine")
def test_ages_that_tick_in_the_browser_read_like_durations() -> None:
    """Below ten seconds an age has no tenths: it ticks once a second."""
    seconds = [10, 59, 60, 61, 119, 3_599, 3_600, 9_600, 86_399, 86_400, 90_000, 86_400 * 41, 86_400 * 400]
    script = Path("assets/js/50-ages.js").read_text(encoding="utf-8")
    code = (
        "const window = {fundwatch: {}}; const setInterval = () => 0;"
        f"{script}; console.log(JSON.stringify({seconds}.map(window.fundwatch.span)));"
    )
    done = subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True, timeout=30)
    assert json.loads(done.stdout) == [format.duration(each) for each in seconds]


@pytest.mark.parametrize(
    "show",
    [format.percent, format.ratio, format.number, format.money, format.bytes_, format.duration, format.rate,
     format.coarse_duration, format.ago],
)  # fmt: skip
@pytest.mark.parametrize("nothing", [None, math.nan, math.inf])
def test_nothing_is_never_a_number(show: object, nothing: float | None) -> None:
    assert show(nothing) == "n/a"  # type: ignore[operator]


@given(st.floats(min_value=-1e15, max_value=1e15))
def test_a_hyphen_never_stands_for_minus(value: float) -> None:
    for show in (format.percent, format.ratio, format.number, format.money, format.bytes_, format.duration,
                 format.coarse_duration):  # fmt: skip
        assert "-" not in show(value)


def test_numbers_too_long_to_read_have_a_power_of_ten() -> None:
    assert format.money(1e300, "USD") == "1.00 × 10³⁰⁰ USD"
    assert format.money(-1e-9) == "−1.00 × 10⁻⁹"
    assert format.percent(1e300) == "1.00 × 10³⁰² %"
    assert format.number(1e308) == "1.00 × 10³⁰⁸"
    assert format.count(-3e15, "unit") == "−3.00 × 10¹⁵ units"
    assert format.ratio(-2.5e20) == "−2.50 × 10²⁰"
    assert (format.money(0.0), format.money(0.01), format.money(9.99e14)) == ("0.00", "0.01", "999 T")


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        (10.2e6, 10.4e6, "10.2 M → 10.4 M"),
        (10_212_345.5, 10_214_000.0, "10\u202f212\u202f345.50 → 10\u202f214\u202f000.00"),
    ],
)
def test_two_amounts_are_told_apart(was: float, now: float, said: str) -> None:
    assert format.money_change(was, now) == said


@given(st.floats(-1e18, 1e18), st.floats(-1e18, 1e18))
def test_amounts_that_differ_never_look_the_same(was: float, now: float) -> None:
    before, after = format.money_change(was, now).split(" → ")
    assert was == now or before != after
