"""The Services tab and the sources on the Pipeline tab, from real stores: what a person reads, and what it costs."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from core.clock import DAY_SECONDS, FakeClock
from core.errors import StorageUnavailable
from core.kinds.heartbeat.source import HeartbeatSource
from core.kinds.heartbeat.spec import About as JobAbout
from core.kinds.http.source import HttpSource
from core.kinds.process.spec import Process
from core.kinds.registry import Watch
from core.kinds.service_spec import About, States
from core.kinds.tcp.source import TcpSource
from core.memo import Memo
from core.model import Component, Reading, Sample, Status, Table, labels
from core.tables import table_of
from core.web import spec
from core.web.spec import RouteRequests, SlowCall
from dashboard.charts.timeseries import Line, line_figure
from dashboard.components.beats import beat_strip
from dashboard.services.cards import uptime
from dashboard.tabs import pipeline, services
from dashboard.views.panel import TableBody
from dashboard.views.tab import Choices, View
from status.history import Beat
from storage.clickhouse.reads.state_changes import ComponentId, StateChange, state_change_facts
from storage.stores import Stores
from tests.support.views import built, laid_out, text

NONE = Choices()
EVERY = 30


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uptimes are kept for half a minute, in which the next test has begun."""
    monkeypatch.setattr(services, "_uptimes", Memo())


@pytest.fixture
def stores(stores: Stores) -> Stores:
    watch = Watch(
        http=(HttpSource(name="orders", url=SecretStr("http://10.0.0.3/health"), group="OMS"),),
        tcp=(
            TcpSource(name="gateway", host="10.0.0.4", port=9878),
            TcpSource(name="old", host="10.0.0.4", port=1, paused=True),
        ),
        heartbeat=(HeartbeatSource(name="bars", token=SecretStr("12345678")),),
    )
    settings = stores.settings.model_copy(update={"watch": watch})
    return replace(stores, settings=settings, clock=FakeClock(float(int(time.time()))))


def show(stores: Stores, collector: str, name: str, status: Status, why: str, *about: Table) -> None:
    reading = Reading(components=(Component(name, status, why),), tables=about)
    stores.live.put_reading(collector, "host-1", stores.clock.now(), EVERY, reading)


def about(
    state: States, since: float, target: str, group: str = "", seconds: float | None = None, *, by_hand: bool = False
) -> Table:
    return table_of(About, [About(state, since, target, group, seconds, by_hand, None)])


def of_heartbeat(**facts: Any) -> Table:
    return Table("about", tuple(facts), (tuple(facts.values()),))


def store(stores: Stores, kind: str, instance: str, checks: list[bool]) -> None:
    """Store checks, the newest now; the last failed one of a run that began with a good one counts as pending."""
    now = stores.clock.now()
    failed = 0
    for number, is_good in enumerate(checks):
        ts = now - EVERY * (len(checks) - 1 - number)
        failed = 0 if is_good else failed + 1
        up = float(failed < 2)
        named = labels(instance=instance)
        samples = [Sample(f"{kind}_up", up, named), Sample(f"{kind}_failed_tries", float(failed), named)]
        stores.writer.put("host-1", ts, [*samples, Sample(f"{kind}_response_seconds", 0.02, named)])
    stores.writer.flush()


def fill(stores: Stores) -> None:
    now = stores.clock.now()
    show(stores, "http:orders", "HTTP orders", Status.DOWN, "nothing listens at 10.0.0.3:80 (connection refused)",
         about(States.DOWN, now - 90, "http://10.0.0.3/health", "OMS"))  # fmt: skip
    show(stores, "tcp:gateway", "TCP gateway", Status.OK, "connected in 2.0 ms",
         about(States.UP, now - 9_000, "10.0.0.4:9878", seconds=0.002))  # fmt: skip
    show(stores, "tcp:old", "TCP old", Status.NOT_CONFIGURED, "paused in the settings",
         about(States.PAUSED, now, "10.0.0.4:1"))  # fmt: skip
    store(stores, "http", "orders", [True] * 96 + [False] * 4)
    store(stores, "tcp", "gateway", [True] * 100)
    why = "nothing listens at 10.0.0.3:80"
    down = StateChange(now - 60, ComponentId("", "http:orders"), Status.DOWN, Status.WARNING, 30.0, why)
    stores.clickhouse.insert(state_change_facts([down]))


