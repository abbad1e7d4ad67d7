"""The system and process collectors, whole: on this machine, over resets, fills and thresholds."""

from __future__ import annotations

import math
import random
import sys
import time
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.machine.fill import FillTrend, growth
from collectors.machine.judge import judge
from collectors.machine.processes import ProcessCollector, process_samples, shown, zombies
from collectors.machine.system import SystemCollector
from core.clock import FakeClock
from core.errors import StorageUnavailable
from core.machine.spec import Checks, Process
from core.model import Component, Reading, Sample, Status, labels
from core.settings.thresholds import Thresholds
from core.tables import rows_of

GIB = 2.0**30
linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux sources")


def of(samples: Sequence[Sample], metric: str, **pairs: str) -> float:
    return next(s.value for s in samples if s.metric == metric and s.labels == labels(**pairs))


@pytest.fixture(scope="module")
def live() -> Reading:
    collector = SystemCollector()
    collector.collect(time.time())
    deadline = time.monotonic() + 0.3
    while time.monotonic() < deadline:
        math.sqrt(2.0)
    return collector.collect(time.time())


@linux
def test_this_machine_makes_sense(live: Reading) -> None:
    samples = live.samples
    for core in ("total", "0"):
        idle = sum(of(samples, "system_cpu_mode_ratio", core=core, mode=mode) for mode in ("idle", "iowait"))
        assert of(samples, "system_cpu_busy_ratio", core=core) + idle == pytest.approx(1)
    assert of(samples, "system_cpu_busy_ratio", core="total") > 0.2, "this test kept a core busy"
    memory = {part: of(samples, f"system_memory_{part}_bytes") for part in ("used", "free", "available", "total")}
    assert 0 < memory["used"] + memory["free"] <= memory["total"]
    disk = {part: of(samples, f"system_disk_{part}_bytes", mount="/") for part in ("used", "free", "total")}
    assert 0 < disk["used"] + disk["free"] <= disk["total"]
    assert abs(time.time() - of(samples, "system_boot_time_seconds") - of(samples, "system_uptime_seconds")) < 5
    assert {component.name for component in live.components} >= {"CPU", "Memory", "Disk /", "Load", "Clock"}
    assert all(component.why for component in live.components)


@linux
def test_every_sample_is_finite_named_with_a_unit_and_told_once(live: Reading) -> None:
    keys = [(s.metric, s.labels) for s in live.samples]
    assert len(keys) == len(set(keys))
    assert all(math.isfinite(s.value) for s in live.samples)
    assert all(s.labels == tuple(sorted(s.labels)) for s in live.samples)
    ratios = [s for s in live.samples if s.metric.endswith("_ratio")]
    assert ratios
    assert all(0 <= s.value <= 1 for s in ratios if "link" not in s.metric and "collector" not in s.metric)
    assert not [s for s in live.samples if s.metric.endswith("_per_second") and s.value < 0]


def filled(trend: FillTrend, hours: float, gib_per_hour: float, noise: random.Random | None = None) -> float:
    used = 0.0
    for tick in range(int(hours * 720)):
        used = 50 * GIB + gib_per_hour * GIB * tick / 720 + (noise.gauss(0, 0.05) * GIB if noise else 0.0)
        trend.add(tick * 5.0, used)
    return used


def test_a_disk_filling_steadily_is_full_when_arithmetic_says() -> None:
    trend = FillTrend()
    filled(trend, 1.1, 4.0, random.Random(3))
    fill = trend.fill(10 * GIB)
    assert fill is not None
    assert fill.seconds == pytest.approx(2.5 * 3_600, rel=0.03)
    assert fill.trend.window_seconds == 3_600


def test_the_sooner_of_both_trends_counts() -> None:
    trend = FillTrend()
    last = filled(trend, 5.0, 1.0)
    for tick in range(720):
        trend.add(5 * 3_600.0 + tick * 5.0, last + 8 * GIB * tick / 720)
    fill = trend.fill(80 * GIB)
    assert fill is not None
    assert fill.seconds == pytest.approx(10 * 3_600, rel=0.05)


