"""Every transition of an incident, one by one, and what holds in whatever order things happen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from alerting.incidents import (
    About,
    Incident,
    Member,
    Message,
    Stage,
    Turn,
    acknowledge,
    ignored,
    open_incident,
    resolve,
    snooze,
    tick,
)
from core.alerts.plan import Plan, PlanStep
from core.alerts.severity import Severity

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL
SILENCE = "silence 7"
PLAN = Plan(
    receivers=("desk",),
    steps=(PlanStep(60, ("phone",)), PlanStep(120, ("boss", "desk"))),
    rounds=2,
    wait_seconds=30,
    interval_seconds=100,
    repeat_seconds=1_000,
)
PLAIN = Plan(receivers=("desk",), wait_seconds=30, interval_seconds=100, repeat_seconds=1_000)


def fires(*severities: Severity, muted_by: str = "") -> dict[str, Member]:
    return {f"m{number}": Member(severity, 0.0, muted_by) for number, severity in enumerate(severities)}


def said(turn: Turn) -> list[tuple[About, tuple[str, ...]]]:
    return [(each.about, each.receivers) for each in turn.messages if not each.muted_by]


def opened(plan: Plan = PLAIN, *severities: Severity) -> Incident:
    return open_incident(plan, fires(*(severities or (CRITICAL,))), 0.0).incident


def course(known: Incident, members: dict[str, Member], times: Sequence[float]) -> list[tuple[float, About]]:
    """Return what was said at these times with the same members."""
    told = []
    for at in times:
        turn = tick(known, members, at)
        known = turn.incident
        told += [(at, about) for about, _ in said(turn)]
    return told


@pytest.mark.transition("B1")
def test_a_critical_one_is_told_at_once_and_a_warning_waits_for_others() -> None:
    assert said(open_incident(PLAIN, fires(CRITICAL), 0.0)) == [(About.OPENED, ("desk",))]
    begun = open_incident(PLAIN, fires(WARNING), 0.0)
    assert said(begun) == []
    assert course(begun.incident, fires(WARNING, WARNING), [10, 29, 30, 40]) == [(30, About.OPENED)]


@pytest.mark.transition("B9")
def test_one_that_ends_before_it_was_told_is_never_told() -> None:
    over = tick(open_incident(PLAIN, fires(WARNING), 0.0).incident, {}, 10.0)
    assert said(over) == [] and over.incident.stage is Stage.CLOSED


@pytest.mark.transition("B2")
def test_who_joins_and_leaves_is_one_message_an_interval_and_the_same_again_is_none() -> None:
    more, one = fires(CRITICAL, WARNING), fires(CRITICAL)
    known = tick(opened(), more, 50.0)
    assert said(known) == []
    assert said(tick(known.incident, one, 100.0)) == []  # it joined and left again: nothing to tell
    joined = tick(known.incident, more, 100.0)
    assert said(joined) == [(About.CHANGED, ("desk",))]
    assert said(tick(joined.incident, one, 199.0)) == []
    assert said(tick(joined.incident, one, 200.0)) == [(About.CHANGED, ("desk",))]


@pytest.mark.transition("A10")
def test_a_higher_severity_is_told_at_once_and_nobody_has_it_in_hand_any_more() -> None:
    known = tick(opened(PLAIN, WARNING), fires(WARNING), 30.0).incident
    held = acknowledge(known, "ana", 5_000.0, 31.0)
    assert said(held) == [(About.ACKNOWLEDGED, ("desk",))]
    worse = tick(held.incident, fires(CRITICAL), 32.0)
    assert said(worse) == [(About.RAISED, ("desk",))]
    assert (worse.incident.stage, worse.incident.acknowledged_by) == (Stage.OPEN, "")


@pytest.mark.transition("A11")
def test_a_lower_severity_is_told_only_where_that_is_wanted() -> None:
    assert course(opened(), fires(WARNING), range(0, 900, 50)) == []
    telling = Plan(receivers=("desk",), interval_seconds=100, tells_lowered=True)
    assert course(opened(telling), fires(WARNING), range(0, 900, 50)) == [(100, About.LOWERED)]
    held = acknowledge(opened(telling), "ana", 5_000.0, 1.0).incident
    lower = tick(held, fires(WARNING), 200.0)
    assert said(lower) == [(About.LOWERED, ("desk",))] and lower.incident.stage is Stage.ACKNOWLEDGED


@pytest.mark.transition("B5")
def test_nobody_acknowledges_so_the_next_are_told_round_after_round_until_there_is_nobody() -> None:
    known, told = opened(PLAN), []
    for at in range(0, 2_000, 10):
        turn = tick(known, fires(CRITICAL), at)
        known = turn.incident
        told += [(at, *each) for each in said(turn)]
    assert told[:5] == [
        (60, About.ESCALATED, ("phone",)),
        (180, About.ESCALATED, ("boss", "desk")),
        (240, About.ESCALATED, ("phone",)),
        (360, About.ESCALATED, ("boss", "desk")),
        (480, About.EXHAUSTED, ()),
    ]
    assert [about for _, about, _ in told[5:]] == [About.REMINDED]
    assert set(known.told) == {"desk", "phone", "boss"}


@pytest.mark.transition("B3", "B4")
def test_acknowledged_nothing_is_repeated_until_that_ends_and_then_the_step_goes_on() -> None:
    known = tick(opened(PLAN), fires(CRITICAL), 60.0).incident
    held = acknowledge(known, "ana", 10_000.0, 70.0)
    assert said(held) == [(About.ACKNOWLEDGED, ("desk", "phone"))]
    assert course(held.incident, fires(CRITICAL), range(80, 10_000, 60)) == []
    told = course(held.incident, fires(CRITICAL), [9_999, 10_000, 10_119, 10_120])
    assert told == [(10_000, About.ACK_ENDED), (10_120, About.ESCALATED)]


@pytest.mark.transition("B6")
def test_without_a_message_for_long_it_is_told_again() -> None:
    assert course(opened(), fires(CRITICAL), [999, 1_000, 1_500, 2_000]) == [
        (1_000, About.REMINDED), (2_000, About.REMINDED),
    ]  # fmt: skip


@pytest.mark.transition("B7", "B8")
def test_muted_it_is_written_down_once_and_told_when_that_ends_if_it_still_fires() -> None:
    quiet = fires(CRITICAL, muted_by=SILENCE)
    begun = open_incident(PLAIN, quiet, 0.0)
    assert begun.messages == (Message(About.OPENED, 0, ("desk",), SILENCE, CRITICAL),)
    still = tick(begun.incident, quiet, 5_000.0)
    assert still.messages == ()
    assert course(still.incident, fires(CRITICAL), [5_001, 5_002, 5_003]) == [(5_002, About.OPENED)]
    assert tick(still.incident, {}, 5_001.0).messages == ()


@pytest.mark.transition("B8", "B9")
def test_muted_after_it_was_told_nothing_is_said_but_its_end() -> None:
    quiet = fires(CRITICAL, muted_by=SILENCE)
    still = tick(opened(), quiet, 5_000.0)
    assert still.messages == ()
    assert course(still.incident, fires(CRITICAL), [5_001, 5_002]) == [(5_002, About.REMINDED)]
    assert said(tick(still.incident, {}, 5_001.0)) == [(About.RESOLVED, ("desk",))]


@pytest.mark.transition("B8")
def test_worse_while_it_is_muted_is_told_when_that_ends() -> None:
    known = tick(opened(PLAIN, WARNING), fires(WARNING), 30.0).incident
    quiet = tick(known, fires(CRITICAL, muted_by=SILENCE), 40.0)
    assert [each.about for each in quiet.messages] == [About.RAISED] and said(quiet) == []
    assert course(quiet.incident, fires(CRITICAL), [50, 51, 52]) == [(51, About.RAISED)]


def test_one_of_several_that_is_muted_is_no_news() -> None:
    both = fires(CRITICAL, CRITICAL)
    known = opened(PLAIN, CRITICAL, CRITICAL)
    assert course(known, both | {"m1": Member(CRITICAL, 0.0, SILENCE)}, range(100, 900, 50)) == []


def test_what_is_silenced_raises_nothing_and_escalates_nothing_however_grave_it_is() -> None:
    grave = Member(CRITICAL, 0.0, SILENCE)
    both = {"grave": grave, "light": Member(WARNING, 0.0)}
    begun = open_incident(PLAN, both, 0.0)
    assert said(begun) == []  # a warning waits for others
    assert course(begun.incident, both, range(1, 60)) == [(30, About.OPENED)]
    known = tick(begun.incident, both, 30.0).incident
    held = acknowledge(known, "ana", 5_000.0, 31.0).incident
    assert course(held, both, range(32, 4_000, 50)) == []
    worse = tick(held, {"grave": grave, "light": Member(CRITICAL, 0.0)}, 40.0)
    assert said(worse) == [(About.RAISED, ("desk",))]


def test_of_what_was_told_before_it_was_silenced_the_end_of_the_silence_is_no_news() -> None:
    quiet = {"m0": Member(CRITICAL, 0.0, SILENCE), "m1": Member(WARNING, 0.0)}
    joined = tick(opened(), quiet, 100.0)
    assert said(joined) == [(About.CHANGED, ("desk",))]
    assert course(joined.incident, fires(CRITICAL, WARNING), range(101, 900, 50)) == []
    assert course(joined.incident, {"m1": Member(WARNING, 0.0)}, [101, 200]) == [(200, About.CHANGED)]


def test_snoozed_who_joins_and_leaves_is_not_told_and_what_is_graver_is() -> None:
    known = tick(opened(PLAIN, WARNING), fires(WARNING), 30.0).incident
    put_off = snooze(known, "ana", 5_000.0).incident
    more = fires(WARNING, WARNING)
    assert course(put_off, more, [*range(31, 5_000, 100), 5_000]) == [(5_000, About.SNOOZE_ENDED)]
    assert said(tick(put_off, fires(CRITICAL, WARNING), 40.0)) == [(About.RAISED, ("desk",))]


def test_by_hand_it_is_closed_until_it_was_clear() -> None:
    closed = resolve(opened(), "ana", 10.0)
    assert said(closed) == [(About.RESOLVED, ("desk",))] and closed.incident.closed_by == "ana"
    assert ignored(closed.incident, fires(CRITICAL)).keys() == {"m0"}
    assert ignored(closed.incident, {"m0": Member(CRITICAL, 99.0)}) == {}
    assert ignored(tick(opened(), {}, 10.0).incident, fires(CRITICAL)) == {}


@dataclass
class Heard:
    """What one receiver was told."""

    about: list[About] = field(default_factory=list)


class AnyOrder(RuleBasedStateMachine):
    """An incident and what people do to it, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 0.0
        self.known: Incident | None = None
        self.sent: list[Message] = []

    def take(self, turn: Turn) -> None:
        self.known = turn.incident
        self.sent += turn.messages

    @rule(
        seconds=st.sampled_from([1, 20, 70, 150, 1_100]),
        members=st.lists(
            st.tuples(st.sampled_from([WARNING, CRITICAL]), st.sampled_from(["", "", SILENCE])), max_size=3
        ),
    )
    def goes_on(self, seconds: float, members: list[tuple[Severity, str]]) -> None:
        self.at += seconds
        firing = {f"m{number}": Member(severity, 0.0, muted) for number, (severity, muted) in enumerate(members)}
        if self.known is not None:
            self.take(tick(self.known, firing, self.at))
        elif firing:
            self.take(open_incident(PLAN, firing, self.at))
        # With the same once more all is said: that nobody is left to tell may be followed by a reminder.
        for number in range(4):
            if self.known is not None:
                turn = tick(self.known, firing, self.at)
                assert number < 3 or not turn.messages
                self.take(turn)

    @precondition(lambda self: self.known is not None and self.known.stage is not Stage.CLOSED)
    @rule(seconds=st.sampled_from([1, 100, 5_000]))
    def somebody_acknowledges(self, seconds: float) -> None:
        assert self.known is not None
        self.take(acknowledge(self.known, "ana", self.at + seconds, self.at))

    @precondition(lambda self: self.known is not None and self.known.stage is not Stage.CLOSED)
    @rule()
    def somebody_resolves(self) -> None:
        assert self.known is not None
        self.take(resolve(self.known, "ana", self.at))

    @invariant()
    def no_message_is_there_twice(self) -> None:
        keys = [(each.number, receiver) for each in self.sent for receiver in each.receivers]
        assert len(keys) == len(set(keys))

    @invariant()
    def the_end_is_told_to_those_who_heard_of_it_and_to_no_others(self) -> None:
        heard = {receiver for each in self.sent if not each.muted_by for receiver in each.receivers}
        ends = [each for each in self.sent if each.about is About.RESOLVED]
        is_closed = self.known is not None and self.known.stage is Stage.CLOSED
        assert len(ends) == (is_closed and bool(heard))
        if ends:
            assert set(ends[0].receivers) == heard and self.sent[-1] is ends[0]

    @invariant()
    def it_opens_before_anything_else_is_said(self) -> None:
        heard = [each.about for each in self.sent if not each.muted_by]
        assert About.OPENED not in heard[1:]
        assert not heard or heard[0] is About.OPENED

    @invariant()
    def what_fires_aloud_for_long_enough_was_told(self) -> None:
        if self.known is None or self.known.stage is Stage.CLOSED or self.known.is_muted:
            return
        assert self.known.told_at is not None or self.known.severity < CRITICAL or self.known.step_at == self.at


AnyOrder.TestCase.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
TestAnyOrder = AnyOrder.TestCase