def test_what_is_down_stands_first_with_its_reason_uptime_and_last_change(stores: Stores) -> None:
    fill(stores)
    view = built(services.TAB, stores)
    line = text(view.slots["services-verdict"])
    assert "HTTP orders : nothing listens at 10.0.0.3:80 (connection refused)." in line
    assert "1 fine. 1 paused." in " ".join(line.split())
    table = text(view.slots["services-all-table"])
    assert table.index("HTTP orders") < table.index("TCP gateway") < table.index("TCP old")
    assert "97.000 %" in table  # 3 of 100: the first failure was retried
    assert "100 %" in table and "paused" in table
    assert "HTTP orders ✕ down warning 30 s" in " ".join(text(view.slots["services-changes-table"]).split())


def test_beats_tell_up_retried_down_and_missing() -> None:
    states = ["up"] * 30 + ["pending", "down", "down"]
    strip = beat_strip([Beat(float(n), state) for n, state in enumerate(states)])
    assert strip.title == "Last 33 checks: 30 up, 1 failed but retried, 2 down"
    drawn = strip.style["backgroundImage"]
    assert drawn.count("linear-gradient(") == 4
    assert drawn.endswith("linear-gradient(to right, #0000 0% 96.67%, var(--fw-critical) 96.67% 100%)")
    assert strip.style["backgroundSize"].endswith("100%")  # what is down stands out by its height too
    assert [uptime(share) for share in (None, 1.0, 0.999_999_9, 0.97)] == ["n/a", "100 %", "99.999 %", "97.000 %"]


def test_heartbeats_stand_on_the_pipeline_tab_and_kinds_that_are_not_watched_do_not(stores: Stores) -> None:
    now = stores.clock.now()
    job = JobAbout(
        state="down", due=now + 60, last_success=None, running_since=None, period_seconds=86_400.0, schedule="",
        calendar="", grace_seconds=600.0, median_seconds=None, failures=1, runs=4, last_seconds=None, last_rows=12,
        expected_rows=100, last_bytes=None, last_files=None,
    )  # fmt: skip
    component = Component("Heartbeat bars", Status.DOWN, "failed 3 min ago: disk full")
    reading = Reading(components=(component,), tables=(table_of(JobAbout, [job]),))
    stores.live.put_reading("heartbeat:bars", "host-1", now, EVERY, reading)
    view = built(pipeline.TAB, stores)
    assert "Heartbeat bars : failed 3 min ago: disk full." in text(view.slots["pipeline-sources-verdict"])
    table = text(view.slots["pipeline-sources-heartbeat-jobs-table"])
    assert "12 of 100" in table
    assert "1 of 4" in table
    assert not [id for id in (*view.slots, *view.figures) if "freshness" in id]
    assert "Freshness" in laid_out(pipeline.TAB, stores)


