"""Every transition of a condition, one by one, and what holds in whatever order evaluations come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.alerts.conditions import (
    LONGEST_DOWN_SECONDS,
    Condition,
    Evaluation,
    News,
    Outcome,
    Phase,
    edited,
    evaluated,
    jumped,
    removed,
    restarted,
)
from core.alerts.severity import Severity
from core.alerts.timing import Policy, Timing

EVERY = 10.0
AT_ONCE = Timing(every_seconds=EVERY)
SLOW = Timing(every_seconds=EVERY, for_seconds=30, keep_firing_seconds=20)
KEEPS = replace(AT_ONCE, no_data=Policy.KEEP, error=Policy.KEEP, keep_seconds=100)
LONG_ERRORS = replace(AT_ONCE, error_seconds=50)
FINE = replace(AT_ONCE, no_data=Policy.OK, error=Policy.OK)
FOUND = {
    "!": (Outcome.BREACH, Severity.WARNING),
    "‼": (Outcome.BREACH, Severity.CRITICAL),
    ".": (Outcome.CLEAR, Severity.WARNING),
    "~": (Outcome.BETWEEN, Severity.WARNING),
    "?": (Outcome.NO_DATA, Severity.WARNING),
    "x": (Outcome.ERROR, Severity.WARNING),
}
"""What one evaluation finds, as a sign."""


@dataclass(frozen=True)
class Course:
    """What a row of evaluations came to."""

    condition: Condition
    news: tuple[tuple[int, News], ...]
    """Number of the evaluation, and what was worth saying; without what moved only."""


def run(signs: str, timing: Timing, begins: Condition | None = None, at: float = 0.0) -> Course:
    condition, told = begins or Condition(), []
    for number, sign in enumerate(signs):
        outcome, severity = FOUND[sign]
        longer = edited(condition, at + number * EVERY, timing)
        step = evaluated(
            longer.condition, Evaluation(outcome, at + number * EVERY, severity, 1.0, f"evaluation {number}"), timing
        )
        condition = step.condition
        told += [(number, news) for news in (*longer.news, *step.news) if news is not News.MOVED]
    return Course(condition, tuple(told))


FIRES, RESOLVED = News.FIRES, News.RESOLVED
COURSES: Sequence[tuple[str, str, Timing, Phase, Sequence[tuple[int, News]]]] = [
    ("A1 fires at the first breach", "!", AT_ONCE, Phase.FIRING, [(0, FIRES)]),
    ("A2 is pending before it has held for long enough", "!!!", SLOW, Phase.PENDING, []),
    ("A3 fires when it has", "!!!!", SLOW, Phase.FIRING, [(3, FIRES)]),
    ("A4 a clear moment makes a near miss", "!!.", SLOW, Phase.OK, [(2, News.NEAR_MISS)]),
    ("A5 between the thresholds the time runs on", "!~~~", SLOW, Phase.FIRING, [(3, FIRES)]),
    ("between the thresholds nothing begins", "~~", AT_ONCE, Phase.OK, []),
    ("A6 between the thresholds it fires on", "!~~", AT_ONCE, Phase.FIRING, [(0, FIRES)]),
    ("A7 clear it recovers first", "!!!!.", SLOW, Phase.RECOVERING, [(3, FIRES)]),
    ("A8 a breach meanwhile is no new message", "!!!!.!", SLOW, Phase.FIRING, [(3, FIRES)]),
    ("A8 nor is a value between", "!!!!.~", SLOW, Phase.FIRING, [(3, FIRES)]),
    ("A9 clear for long enough it is resolved", "!!!!...", SLOW, Phase.OK, [(3, FIRES), (6, RESOLVED)]),
    ("the time to be clear begins anew", "!!!!..!..", SLOW, Phase.RECOVERING, [(3, FIRES)]),
    ("A9 resolved at once without such a time", "!.", AT_ONCE, Phase.OK, [(0, FIRES), (1, RESOLVED)]),
    ("A10 a worse one is told", "!‼", AT_ONCE, Phase.FIRING, [(0, FIRES), (1, News.RAISED)]),
    ("A11 a lighter one when it lasts", "!!!‼!!!", SLOW, Phase.FIRING, [(3, FIRES), (6, News.LOWERED)]),
    ("A12 two failures are no news", "!xx", AT_ONCE, Phase.FIRING, [(0, FIRES)]),
    ("A13 the third is", "xxx", AT_ONCE, Phase.ERROR, [(2, FIRES)]),
    ("A13 nor is it before it has failed for so long", "xxxxx", LONG_ERRORS, Phase.OK, []),
    ("A13 then it is", "xxxxxx", LONG_ERRORS, Phase.ERROR, [(5, FIRES)]),
    ("A17 what had fired and holds after errors is no new message", "!xxx!", AT_ONCE, Phase.FIRING, [(0, FIRES)]),
    ("A15 what fires is no new message without data", "!????", AT_ONCE, Phase.NO_DATA, [(0, FIRES)]),
    ("A15 no data is news after three intervals", "????", AT_ONCE, Phase.NO_DATA, [(3, FIRES)]),
    ("A14 not before", ".???", AT_ONCE, Phase.OK, []),
    ("A17 data that are clear resolve it", "????.", AT_ONCE, Phase.OK, [(3, FIRES), (4, RESOLVED)]),
    ("data that are between resolve what had not fired", "????~", AT_ONCE, Phase.OK, [(3, FIRES), (4, RESOLVED)]),
    ("A17 data between leave what had fired", "!????~", AT_ONCE, Phase.FIRING, [(0, FIRES)]),
    ("A17 data that breach are no new message", "????!", AT_ONCE, Phase.FIRING, [(3, FIRES)]),
    ("nor does it begin anew though they have not held for long", "????!!!!", SLOW, Phase.FIRING, [(3, FIRES)]),
    ("the time to be clear begins anew after a lack", "!!!!.????!..", SLOW, Phase.RECOVERING, [(3, FIRES)]),
    ("also where nothing holds when data are there again", "!!!!.????..", SLOW, Phase.RECOVERING, [(3, FIRES)]),
    ("what ended is to hold for long enough again", "????...!!", SLOW, Phase.PENDING, [(3, FIRES), (6, RESOLVED)]),
    ("kept as it was it stays silent", ".?????", KEEPS, Phase.NO_DATA, []),
    ("but not for ever", "." + "?" * 11, KEEPS, Phase.NO_DATA, [(11, FIRES)]),
    ("kept errors neither", "x" * 11, KEEPS, Phase.ERROR, [(10, FIRES)]),
    ("counted as clear it is resolved", "!????", FINE, Phase.OK, [(0, FIRES), (4, RESOLVED)]),
    ("without data and then errors it fires once", "????xxx", AT_ONCE, Phase.ERROR, [(3, FIRES)]),
    ("A18 six beginnings and ends are flapping", "!.!.!.", AT_ONCE, Phase.OK,
     [(0, FIRES), (1, RESOLVED), (2, FIRES), (3, RESOLVED), (4, FIRES), (5, RESOLVED), (5, News.FLAPPING)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("signs", "timing", "phase", "news"), [each[1:] for each in COURSES], ids=[each[0] for each in COURSES]
)
def test_a_course_of_evaluations(signs: str, timing: Timing, phase: Phase, news: Sequence[tuple[int, News]]) -> None:
    found = run(signs, timing)
    assert (found.condition.phase, list(found.news)) == (phase, list(news))


@pytest.mark.transition("A8")
def test_what_comes_back_while_it_recovers_is_a_change_that_counts() -> None:
    assert [len(run(signs, SLOW).condition.changes) for signs in ("!!!!", "!!!!..", "!!!!..!", "!!!!.~.~")] == [
        1,
        1,
        2,
        3,
    ]


@pytest.mark.transition("A12")
def test_a_failed_evaluation_is_counted_and_marks_the_value() -> None:
    found = run("!xx", AT_ONCE).condition
    assert (found.errors, found.is_stale, found.value, found.phase) == (2, True, 1.0, Phase.FIRING)
    assert run("!xx!x", AT_ONCE).condition.errors == 1


@pytest.mark.transition("A14")
def test_a_stale_value_is_marked_and_kept() -> None:
    found = run("!?", AT_ONCE).condition
    assert found.is_stale and found.value == 1.0 and found.why == "evaluation 0"
    assert not run("!?!", AT_ONCE).condition.is_stale
    assert run("????", FINE).condition.is_stale


@pytest.mark.transition("A18")
def test_what_flaps_fires_until_all_is_quiet_for_twice_the_time() -> None:
    flapping = run("!.!.!.", AT_ONCE).condition
    assert flapping.fires and not flapping.is_announced
    quiet = 2 * AT_ONCE.flap_seconds
    still = run(".", AT_ONCE, flapping, at=50 + quiet - EVERY)
    assert still.condition.is_flapping and still.news == ()
    over = run(".", AT_ONCE, flapping, at=50 + quiet)
    assert not over.condition.fires and over.news == ((0, News.STEADY),)


@pytest.mark.transition("A22")
def test_down_time_does_not_count_as_pending() -> None:
    pending = run("!!", SLOW).condition
    back = restarted(pending, at=610.0, down_seconds=600.0, timing=SLOW)
    assert run("!", SLOW, back, at=610.0).condition.phase is Phase.PENDING
    assert run("!!", SLOW, back, at=620.0).condition.phase is Phase.FIRING


@pytest.mark.transition("A22")
def test_after_a_start_what_is_due_waits_for_fresh_data() -> None:
    pending = run("!!!", SLOW).condition
    back = restarted(pending, at=31.0, down_seconds=0.0, timing=SLOW)
    assert [run("!" * count, SLOW, back, at=31.0).condition.phase for count in (1, 2, 3)] == [
        Phase.PENDING, Phase.PENDING, Phase.FIRING,
    ]  # fmt: skip
    assert restarted(pending, 9_999.0, LONGEST_DOWN_SECONDS + 1, SLOW).phase is Phase.OK


@pytest.mark.transition("A23", "A24")
def test_what_fired_before_a_restart_is_no_new_message_and_is_resolved_once() -> None:
    firing = restarted(run("!", AT_ONCE).condition, at=100.0, down_seconds=90.0, timing=AT_ONCE)
    assert run("!", AT_ONCE, firing, at=100.0).news == ()
    assert run(".", AT_ONCE, firing, at=100.0).news == ((0, RESOLVED),)


@pytest.mark.transition("A21")
def test_a_jump_of_the_clock_is_no_lack_of_data() -> None:
    known = run(".???", AT_ONCE).condition
    assert run("??", AT_ONCE, jumped(known, 40.0, AT_ONCE), at=40.0).condition.phase is Phase.OK
    assert run("???", AT_ONCE, jumped(known, 40.0, AT_ONCE), at=40.0).condition.phase is Phase.NO_DATA


@pytest.mark.transition("A19")
def test_a_longer_time_makes_what_fires_pending_again() -> None:
    firing = run("!!!!", SLOW).condition
    longer = edited(firing, 40.0, replace(SLOW, for_seconds=60))
    assert longer.condition.phase is Phase.PENDING and not longer.condition.fires
    assert edited(firing, 40.0, SLOW).condition == firing


@pytest.mark.transition("A20")
def test_a_rule_that_is_removed_resolves_what_it_had_told() -> None:
    assert removed(run("!", AT_ONCE).condition, 10.0).news == (RESOLVED,)
    assert removed(run("!", SLOW).condition, 10.0).news == (News.MOVED,)
    assert removed(Condition(), 10.0).news == ()


TIMINGS = st.builds(
    Timing,
    every_seconds=st.just(EVERY),
    for_seconds=st.sampled_from([0.0, 10.0, 30.0]),
    keep_firing_seconds=st.sampled_from([0.0, 10.0, 30.0]),
    no_data=st.sampled_from(Policy),
    error=st.sampled_from(Policy),
    keep_seconds=st.sampled_from([50.0, 100.0]),
    flap_seconds=st.sampled_from([60.0, 1_800.0]),
)


@given(st.text("!‼.~?x", max_size=60), TIMINGS)
def test_in_any_order_it_fires_before_it_is_resolved_and_says_so_once(signs: str, timing: Timing) -> None:
    condition, is_told = Condition(), False
    for number, sign in enumerate(signs):
        outcome, severity = FOUND[sign]
        step = evaluated(condition, Evaluation(outcome, number * EVERY, severity), timing)
        for news in step.news:
            if news is News.FIRES:
                assert not is_told
                is_told = True
            elif news is News.RESOLVED:
                assert is_told
                is_told = False
            elif news in (News.RAISED, News.LOWERED):
                assert is_told
        condition = step.condition
        assert condition.is_announced == is_told
        assert is_told <= (condition.severity is not None)
        assert is_told or condition.phase not in (Phase.FIRING, Phase.RECOVERING)
    # Whatever it was, what is clear for long enough is over.
    long = int((timing.keep_firing_seconds + 2 * timing.flap_seconds) / EVERY) + 3
    for number in range(long):
        at = (len(signs) + number) * EVERY
        condition = evaluated(condition, Evaluation(Outcome.CLEAR, at), timing).condition
    assert condition.phase is Phase.OK and not condition.fires


def test_what_is_clear_and_not_over_yet_keeps_the_words_with_which_it_fired() -> None:
    timing = Timing(every_seconds=10, for_seconds=0, keep_firing_seconds=30)
    known = Condition()
    for at, outcome, value, why in ((0.0, Outcome.BREACH, 4.0, "refused"), (10.0, Outcome.CLEAR, 0.0, "connected")):
        known = evaluated(known, Evaluation(outcome, at, Severity.CRITICAL, value, why), timing).condition
    assert (known.phase, known.clear_since) == (Phase.RECOVERING, 10.0)
    assert (known.value, known.why) == (4.0, "refused")
    over = evaluated(known, Evaluation(Outcome.CLEAR, 40.0, Severity.CRITICAL, 0.0, "connected"), timing).condition
    assert (over.phase, over.value, over.why) == (Phase.OK, 0.0, "connected")


def test_what_flaps_keeps_the_words_with_which_it_fired() -> None:
    timing = Timing(every_seconds=10, for_seconds=0, keep_firing_seconds=0)
    known = Condition()
    for number in range(2 * timing.flap_changes):
        is_ill = number % 2 == 0
        found = Evaluation(
            Outcome.BREACH if is_ill else Outcome.CLEAR, number * 10.0, Severity.CRITICAL, float(is_ill),
            "refused" if is_ill else "connected",
        )  # fmt: skip
        known = evaluated(known, found, timing).condition
    assert known.is_flapping and known.phase is Phase.OK
    assert (known.value, known.why) == (1.0, "refused")


@given(st.text("!‼.~?x", max_size=60), TIMINGS)
def test_what_the_engine_passes_over_would_have_changed_nothing_but_the_value(signs: str, timing: Timing) -> None:
    known = passing = Condition()
    for number, sign in enumerate(signs):
        outcome, severity = FOUND[sign]
        found = Evaluation(outcome, number * EVERY, severity, float(number))
        step = evaluated(known, found, timing)
        if (passing.is_calm and sign in ".~") or passing.goes_on(found, timing):
            assert step.news == ()
        else:
            passed = evaluated(passing, found, timing)
            assert passed.news == step.news
            passing = passed.condition
        known = step.condition
        alike = [replace(each, value=None, changes=()) for each in (known, passing)]
        assert alike[0] == alike[1]
