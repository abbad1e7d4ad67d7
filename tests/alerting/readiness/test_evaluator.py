"""Whether trading may go on, over real stores: what turns it false, at once, and what it takes to be safe again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from core.checks import Check
from core.clock import FakeClock
from core.kinds.freshness.source import FreshnessSource
from core.kinds.registry import Watch
from core.model import Component, Reading, Sample, Status, labels
from core.readiness import COMPONENT, READINESS, TITLES, Checks, State
from core.settings.limits import SetLimits
from core.settings.readiness import Readiness as Rules
from core.tables import table_of
from status.states import state_history, time_in_states
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import migrate
from storage.live.embedded import Valkey
from storage.live.redis import Live
from storage.state.halts import Halt, add_halt, end_halt
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.conftest import assembled
from tests.support.readiness import QUICK, Fund, alert, put_values, safe_stores
from tests.support.servers import ClickHouseServer

STEADY = int(QUICK.steady_seconds)
OF_THE_FUND = [
    "halt", "engine", "alerts", "feeds", "broker", "positions", "books", "storage", "state", "cache", "disk", "clock",
    "channel",
]  # fmt: skip


@pytest.fixture
def fund(stores: Stores) -> Fund:
    return Fund(safe_stores(stores))


def changes(fund: Fund) -> list[tuple[Any, ...]]:
    """Return the changes that are stored: portfolio, whether it was safe, reasons, inputs."""
    fund.stores.writer.flush()
    return fund.stores.clickhouse.rows(
        "SELECT portfolio, is_safe, reasons, checks FROM readiness_changes ORDER BY portfolio, ts"
    )


def states(fund: Fund, portfolio: str = "") -> dict[str, str]:
    return {each.check: each.state for each in fund.now.checks if each.portfolio == portfolio}


def test_it_is_not_safe_before_it_was_looked_at_and_after_a_start_not_before_it_is_proven(stores: Stores) -> None:
    fund = Fund(safe_stores(stores, Rules()))
    assert fund.why() == ["nobody says whether it is safe: alerts are not evaluated"]
    fund.goes_on(5)
    assert fund.why()[0].endswith(" s if every check stays ready")
    assert 30 <= fund.becomes_safe() + 5 <= 34
    whole = fund.now.whole
    assert (whole.ready, whole.watched, whole.reasons) == (12, 12, [])
    assert [*states(fund)] == OF_THE_FUND
    assert states(fund)["positions"] == State.NOT_WATCHED
    assert states(fund, "alpha") == dict.fromkeys(("halt", "alerts", "limits"), State.READY)
    fund.started()
    fund.goes_on(2)
    assert fund.why() == [
        "Fundwatch has just begun to look, every check is ready: safe in 29 s if every check stays ready"
    ]
    assert fund.becomes_safe() == 29, "a process that starts has proven nothing"
    fund.feed["connection"] = "not connected"
    fund.goes_on()
    fund.feed.clear()
    assert fund.becomes_safe() == 31, "ready again, and for thirty seconds"


TROUBLES: dict[str, tuple[Callable[[Fund], object], str, str]] = {
    "an urgent alert": (lambda fund: fund.firing.append(alert("IQFeed is down")), "alerts", "IQFeed is down"),
    "no evaluation": (lambda fund: setattr(fund, "tick_age_seconds", 3.1), "engine", "not been evaluated for 3.1 s"),
    "a feed without updates": (lambda fund: fund.feed.update(updates="no update for 2 min"), "feeds", "for 2 min"),
    "a feed that is silent": (lambda fund: fund.silent.add("iqfeed"), "feeds", "newest reading is"),
    "a broker without a link": (lambda fund: fund.broker.update(link="the link is broken"), "broker", "is broken"),
    "a broker that waits for its login": (lambda fund: fund.broker.update(login="waits"), "broker", "waits"),
    "a slow broker": (lambda fund: setattr(fund, "round_trip_seconds", 12.0), "broker", "12 s, 10 s allowed"),
    "a silent machine": (lambda fund: fund.silent.add("system"), "clock", "newest reading is"),
    "a silent engine": (lambda fund: fund.silent.add("alerts"), "alerts", "newest reading is"),
    "a clock that is off": (lambda fund: setattr(fund, "clock_offset", -0.06), "clock", "60 ms off, 50 ms allowed"),
    "a clock alone": (lambda fund: setattr(fund, "clock_offset", None), "clock", "not synchronised"),
    "a disk that is full": (lambda fund: setattr(fund, "disk_used", 0.99), "disk", "99.0 % full"),
    "a machine whose clock is ahead": (lambda fund: fund.ahead(90.0), "alerts", "ahead of the clock here"),
    "an urgent alert of another origin": (
        lambda fund: fund.firing.append(alert("Exchange is down", origin="eu-west")), "alerts", "Exchange is down",
    ),
    "a disk that fills up": (lambda fund: setattr(fund, "disk_used", 0.85), "disk", "/data is full in 3 h 45 min"),
    "a loss": (lambda fund: put_values(fund.stores, "beta", [100.0, 94.9]), "limits", "beta: 5.10 % lost"),
    "a drawdown": (
        lambda fund: put_values(fund.stores, "beta", [100.0, 95.5, 92.0, 88.5, 84.9]), "limits", "beta: 18.4 % below",
    ),
}  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_trouble_turns_it_false_at_once_and_all_must_be_well_for_a_while_before_it_is_safe(
    fund: Fund, trouble: str
) -> None:
    begin, check, why = TROUBLES[trouble]
    fund.becomes_safe()
    was = {
        name: getattr(fund, name) for name in ("tick_age_seconds", "round_trip_seconds", "clock_offset", "disk_used")
    }
    begin(fund)
    # What is silent becomes stale by the one rule of freshness.
    slow = 15 if fund.silent else 1
    assert fund.goes_on(slow, lambda: not fund.is_safe) <= slow
    assert any(why in each for each in fund.why()), fund.why()
    assert check in {each.check for each in fund.now.checks if each.state in (State.NOT_READY, State.UNKNOWN)}
    assert fund.now.whole.ready < fund.now.whole.watched
    for name, value in was.items():
        setattr(fund, name, value)
    fund.ahead(0.0)
    for each in (fund.feed, fund.broker, fund.silent, fund.firing):
        each.clear()
    put_values(fund.stores, "beta", [100.0, 101.0, 102.0, 103.0, 104.0])
    assert STEADY <= fund.becomes_safe() <= STEADY + 6


def test_what_flaps_is_not_safe_in_between(fund: Fund) -> None:
    fund.becomes_safe()
    for _ in range(3):
        fund.feed["connection"] = "not connected"
        fund.goes_on()
        fund.feed.clear()
        for _ in range(STEADY - 1):
            fund.goes_on()
            assert not fund.is_safe
    fund.goes_on(2)
    assert fund.is_safe


def test_a_feed_counts_in_market_hours_alone(fund: Fund) -> None:
    fund.becomes_safe()
    fund.market_is_open = False
    fund.feed["connection"] = "not connected"
    fund.goes_on(3)
    assert fund.is_safe
    found = next(each for each in fund.now.checks if each.check == Checks.FEEDS)
    assert found.why == "IQFeed main: its market is closed, it opens in 1 h"
    fund.market_is_open = True
    fund.goes_on()
    assert fund.why() == ["IQFeed main: not connected"]


def test_a_portfolio_has_its_own_limits_and_checks_and_its_troubles_are_no_other_ones(stores: Stores) -> None:
    rules = Rules.model_validate({"steady_seconds": 5, "portfolios": [{"portfolio": "alpha", "without": ["feeds"]}]})
    loss = {"portfolio": "alpha", "figure": "daily_loss", "at_most": "2 %"}
    limits = SetLimits.model_validate({"portfolios": [loss]})
    fund = Fund(safe_stores(stores, rules, limits=limits))
    fund.becomes_safe()
    put_values(fund.stores, "alpha", [100.0, 97.0])
    fund.firing.append(alert("Loss", portfolio="beta"))
    fund.goes_on(5)
    assert fund.why("alpha") == ["3.00 % lost on its last day, at most 2.00 % allowed"]
    assert fund.why("beta") == ["1 urgent alert fires: Loss"]
    assert fund.now.of("fund").is_safe, "what happens to its parts is theirs"
    assert fund.why() == [f"alpha: {fund.why('alpha')[0]}", f"beta: {fund.why('beta')[0]}"]
    put_values(fund.stores, "alpha", [100.0, 101.0])
    fund.firing.clear()
    fund.becomes_safe()
    fund.feed["updates"] = "no update for 2 min"
    fund.goes_on()
    assert fund.now.of("alpha").is_safe
    assert not fund.now.of("beta").is_safe


def test_a_clock_that_can_never_be_asked_is_not_watched_also_after_the_machine_was_silent(fund: Fund) -> None:
    fund.clock_is_asked = False
    fund.becomes_safe()
    fund.silent.add("system")
    assert fund.goes_on(20, lambda: not fund.is_safe) <= 20
    fund.silent.clear()
    fund.becomes_safe()
    assert {each.state for each in fund.now.checks if each.check == "clock"} == {State.NOT_WATCHED}


def test_a_halt_holds_at_once_for_what_lies_below_and_until_it_is_over(fund: Fund) -> None:
    fund.becomes_safe()
    state, clock = fund.stores.state, fund.stores.clock
    halt = add_halt(state, Halt("alpha", "ana", "hedge is gone", clock.now()))
    assert fund.why("alpha") == ["halted by ana: hedge is gone"], "nobody has looked since"
    assert fund.why() == ["alpha: halted by ana: hedge is gone"]
    assert fund.now.of("alpha").halted_by == "ana"
    assert fund.now.of("beta").is_safe
    fund.goes_on(STEADY + 4)
    assert fund.why("alpha") == ["halted by ana: hedge is gone"]
    assert fund.why() == ["alpha: halted by ana: hedge is gone"]
    fund.started()
    fund.goes_on(STEADY + 4)
    assert fund.why("alpha") == ["halted by ana: hedge is gone"], "it survives a restart"
    end_halt(state, halt.id, "ben", clock.now())
    assert not fund.now.of("alpha").is_safe, "being resumed proves nothing"
    assert STEADY <= fund.becomes_safe() <= STEADY + 2
    add_halt(state, Halt("fund", "ana", "test", clock.now(), clock.now() + 10))
    assert not any(fund.now.of(id).is_safe for id in ("", "fund", "alpha", "beta")), "a halt is of all below it"
    assert STEADY <= fund.becomes_safe() <= STEADY + 12
    add_halt(state, Halt("", "ana", "stop", clock.now()))
    assert fund.why("beta") == ["everything halted by ana: stop"]
    assert fund.why() == ["everything halted by ana: stop"]


def test_a_halt_and_its_end_are_told_before_anybody_has_looked_again(fund: Fund) -> None:
    fund.goes_on(6)
    assert "every check is ready" in fund.why("alpha")[0]
    state, clock = fund.stores.state, fund.stores.clock
    halt = add_halt(state, Halt("alpha", "ana", "hedge is gone", clock.now()))
    assert fund.why("alpha") == ["halted by ana: hedge is gone"], "nothing beside it says that all is well"
    assert fund.why() == ["alpha: halted by ana: hedge is gone"]
    assert any("every check is ready" in each for each in fund.why("beta"))
    fund.firing.append(alert("Loss", portfolio="alpha"))
    fund.goes_on()
    assert fund.why("alpha") == ["halted by ana: hedge is gone", "1 urgent alert fires: Loss"]
    end_halt(state, halt.id, "ben", clock.now())
    assert fund.why("alpha") == ["1 urgent alert fires: Loss"]
    assert fund.now.of("alpha").halted_by == fund.now.whole.halted_by == ""
    halt = add_halt(state, Halt("alpha", "ana", "hedge is gone", clock.now()))
    fund.firing.clear()
    fund.goes_on()
    end_halt(state, halt.id, "ben", clock.now())
    assert fund.why("alpha") == ["trading was resumed: every check must be ready for a while before it is safe"]


def test_the_log_names_each_check_and_says_when_what_is_wrong_is_another_one(
    fund: Fund, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING")
    put_portfolios(fund.stores.state, [Portfolio("own", "gamma", "Gamma")])
    fund.goes_on(6)

    def said() -> list[str]:
        return [each for each in caplog.messages if "the fund is not safe" in each]

    told = said()[-1]
    assert f"{TITLES[Checks.LIMITS]} (gamma): daily loss is not known: it has no value yet; drawdown is" in told
    before = len(said())
    fund.goes_on(5)
    assert len(said()) == before
    fund.feed["connection"] = "not connected"
    fund.goes_on(3)
    assert len(said()) == before + 1
    assert f"{TITLES[Checks.FEEDS]}: IQFeed main: not connected" in said()[-1]


def test_what_is_not_set_up_is_not_watched_and_does_not_count(stores: Stores) -> None:
    fund = Fund(safe_stores(stores, watch=Watch()))
    fund.stores = replace(
        fund.stores, settings=fund.stores.settings.model_copy(update={"channels": stores.settings.channels})
    )
    fund.started()
    fund.becomes_safe()
    found = states(fund)
    assert {name for name, state in found.items() if state == State.NOT_WATCHED} == {
        "feeds", "broker", "positions", "books", "channel",
    }  # fmt: skip
    assert (fund.now.whole.ready, fund.now.whole.watched) == (9, 9)


def test_a_fund_whose_portfolios_have_ended_is_watched_for_the_rest(fund: Fund) -> None:
    ended = [Portfolio("own", id, id, ended="2020-01-01") for id in ("fund", "alpha", "beta")]
    put_portfolios(fund.stores.state, ended)
    fund.becomes_safe()
    assert states(fund)["limits"] == State.NOT_WATCHED


def test_a_value_that_is_overdue_is_not_safe(fund: Fund) -> None:
    put_portfolios(fund.stores.state, [Portfolio("own", "gamma", "Gamma")])
    fund.goes_on(6)
    assert any("it has no value yet" in each for each in fund.why("gamma"))
    assert states(fund, "gamma")["limits"] == State.UNKNOWN


def test_a_channel_is_proven_by_a_message_of_the_last_day(fund: Fund) -> None:
    fund.proven_ago = 86_400.0 - 15
    fund.becomes_safe()
    fund.goes_on(20)
    assert fund.why() == ["no channel has delivered a message for 1 d: send a test"]
    fund.proven_ago, fund.proven = 5.0, False
    assert STEADY <= fund.becomes_safe() <= STEADY + 12


def test_positions_that_a_program_tells_of_must_agree(stores: Stores) -> None:
    rules = Rules(steady_seconds=5, positions_metric="positions_unreconciled", positions_seconds=60)
    fund = Fund(safe_stores(stores, rules))

    def sent(value: float) -> None:
        sample = Sample("positions_unreconciled", value, labels(portfolio="alpha"))
        fund.stores.writer.put("desk", fund.stores.clock.now(), [sample])
        fund.stores.writer.flush()

    fund.goes_on(4)
    assert fund.why() == ["Reconciliation of positions: positions_unreconciled: no value has come"]
    sent(0.0)
    fund.becomes_safe()
    sent(2.0)
    fund.goes_on(5)
    assert fund.why("alpha") == ["2 positions differ from the broker's"]
    assert fund.now.of("beta").is_safe
    sent(0.0)
    fund.becomes_safe()
    fund.goes_on(61)
    (why,) = fund.why("alpha")
    assert "positions_unreconciled: no value came any more for" in why, "silence is no agreement"
    assert fund.now.of("beta").is_safe
    fund.goes_on(900)
    assert not fund.is_safe, "nor after a while"


def test_sources_that_are_taken_while_it_runs_are_looked_at(stores: Stores) -> None:
    fund = Fund(safe_stores(stores, watch=Watch()))
    fund.becomes_safe()
    assert states(fund)["feeds"] == State.NOT_WATCHED
    watch = Watch(freshness=(FreshnessSource.model_validate({"name": "ticks", "table": "ticks"}),))
    fund.looks_at.take(replace(fund.stores, settings=fund.stores.settings.model_copy(update={"watch": watch})))

    def ticks(status: Status, why: str) -> None:
        part, age = Component("Freshness ticks", status, why), table_of(Check, [Check("age", status, why)])
        fund.stores.live.put_reading(
            "freshness:ticks", "m", fund.stores.clock.now() + 1, 5.0, Reading(components=[part], tables=[age])
        )

    ticks(Status.CRITICAL, "the newest row is 10 min old")
    fund.goes_on()
    assert any("the newest row is 10 min old" in each for each in fund.why())
    fund.goes_on(20)
    assert any("newest reading" in each for each in fund.why()), "nor is it known when nobody tells any more"


def test_redis_away_is_not_safe_and_back_again_it_is(stores: Stores, tmp_path: Path) -> None:
    server = Valkey(tmp_path / "valkey")
    server.start()
    live = Live(server.url, "own")
    try:
        fund = Fund(safe_stores(replace(stores, live=live)))
        fund.becomes_safe()
        server.stop()
        answer = fund.now
        assert not answer.whole.is_safe
        assert answer.whole.reasons[0].startswith("Redis does not answer: ")
        assert not answer.of("alpha").is_safe
        fund.goes_on(2)
        server = Valkey(tmp_path / "valkey")
        server.start()
        while live.known_version("x") is None:
            time.sleep(0.05)
        assert STEADY - 2 <= fund.becomes_safe(90) <= STEADY + 12
    finally:
        live.close()
        server.stop()


def test_flushed_redis_says_nothing_until_the_next_look(fund: Fund) -> None:
    fund.becomes_safe()
    for key in fund.stores.live.client.scan_iter(fund.stores.live.key("*")):
        fund.stores.live.client.delete(key)
    assert fund.why() == ["nobody says whether it is safe: alerts are not evaluated"]
    fund.goes_on()
    assert fund.is_safe


def test_clickhouse_away_is_not_safe_and_back_again_it_is(
    stores: Stores, clickhouse_server: ClickHouseServer, database: str, tmp_path: Path
) -> None:
    clickhouse = ClickHouse(clickhouse_server.url, database, timeout_seconds=5)
    migrate(clickhouse)
    (tmp_path / "other").mkdir()
    with assembled(stores.settings, clickhouse, stores.live, stores.state, tmp_path / "other") as there:
        fund = Fund(safe_stores(there))
        fund.becomes_safe()
        clickhouse_server.kill()
        fund.goes_on(2)
        assert any(each.startswith("ClickHouse: ") for each in fund.why())
        assert not fund.now.of("alpha").is_safe
        clickhouse_server.start()
        while fund.stores.writer.is_away:
            time.sleep(0.05)
        assert STEADY <= fund.becomes_safe(90) <= STEADY + 20
    clickhouse.close()


def test_a_writer_that_stores_nothing_is_seen_though_clickhouse_answers(
    fund: Fund, monkeypatch: pytest.MonkeyPatch
) -> None:
    fund.becomes_safe()
    monkeypatch.setattr(fund.stores.writer, "flush", lambda: None)
    assert fund.goes_on(20, lambda: not fund.is_safe) <= 13
    assert fund.why()[0].endswith("was read back, and nothing newer")


def test_the_state_database_away_is_not_safe_and_is_recorded(fund: Fund, tmp_path: Path) -> None:
    fund.becomes_safe()
    file = fund.stores.state.file
    assert file is not None
    fund.stores.state.close()
    moved = [(each, each.with_name(f"{each.name}.away")) for each in file.parent.glob(f"{file.name}*")]
    for here, there in moved:
        here.rename(there)
    file.mkdir()
    try:
        assert fund.why()[0].startswith("the state database does not answer: ")
        assert not fund.now.of("alpha").is_safe
        fund.goes_on(3)
        rows = changes(fund)
    finally:
        file.rmdir()
        for here, there in moved:
            there.rename(here)
    assert [row[:2] for row in rows if row[0] == "alpha"] == [("alpha", 0), ("alpha", 1), ("alpha", 0)]
    assert STEADY <= fund.becomes_safe() <= STEADY + 13


def test_every_change_is_recorded_with_what_it_came_from(fund: Fund) -> None:
    fund.becomes_safe()
    fund.clock_offset = 0.2
    fund.goes_on()
    rows = [row for row in changes(fund) if row[0] == ""]
    assert [row[1] for row in rows] == [0, 1, 0]
    _, _, reasons, inputs = rows[-1]
    assert reasons == ["the clock is 200 ms off, 50 ms allowed on host-1"]
    found = {each["check"]: each for each in orjson.loads(inputs)}
    assert found["clock"]["state"] == State.NOT_READY
    assert found["feeds"]["state"] == State.READY
    seen = fund.stores.clickhouse.rows(
        "SELECT DISTINCT metric FROM series WHERE startsWith(metric, 'readiness_') ORDER BY metric"
    )
    assert [name for (name,) in seen] == [
        "readiness_canary", "readiness_checks_ready", "readiness_checks_watched", "readiness_safe",
    ]  # fmt: skip


def test_a_reading_that_nobody_renews_or_of_a_wrong_clock_is_not_safe(fund: Fund) -> None:
    fund.becomes_safe()
    clock = fund.stores.clock
    assert isinstance(clock, FakeClock)
    clock.advance(5.5)
    assert fund.why() == ["nobody has looked for 5.5 s"]
    assert {each.state for each in fund.now.checks} == {State.UNKNOWN, State.NOT_WATCHED}
    fund.goes_on()
    assert "nobody had looked for 6.5 s" in fund.why()[0], "of the time between nothing is proven"
    fund.becomes_safe()
    clock.jump(-60)
    assert fund.why() == ["it was looked at by a clock that is ahead of this one"]


def test_a_process_whose_engine_is_not_the_active_one_says_nothing(fund: Fund) -> None:
    fund.becomes_safe()
    fund.is_active = False
    fund.goes_on(6)
    assert not fund.is_safe
    fund.is_active = True
    fund.goes_on()
    assert not fund.is_safe, "what it knew when it was its turn proves nothing now"


def test_a_source_that_is_down_is_not_safe(fund: Fund) -> None:
    fund.becomes_safe()
    fund.silent.add("ib")
    part = Component("Interactive Brokers main", Status.DOWN, "connection refused")
    fund.stores.live.put_reading("ib:main", "host-1", fund.stores.clock.now(), 5.0, Reading(components=[part]))
    fund.goes_on()
    assert fund.why() == ["Interactive Brokers main: connection refused"]


def test_it_is_a_component_with_a_history_that_a_restart_does_not_break(fund: Fund) -> None:
    fund.becomes_safe()
    fund.goes_on()  # what is told in a look is recorded with the next one
    stores, began = fund.stores, fund.stores.clock.now()
    fund.feed["updates"] = "no update for 2 min"
    fund.goes_on(8)
    fund.feed.clear()
    fund.becomes_safe()
    fund.goes_on(12)
    fund.started()
    fund.becomes_safe()
    fund.goes_on()
    stores.writer.flush()
    reading = stores.live.reading(READINESS, stores.settings.machine)
    assert reading is not None
    assert [(each.name, each.status) for each in reading.components] == [(COMPONENT, Status.OK)]
    now = stores.clock.now()
    history = state_history(stores, [READINESS], began, now, host=stores.settings.machine)
    ((id, changes),) = history.items()
    assert (id.source, id.name) == (READINESS, COMPONENT)
    assert [each.state for each in changes][:3] == [Status.OK, Status.DOWN, Status.OK]
    assert changes[1].why == "IQFeed main: no update for 2 min"
    lost = time_in_states(changes, began, now).seconds
    assert 12 <= lost[Status.DOWN] <= 16
    assert lost.get(Status.UNKNOWN, 0.0) < 15, "after a start it is unknown for as long as nothing is proven"
    assert changes[-1].state is Status.OK


def test_after_a_start_it_is_unknown_until_it_was_safe_or_is_found_not_to_be(fund: Fund) -> None:
    def component() -> Component:
        reading = fund.stores.live.reading(READINESS, fund.stores.settings.machine)
        assert reading is not None
        return reading.components[0]

    fund.becomes_safe()
    clock = fund.stores.clock
    assert isinstance(clock, FakeClock)
    clock.advance(60.0)  # what was written before cannot be read back as something new
    fund.has_ticked = False
    fund.started()
    seen = []
    for second in range(30):
        fund.has_ticked = second > 3
        fund.goes_on()
        seen.append(component())
        if fund.is_safe:
            break
    assert {each.status for each in seen[:-1]} == {Status.UNKNOWN}, [each.why for each in seen]
    assert all(each.why.startswith("starting: ") for each in seen[:-1])
    assert seen[-1].status is Status.OK
    fund.started()
    fund.goes_on(8)
    fund.feed["connection"] = "not connected"
    fund.goes_on()
    assert component().status is Status.DOWN, "what is found is told at once"
    fund.feed.clear()
    fund.goes_on()
    assert component().status is Status.DOWN, "and it has to be proven that it is well again"


def test_an_urgent_alert_that_it_is_not_safe_does_not_keep_it_from_being_safe(fund: Fund) -> None:
    fund.feed["updates"] = "no update for 2 min"
    fund.firing = [replace(alert("Trading is not ready"), follows_readiness=True)]
    fund.goes_on(3)
    assert fund.why() == ["IQFeed main: no update for 2 min"]
    fund.feed.clear()
    fund.becomes_safe()
    fund.firing.append(alert("Disk"))
    fund.goes_on(2)
    assert fund.why() == ["1 urgent alert fires: Disk"]
    fund.firing = [alert("Jobs that report", component=f"Heartbeat {name}", collector="heartbeat:x") for name in "ab"]
    fund.goes_on(2)
    assert fund.why() == ["2 urgent alerts fire: Jobs that report (Heartbeat a), Jobs that report (Heartbeat b)"], (
        "each is named: a rule has many"
    )


def test_a_clock_that_could_be_asked_and_cannot_be_any_more_is_not_known(fund: Fund) -> None:
    fund.becomes_safe()
    fund.clock_is_asked = False
    fund.goes_on(2)
    assert fund.why() == ["Clock: the clock cannot be asked any more on host-1"]
    fund.started()
    fund.goes_on(2)
    assert "Clock: the clock cannot be asked any more on host-1" in fund.why(), "whoever looks next knows it too"
    fund.clock_is_asked = True
    fund.becomes_safe()
