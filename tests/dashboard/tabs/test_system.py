"""The system tab: its figures as plain functions, its view from real stores."""

from __future__ import annotations

import dataclasses
import itertools
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import FakeClock
from core.errors import SourceUnavailable, StorageUnavailable
from core.model import Component, Reading, Status, labels
from core.settings.thresholds import Thresholds
from dashboard.charts.timeseries import LABEL_HEIGHT_PX, LimitLine, Line, line_figure, spread, stack_figure
from dashboard.system import charts
from dashboard.system.cards import thinned
from dashboard.tabs.system import TAB, WINDOWS, build, layout
from dashboard.views.serialize import plain, prepare
from dashboard.views.span import chosen_span
from dashboard.views.tab import Choices, View
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.series import SeriesData
from storage.clickhouse.reads.system import MachineSeries
from storage.stores import Stores
from tests.support import machine

NOW = time.time() // 60 * 60
SPAN = (NOW - 3_600, NOW)


@pytest.fixture
def watched(stores: Stores) -> Stores:
    """The stores at a fixed moment of today: samples of another year would fall to retention."""
    return dataclasses.replace(stores, clock=FakeClock(NOW))


def text(component: Any) -> str:
    """All that a reader sees of a component."""
    if isinstance(component, str):
        return component
    if isinstance(component, (list, tuple)):
        return "".join(text(part) for part in component)
    if isinstance(component, dict):
        return text(component.get("props", {}).get("children"))
    return "" if component is None else str(component)


def shown(view: View, slot: str) -> str:
    return text(plain(view.slots[slot]))


def series(metric: str, values: list[float | None], **pairs: str) -> SeriesData:
    ts = [round(SPAN[0]) + 60 * index for index in range(len(values))]
    return SeriesData(metric, labels(**pairs), ts, values, values, values, 60)


def names(figure: dict[str, Any]) -> list[str]:
    return [note["text"] for note in figure["layout"]["annotations"] if note.get("name") == "end-label"]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=6))
def test_labels_at_line_ends_never_overlap_and_keep_their_order(heights: list[float]) -> None:
    moved = spread(heights, top=100, height_px=134)
    apart = LABEL_HEIGHT_PX / 134 * 100
    ordered = sorted(moved)
    assert all(late - early >= apart * 0.999 for early, late in itertools.pairwise(ordered))
    for one, two in zip(sorted(range(len(heights)), key=heights.__getitem__), ordered, strict=True):
        assert moved[one] == two
    assert all(height >= -1e-9 for height in moved)


def test_labels_that_do_not_touch_stay_where_they_belong() -> None:
    assert spread([80.0, 20.0, 50.0], top=100, height_px=134) == [80.0, 20.0, 50.0]


def test_a_gap_in_stacked_areas_stays_a_gap() -> None:
    values: list[float | None] = [1.0, 2.0, None, 3.0]
    lines = [Line(name, [10, 20, 25, 40], values, "@series-1") for name in ("user", "system")]
    figure = stack_figure(lines, SPAN, unit="%", top=100)
    by_group: dict[str, list[list[int]]] = {}
    for trace in figure["data"]:
        by_group.setdefault(trace["stackgroup"], []).append(trace["x"])
        assert None not in trace["y"]
    assert by_group == {"part-0": [[10, 20], [10, 20]], "part-1": [[40], [40]]}


def test_a_limit_above_the_axis_is_not_drawn_and_one_on_it_is_labelled() -> None:
    line = Line("in", [1, 2], [1.0, 10.0], "@series-1")
    figure = line_figure([line], SPAN, unit="", limits=[LimitLine(5, "warning"), LimitLine(500, "critical")])
    assert [shape["y0"] for shape in figure["layout"]["shapes"]] == [5]
    assert "warning" in [note["text"] for note in figure["layout"]["annotations"]]