@pytest.mark.parametrize("gib_per_hour", [0.0, -2.0])
def test_a_disk_that_does_not_grow_is_not_filling(gib_per_hour: float) -> None:
    trend = FillTrend()
    filled(trend, 3.0, gib_per_hour, random.Random(5))
    assert trend.fill(1 * GIB) is None


@given(st.integers(min_value=0, max_value=60))
def test_one_big_file_written_once_is_no_trend(minute: int) -> None:
    points = [(60.0 * tick, 50 * GIB + (10 * GIB if tick >= minute else 0.0)) for tick in range(60)]
    assert growth(points) is None


def test_outliers_do_not_bend_the_trend() -> None:
    points = [(60.0 * tick, GIB * tick / 60) for tick in range(60)]
    spoilt = [(at, used + (500 * GIB if index % 7 == 3 else 0.0)) for index, (at, used) in enumerate(points)]
    assert growth(spoilt) == pytest.approx(GIB / 3_600, rel=0.35)


@pytest.mark.parametrize("hours", [0.05, 0.5, 0.98])
def test_nothing_is_foretold_from_less_than_an_hour(hours: float) -> None:
    trend = FillTrend()
    filled(trend, hours, 100.0)
    assert trend.fill(1.0) is None
    filled(trend, 1.05, 100.0)
    assert trend.fill(1.0) is not None


def test_an_hour_with_a_hole_is_no_hour() -> None:
    before = [(60.0 * minute, GIB * minute) for minute in range(120)]
    trend = FillTrend((*before, *((60.0 * minute, GIB * minute) for minute in range(300, 320))))
    assert trend.fill(10 * GIB) is None
    for minute in range(320, 350):
        trend.add(60.0 * minute, GIB * minute)
    assert trend.fill(10 * GIB) is not None


@linux
def test_history_makes_the_forecast_survive_a_restart() -> None:
    asked: list[tuple[str, float]] = []

    def history(metric: str, seconds: float) -> dict[str, list[tuple[float, float]]]:
        asked.append((metric, seconds))
        rising = [(60.0 * ago, 20 * GIB - ago * GIB / 60) for ago in range(61, 0, -1)]
        return {"/": rising}

    clock = FakeClock()
    samples = SystemCollector(clock=clock, history=history).collect(clock.now()).samples
    free = of(samples, "system_disk_free_bytes", mount="/")
    assert asked == [("system_disk_used_bytes", 21_600.0)]
    if free / GIB < 24 * 365:
        assert of(samples, "system_disk_full_seconds", mount="/") == pytest.approx(free / GIB * 3_600, rel=0.05)


@linux
def test_the_machine_is_read_even_when_history_is_away() -> None:
    def history(metric: str, seconds: float) -> dict[str, list[tuple[float, float]]]:
        raise StorageUnavailable("no answer")

    samples = SystemCollector(history=history).collect(time.time()).samples
    assert of(samples, "system_memory_total_bytes") > 0


def component(name: str, *samples: Sample, thresholds: Thresholds | None = None) -> Component:
    return next(j.component for j in judge(samples, thresholds or Thresholds()) if j.component.name == name)


def cpu(now: float, five: float | None = None) -> list[Sample]:
    found = [Sample("system_cpu_busy_ratio", now, (("core", "total"),)), Sample("system_cpu_cores", 8.0)]
    return found if five is None else [*found, Sample("system_cpu_busy_5m_ratio", five)]


def memory(used: float) -> list[Sample]:
    return [Sample("system_memory_used_ratio", used), Sample("system_memory_total_bytes", 32 * GIB)]


def disk(used: float, **more: float) -> list[Sample]:
    found = {"used_ratio": used, "free_bytes": 100 * GIB} | more
    return [Sample(f"system_disk_{name}", value, (("mount", "/data"),)) for name, value in found.items()]


