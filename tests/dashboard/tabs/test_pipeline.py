"""The pipeline tab from real stores: what a person reads, and what stays readable when a store is away."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from pydantic import SecretStr

from core.clock import FakeClock
from core.model import Component, Facts, Reading, SourceId, Status
from core.pipeline.spec import CollectorRuns
from core.settings.pull import Pull
from core.tables import columns_of, table_of
from dashboard.components.markup import markup
from dashboard.pipeline.charts import durations, failures, rows_written, spread, with_gaps
from dashboard.tabs.pipeline import CHARTS, TAB
from dashboard.views.serialize import plain, prepare
from dashboard.views.tab import Choices, Page, View, fitted
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.pipeline import RunBucket
from storage.clickhouse.reads.series import SeriesData
from storage.stores import Stores
from tests.support.application import create_app
from tests.support.views import OPERATOR, text

NONE = Choices()


def tab_of(stores: Stores) -> Page:
    return fitted((TAB,), stores.settings)[0]


def build(stores: Stores, choices: Choices) -> View:
    make = tab_of(stores).build
    assert make is not None
    return make(stores, choices, OPERATOR)


def layout(stores: Stores, choices: Choices) -> Any:
    return tab_of(stores).layout(stores, choices, OPERATOR)


@pytest.fixture
def stores(stores: Stores) -> Stores:
    """The stores at the present time: ClickHouse drops old rows by its own clock."""
    return replace(stores, clock=FakeClock(float(int(time.time()))))


def collector_row(name: str, status: Status, **values: Any) -> CollectorRuns:
    source = SourceId.parse(name)
    row: dict[str, Any] = dict.fromkeys(columns_of(CollectorRuns)) | {
        "collector": name, "kind": source.kind if source else "", "instance": source.instance if source else "",
        "status": status.value, "why": "every 5 s", "interval_seconds": 5.0, "timeout_seconds": 4.0,
        "durations_seconds": [0.01, 0.02], "failures_in_a_row": 0, "breaker": "closed", "retry_in_seconds": 0.0,
        "opened_total": 0, "abandoned_threads": 0, "error": "", "duration_seconds": 0.01, "lateness_p99_seconds": 0.001,
    }  # fmt: skip
    return CollectorRuns(**(row | values))


def show(stores: Stores, *rows: CollectorRuns, components: tuple[Component, ...] = ()) -> None:
    now = stores.clock.now()
    reading = Reading(components=components, tables=(table_of(CollectorRuns, rows),))
    stores.live.put_reading("pipeline", "host-1", now, 5.0, reading)


def store_runs(stores: Stores, *runs: tuple[float, str, float, str, str]) -> None:
    """Store runs given as (seconds ago, collector, duration, outcome, error)."""
    now = stores.clock.now()
    columns = ("ts", "host", "collector", "duration_seconds", "lateness_seconds", "outcome", "samples", "error")
    rows = [
        (round((now - ago) * 1000), "host-1", name, took, 0.001, end, 3, error) for ago, name, took, end, error in runs
    ]
    stores.clickhouse.insert(Facts("runs", columns, tuple(map(list, zip(*rows, strict=True)))))


def collectors(stores: Stores, view: View) -> str:
    """Return the table of collectors, which is fetched when it comes into view."""
    place = plain(view.slots["pipeline-collectors-table"])["props"]["data-lazy"]
    answer = create_app(stores, (TAB,)).server.test_client().get(place)
    assert answer.status_code == 200
    return re.sub(r"<[^>]+>", " ", answer.text)


def sent(view: View) -> View:
    """Return `view` after checking that it can be sent as the tab declares it."""
    prepare(TAB, NONE, "1", view)
    return view


def test_all_fine_says_so_with_its_age(stores: Stores) -> None:
    ok = Component("collector system", Status.OK, "every 5 s")
    show(stores, collector_row("system", Status.OK), components=(ok, Component("spool", Status.OK, "empty")))
    line = sent(build(stores, NONE)).slots["pipeline-verdict"]
    assert "All 2 own components fine" in text(line)
    assert "fw-level-ok" in line.className


def test_the_worst_comes_first_and_says_why(stores: Stores) -> None:
    show(
        stores,
        collector_row("system", Status.OK),
        collector_row("late", Status.WARNING, why="began 3.0 s late"),
        collector_row(
            "iqfeed",
            Status.DOWN,
            why="left alone: no answer",
            breaker="open",
            retry_in_seconds=40.0,
            failures_in_a_row=4,
        ),
        components=(
            Component("collector system", Status.OK, "every 5 s"),
            Component("collector late", Status.WARNING, "began 3.0 s late"),
            Component("collector iqfeed", Status.DOWN, "left alone: no answer"),
        ),
    )
    view = sent(build(stores, NONE))
    line = text(view.slots["pipeline-verdict"])
    assert "Collector iqfeed : left alone: no answer. And 1 more in trouble." in line
    table = collectors(stores, view)
    assert table.index("iqfeed") < table.index("late") < table.index("system")
    assert "open until" in table
    assert "1 of 3" in text(view.slots["pipeline-cards"])


def test_a_watched_source_that_is_down_is_no_failure_of_fundwatch(stores: Stores) -> None:
    names = {"system": Status.OK, "redis:main": Status.DOWN, "redis:own": Status.OK}
    parts = [Component(f"collector {name}", status, "refused") for name, status in names.items()]
    show(stores, *(collector_row(*each) for each in names.items()), components=tuple(parts))
    view = sent(build(stores, NONE))
    assert "All 2 own components fine" in text(view.slots["pipeline-verdict"])
    assert "2 of 2" in text(view.slots["pipeline-cards"])
    assert "redis:main" in collectors(stores, view), "its runs stay in the table"
    show(
        stores,
        collector_row("redis:own", Status.DOWN),
        components=(Component("collector redis:own", Status.DOWN, "gone"),),
    )
    assert "Collector redis:own : gone." in text(sent(build(stores, NONE)).slots["pipeline-verdict"])


def test_rows_that_a_pull_refused_are_told_although_it_ran_well(stores: Stores) -> None:
    pull = Pull(name="fills", kind="trades", url=SecretStr("postgresql://a:b@h/x"), query="SELECT 1", mark="id")
    stores = replace(stores, settings=stores.settings.model_copy(update={"pull": (pull,)}))
    show(
        stores,
        collector_row("system", Status.OK),
        collector_row("pull-fills", Status.OK),
        components=(Component("collector pull-fills", Status.OK, "every 60 s"),),
    )
    why = "2 rows refused, the last 5 s ago: side: is none that there is; kept under Refused rows"
    refused = Reading(components=(Component("pull-fills", Status.WARNING, why),))
    stores.live.put_reading("pull-fills", "host-1", stores.clock.now(), 60.0, refused)
    view = sent(build(stores, NONE))
    assert "pull-fills" in tab_of(stores).datasets, "the page is built anew when it is told"
    assert f"Pull-fills : {why}." in text(view.slots["pipeline-verdict"])
    assert "1 of 2" in text(view.slots["pipeline-cards"])
    assert why in collectors(stores, view)
    later = replace(stores, clock=FakeClock(stores.clock.now() + 200))
    show(later, collector_row("pull-fills", Status.OK))
    assert why not in collectors(later, build(later, NONE)), "an old reading says nothing of now"


def test_without_a_reading_nothing_is_called_fine(stores: Stores) -> None:
    view = sent(build(stores, NONE))
    line = view.slots["pipeline-verdict"]
    assert "fw-level-unknown" in line.className
    assert "host-1: status unknown: no reading yet." in text(line)
    assert view.as_of["pipeline-collectors"] is None
    assert view.notes["pipeline-collectors"]


def test_an_old_reading_is_not_called_fine(stores: Stores) -> None:
    show(stores, collector_row("system", Status.OK), components=(Component("collector system", Status.OK, ""),))
    clock = FakeClock(stores.clock.now() + 60)
    line = sent(build(replace(stores, clock=clock), NONE)).slots["pipeline-verdict"]
    assert "fw-level-unknown" in line.className
    assert "host-1: status unknown: newest reading is 1 min old." in text(line)


def test_history_is_the_newest_runs_narrowed_by_the_choices(stores: Stores) -> None:
    store_runs(
        stores,
        (30, "system", 0.01, "ok", ""),
        (20, "iqfeed", 2.0, "timeout", "no result within 2 s"),
        (10, "system", 0.02, "unavailable", "refused"),
        (7_000, "system", 0.01, "error", "long ago"),
    )

    def history(**choices: str) -> str:
        return text(build(stores, Choices.of(choices)).slots["pipeline-history-table"])

    every = history()
    assert every.index("unavailable") < every.index("timeout") < every.index(" ok ")
    assert "long ago" not in every
    assert "long ago" in history(window="6h")
    assert "iqfeed" not in history(collector="system")
    assert "timeout" in history(outcome="failed")
    assert " ok " not in history(outcome="failed")
    assert "No such run" in history(outcome="rejected")
    zoomed = history(**{"from": str(int(stores.clock.now()) - 25), "to": str(int(stores.clock.now()) - 15)})
    assert "timeout" in zoomed
    assert "leave zoom" in text(
        build(stores, Choices.of({"from": str(stores.clock.now() - 60), "to": str(stores.clock.now())})).slots[
            "pipeline-span"
        ]
    )
    assert "unavailable" not in zoomed


def test_the_area_of_rows_written_ends_where_writing_stopped() -> None:
    values: list[float | None] = [10.0, 12.0, None, 11.0]
    data = SeriesData("pipeline_writer_rows_per_second", (), [0, 5, 10, 60], values, values, values, 5)
    areas = rows_written(data, 0, 100)["data"]
    assert [(area["x"], area["stackgroup"]) for area in areas] == [([0, 5], "part-0"), ([60], "part-1")]
    assert areas[1]["mode"] == "lines+markers", "a lone value must be visible"


@pytest.mark.parametrize(
    "bounds", [("5", "1"), ("nan", "nan"), ("1", "inf"), ("-inf", "inf"), ("x", "y"), ("9e18", "9e19")]
)
def test_an_address_with_a_senseless_zoom_still_shows_the_page(stores: Stores, bounds: tuple[str, str]) -> None:
    view = sent(build(stores, Choices.of({"from": bounds[0], "to": bounds[1]})))
    assert set(view.figures) == {chart.graph for chart in CHARTS}


def test_charts_count_failures_and_give_each_collector_its_line(stores: Stores) -> None:
    store_runs(
        stores, *[(ago, "system", 0.004, "ok", "") for ago in range(5, 300, 5)], (12, "iqfeed", 2.0, "timeout", "hangs")
    )
    show(stores, collector_row("system", Status.OK), collector_row("iqfeed", Status.DOWN))
    figures = sent(build(stores, Choices.of({"window": "15m"}))).figures
    lines = {trace["name"]: trace for trace in figures["pipeline-durations-graph"]["data"]}
    assert lines["system"]["y"] == pytest.approx([4.0] * len(lines["system"]["y"]), rel=1e-6)
    assert lines["iqfeed"]["y"] == [pytest.approx(2000)]
    assert lines["iqfeed"]["marker"]["size"] == [5], "a lone run must be visible"
    (bars,) = figures["pipeline-failures-graph"]["data"]
    assert (bars["name"], bars["y"]) == ("iqfeed", [1])
    ends = figures["pipeline-durations-graph"]["layout"]["xaxis"]["range"]
    assert ends == [stores.clock.now() - 900, stores.clock.now()]


def test_clickhouse_away_leaves_the_present_and_names_the_reason(stores: Stores) -> None:
    show(stores, collector_row("system", Status.OK), components=(Component("ClickHouse", Status.DOWN, "refused"),))
    view = sent(build(replace(stores, clickhouse=ClickHouse("http://127.0.0.1:1")), NONE))
    assert "system" in collectors(stores, view)
    assert view.figures == {}, "charts keep what they show"
    assert "Storage does not answer" in view.notes["pipeline-durations"]
    assert "pipeline-durations" not in view.as_of, "their age goes on counting"


def test_the_layout_offers_every_collector_that_reports(stores: Stores) -> None:
    show(stores, collector_row("system", Status.OK), collector_row("iqfeed", Status.DOWN))
    found = str(layout(stores, NONE).to_plotly_json())
    assert "iqfeed" in found
    assert "host-1" in found


def test_a_pause_between_runs_is_a_gap() -> None:
    ts, values = with_gaps([0, 5, 10, 60, 65], [1.0, 2.0, 3.0, 4.0, 5.0], 5)
    assert ts == [0, 5, 10, 15, 60, 65]
    assert values == [1.0, 2.0, 3.0, None, 4.0, 5.0]
    every_minute, _ = with_gaps([0, 60, 120], [1.0, 1.0, 1.0], 5)
    assert every_minute == [0, 60, 120], "a slow collector has no gaps"


def test_labels_at_line_ends_never_overlap_and_keep_their_order() -> None:
    placed = spread({"a": 1.0, "b": 1.01, "c": 1.02, "d": 5.0}, 0.5)
    heights = [placed[name] for name in "abcd"]
    assert all(later - earlier >= 0.5 - 1e-9 for earlier, later in pairwise(heights))
    assert spread({}, 0.5) == {}


def test_empty_charts_say_that_they_are_empty() -> None:
    quiet = failures([RunBucket("system", 0, 0.1, 0.1, 12, 0)], {}, 0, 60, 5)
    assert quiet["layout"]["annotations"][0]["text"] == "none of 12 runs failed"
    assert failures([], {}, 0, 60, 5)["layout"]["annotations"][0]["text"] == "no run in this window"
    assert durations([], {}, 0, 60, 5)["data"] == []


def test_refused_files_of_the_inbox_are_a_warning_with_a_way_to_them(stores: Stores) -> None:
    show(stores, collector_row("inbox", Status.OK), components=(Component("collector inbox", Status.OK, "every 5 s"),))
    why = "2 refused files to look at on the page Import, newest nav.csv"
    for status, said in ((Status.WARNING, why), (Status.OK, "watching data/inbox")):
        inbox = Reading(components=(Component("inbox", status, said, 2.0, "count"),))
        stores.live.put_reading("inbox", "host-1", stores.clock.now(), 5.0, inbox)
        view = build(stores, NONE)
        is_warning = status is Status.WARNING
        assert (why in text(view.slots["pipeline-verdict"])) is is_warning
        cards = markup(view.slots["pipeline-cards"])
        assert 'href="/import"' in cards and (why in cards) is is_warning
    later = replace(stores, clock=FakeClock(stores.clock.now() + 60))
    assert "Inbox ? unknown" in " ".join(text(build(later, NONE).slots["pipeline-cards"]).split())
