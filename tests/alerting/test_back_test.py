"""A rule tried on the past says what the engine did: the same judging over what is stored."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import status.back_test as limits
from alerting.engine import Engine
from alerting.figures import Figures
from core.alerts.evaluate import Value
from core.alerts.expression import Figure, Worked
from core.alerts.rule import Rule
from core.alerts.series import Series
from core.clock import FakeClock
from core.model import Component, Facts, Labels, Reading, Sample, Status, labels
from portfolio import rule_figures
from portfolio.rule_figures import past_of_portfolios
from portfolio.vocabulary import vocabulary
from status.back_test import BackTest, back_test
from status.played import played
from storage.clickhouse.reads.state_changes import ComponentId, StateChange, state_change_facts
from storage.state.alerts import read_history
from storage.state.database import State
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.alerting.test_engine import PLAN, World
from tests.support.api import put_daily
from tests.support.times import DAY, MIDNIGHT

HOUR = 3_600
NOW = float(MIDNIGHT + 20 * HOUR)
HOSTS = (labels(host="a"), labels(host="b"))
VALUES = st.lists(
    st.tuples(*[st.one_of(st.none(), st.sampled_from([0.2, 0.75, 0.85, 0.95]))] * len(HOSTS)), min_size=5, max_size=60
)
TIMINGS = st.fixed_dictionaries(
    {
        "for": st.sampled_from(["0 s", "10 s", "30 s"]),
        "keep_firing_for": st.sampled_from(["0 s", "20 s"]),
        "clear": st.sampled_from(["", "cpu < 70 %"]),
        "no_data": st.sampled_from(["alert", "keep", "ok"]),
    }
)


def rule(**fields: Any) -> Rule:
    return Rule.model_validate({"name": "busy", "when": "cpu > 80 %", **fields})


def happened(state: State) -> list[tuple[float, Labels, str]]:
    with state.reading() as connection:
        rows = [row for _, row in reversed(read_history(connection, 10_000))]
    return [
        (row.at, tuple(sorted(orjson.loads(row.labels).items())), row.what)
        for row in rows
        if row.what in ("fires", "resolved")
    ]


@given(VALUES, TIMINGS, st.sampled_from([10.0, 1_800.0]), st.booleans())
@settings(max_examples=40)
def test_it_says_what_the_engine_did_when_the_same_series_was_fed_to_it(
    course: Sequence[Sequence[float | None]], timing: dict[str, str], step: float, is_gone: bool
) -> None:
    """Where there is no value a series is reported without one, or is not reported and is forgotten in the end."""
    meant = rule(**timing, every=f"{step:g} s")
    with tempfile.TemporaryDirectory() as folder:
        state = State(f"sqlite:///{Path(folder) / 'state.sqlite'}")
        state.migrate()
        world = World(state, (meant,))
        began = world.clock.now()
        for values in course:
            now = dict(zip(HOSTS, values, strict=True))
            world.values = {host: value for host, value in now.items() if value is not None or not is_gone}
            world.runs(step, step)
        live = happened(state)
        state.close()
    times = [began + step * number for number in range(1, len(course) + 1)]
    series = []
    for place, host in enumerate(HOSTS):
        of = [(at, values[place]) for at, values in zip(times, course, strict=True)]
        some = [(at, value) for at, value in of if value is not None or not is_gone]
        stored = [at for at, _ in some], [value for _, value in some]
        series.append(Series(Figure("cpu"), host, *stored, step / 2, is_gone_when_stale=is_gone))
    found: list[tuple[float, Labels, str]] = []
    announced: set[Labels] = set()
    for now in played(meant, series, times):
        for of in now.changed:
            is_so = now.of(of).is_announced
            if is_so != (of in announced):
                found.append((now.at, of, "fires" if is_so else "resolved"))
                (announced.add if is_so else announced.discard)(of)
    assert sorted(found) == sorted(live)


@pytest.fixture
def past(stores: Stores) -> Stores:
    """Stores in which three hours of two processors stand: busy for twenty minutes, and for one."""
    for second in range(0, 3 * HOUR, 5):
        total = 0.95 if 3_600 <= second < 4_800 or 7_200 <= second < 7_260 else 0.4
        samples = [
            Sample("system_cpu_busy_ratio", total, labels(core="total")),
            Sample("system_cpu_busy_ratio", 0.3, labels(core="0")),
        ]
        stores.writer.put("host-1", NOW - 3 * HOUR + second, samples)
    stores.writer.flush()
    return replace(stores, clock=FakeClock(NOW))


def tried(stores: Stores, when: str, **fields: Any) -> BackTest:
    asked = Rule.model_validate({"name": "asked", "when": when, **fields})
    return back_test(stores, asked, vocabulary(), past_of_portfolios(stores))


def test_stored_samples_are_judged_and_it_is_said_how_far_they_reach(past: Stores) -> None:
    found = tried(past, "system_cpu_busy_ratio > 90 %", **{"for": "5 min"})
    (fired,) = found.fired
    assert dict(fired.labels) == {"core": "total", "machine": "host-1"} and not fired.lacks_data
    assert fired.start == pytest.approx(NOW - 2 * HOUR + 300, abs=20)
    assert fired.end == pytest.approx(NOW - 2 * HOUR + 1_200, abs=20)
    assert found.sentence == "It would have fired 1 time in the last 3 h, for 15 min in all."
    assert found.notes == ("History reaches back 3 h.",)
    assert (found.matched, found.step_seconds) == (2, 15)
    assert [dict(each.labels)["core"] for each in found.drawn] == ["total", "0"], "what fired is drawn first"
    assert [each.value for each in found.thresholds] == [0.9]
    assert max(value for value in found.drawn[0].values if value is not None) == 0.95
    both = tried(past, 'system_cpu_busy_ratio{core="total"} > 90 %')
    assert len(both.fired) == 2, "without a time to hold it fires for the minute as well"
    assert "not have fired" in tried(past, "avg(system_cpu_busy_ratio, 1 h) > 90 %").sentence
    (lasting,) = tried(past, "avg(system_cpu_busy_ratio, 10 min) > 60 %").fired
    # A share of 0.36 of the ten minutes is enough: it begins as soon as they hold that, and ends when they do not.
    assert lasting.end - lasting.start == pytest.approx(1_200 + 600 * (1 - 2 * 0.2 / 0.55), abs=45)


def test_what_cannot_be_looked_at_is_said(past: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tried(past, "age > 60 s").sentence == "It cannot be tried on the past: of age no history is kept."
    assert "nothing is stored of system_load" in tried(past, "system_load > 3").sentence
    monkeypatch.setattr(limits, "MOST_SERIES", 1)
    assert "2 series match; the first 1 were looked at." in tried(past, "system_cpu_busy_ratio > 90 %").notes
    monkeypatch.setattr(limits, "MOST_EVALUATIONS", 400)
    assert "It was looked at every 30 s, not every 15 s." in tried(past, "system_cpu_busy_ratio > 90 %").notes
    monkeypatch.undo()
    monkeypatch.setattr(limits, "MOST_SECONDS", -1.0)
    slow = tried(past, "system_cpu_busy_ratio > 90 %")
    assert slow.notes[-1] == "It was looked at every 4 min, not every 15 s." and slow.end == NOW
    assert "in the last 3 h" in slow.sentence and len(slow.fired) >= 1, "no part of the time is left out"


def test_a_series_that_ended_lacks_data_and_that_is_told_apart(past: Stores) -> None:
    late = replace(past, clock=FakeClock(NOW + 1_800))
    (fired, lacking) = tried(late, 'system_cpu_busy_ratio{core="total"} > 90 %', **{"for": "5 min"}).fired
    assert not fired.lacks_data and lacking.lacks_data and lacking.is_open
    assert "(1 time for lack of data)" in tried(late, 'system_cpu_busy_ratio{core="0"} > 90 %').sentence


def test_a_series_that_was_there_for_a_while_alone_is_forgotten_as_the_engine_forgets_it(stores: Stores) -> None:
    """A batch job tells of itself for some minutes, a device is unplugged: nobody misses them, nor does a trial."""
    for second in range(0, 3 * HOUR, 5):
        samples = [Sample("system_disk_used_ratio", 0.5, labels(mount="/"))]
        if second < 600:
            samples += [
                Sample("batch_rows", 9.0, labels(run="1")), Sample("system_disk_used_ratio", 0.5, labels(mount="/usb"))
            ]  # fmt: skip
        stores.writer.put("host-1", NOW - 3 * HOUR + second, samples)
    stores.writer.flush()
    now = replace(stores, clock=FakeClock(NOW))
    assert not tried(now, "batch_rows > 10").fired
    assert not tried(now, "system_disk_used_ratio > 80 %").fired


def test_states_of_components_are_tried_too(stores: Stores) -> None:
    now = replace(stores, clock=FakeClock(NOW))
    id = ComponentId("host-1", "system", "Disk")
    ok = StateChange(NOW - 5 * HOUR, id, Status.OK, None, 0.0, "")
    down = StateChange(NOW - 2 * HOUR, id, Status.DOWN, Status.OK, 3.0 * HOUR, "full")
    again = StateChange(NOW - HOUR, id, Status.OK, Status.DOWN, 1.0 * HOUR, "")
    stores.clickhouse.insert(state_change_facts([ok, down, again]))
    reading = Reading([], [Component("Disk", Status.OK, "")])
    stores.live.put_reading("system", "host-1", NOW, 5.0, reading)
    here = replace(now, settings=now.settings.model_copy(update={"machine": "host-1"}))
    found = tried(here, 'status{component="Disk"} >= critical', severity="critical")
    (fired,) = found.fired
    assert fired.end - fired.start == pytest.approx(HOUR, abs=30)
    assert found.thresholds[0].value == 3 and found.drawn[0].values[-1] == 0


def test_figures_of_portfolios_are_worked_out_as_of_each_value(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha")])
    put_daily(stores, "alpha", [100.0, 101.0, 102.0, 90.0, 91.0, 92.0, 93.0], end=MIDNIGHT)
    found = tried(replace(stores, clock=FakeClock(NOW)), "daily_return < -5 %", every="5 min")
    (new, fired) = found.fired
    assert new.lacks_data and new.end == MIDNIGHT - 5 * DAY, "of one value there is no return yet"
    assert dict(fired.labels) == {"portfolio": "alpha"}
    assert fired.start == pytest.approx(MIDNIGHT - 3 * DAY, abs=600)
    assert fired.end - fired.start == pytest.approx(DAY, abs=600)


def test_it_says_for_which_series_it_would_fire_at_once(past: Stores) -> None:
    assert tried(past, "system_cpu_busy_ratio > 30 %").at_once.sentence == (
        "Saved now, it would fire at once for 1 of 2 series: core total, machine host-1."
    )
    lasting = tried(past, "system_cpu_busy_ratio > 20 %", **{"for": "5 min"}).at_once
    assert lasting.sentence.startswith(
        "Saved now, it would fire after 5 min for 2 of 2 series: core 0, machine host-1; "
    )
    assert "it holds for none of 2 series" in tried(past, "system_cpu_busy_ratio > 90 %").at_once.sentence
    late = replace(past, clock=FakeClock(NOW + 1_800))
    blind = tried(late, "system_cpu_busy_ratio > 20 %").at_once
    assert not blind.holds and "Of 2 there are no data, which is told after 45 s: core 0" in blind.sentence
    assert not tried(late, "system_cpu_busy_ratio > 20 %", no_data="ok").at_once.lacks
    assert tried(past, "age > 60 s").at_once is None


def put_values(stores: Stores, values: Sequence[tuple[float, float, float]]) -> None:
    """Store values of alpha: time, value, and the money that moved in."""
    times, navs, flows = zip(*values, strict=True)
    many = len(values)
    columns = ("origin", "portfolio", "ts", "nav", "flow", "version")
    ms = [int(at * 1_000) for at in times]
    data = (["own"] * many, ["alpha"] * many, [int(at) for at in times], list(navs), list(flows), ms)
    stores.clickhouse.insert(Facts("nav", columns, data))
    stores.live.bump("portfolio")


def test_a_value_counts_from_when_it_came_and_until_the_next_and_none_when_that_is_overdue(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha")])
    put_daily(stores, "alpha", [100.0, 101.0, 100.0], end=MIDNIGHT - 6 * DAY)
    fell, rose = MIDNIGHT - 6 * DAY + 14 * HOUR, MIDNIGHT - 6 * DAY + 15 * HOUR
    put_values(stores, [(fell, 90.0, 0.0), (rose, 99.5, 0.0)])
    now = replace(stores, clock=FakeClock(NOW))
    found = tried(now, "daily_return < -5 %", every="1 min")
    (fired, overdue) = found.fired
    assert fired.start == pytest.approx(fell, abs=60) and fired.end == pytest.approx(rose, abs=60), "within the day"
    assert overdue.lacks_data and overdue.start == pytest.approx(rose + 4 * DAY, abs=400), "as value_overdue has it"
    assert found.step_seconds == 60 and not found.notes


def test_many_values_are_looked_at_less_often_over_all_of_the_time_and_that_is_said(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha")])
    put_daily(stores, "alpha", [100.0] * 3, end=MIDNIGHT - 8 * DAY)
    first = MIDNIGHT - 6 * DAY
    put_values(stores, [(first + 1 + 600 * n, 90.0 if n < 144 or n > 720 else 100.0, 0.0) for n in range(800)])
    now = replace(stores, clock=FakeClock(NOW))
    assert not tried(now, "daily_return < -5 %", every="1 min").notes
    monkeypatch.setattr(rule_figures, "MOST_FIGURES", 100)
    found = tried(now, "daily_return < -5 %", every="1 min")
    (note,) = found.notes
    assert note == "Of the values that came, the last in 1 h 22 min was looked at, not each."
    assert found.fired[0].start < first + DAY and found.fired[-1].end > NOW - DAY, "from the first day to the last"


class Fed(Figures):
    """Reads in ticks, of the same stores at other times."""

    def __init__(self, stores: Stores, meant: Rule) -> None:
        super().__init__(stores)
        self.use([meant])

    def __call__(self, operand: Figure | Worked) -> Sequence[Value]:
        self.begin()
        return super().__call__(operand)


@given(st.data())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_of_portfolios_it_says_what_the_engine_did_when_the_same_values_came(
    stores: Stores, data: st.DataObject
) -> None:
    """Values come within days and not at all for days, and money moves; the engine reads each as it came.

    There is a portfolio with values, one whose values have ended, and the sum of both.
    """
    for table in ("nav", "nav_daily", "nav_flows"):
        stores.clickhouse.command(f"TRUNCATE TABLE {table}")
    parts = [Portfolio("own", each, each, parent="fund") for each in ("alpha", "beta")]
    put_portfolios(stores.state, [Portfolio("own", "fund", "Fund"), *parts])
    step = data.draw(st.sampled_from([1_800, 7_200]))
    began = int(NOW) - limits.LOOKED_BACK_SECONDS
    values = st.sampled_from([100.0, 104.0, 94.0, 88.0])
    put_daily(stores, "alpha", data.draw(st.lists(values, min_size=3, max_size=6)), end=MIDNIGHT - 8 * DAY)
    put_daily(stores, "beta", [50.0, 51.0, 52.0], end=MIDNIGHT - 8 * DAY)
    slots = data.draw(st.lists(st.integers(0, 7 * 24 - 1), min_size=1, max_size=25, unique=True))
    to_come = [
        (float(began + HOUR * slot + data.draw(st.sampled_from([1, 600, 1_800]))), data.draw(values),
         data.draw(st.sampled_from([0.0, 0.0, 10.0, -5.0])))
        for slot in sorted(slots)
    ]  # fmt: skip
    when = data.draw(st.sampled_from(["daily_return < -5 %", "current_drawdown < -8 %", "return_mtd[ytd] < 0"]))
    meant = rule(when=when, every=f"{step} s", no_data=data.draw(st.sampled_from(["alert", "keep", "ok"])))
    with tempfile.TemporaryDirectory() as folder:
        state = State(f"sqlite:///{Path(folder) / 'state.sqlite'}")
        state.migrate()
        clock = FakeClock(float(began))
        fed = Fed(replace(stores, clock=clock), meant)
        engine = Engine(state, clock, fed, lambda of, _: (of.name, PLAN), lambda *_: "", 1)
        engine.start([meant])
        waiting = [*to_come]
        while clock.now() + step <= NOW:
            clock.advance(float(step))
            came = [each for each in waiting if each[0] <= clock.now()]
            if came:
                put_values(stores, came)
                waiting = waiting[len(came) :]
            engine.tick()
        live = happened(state)
        state.close()
    found = tried(replace(stores, clock=FakeClock(NOW)), when, every=f"{step} s", no_data=meant.no_data.value)
    told = [(each.start, each.labels, "fires") for each in found.fired]
    told += [(each.end, each.labels, "resolved") for each in found.fired if not each.is_open]
    assert sorted(told) == sorted(live)