def test_cpu_is_stacked_by_mode_with_both_thresholds() -> None:
    modes = {"user": 0.30, "nice": 0.05, "system": 0.10, "irq": 0.01, "softirq": 0.01, "iowait": 0.02, "steal": 0.0}
    found = [series("system_cpu_mode_ratio", [share] * 5, core="total", mode=mode) for mode, share in modes.items()]
    figure = charts.cpu(MachineSeries(found, [], []), Thresholds(), SPAN)
    tops = {trace["name"]: trace["y"][-1] for trace in figure["data"]}
    assert tops == pytest.approx({"user": 35.0, "system": 12.0, "iowait": 2.0, "steal": 0.0})
    assert [shape["y0"] for shape in figure["layout"]["shapes"]] == [70, 80]
    assert names(figure) == ["user", "system", "iowait", "steal", "warning 70 %", "critical 80 %"]


def test_the_limits_drawn_are_those_of_the_settings() -> None:
    lax = Thresholds(cpu_critical_ratio=0.97, disk_warning_ratio=0.93, disk_critical_ratio=0.96)
    disks = MachineSeries([], [], [series("system_disk_used_ratio", [0.80, 0.84], mount="/data")])
    found = charts.cpu(MachineSeries([], [], []), lax, SPAN), charts.disks(disks, lax, SPAN, {}, NOW)
    assert [[shape["y0"] for shape in figure["layout"]["shapes"]] for figure in found] == [[70, 97], [93, 96]]


def test_labels_of_limits_stand_beside_the_curves_and_apart_from_their_labels() -> None:
    lines = [Line(f"line {n}", [1, 2], [50.0, 79.0 + n / 2], "@series-1") for n in range(4)]
    limits = [LimitLine(70, "warning 70 %"), LimitLine(80, "critical 80 %")]
    layout = line_figure(lines, SPAN, unit="%", top=100, limits=limits)["layout"]
    assert {note["x"] for note in layout["annotations"]} == {1}
    assert {note["xanchor"] for note in layout["annotations"]} == {"left"}, "right of the plot"
    heights = sorted(note["y"] for note in layout["annotations"])
    apart = LABEL_HEIGHT_PX / 134 * 100
    assert all(late - early >= apart * 0.999 for early, late in itertools.pairwise(heights))


def test_memory_stands_below_all_there_is_and_the_limits_of_the_settings() -> None:
    sizes = {"used": 16, "available": 16, "free": 10, "total": 32}
    found = [series(f"system_memory_{name}_bytes", [gib * machine.GIB] * 3) for name, gib in sizes.items()]
    figure = charts.memory(MachineSeries([], [], found), Thresholds(), SPAN)
    assert {trace["name"]: trace["y"][0] for trace in figure["data"]} == {"used": 16, "cache": 6}
    assert [shape["y0"] for shape in figure["layout"]["shapes"]] == pytest.approx([0.80 * 32, 0.85 * 32, 32])


def test_a_filling_disk_is_drawn_on_to_where_it_is_full() -> None:
    disks = MachineSeries([], [], [series("system_disk_used_ratio", [0.80, 0.84], mount="/data")])
    figure = charts.disks(disks, Thresholds(), SPAN, {"/data": 1_800.0}, NOW)
    forecast = figure["data"][-1]
    assert forecast["x"] == [NOW, NOW + 1_800]
    assert forecast["y"] == pytest.approx([84, 100])
    assert forecast["name"] == "full in 30 min"
    assert figure["layout"]["xaxis"]["autorangeoptions"]["include"][1] == NOW + 1_800


@pytest.mark.parametrize(("full", "as_of"), [({}, NOW), ({"/data": 1_800.0}, None), ({"/data": 214 * 86_400.0}, NOW)])
def test_no_forecast_for_a_disk_that_is_not_filling_a_past_window_or_a_far_day(
    full: dict[str, float], as_of: float | None
) -> None:
    disks = MachineSeries([], [], [series("system_disk_used_ratio", [0.80, 0.84], mount="/data")])
    assert len(charts.disks(disks, Thresholds(), SPAN, full, as_of)["data"]) == 1


def test_traffic_takes_the_unit_that_fits_and_the_busiest_interfaces() -> None:
    found = []
    for nic, amount in (("lo", 9e9), ("eth0", 3.0 * 2**20), ("eth1", 10.0), ("eth2", 2.0**20)):
        found.append(series("system_network_receive_bytes_per_second", [amount] * 2, nic=nic))
        found.append(series("system_network_transmit_bytes_per_second", [amount / 2] * 2, nic=nic))
    figure = charts.network(MachineSeries([], [], found), Thresholds(), SPAN, {})
    assert figure["layout"]["yaxis"]["title"]["text"] == "MiB/s"
    assert {t["name"]: t["y"][0] for t in figure["data"]} == {
        "eth0 in": 3.0, "eth0 out": 1.5, "eth2 in": 1.0, "eth2 out": 0.5,
    }  # fmt: skip


