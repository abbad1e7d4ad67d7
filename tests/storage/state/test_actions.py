"""Actions: asked for by a page, done once, soon or never, and remembered."""

from __future__ import annotations

from storage.state.actions import (
    DONE,
    EXPIRED,
    EXPIRES_SECONDS,
    FAILED,
    LOST_SECONDS,
    finish_action,
    recent_actions,
    request_action,
    take_action,
)
from storage.state.database import State


def test_a_request_is_taken_once_and_its_result_is_remembered(state: State) -> None:
    number = request_action(state, 100.0, "redis:main", "kill_client", "12", "local")
    taken = take_action(state, 101.0)
    assert taken is not None and (taken.id, taken.source, taken.target) == (number, "redis:main", "12")
    assert take_action(state, 101.0) is None
    finish_action(state, 102.0, number, DONE, "client 12 disconnected")
    known = recent_actions(state, ("redis",))[0]
    told = (known.status, known.result, known.finished_at, known.who)
    assert told == (DONE, "client 12 disconnected", 102.0, "local")
    assert recent_actions(state, ("postgresql",)) == []


def test_what_a_process_took_and_never_finished_is_told(state: State) -> None:
    request_action(state, 100.0, "redis:main", "analyse_keys", "0", "local")
    take_action(state, 101.0)
    take_action(state, 101.0 + LOST_SECONDS)
    known = recent_actions(state, ("redis",))[0]
    assert known.status == FAILED and "its process ended" in known.result


def test_a_request_that_nobody_took_in_time_is_never_done(state: State) -> None:
    request_action(state, 100.0, "redis:main", "kill_client", "12", "local")
    assert take_action(state, 101.0 + EXPIRES_SECONDS) is None
    assert recent_actions(state, ("redis",))[0].status == EXPIRED