@pytest.mark.parametrize(
    ("samples", "name", "status"),
    [
        (memory(0.79), "Memory", Status.OK),
        (memory(0.80), "Memory", Status.WARNING),
        (memory(0.85), "Memory", Status.CRITICAL),
        (disk(0.849), "Disk /data", Status.OK),
        (disk(0.85), "Disk /data", Status.WARNING),
        (disk(0.90), "Disk /data", Status.CRITICAL),
        (disk(0.30, full_seconds=80_000.0, fill_bytes_per_second=1e6), "Disk /data", Status.WARNING),
        (disk(0.30, full_seconds=9_600.0, fill_bytes_per_second=1e6), "Disk /data", Status.CRITICAL),
        (disk(0.30, inodes_used_ratio=0.95), "Disk /data", Status.CRITICAL),
        (disk(1.00, read_only=1.0), "Disk /data", Status.OK),
        (disk(0.30, read_only=1.0, became_read_only=1.0), "Disk /data", Status.CRITICAL),
        (cpu(0.50), "CPU", Status.OK),
        (cpu(0.75), "CPU", Status.WARNING),
        (cpu(0.20, five=0.81), "CPU", Status.CRITICAL),
        (cpu(0.99, five=0.20), "CPU", Status.OK),
        ([Sample("system_swap_total_bytes", 0.0)], "Swap", Status.NOT_CONFIGURED),
        ([Sample("system_clock_synchronised", 0.0)], "Clock", Status.WARNING),
        ([], "Clock", Status.NOT_CONFIGURED),
    ],
)
def test_the_state_of_a_component(samples: list[Sample], name: str, status: Status) -> None:
    assert component(name, *samples).status is status


@pytest.mark.parametrize(
    ("offset", "status"),
    [(0.001, Status.OK), (-0.026, Status.WARNING), (0.049, Status.WARNING), (-0.05, Status.CRITICAL)],
)
def test_a_clock_off_by(offset: float, status: Status) -> None:
    samples = [Sample("system_clock_synchronised", 1.0), Sample("system_clock_offset_seconds", offset)]
    assert component("Clock", *samples).status is status


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_use_is_never_calmer(one: float, other: float) -> None:
    order = [Status.OK, Status.WARNING, Status.CRITICAL]
    low, high = sorted((one, other))
    for make, name in ((memory, "Memory"), (disk, "Disk /data"), (cpu, "CPU")):
        calm, busy = component(name, *make(low)).status, component(name, *make(high)).status
        assert order.index(calm) <= order.index(busy)


def swap(used: float) -> list[Sample]:
    return [Sample("system_swap_used_ratio", used), Sample("system_swap_total_bytes", 4 * GIB)]


def network(used: float) -> list[Sample]:
    found = {"receive_bytes_per_second": 1e6, "link_used_ratio": used, "link_bytes_per_second": 1.25e8}
    return [Sample(f"system_network_{name}", value, (("nic", "eth0"),)) for name, value in found.items()]


@pytest.mark.parametrize(
    ("make", "name", "field"),
    [
        (memory, "Memory", "memory"),
        (swap, "Swap", "swap"),
        (disk, "Disk /data", "disk"),
        (network, "Network", "network"),
        (cpu, "CPU", "cpu"),
    ],
)
@pytest.mark.parametrize(("warning", "critical"), [(0.30, 0.40), (0.95, 0.99)])
def test_the_thresholds_of_the_settings_decide_below_the_scale_and_above_it(
    make: Callable[[float], list[Sample]], name: str, field: str, warning: float, critical: float
) -> None:
    settings = Thresholds.model_validate({f"{field}_warning_ratio": warning, f"{field}_critical_ratio": critical})
    states = [
        component(name, *make(share), thresholds=settings).status
        for share in (warning - 0.01, warning, critical - 0.01, critical)
    ]
    assert states == [Status.OK, Status.WARNING, Status.WARNING, Status.CRITICAL]


