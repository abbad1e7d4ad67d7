"""The health score: the arithmetic line by line, what is unknown, the cap, and its trend as it is stored."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.viewer import Viewer
from collectors.health import HealthCollector
from core.checks import Check
from core.clock import FakeClock
from core.errors import SettingsError
from core.machine.spec import Share
from core.model import Component, LiveReading, Reading, Sample, Status, Table, labels
from core.pipeline.health import LIMIT_SHARE, SCORE, Area, Level, area_of
from core.pipeline.health import POINTS as POINTS_OF
from core.roles import Role
from core.settings.health import Health
from core.settings.load import load_settings
from core.tables import table_of
from dashboard.tabs import health
from dashboard.views.tab import Choices, View
from status.health import CAP, POINTS, level_of, limit_share, present_components, present_readings, score_of
from status.readings import Found
from storage.stores import Stores
from tests.support.api import client_of

NOW = float(int(time.time()))
EQUAL = Health(trading_weight=1, storage_weight=1, pipeline_weight=1, services_weight=1, system_weight=1)


def found(
    collector: str, status: Status, name: str = "", share: float | None = None, host: str = "", why: str = "so it is"
) -> Found:
    table: dict[str, Table] = {}
    part = Component(name or collector, status, why)
    if share is not None:
        table = {"checks": table_of(Check, [Check("used", Status.OK, "", share), Check("other", Status.OK, "", 0.1)])}
        if ":" not in collector:
            table = {"shares": table_of(Share, [Share("cpu", part.name, "", share), Share("disk", "Disk /", "", 0.99)])}
    return Found(host, collector, part, LiveReading(collector, "host-1", NOW, 5, tables=table))


@pytest.mark.parametrize(
    ("status", "share", "points", "level", "why"),
    [
        (Status.OK, None, 100, Level.GREEN, "so it is"),
        (Status.OK, 0.699, 100, Level.GREEN, "so it is"),
        (Status.OK, 0.70, 60, Level.YELLOW, "70.0 % of its limit, 70.0 % or more"),
        (Status.OK, 0.85, 60, Level.YELLOW, "85.0 % of its limit, 70.0 % or more"),
        (Status.OK, 0.86, 20, Level.RED, "86.0 % of its limit, 85.0 % or more"),
        (Status.WARNING, 0.20, 60, Level.YELLOW, "so it is"),
        (Status.WARNING, 0.90, 20, Level.RED, "90.0 % of its limit, 85.0 % or more"),
        (Status.CRITICAL, None, 20, Level.RED, "so it is"),
        (Status.DOWN, 0.10, 0, Level.RED, "so it is"),
        (Status.UNKNOWN, 0.10, 0, Level.RED, "so it is"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("collector", ["redis:main", "system"])
def test_a_component_has_the_points_of_its_state_or_of_its_limit_whichever_are_less(
    collector: str, status: Status, share: float | None, points: float, level: Level, why: str
) -> None:
    (line,) = score_of([found(collector, status, "CPU", share)], Health()).lines
    assert (line.points, line.level, line.why, line.weight) == (points, level, why, 1)


def test_the_lines_add_up_by_area_and_by_weight() -> None:
    parts = [
        found("iqfeed:main", Status.OK),
        found("redis:main", Status.CRITICAL, "Redis main"),
        found("postgresql:main", Status.OK, "PostgreSQL main"),
        found("system", Status.WARNING, "CPU", host="host-1"),
        found("http:orders", Status.NOT_CONFIGURED),
    ]
    score = score_of(parts, Health(weights={"Redis *": 3}))
    told = {line.found.part.name: (line.area, round(line.weight, 3), line.points) for line in score.lines}
    assert told == {
        "iqfeed:main": (Area.TRADING, 0.5, 100),
        "Redis main": (Area.STORAGE, 0.225, 20),
        "PostgreSQL main": (Area.STORAGE, 0.075, 100),
        "CPU": (Area.SYSTEM, 0.2, 60),
    }  # services are not watched: trading has 5 of 5 + 3 + 2
    assert score.value == pytest.approx(50 + 4.5 + 7.5 + 12)
    assert score.value == pytest.approx(sum(line.adds for line in score.lines))
    assert (score.level, score.capped_by) == (Level.YELLOW, ())


@pytest.mark.parametrize("status", [Status.DOWN, Status.UNKNOWN])
def test_what_trading_rests_on_caps_all_of_it_when_it_is_down_or_nobody_knows(status: Status) -> None:
    fine = [found(f"http:{number}", Status.OK) for number in range(20)]
    score = score_of([*fine, found("ib:main", status, "Interactive Brokers main")], Health(trading_weight=1))
    assert (score.value, score.level, score.capped_by) == (CAP, Level.RED, ("Interactive Brokers main",))
    assert score.before_cap == pytest.approx(200 / 3), "the arithmetic shows what it would be"
    other = score_of([*fine, found("redis:main", status)], EQUAL)
    assert other.value == pytest.approx(50) and not other.capped_by


def test_what_is_not_watched_does_not_count_and_nothing_at_all_is_no_health() -> None:
    assert score_of([found("ib:main", Status.NOT_CONFIGURED), found("tcp:a", Status.OK)], Health()).value == 100
    nothing = score_of([], Health())
    assert (nothing.value, nothing.level, nothing.lines) == (0, Level.RED, ())
    assert score_of([found("tcp:a", Status.OK)], Health(services_weight=0)).value == 0


@pytest.mark.parametrize(("value", "level"), [(100, Level.GREEN), (85, Level.GREEN), (84.9, Level.YELLOW),
                                              (70, Level.YELLOW), (69.9, Level.RED)])  # fmt: skip
def test_the_colour_of_the_whole(value: float, level: Level) -> None:
    assert level_of(value) is level


COLLECTORS = st.sampled_from(["iqfeed:a", "ib:b", "redis:c", "kafka:d", "http:e", "system", "pipeline", "alerts"])
PARTS = st.builds(found, COLLECTORS, st.sampled_from(Status), share=st.none() | st.floats(0, 2))
WEIGHTS = st.builds(Health, **dict.fromkeys([f"{area}_weight" for area in Area], st.floats(0, 100)))


@given(st.lists(PARTS, min_size=1, max_size=12), WEIGHTS, st.data())
def test_unknown_never_raises_the_score_and_the_cap_holds(
    parts: list[Found], weights: Health, data: st.DataObject
) -> None:
    before = score_of(parts, weights)
    assert 0 <= before.value <= 100 + 1e-9
    assert before.value <= CAP or not before.capped_by
    at = data.draw(st.integers(0, len(parts) - 1))
    lost = replace(parts[at], part=replace(parts[at].part, status=Status.UNKNOWN))
    after = score_of([*parts[:at], lost, *parts[at + 1 :]], weights)
    if parts[at].part.status is not Status.NOT_CONFIGURED:
        assert after.value <= before.value + 1e-9
    assert math.isclose(sum(line.weight for line in after.lines), 1) or not after.value


def test_points_fall_with_the_state() -> None:
    order = [POINTS[each] for each in (Status.OK, Status.WARNING, Status.CRITICAL, Status.DOWN)]
    assert order == sorted(order, reverse=True) and POINTS[Status.UNKNOWN] == min(order)


def test_areas() -> None:
    told = {
        area_of(collector, name)
        for collector, name in (("freshness:x", ""), ("clickhouse:own", ""), ("pipeline", "writer"))
    }
    assert told == {Area.TRADING, Area.STORAGE}
    assert area_of("pipeline", "collector system") is Area.PIPELINE
    assert area_of("gone:x", "gone x") is Area.PIPELINE, "a kind that is no more is still somewhere"


def test_a_stale_reading_and_one_that_never_came_are_unknown(stores: Stores) -> None:
    stores = replace(stores, clock=FakeClock(NOW))
    stores.live.put_reading(
        "system", "host-1", NOW - 3_600, 5, Reading(components=(Component("CPU", Status.OK, "idle"),))
    )
    parts = present_components(stores.settings, present_readings(stores), NOW)
    states = {(each.collector, each.part.name): each.part.status for each in parts}
    assert states["system", "CPU"] is Status.UNKNOWN
    assert states["alerts", "alerts"] is Status.UNKNOWN
    assert score_of(parts, stores.settings.health).value == 0


def test_the_collector_stores_the_score_and_its_inputs(stores: Stores) -> None:
    share = table_of(Share, [Share("cpu", "CPU", "", 0.8)])
    parts = (Component("CPU", Status.OK, "idle"),)
    stores.live.put_reading("system", "host-1", NOW, 5, Reading(components=parts, tables=(share,)))
    collector = HealthCollector(stores)
    assert not collector.collect(NOW + 1).samples, "just after the start what has no reading yet makes a gap, no dip"
    stores.live.put_reading("system", "host-1", NOW + 60, 5, Reading(components=parts, tables=(share,)))
    reading = collector.collect(NOW + 62)
    values = {(each.metric, dict(each.labels).get("component")): each.value for each in reading.samples}
    assert 0 < values[SCORE, None] < 60, "the others have no reading yet, and count"
    assert values[LIMIT_SHARE, "CPU"] == 0.8
    assert values["health_component_points", "CPU"] == 60
    weights = [value for (metric, _), value in values.items() if metric == "health_component_weight_ratio"]
    assert sum(weights) == pytest.approx(1)


def test_a_weight_of_no_component_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNDWATCH_HEALTH__WEIGHTS", '{"": 2}')
    with pytest.raises(SettingsError, match="without a component"):
        load_settings()


def test_a_share_of_a_component_that_is_down_is_not_known() -> None:
    assert limit_share(found("redis:main", Status.DOWN, share=0.5)) is None


def test_the_api_tells_the_score_its_lines_and_its_course(stores: Stores) -> None:
    stores = replace(stores, clock=FakeClock(NOW))
    stores.live.put_reading("system", "host-1", NOW, 5, Reading(components=(Component("CPU", Status.OK, "idle"),)))
    stores.writer.put("host-1", NOW - 60, [Sample(SCORE, 42.0)])
    stores.writer.flush()
    client = client_of(stores)
    told = client.get("/api/v1/health?detailed=true").json
    assert told["score"] == pytest.approx(sum(line["adds"] for line in told["lines"]))
    assert (told["level"], told["capped_by"]) == ("red", []), "what has no reading yet counts"
    assert [line["points"] for line in told["lines"] if line["id"] == "host-1/system/CPU"] == [100]
    assert client.get("/api/v1/health").json["lines"] is None
    assert [point["mean"] for point in client.get("/api/v1/health/trend").json["items"]] == [42]


def test_the_course_of_a_component_is_told_and_drawn_beside_that_of_all_together(stores: Stores) -> None:
    stores = replace(stores, clock=FakeClock(NOW))
    parts = (Component("CPU", Status.OK, "idle"), Component("Disk", Status.OK, "half full"))
    stores.live.put_reading("system", "host-1", NOW, 5, Reading(components=parts))
    of = {each: labels(component=each, collector="system", host="host-1") for each in ("CPU", "Disk")}
    for ago in range(12, 0, -1):
        low = 20.0 if ago == 6 else 100.0
        samples = [Sample(SCORE, 90.0), Sample(POINTS_OF, low, of["CPU"]), Sample(POINTS_OF, 60.0, of["Disk"])]
        stores.writer.put(stores.settings.machine, NOW - 900 * ago, samples)
    stores.writer.flush()
    client = client_of(stores)
    trend = client.get("/api/v1/health/trend?period=24h&component=host-1/system/CPU").json["items"]
    assert [point["low"] for point in trend].count(20) == 1 and {point["low"] for point in trend} == {20, 100}
    assert {dict(point["labels"])["component"] for point in trend} == {"CPU"}
    refused = client.get("/api/v1/health/trend?component=host-1/system/CPUs")
    assert refused.status_code == 422 and "Did you mean host-1/system/CPU?" in refused.json["fix"]

    def drawn(**choices: str) -> View:
        assert health.PAGE.build is not None
        return health.PAGE.build(stores, Choices.of(choices), Viewer("ana", Role.VIEWER))

    plain = drawn()
    assert [line["name"] for line in plain.figures[health.PAST.graph]["data"]] == ["all together"]
    assert "CPU: fewest points in 24 h: 20" in str(plain.slots[health.LINES.slot])
    both = drawn(component="host-1/system/CPU").figures[health.PAST.graph]["data"]
    assert [line["name"] for line in both] == ["all together", "CPU"]
    assert min(value for value in both[1]["y"] if value is not None) == 20
