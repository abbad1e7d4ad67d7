"""How soon people act and which rules are noisy, by hand-written pasts on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from core.alerts.severity import Severity
from storage.state.alert_log import known_rules
from storage.state.alert_stats import noisiest, responses, together
from storage.state.alerts import HistoryRow, KeptIncident, add_history, write_incident
from storage.state.database import State
from tests.support.fresh_state import fresh_postgres

HOUR = 3_600.0
NOW = 1_000 * HOUR
CRITICAL, WARNING = int(Severity.CRITICAL), int(Severity.WARNING)


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest) -> Iterator[State]:
    if request.param == "sqlite":
        yield request.getfixturevalue("state")
        return
    database = fresh_postgres(request.getfixturevalue("postgres_url"))
    database.migrate()
    yield database
    database.close()


def incident(state: State, severity: int, opened: float, closed: float | None, *happened: tuple[float, str]) -> int:
    """Keep an incident, hours before now, and what was done to it, minutes after it opened."""
    at = NOW - opened * HOUR
    with state.begin() as connection:
        row = KeptIncident("g", "open", at, None if closed is None else NOW - closed * HOUR, "{}", severity=severity)
        id = write_incident(connection, row)
        add_history(connection, [HistoryRow(at + after * 60, what, incident=id) for after, what in happened])
    return id


@pytest.mark.parametrize(
    ("happened", "mtta"),
    [
        ([(5, "acknowledged")], 300.0),
        ([(5, "acknowledged"), (1, "acknowledged"), (9, "resolved_by_hand")], 60.0),
        ([(3, "snoozed"), (7, "resolved_by_hand")], 420.0),
        ([(3, "snoozed")], None),
        ([], None),
        ([(-5, "acknowledged")], 0.0),
    ],
)
def test_the_first_time_that_somebody_had_it_in_hand_counts(
    either: State, happened: Sequence[tuple[float, str]], mtta: float | None
) -> None:
    incident(either, CRITICAL, 2, 1, *happened)
    with either.reading() as connection:
        [found] = responses(connection, NOW - 3 * HOUR, NOW)
    assert found.mean_acknowledge_seconds == mtta and found.mean_resolve_seconds == HOUR


def test_means_are_by_severity_of_what_began_in_the_span_and_of_all_together(either: State) -> None:
    incident(either, CRITICAL, 10, 9, (10, "acknowledged"))
    incident(either, CRITICAL, 8, 5, (20, "acknowledged"))
    incident(either, CRITICAL, 2, None)
    incident(either, WARNING, 4, 3, (60, "resolved_by_hand"))
    incident(either, WARNING, 100, 1, (1, "acknowledged"))
    with either.reading() as connection:
        found = responses(connection, NOW - 24 * HOUR, NOW)
        assert not responses(connection, NOW - 3 * HOUR, NOW - 2.5 * HOUR)
    told = [
        (each.severity, each.incidents, each.acknowledged, each.mean_acknowledge_seconds, each.mean_resolve_seconds)
        for each in (*found, together(found))
    ]
    assert told == [
        (CRITICAL, 3, 2, 900.0, 2 * HOUR), (WARNING, 1, 1, 3_600.0, HOUR), (0, 4, 3, 1_800.0, 5 / 3 * HOUR),
    ]  # fmt: skip


def test_how_grave_an_incident_became_is_kept_when_it_ends(either: State) -> None:
    id = incident(either, WARNING, 2, None)
    with either.begin() as connection:
        for severity, closed in ((4, None), (1, NOW)):
            write_incident(connection, KeptIncident("g", "open", NOW - 1, closed, "{}", id, severity=severity))
    with either.reading() as connection:
        [found] = responses(connection, NOW - HOUR, NOW)
    assert (found.severity, found.over) == (4, 1)


def test_the_noisiest_rules_stand_first_with_how_long_they_fired(either: State) -> None:
    mine, other = (incident(either, WARNING, 5, 1, *each) for each in ([(1, "acknowledged")], []))

    def row(hours_ago: float, what: str, rule: str, host: str, of: int = 0) -> HistoryRow:
        return HistoryRow(NOW - hours_ago * HOUR, what, rule, f'{{"host":"{host}"}}', "warning", of)

    with either.begin() as connection:
        add_history(connection, [
            row(50, "fires", "cpu", "a"),
            row(6, "fires", "cpu", "a", mine), row(5.5, "fires", "cpu", "b", mine), row(5, "resolved", "cpu", "a"),
            row(4, "fires", "cpu", "a", other), row(3, "resolved", "cpu", "a"), row(3, "flapping", "cpu", "a"),
            row(2, "fires", "disk", "a"), row(1.5, "near_miss", "swap", "a"), row(1, "resolved", "disk", "a"),
        ])  # fmt: skip
    with either.reading() as connection:
        cpu, disk = noisiest(connection, NOW - 24 * HOUR, NOW, 10)
        assert [each.rule for each in noisiest(connection, NOW - 24 * HOUR, NOW, 1)] == ["cpu"]
        assert known_rules(connection) == ["cpu", "disk", "swap"]
    assert (cpu.fired, cpu.firing_seconds / HOUR, cpu.incidents, cpu.acknowledged_ratio, cpu.flaps) == (
        3,
        7.5,
        2,
        0.5,
        1,
    )
    assert (disk.fired, disk.firing_seconds, disk.incidents, disk.acknowledged_ratio) == (1, HOUR, 0, None)


def test_nothing_is_known_of_an_empty_past(either: State) -> None:
    with either.reading() as connection:
        assert not responses(connection, 0, NOW) and not noisiest(connection, 0, NOW, 5) and not known_rules(connection)


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("SELECT * FROM alert_messages ORDER BY made_at DESC, incident DESC, number DESC LIMIT 100", "by_time"),
        ("SELECT * FROM alert_history WHERE what = 'flapping' ORDER BY id DESC LIMIT 100", "by_what"),
        ("SELECT min(at) FROM alert_history WHERE incident = 5 AND what IN ('acknowledged', 'snoozed')", "by_incident"),
        ("SELECT min(rule) FROM alert_history WHERE rule > 'cpu'", "by_rule"),
    ],
)
def test_what_pages_ask_at_each_refresh_goes_by_an_index(state: State, statement: str, index: str) -> None:
    with state.reading() as connection:
        plan = " ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}"))
    assert index in plan, plan