def test_the_heat_strip_has_a_row_a_core_in_order_without_the_total() -> None:
    found = [series("system_cpu_busy_ratio", [0.5, None], core=core) for core in ("10", "2", "total", "0")]
    trace = charts.cores(MachineSeries([], found, []), SPAN)["data"][0]
    assert trace["y"] == ["core 0", "core 2", "core 10"]
    assert trace["z"][0] == [50.0, None]


def test_a_thinned_course_keeps_its_newest_value() -> None:
    for length in (0, 1, 59, 60, 61, 119, 240):
        values = [float(n) for n in range(length)]
        kept = thinned(values)
        assert len(kept) <= 60
        assert kept[-1:] == values[-1:]
    assert thinned([0.8, 0.8 + 1e-16 * 3, None]) == [0.8, 0.8, None]


@pytest.mark.parametrize(
    ("choices", "span"),
    [
        ({}, (NOW - 3_600, NOW)),
        ({"window": "7d"}, (NOW - 604_800, NOW)),
        ({"window": "nonsense"}, (NOW - 3_600, NOW)),
        ({"from": str(NOW - 500), "to": str(NOW - 200)}, (NOW - 500, NOW - 200)),
        ({"from": str(NOW - 500), "to": str(NOW - 499)}, (NOW - 500, NOW - 490)),
        ({"from": str(NOW - 500), "to": "inf"}, (NOW - 500, NOW)),
        ({"window": "30d"}, (NOW - 3_600, NOW)),
        ({"from": "x", "to": "y"}, (NOW - 3_600, NOW)),
        ({"from": str(NOW), "to": str(NOW - 10)}, (NOW - 3_600, NOW)),
    ],
)
def test_the_window_that_the_address_asks_for(choices: dict[str, str], span: tuple[float, float]) -> None:
    assert chosen_span(Choices.of(choices), NOW, WINDOWS).pair == span


def test_the_tab_from_stored_history(watched: Stores) -> None:
    machine.remember(watched, NOW - 900, NOW)
    machine.show(watched, NOW - 2)
    view = build(watched, Choices.of({"window": "15m"}))
    prepare(TAB, Choices(), "v", view)
    assert set(view.figures) == set(TAB.graphs)
    user = next(trace for trace in view.figures["system-cpu-graph"]["data"] if trace["name"] == "user")
    assert len(user["x"]) == 180
    for ts, value in zip(user["x"], user["y"], strict=True):
        assert value == pytest.approx(machine.cpu_busy(ts) * 75, abs=0.051), "one decimal"
    verdict = shown(view, "system-verdict")
    filling = "Disk /data: 50.0 % full, 50.0 GiB free; full in 12 h 30 min at the last hour's rate (+4.00 GiB/h)"
    assert filling in verdict
    assert "Network" in verdict
    assert "eth0 loses 3.0 packets a second" in verdict
    assert "full in 12 h 30 min" in shown(view, "system-cards")
    assert "−2.1" in shown(view, "system-cards")
    assert "12 h 30 min" in shown(view, "system-disks-table")
    assert "worker 39" in shown(view, "system-processes-table")
    assert view.as_of["system-cpu"] == NOW - 2
    assert not view.notes


def test_a_machine_without_trouble_is_said_to_be_fine(watched: Stores) -> None:
    reading = machine.reading(NOW, 0.01, 0.2)
    fine = [part for part in reading.components if part.status is Status.OK]
    watched.live.put_reading("system", "host-1", NOW, 5, dataclasses.replace(reading, components=fine))
    assert shown(build(watched, Choices()), "system-verdict").startswith(f"✓okAll {len(fine)} components fine.")