def test_the_sentence_of_a_filling_disk_says_when_and_how_fast() -> None:
    samples = disk(0.93, full_seconds=9_600.0, fill_bytes_per_second=4.1 * GIB / 3_600, fill_window_seconds=3_600.0)
    why = component("Disk /data", *samples).why
    assert why == "93.0 % full, 100 GiB free; full in 2 h 40 min at the last hour's rate (+4.10 GiB/h)"


def test_pressure_names_the_resource_nearest_to_its_limit_and_the_bar_shows_how_near() -> None:
    samples = [
        Sample("system_pressure_ratio", value, (("kind", kind), ("resource", resource), ("window", "60s")))
        for resource, kind, value in (("cpu", "some", 0.30), ("memory", "full", 0.08), ("io", "full", 0.05))
    ]
    found = component("Pressure", *samples)
    assert found.status is Status.WARNING
    assert "memory" in found.why
    (pressure,) = [each.share for each in judge(samples, Thresholds()) if each.component.name == "Pressure"]
    assert (pressure.subject, pressure.share_ratio) == ("memory", pytest.approx(0.8))


def test_a_disk_says_by_itself_which_mount_it_is() -> None:
    (found,) = [each for each in judge(disk(0.30), Thresholds()) if each.share.check == Checks.DISK]
    assert (found.component.name, found.share.component, found.share.subject) == ("Disk /data", "Disk /data", "/data")


def process(pid: int, cpu_ratio: float | None = 0.0, memory_bytes: int = 0, state: str = "sleeping") -> Process:
    return Process(pid, f"p{pid}", "trade", state, cpu_ratio, memory_bytes, 0.0, 0.0, 1, 60.0, False)


def test_the_table_keeps_who_uses_most_cpu_and_who_uses_most_memory() -> None:
    many = [process(pid, cpu_ratio=pid / 1_000, memory_bytes=10_000 - pid) for pid in range(500)]
    kept = [each.pid for each in shown([*many, process(9_999, memory_bytes=10**12), process(9_998, state="zombie")])]
    assert kept[0] == 499
    assert {9_999, 9_998, 0} <= set(kept)
    assert len(kept) < 200
    assert len(set(kept)) == len(kept)


def test_zombies_are_counted_and_many_are_a_warning() -> None:
    dead = [process(pid, state="zombie") for pid in range(12)]
    assert of(process_samples(dead), "system_processes_by_state", state="zombie") == 12
    assert zombies(dead).status is Status.WARNING
    assert zombies([process(1)]).status is Status.OK


@linux
def test_this_process_is_found_with_the_cpu_it_used() -> None:
    import os

    collector = ProcessCollector()
    collector.collect(time.time())
    began, used = time.monotonic(), time.process_time()
    while time.process_time() < used + 0.3:
        math.sqrt(2.0)
    share = (time.process_time() - used) / (time.monotonic() - began)  # of a core, on a machine that does other work
    reading = collector.collect(time.time())
    rows = rows_of({table.name: table for table in reading.tables}, Process)
    own = next(row for row in rows if row.pid == os.getpid())
    assert own.cpu_ratio == pytest.approx(share, abs=0.25)
    assert own.memory_bytes > 10e6
    assert of(reading.samples, "collector_cpu_seconds", collector="processes") > 0
    assert of(reading.samples, "system_tcp_connections", state="listen") >= 0


@linux
def test_other_systems_get_the_same_figures_where_they_exist(live: Reading) -> None:
    from collectors.machine.portable import Portable
    from collectors.machine.portable_processes import look

    portable = Portable()
    portable.samples(100.0)
    found = portable.samples(105.0)
    known = {s.metric for s in live.samples}
    assert {s.metric for s in found} <= known | {"system_disk_full_seconds"}
    for metric in ("system_memory_total_bytes", "system_boot_time_seconds", "system_cpu_cores"):
        assert of(found, metric) == of(live.samples, metric)
    assert len(look(0.0)) > 5
