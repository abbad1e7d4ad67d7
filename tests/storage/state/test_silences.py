"""Silences and maintenance windows as people make and end them: whole or refused with the field, and in the audit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.alerts.matchers import read_matchers
from core.alerts.silence import Silence, Window
from core.errors import ChangeRejected
from storage.state.audit import read_entries
from storage.state.database import State
from storage.state.silences import (
    add_silence,
    add_window,
    end_silence,
    end_window,
    mute_all,
    silences_in,
    windows_in,
)

NOW = 1_700_000_000.0
HOST = read_matchers('host="a", severity!="urgent"')
SILENCE = Silence(HOST, NOW, NOW + 3_600, "disk is being replaced", "ana", NOW)
WINDOW = Window("backup", HOST, NOW, NOW + 86_400 * 365, "backup", "ana", NOW, "0 3 * * *", "Europe/London", 3_600.0)


def kept(state: State, since: float = NOW) -> tuple[list[Silence], list[Window]]:
    with state.reading() as connection:
        return silences_in(connection, since), windows_in(connection, since)


def test_what_is_made_is_read_as_it_was_said(state: State) -> None:
    silence, window = add_silence(state, SILENCE), add_window(state, WINDOW)
    assert (silence, window) == (replace(SILENCE, id=1), replace(WINDOW, id=1))
    assert kept(state) == ([silence], [window])
    assert kept(state, NOW + 3_600) == ([], [window])


def test_what_is_ended_is_over_at_once_and_says_by_whom(state: State) -> None:
    add_silence(state, replace(SILENCE, begins=NOW + 600))
    add_window(state, WINDOW)
    ended = end_silence(state, 1, "otto", NOW + 60)
    assert (ended.begins, ended.ends, ended.ended_by) == (NOW + 60, NOW + 60, "otto")
    assert end_window(state, 1, "otto", NOW + 60).ended_by == "otto"
    assert kept(state, NOW + 60) == ([], [])
    for end in (end_silence, end_window):
        with pytest.raises(ChangeRejected, match="that is not over"):
            end(state, 1, "otto", NOW + 61)
    assert [(each.who, each.what) for each in reversed(read_entries(state))] == [
        ("ana", "alert silence made"),
        ("ana", "maintenance made"),
        ("otto", "alert silence ended"),
        ("otto", "maintenance ended"),
    ]


def test_everything_is_muted_for_a_day_at_most(state: State) -> None:
    made = mute_all(state, replace(SILENCE, matchers=()))
    assert made.is_of_all and made.hides({"severity": "urgent"})
    with pytest.raises(ChangeRejected) as refused:
        mute_all(state, replace(SILENCE, matchers=(), ends=NOW + 90_000))
    assert refused.value.fields["ends"].startswith("is 1 d 1 h after its beginning, 1 d")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"matchers": ()}, "matchers"),
        ({"why": " "}, "why"),
        ({"why": "w" * 501}, "why"),
        ({"ends": NOW}, "ends"),
        ({"begins": NOW - 100, "ends": NOW - 10}, "ends"),
        ({"ends": NOW + 400 * 86_400}, "ends"),
    ],
)
def test_a_silence_that_cannot_be_is_refused(state: State, given: dict[str, Any], field: str) -> None:
    with pytest.raises(ChangeRejected) as refused:
        add_silence(state, replace(SILENCE, **given))
    assert list(refused.value.fields) == [field]
    assert kept(state) == ([], []) and read_entries(state) == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"cron": "0 3 * *"}, "cron"),
        ({"cron": "0 0 30 2 *"}, "cron"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../etc/passwd"}, "zone"),
        ({"lasts_seconds": 0.0}, "lasts_seconds"),
        ({"ends": NOW - 1}, "ends"),
        ({"matchers": ()}, "matchers"),
        ({"cron": "", "ends": NOW + 400 * 86_400}, "ends"),
    ],
)
def test_a_window_that_cannot_be_is_refused(state: State, given: dict[str, Any], field: str) -> None:
    with pytest.raises(ChangeRejected) as refused:
        add_window(state, replace(WINDOW, **given))
    assert list(refused.value.fields) == [field]
    assert kept(state) == ([], []) and read_entries(state) == []
