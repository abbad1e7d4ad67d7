"""Starting a worker again that has crashed."""

from __future__ import annotations

from dashboard.frame.serve import LONGEST_PAUSE_SECONDS, SETTLED_SECONDS, Restarts
from tests.collectors.readings import Time


def test_a_worker_that_keeps_crashing_is_started_ever_more_slowly_and_one_that_worked_at_once() -> None:
    clock, pauses = Time(), list[float]()

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clock.seconds += seconds

    restarts = Restarts(clock, sleep)
    restarts.pause()
    restarts.pause()
    assert pauses == [], "the first start, and the first after a crash"
    for _ in range(5):
        restarts.pause()
    assert pauses == [1, 2, 4, 4, 4] and max(pauses) == LONGEST_PAUSE_SECONDS
    clock.seconds += SETTLED_SECONDS
    restarts.pause()
    assert len(pauses) == 5