def test_zooming_reads_at_a_finer_step_and_is_never_stale(watched: Stores) -> None:
    machine.remember(watched, NOW - 3 * 3_600, NOW)
    machine.show(watched, NOW)
    whole = build(watched, Choices.of({"window": "6h"}))
    zoomed = build(watched, Choices.of({"window": "6h", "from": str(NOW - 7_200), "to": str(NOW - 6_600)}))

    def step(view: View) -> int:
        x = view.figures["system-load-graph"]["data"][0]["x"]
        return int(x[1] - x[0])

    assert step(whole) == 120
    assert step(zoomed) == 5
    assert "system-load" not in zoomed.stale_after_seconds
    assert "leave zoom" in shown(zoomed, "system-span")
    assert "leave zoom" not in shown(whole, "system-span")


def test_a_gap_in_the_past_shows_in_every_chart(watched: Stores) -> None:
    machine.remember(watched, NOW - 900, NOW, gap=(NOW - 600, NOW - 300))
    machine.show(watched, NOW)
    found = build(watched, Choices.of({"window": "15m"})).figures
    assert None in found["system-load-graph"]["data"][0]["y"]
    assert {trace["stackgroup"] for trace in found["system-cpu-graph"]["data"]} == {"part-0", "part-1"}


def test_no_reading_and_no_history_says_so_and_claims_nothing(watched: Stores) -> None:
    view = build(watched, Choices())
    prepare(TAB, Choices(), "v", view)
    assert "unknown" in shown(view, "system-verdict")
    assert "host-1: status unknown: no reading yet." in shown(view, "system-verdict")
    assert "✓" not in shown(view, "system-cards")
    assert view.as_of["system-cpu"] is None
    assert "No samples" in view.notes["system-cpu"]
    assert view.as_of["system-processes"] is None


def test_an_old_reading_is_unknown_not_fine(watched: Stores) -> None:
    machine.show(watched, NOW - 60, disk_used=0.01)
    view = build(watched, Choices())
    assert "unknown" in shown(view, "system-verdict")
    assert "status unknown: newest reading is 1 min old" in shown(view, "system-verdict")
    assert "✓" not in shown(view, "system-cards")


def test_a_failed_collector_shows_its_reason(watched: Stores) -> None:
    why = str(SourceUnavailable("/proc/stat cannot be read"))
    down = Reading(components=(Component("system", Status.DOWN, why),))
    watched.live.put_reading("system", "host-1", NOW, 5, down)
    said = shown(build(watched, Choices()), "system-verdict")
    assert "down" in said
    assert "/proc/stat cannot be read" in said


def test_while_clickhouse_is_away_the_present_goes_on_and_charts_keep_their_data(watched: Stores) -> None:
    class Away(ClickHouse):
        def __init__(self) -> None:
            pass

        def rows(self, *_: object, **__: object) -> list[tuple[Any, ...]]:
            raise StorageUnavailable("connection refused")

    machine.show(watched, NOW)
    view = build(dataclasses.replace(watched, clickhouse=Away()), Choices())
    assert not view.figures, "a figure that is not sent stays as it is on the page"
    assert "connection refused" in view.notes["system-cpu"]
    assert "Disk /data" in shown(view, "system-verdict")
    assert "CPU" in shown(view, "system-cards")


def test_a_second_host_can_be_chosen_and_both_are_counted(watched: Stores) -> None:
    machine.show(watched, NOW)
    watched.live.put_reading("system", "host-2", NOW - 60, 5, machine.reading(NOW - 60))
    offered = json.dumps(plain(layout(watched, Choices())))
    assert "host-1" in offered
    assert "host-2" in offered
    view = build(watched, Choices.of({"host": "host-2"}))
    assert "host-2" in shown(view, "system-verdict")
    assert shown(view, "system-hosts") == "2 hosts: 1 unknown, 1 warning"


def test_a_reboot_within_the_window_is_told(watched: Stores) -> None:
    from core.model import Sample

    for ts, booted in ((NOW - 800, NOW - 90_000), (NOW - 100, NOW - 130), (NOW - 50, NOW - 129)):
        watched.writer.put("host-1", ts, [Sample("system_boot_time_seconds", booted)])
    watched.writer.flush()
    machine.show(watched, NOW)
    assert "reboot " in shown(build(watched, Choices.of({"window": "15m"})), "system-span")