def test_without_clickhouse_the_present_stays_and_the_reason_is_told(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(stores)

    def away(*_: object, **__: object) -> None:
        raise StorageUnavailable("connection refused")

    monkeypatch.setattr(stores.clickhouse, "rows", away)
    monkeypatch.setattr(stores.clickhouse, "columns", away)
    view = built(services.TAB, stores)
    assert "HTTP orders" in text(view.slots["services-verdict"])
    assert "connected in 2.0 ms" in text(view.slots["services-all-table"])
    assert "Storage does not answer" in view.notes["services-http-response"]


def test_an_uptime_tells_how_much_of_its_time_was_watched(stores: Stores) -> None:
    fill(stores)
    cells = {row.children[1].children: row.children for row in rows_of(built(services.TAB, stores))}
    day, month, _ = shares(cells["HTTP orders"])
    assert day.children == "97.000 %"
    assert day.title == "watched 50 min of 24 h: 97 of 100 checks found it up"
    assert "fw-tone-muted" in day.className, "of most of the day nothing is known: no verdict"
    assert month.title == "watched 50 min of 30 d: 97 of 100 checks found it up"
    assert [cell.children for cell in shares(cells["TCP old"])] == ["–"] * 3
    assert "30 d 100 % (watched 50 min)" in str(built(services.TAB, stores).slots["services-cards"])


def test_an_uptime_of_a_watched_day_is_judged(stores: Stores) -> None:
    show(stores, "tcp:gateway", "TCP gateway", Status.OK, "connected in 2.0 ms")
    store(stores, "tcp", "gateway", [False] * 200 + [True] * 1800)
    (row,) = [row for row in rows_of(built(services.TAB, stores)) if "TCP gateway" in text(row)]
    day, month, _ = shares(row.children)
    assert "fw-tone-critical" in day.className
    assert day.title.startswith("watched 16 h 40 min of 24 h: 1\u202f801 of 2\u202f000 checks")
    assert "fw-tone-muted" in month.className


def rows_of(view: View) -> list[Any]:
    """Return the rows of the table of services."""
    return list(view.slots["services-all-table"].children.children[-1].children)


def shares(cells: list[Any]) -> list[Any]:
    """Return the cells of 24 h, 30 d and 1 y."""
    return [cell for cell in cells if getattr(cell, "data-label") in ("24 h", "30 d", "1 y")]


def test_services_without_a_card_are_counted_and_their_table_is_linked(stores: Stores) -> None:
    names = [f"s{number:02d}" for number in range(20)]
    ports = tuple(TcpSource(name=name, host="10.0.0.4", port=9878) for name in names)
    watch = Watch(http=(HttpSource(name="z", url=SecretStr("http://10.0.0.3/")),), tcp=ports)
    stores = replace(stores, settings=stores.settings.model_copy(update={"watch": watch}))

    def strip(down: int) -> list[Any]:
        show(stores, "http:z", "HTTP z", Status.OK, "200 OK")
        for number, name in enumerate(names):
            show(stores, f"tcp:{name}", f"TCP {name}", Status.DOWN if number < down else Status.OK, "as it is")
        return list(built(services.TAB, stores).slots["services-cards"].children[-1].children)

    *cards, more = strip(down=2)
    assert len(cards) == 12
    assert [text(each).split()[:2] for each in cards[:2]] == [["TCP", "s00"], ["TCP", "s01"]]
    assert " ".join(text(more).split()) == "9 more services in the table below, all fine"
    assert more.href == "#services-all"
    assert "in the table below, 3 of them in trouble" in text(strip(down=15)[-1])


def test_each_kind_says_its_own_figure_on_its_card(stores: Stores) -> None:
    figures = {
        "process": ("process_resident_bytes", 3 * 2.0**20, "3.00 MiB resident"),
        "systemd": ("systemd_uptime_seconds", 7_200.0, "2 h active"),
        "nginx": ("nginx_requests_per_second", 42.0, "42 requests/s"),
        "scrape": ("scrape_response_seconds", 0.034, "34 ms"),
    }
    stores = watching_machine(stores)
    for kind, (metric, value, _) in figures.items():
        part = Component(f"{kind} a", Status.OK, "fine")
        reading = Reading(samples=[Sample(metric, value, labels(instance="a"))], components=(part,))
        stores.live.put_reading(f"{kind}:a", "host-1", stores.clock.now(), EVERY, reading)
    cards = " ".join(text(built(services.TAB, stores).slots["services-cards"]).split())
    for _, _, shown in figures.values():
        assert shown in cards


def test_the_box_above_processes_finds_its_rows(stores: Stores) -> None:
    stores = watching_machine(stores)
    small, big = (Process(pid, f"job-{pid}", "fund", 1.0, None, pid * 1_000, 1, "running") for pid in (7, 8))
    show(stores, "process:a", "Process a", Status.OK, "2 processes", table_of(Process, [small, big]))
    view = built(services.TAB, stores)
    holds = {panel.id: panel for panel in services.TAB.panels}["services-process-processes"].holds
    assert isinstance(holds, TableBody)
    assert f"'{holds.filters}'" in str(view.slots["services-process-processes-table"])
    processes = text(view.slots["services-process-processes-table"])
    assert processes.index("job-8") < processes.index("job-7"), "most memory first"


def watching_machine(stores: Stores) -> Stores:
    """Return the stores, watching a process, a unit, an Nginx and an exporter, each called a."""
    url = "http://10.0.0.2/"
    watch = {
        "process": [{"name": "a", "process": "job"}],
        "systemd": [{"name": "a", "unit": "oms.service"}],
        "nginx": [{"name": "a", "url": url}],
        "scrape": [{"name": "a", "url": url}],
    }
    settings = stores.settings.model_copy(update={"watch": Watch.model_validate(watch)})
    return replace(stores, settings=settings)


def test_a_certificate_is_coloured_by_the_time_left_and_a_pause_by_hand_can_be_resumed(stores: Stores) -> None:
    now = stores.clock.now()
    facts = About(States.UP, now, "http://10.0.0.3/health", "OMS", 0.02, False, now + 2 * DAY_SECONDS)
    show(stores, "http:orders", "HTTP orders", Status.OK, "200 OK", table_of(About, [facts]))
    show(stores, "tcp:gateway", "TCP gateway", Status.NOT_CONFIGURED, "paused by hand",
         about(States.PAUSED, now, "10.0.0.4:9878", by_hand=True))  # fmt: skip
    rows = {text(row.children[1]).strip(): row for row in rows_of(built(services.TAB, stores))}
    (left,) = [cell for cell in rows["HTTP orders"].children if getattr(cell, "data-label") == "Certificate"]
    assert text(left).strip() == "2 d"
    assert "fw-tone-critical" in left.className
    assert "Pause" in text(rows["HTTP orders"])
    assert "Resume" in text(rows["TCP gateway"])


def test_long_names_of_lines_are_cut_to_the_room_beside_the_chart_and_whole_on_hover() -> None:
    name = "WWW-MAIN-WWW-MMMM-primary"
    figure = line_figure([Line(name, [0, 60], [1.0, 2.0], "@series-1")], (0, 60), unit="ms")
    (label,) = figure["layout"]["annotations"]
    assert label["text"] == "WWW-MAIN-WWW…"
    assert figure["data"][0]["name"] == name
    short = line_figure([Line("orders-api-primary", [0, 60], [1.0, 2.0], "@series-1")], (0, 60), unit="ms")
    assert short["layout"]["annotations"][0]["text"] == "orders-api-primary"
    assert 100 < short["layout"]["margin"]["r"] <= 140


def test_an_interface_of_a_machine_that_is_no_longer_read_is_neither_up_nor_down(stores: Stores) -> None:
    named = labels(nic="eth0")
    reading = Reading(samples=[Sample("system_network_up", 1.0, named)])
    stores.live.put_reading("system", "host-1", stores.clock.now(), 5, reading)
    assert "✓ up" in " ".join(text(built(services.TAB, stores).slots["services-interfaces-table"]).split())
    later = replace(stores, clock=FakeClock(stores.clock.now() + 60))
    assert "? unknown" in " ".join(text(built(services.TAB, later).slots["services-interfaces-table"]).split())


def test_requests_tell_what_fundwatch_answers_with_their_own_age(stores: Stores) -> None:
    now = stores.clock.now()
    rows = [
        RouteRequests("/system", 1.5, 90, 0, 0, 0.004, 0.02, 0.05, 0.006),
        RouteRequests("callback", 0.0, 8, 0, 0, 0.004, 0.02, 0.05, 0.006),
        RouteRequests("callback system", 12.0, 720, 6, 3, 0.001, 0.004, 0.3, 0.002),
    ]
    slow = [SlowCall(now - 60, "/portfolio", "GET", 200, 2.5)]
    samples = [Sample(spec.OPEN_PAGES, 7.0), Sample(spec.PROCESSES, 2.0)]
    reading = Reading(samples=samples, tables=[table_of(RouteRequests, rows), table_of(SlowCall, slow)])
    stores.live.put_reading("requests", "host-1", now - 2, 5, reading)
    view = built(services.TAB, stores)
    told = text(view.slots["services-requests-table"])
    assert "Open pages: 7. Web processes: 2." in told
    assert told.index("callback system") < told.index("/system 1.5")  # the busiest first
    assert "other callbacks 0.13 8" in told
    assert "1.3 %" in told or "1.25 %" in told
    assert "2.5 s" in text(view.slots["services-slowest-table"])
    assert view.as_of["services-requests"] == view.as_of["services-slowest"] == now - 2
    assert view.stale_after_seconds["services-requests"] == 13.0


def test_requests_that_nobody_counts_are_no_zeros(stores: Stores) -> None:
    view = built(services.TAB, stores)
    assert view.as_of["services-requests"] is None
    assert "no reading yet" in view.notes["services-requests"]
