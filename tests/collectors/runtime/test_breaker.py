from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from collectors.runtime.breaker import FAILURES_TO_OPEN, OPEN_SECONDS, OPEN_SECONDS_MAX, Breaker
from core.clock import FakeClock
from core.pipeline.spec import BreakerState


def make(jitter: float = 1.0) -> tuple[Breaker, FakeClock]:
    clock = FakeClock()
    return Breaker(clock.monotonic, lambda low, high: jitter), clock


def fail_until_open(breaker: Breaker) -> None:
    for _ in range(FAILURES_TO_OPEN):
        assert breaker.allow()
        breaker.failed()


def test_opens_after_failures_in_a_row_only() -> None:
    breaker, _ = make()
    for _ in range(10):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()
    assert breaker.view().state is BreakerState.CLOSED
    fail_until_open(breaker)
    assert breaker.view().state is BreakerState.OPEN
    assert not breaker.allow()


def test_two_overruns_open_it() -> None:
    breaker, _ = make()
    breaker.overran()
    assert breaker.allow()
    breaker.overran()
    assert not breaker.allow()


def test_half_open_lets_exactly_one_probe_through_and_closes_when_it_succeeds() -> None:
    breaker, clock = make()
    fail_until_open(breaker)
    clock.advance(OPEN_SECONDS)
    assert [breaker.allow() for _ in range(5)] == [True, False, False, False, False]
    breaker.succeeded()
    assert breaker.view().state is BreakerState.CLOSED
    assert breaker.view().failures_in_a_row == 0


def test_it_is_told_when_the_next_try_is() -> None:
    breaker, clock = make()
    fail_until_open(breaker)
    assert breaker.view().next_try == "next try in 5 s"
    clock.advance(OPEN_SECONDS)
    assert breaker.view().next_try == "tried again now"
    breaker.open_by_hand()
    assert breaker.view().next_try == "not tried until switched on again"


def test_open_time_doubles_up_to_its_limit_and_starts_small_again_after_success() -> None:
    breaker, clock = make()
    fail_until_open(breaker)
    waits = []
    for _ in range(9):
        waits.append(breaker.view().retry_in_seconds)
        clock.advance(waits[-1])
        assert breaker.allow()
        breaker.failed()
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    clock.advance(300)
    assert breaker.allow()
    breaker.succeeded()
    fail_until_open(breaker)
    assert breaker.view().retry_in_seconds == 5


def test_jitter_spreads_the_probes_but_stays_within_the_limits() -> None:
    for jitter in (0.8, 1.2):
        breaker, clock = make(jitter)
        fail_until_open(breaker)
        seen = []
        for _ in range(8):
            seen.append(breaker.view().retry_in_seconds)
            clock.advance(seen[-1])
            breaker.allow()
            breaker.failed()
        assert seen[2] == 20 * jitter
        assert min(seen) >= OPEN_SECONDS
        assert max(seen) <= OPEN_SECONDS_MAX


def test_wall_clock_steps_do_not_matter() -> None:
    breaker, clock = make()
    fail_until_open(breaker)
    clock.jump(86_400)
    assert not breaker.allow()
    clock.jump(-2 * 86_400)
    clock.advance(OPEN_SECONDS)
    assert breaker.allow()


def test_a_refusal_is_tried_rarely() -> None:
    breaker, _ = make()
    breaker.refused()
    assert breaker.view().retry_in_seconds == OPEN_SECONDS_MAX


def test_what_has_worked_and_refuses_is_tried_soon_and_ever_more_rarely() -> None:
    breaker, clock = make()
    breaker.succeeded()
    waits = []
    for _ in range(8):
        breaker.refused()
        waits.append(breaker.view().retry_in_seconds)
        clock.advance(waits[-1])
        assert breaker.allow()
    assert waits[0] <= OPEN_SECONDS * 1.2 and waits == sorted(waits) and waits[-1] == OPEN_SECONDS_MAX


def test_opened_by_hand_stays_open_until_closed_by_hand() -> None:
    breaker, clock = make()
    breaker.open_by_hand()
    breaker.succeeded()
    clock.advance(1e9)
    assert not breaker.allow()
    breaker.close_by_hand()
    assert breaker.allow()


class BreakerMachine(RuleBasedStateMachine):
    """Any order of runs, outcomes and waiting keeps the promises that the runner builds on."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.breaker = Breaker(self.clock.monotonic)
        self.failures = 0
        self.open_since: float | None = None

    @rule(seconds=st.floats(0, 400))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(step=st.floats(-1e6, 1e6))
    def clock_step(self, step: float) -> None:
        self.clock.jump(step)

    @rule(outcome=st.sampled_from(["succeeded", "failed", "overran"]))
    def run_once(self, outcome: str) -> None:
        before = self.breaker.view()
        allowed = self.breaker.allow()
        waited = self.clock.monotonic() - (self.open_since or 0.0)
        if before.state is BreakerState.OPEN:
            assert allowed == (before.retry_in_seconds == 0)
            assert not (allowed and waited < OPEN_SECONDS)
        if not allowed:
            return
        if before.state is BreakerState.OPEN:
            assert not self.breaker.allow(), "a second probe was let through"
        getattr(self.breaker, outcome)()
        self.failures = 0 if outcome == "succeeded" else self.failures + 1
        is_open = self.breaker.view().state is BreakerState.OPEN
        self.open_since = self.clock.monotonic() if is_open else None
        if outcome == "succeeded":
            assert not is_open
        elif before.state is BreakerState.OPEN:
            assert is_open, "a failed probe must open it again"

    @invariant()
    def never_more_failures_than_allowed_while_closed(self) -> None:
        view = self.breaker.view()
        assert view.failures_in_a_row == self.failures
        assert view.state is not BreakerState.CLOSED or self.failures < FAILURES_TO_OPEN
        assert 0 <= view.retry_in_seconds <= OPEN_SECONDS_MAX


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
