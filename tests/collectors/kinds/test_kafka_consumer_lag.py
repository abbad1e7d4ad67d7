"""Burrow's rules on courses whose outcome a person can tell, and the table that turns offsets into time."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.kinds.kafka.cluster import Group
from collectors.kinds.kafka.consumer_lag import CommitWindow
from collectors.kinds.kafka.judge import judge_groups
from collectors.kinds.kafka.lags import GroupLag, Lags, by_group
from collectors.kinds.kafka.times import MOST_POINTS, Ends
from core.kinds.kafka.spec import Verdict

WINDOW_SECONDS = 120.0
EVERY_SECONDS = 5.0


def course(
    looks: Iterable[tuple[int, int]], *, is_alive: bool = True, window: CommitWindow | None = None
) -> list[Verdict]:
    """Return the verdict after each look (committed offset, end), five seconds apart."""
    window = window or CommitWindow(WINDOW_SECONDS)
    return [
        window.look(number * EVERY_SECONDS, offset, max(end - offset, 0), is_alive=is_alive)
        for number, (offset, end) in enumerate(looks)
    ]


def test_a_consumer_that_keeps_up_or_catches_up_is_fine_however_large_its_lag() -> None:
    assert set(course((number * 10, number * 10) for number in range(60))) == {Verdict.OK}
    assert set(course((number * 10, 1_000_000) for number in range(60))) == {Verdict.OK}


def test_a_lag_that_was_zero_once_within_the_window_is_fine() -> None:
    looks = [(0, 0), *((0, number) for number in range(1, 60))]
    verdicts = course(looks)
    assert set(verdicts[: int(WINDOW_SECONDS / EVERY_SECONDS)]) == {Verdict.OK}
    assert verdicts[-1] is Verdict.STALL


def test_a_living_consumer_that_does_not_move_is_stuck_after_the_window_and_no_sooner() -> None:
    verdicts = course((40, 100 + number) for number in range(60))
    assert verdicts.index(Verdict.STALL) * EVERY_SECONDS == pytest.approx(WINDOW_SECONDS, rel=0.15)
    assert set(verdicts) == {Verdict.OK, Verdict.STALL}


def test_one_that_has_gone_has_stopped_when_it_is_silent_for_longer_than_its_commits_span() -> None:
    window = CommitWindow(WINDOW_SECONDS)
    course(((number * 10, number * 10 + 5) for number in range(30)), window=window)
    verdicts = [
        window.look(seconds, 290, 500 + int(seconds), is_alive=False) for seconds in range(150, 500, int(EVERY_SECONDS))
    ]
    assert verdicts[0] is Verdict.OK and verdicts[-1] is Verdict.STOP
    assert WINDOW_SECONDS / 2 <= 5 + EVERY_SECONDS * verdicts.index(Verdict.STOP) <= WINDOW_SECONDS * 1.3


def test_one_that_was_already_dead_when_we_came_has_stopped_after_half_a_window() -> None:
    verdicts = course(((10, 50) for _ in range(30)), is_alive=False)
    assert verdicts.index(Verdict.STOP) * EVERY_SECONDS == pytest.approx(WINDOW_SECONDS / 2, abs=2 * EVERY_SECONDS)


def test_a_job_that_commits_rarely_and_then_leaves_has_not_stopped_between_two_of_its_runs() -> None:
    window = CommitWindow(WINDOW_SECONDS)
    for run in range(6):  # every ten minutes, nobody there in between
        for look in range(10):
            at = run * 600.0 + look * 60
            verdict = window.look(at, run * 100, look * 10, is_alive=False)
            assert run < 2 or verdict is Verdict.OK, at


def test_a_rewind_is_told_at_once_even_of_a_dead_group() -> None:
    for is_alive in (True, False):
        looks = [*((number * 10, 1_000) for number in range(10)), (20, 1_000)]
        assert course(looks, is_alive=is_alive)[-1] is Verdict.REWIND


def test_one_that_moves_and_only_ever_falls_behind_is_a_warning() -> None:
    assert course((number * 5, number * 20 + 10) for number in range(60))[-1] is Verdict.WARNING
    steady = course((number * 20, number * 20 + 10) for number in range(60))
    assert set(steady) == {Verdict.OK}, "the same lag all the time is keeping up"


@given(st.lists(st.tuples(st.integers(0, 1_000), st.integers(0, 1_000)), min_size=1, max_size=80), st.booleans())
def test_without_lag_nothing_is_ever_wrong(looks: list[tuple[int, int]], is_alive: bool) -> None:
    verdicts = course(looks, is_alive=is_alive)
    assert all(verdict is Verdict.OK for verdict, (offset, end) in zip(verdicts, looks, strict=True) if end <= offset)


def test_time_behind_is_the_age_of_the_first_unread_message() -> None:
    ends = Ends()
    for number in range(1_000):  # ten messages a second, a look each five
        ends.look(number * 5.0, number * 50)
    now = 999 * 5.0
    assert ends.behind(999 * 50, now).seconds == 0
    for messages in (10, 1_000, 20_000):
        behind = ends.behind(999 * 50 - messages, now)
        assert behind.seconds == pytest.approx(messages / 10, rel=0.02) and not behind.is_least


def test_below_the_oldest_entry_only_the_least_is_known_and_silence_ages() -> None:
    ends = Ends()
    ends.look(0.0, 100)
    assert ends.behind(40, 30.0).is_least and ends.behind(40, 30.0).seconds == 30
    ends.look(50.0, 100)
    ends.look(55.0, 101)  # one message, after fifty seconds of silence
    ends.look(100.0, 101)
    behind = ends.behind(100, 100.0)
    assert 45 <= behind.seconds <= 50 and not behind.is_least
    ends.look(105.0, 3)
    assert ends.behind(1, 110.0).is_least, "a topic made anew begins a table anew"


@given(st.lists(st.integers(0, 50), min_size=2, max_size=300), st.integers(0, 5_000))
def test_whoever_is_further_behind_in_messages_is_never_ahead_in_time(growth: list[int], offset: int) -> None:
    ends, end = Ends(), 0
    for number, more in enumerate(growth):
        end += more
        ends.look(float(number), end)
    now = float(len(growth))
    early, late = ends.behind(offset, now), ends.behind(offset + 1, now)
    assert early.seconds >= late.seconds >= 0
    assert len(ends._points) <= MOST_POINTS


def silent_groups(state: str, commits: dict[str, dict[tuple[str, int], int]]) -> tuple[list[GroupLag], str]:
    """Return the groups after half a window in which "risk", in that state, was seen to have committed that."""
    lags, groups = Lags(WINDOW_SECONDS), [Group("risk", state)]
    assert not lags.silent(groups, commits, 0.0), "it may be about to commit"
    found = by_group(groups, [], lags.silent(groups, commits, WINDOW_SECONDS / 2))
    return found, judge_groups(found, [], {}, [])[0].why


def test_a_group_with_members_that_never_commits_is_told_after_half_a_window() -> None:
    found, why = silent_groups("stable", {"risk": {}})
    assert found[0].verdict is Verdict.SILENT and not found[0].verdict.is_grave
    assert "group risk commits nothing" in why


@pytest.mark.parametrize(
    ("state", "commits"), [("empty", {"risk": {}}), ("stable", {}), ("stable", {"risk": {("orders", 0): 1}})]
)
def test_nothing_is_said_of_a_group_that_nobody_reads_for_or_that_could_not_be_asked(
    state: str, commits: dict[str, dict[tuple[str, int], int]]
) -> None:
    assert silent_groups(state, commits)[0][0].verdict is Verdict.OK
