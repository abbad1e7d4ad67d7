"""Cron lines: crontab(5) as Debian's cron reads it, over clocks that change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.cron import check_cron, last_time, next_time

NEW_YORK = "America/New_York"


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def after(line: str, zone: str, ts: float) -> str:
    found = next_time(line, zone, ts)
    assert found is not None
    return datetime.fromtimestamp(found, UTC).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("line", "begin", "due"),
    [
        # 2026-11-28 is a Saturday.
        ("0 3 * * 1-5", "2026-11-28 16:56", "2026-11-30 03:00"),
        ("0 3 * * mon-fri", "2026-11-28 16:56", "2026-11-30 03:00"),
        ("0 3 * * 0", "2026-11-28 16:56", "2026-11-29 03:00"),
        ("0 3 * * 7", "2026-11-28 16:56", "2026-11-29 03:00"),
        ("0 3 * * sun", "2026-11-28 16:56", "2026-11-29 03:00"),
        ("0 3 * * 5-7", "2026-11-28 16:56", "2026-11-29 03:00"),
        ("0 3 * * 1", "2026-11-28 16:56", "2026-11-30 03:00"),
        # Both days restricted: either.
        ("0 3 1 * 1", "2026-11-28 16:56", "2026-11-30 03:00"),
        ("0 3 1 * 1", "2026-11-30 03:00", "2026-12-01 03:00"),
        ("0 0 13 * 5", "2026-11-14 00:00", "2026-11-20 00:00"),
        # A star with a step counts as a star: both.
        ("0 0 */2 * 1", "2026-11-28 00:00", "2026-12-07 00:00"),
        ("*/5 * * * *", "2026-11-28 16:56:33", "2026-11-28 17:00"),
        ("5-59/20 1,13 * * *", "2026-11-28 13:10", "2026-11-28 13:25"),
        ("0 12 1 jan,jul *", "2026-11-28 16:56", "2027-01-01 12:00"),
        ("0 0 29 2 *", "2026-11-28 16:56", "2028-02-29 00:00"),
        ("@daily", "2026-11-28 16:56", "2026-11-29 00:00"),
        ("@weekly", "2026-11-28 16:56", "2026-11-29 00:00"),
    ],
)
def test_a_line_means_what_crontab_says(line: str, begin: str, due: str) -> None:
    assert after(line, "UTC", utc(begin)) == due


def test_in_autumn_a_fixed_time_comes_once_and_in_spring_as_soon_as_the_missing_hour_is_over() -> None:
    # New York's clocks go back on 2026-11-01 at 06:00 UTC and forward on 2026-03-08 at 07:00 UTC.
    assert after("30 1 * * *", NEW_YORK, utc("2026-10-31 12:00")) == "2026-11-01 05:30"
    assert after("30 1 * * *", NEW_YORK, utc("2026-11-01 05:30")) == "2026-11-02 06:30"
    for late in ("2026-11-01 06:10", "2026-11-01 06:30", "2026-11-01 06:45"):
        assert after("30 1 * * *", NEW_YORK, utc(late)) == "2026-11-02 06:30"
    assert after("30 2 * * *", NEW_YORK, utc("2026-03-07 12:00")) == "2026-03-08 07:00"
    assert after("30 2 * * *", NEW_YORK, utc("2026-03-08 07:00")) == "2026-03-09 06:30"
    # What runs all day runs through both hours.
    assert after("*/30 * * * *", NEW_YORK, utc("2026-11-01 05:30")) == "2026-11-01 06:00"
    assert after("*/30 * * * *", NEW_YORK, utc("2026-11-01 06:00")) == "2026-11-01 06:30"


def test_what_came_in_the_first_of_two_hours_is_the_last_time_in_the_second_too() -> None:
    for now in ("05:30", "05:59", "06:00", "06:10", "06:30", "06:59", "12:00"):
        assert last_time("30 1 * * *", NEW_YORK, utc(f"2026-11-01 {now}")) == utc("2026-11-01 05:30"), now
    assert last_time("30 1 * * *", NEW_YORK, utc("2026-11-01 05:29")) == utc("2026-10-31 05:30")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("every day", "it has 2 fields, and a cron line has 5"),
        ("0 0 3 * * *", "it has 6 fields"),
        ("60 3 * * *", "bad minute"),
        ("0 24 * * *", "bad hour"),
        ("0 3 * * 8", "bad day-of-week"),
        ("0 3 * * fri-mon", "bad day-of-week"),
        ("0 3 0 * *", "bad day-of-month"),
        ("0 3 30 2 *", "bad day-of-month"),
        ("*/0 3 * * *", "bad minute"),
        ("@reboot", "it has 1 field,"),
    ],
)
def test_what_is_none_is_refused_with_the_field(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_cron(line, "UTC")


def field(low: int, high: int, last: int) -> st.SearchStrategy[tuple[str, frozenset[int]]]:
    """Return fields as they are written, with the values that crontab(5) gives them; `*` goes on to `last`."""
    numbers = st.integers(low, high)
    everything = range(low, last + 1)
    one = numbers.map(lambda each: (str(each), frozenset({each})))
    span = st.tuples(numbers, numbers).map(sorted).filter(lambda ends: ends[0] < ends[1]).map(
        lambda ends: (f"{ends[0]}-{ends[1]}", frozenset(range(ends[0], ends[1] + 1)))
    )  # fmt: skip
    stepped = st.tuples(span, st.integers(1, 7)).map(
        lambda each: (f"{each[0][0]}/{each[1]}", frozenset(sorted(each[0][1])[:: each[1]]))
    )
    listed = st.lists(st.one_of(one, span, stepped), min_size=1, max_size=3).map(
        lambda parts: (",".join(text for text, _ in parts), frozenset().union(*(values for _, values in parts)))
    )
    starred = st.integers(1, 7).map(lambda step: ("*" if step == 1 else f"*/{step}", frozenset(everything[::step])))
    return st.one_of(starred, listed)


@settings(max_examples=80, deadline=None)
@given(
    fields=st.tuples(field(0, 59, 59), field(0, 23, 23), field(1, 28, 31), field(1, 12, 12), field(0, 7, 7)),
    begin=st.integers(0, 200_000_000).map(lambda later: 1_700_000_000 + later),
)
def test_no_time_is_passed_over_and_none_is_wrong(fields: tuple[tuple[str, frozenset[int]], ...], begin: int) -> None:
    line = " ".join(text for text, _ in fields)
    minutes, hours, days, months, weekdays = (values for _, values in fields)
    is_both = line.split()[2].startswith("*") or line.split()[4].startswith("*")

    def is_day(at: datetime) -> bool:
        of_month, of_week = at.day in days, bool({at.isoweekday(), at.isoweekday() % 7} & weekdays)
        return at.month in months and ((of_month and of_week) if is_both else (of_month or of_week))

    found = next_time(line, "UTC", begin)
    start = datetime.fromtimestamp(begin, UTC)
    expected = None
    for day in range(3 * 366):
        date = (start + timedelta(days=day)).replace(hour=0, minute=0, second=0)
        if not is_day(date):
            continue
        times = (date.replace(hour=hour, minute=minute) for hour in sorted(hours) for minute in sorted(minutes))
        expected = next((at.timestamp() for at in times if at > start), None)
        if expected is not None:
            break
    if expected is not None:
        assert found == expected
        assert last_time(line, "UTC", expected) == expected
    else:
        assert found is None or found > begin + 3 * 365 * 86_400


@settings(max_examples=25, deadline=None)
@given(
    zone=st.sampled_from([NEW_YORK, "Europe/London", "Australia/Lord_Howe", "Asia/Tokyo", "America/Santiago"]),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    year=st.integers(2024, 2030),
)
def test_a_daily_time_comes_once_on_every_date_of_a_year(zone: str, hour: int, minute: int, year: int) -> None:
    at = datetime(year, 1, 1, tzinfo=ZoneInfo(zone)).timestamp() - 1
    dates = []
    for _ in range(365):
        found = next_time(f"{minute} {hour} * * *", zone, at)
        assert found is not None and found > at
        at = found
        dates.append(datetime.fromtimestamp(at, ZoneInfo(zone)).date())
    assert [(each - dates[0]).days for each in dates] == list(range(365))
