"""The limits of a container, on made-up /proc and /sys: what may be used is what the container may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.machine.judge import judge
from collectors.machine.linux.cgroup import CpuLimit
from collectors.machine.linux.kernel import Kernel
from collectors.machine.linux.memory import Memory
from core.model import Sample, Status
from core.settings.thresholds import Thresholds

MIB = 1 << 20
HOST_KIB = 24_000_000


class Box:
    """A machine whose files are written one by one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.kernel = Kernel(str(folder / "proc"), str(folder / "sys"))
        self.write("proc/meminfo", f"MemTotal: {HOST_KIB} kB\nMemFree: 1 kB\nMemAvailable: {HOST_KIB // 2} kB\n")

    def write(self, path: str, text: str) -> None:
        file = self._folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def memory(self) -> dict[str, float]:
        return {sample.metric: sample.value for sample in Memory(self.kernel).samples(0.0)}


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def second(box: Box) -> None:
    """A container with cgroup v2 and a name space of its own: its group is the root that it sees."""
    box.write("proc/self/cgroup", "0::/\n")
    box.write("sys/fs/cgroup/memory.max", f"{300 * MIB}\n")
    box.write("sys/fs/cgroup/memory.current", f"{200 * MIB}\n")
    box.write("sys/fs/cgroup/memory.stat", f"anon {90 * MIB}\nfile {110 * MIB}\ninactive_file {50 * MIB}\n")


def first(box: Box) -> None:
    """A container with cgroup v1: its path is the host's, its folder is mounted at the top."""
    box.write("proc/self/cgroup", "4:memory:/docker/4f1c\n1:cpu,cpuacct:/docker/4f1c\n")
    box.write("sys/fs/cgroup/memory/memory.limit_in_bytes", f"{300 * MIB}\n")
    box.write("sys/fs/cgroup/memory/memory.usage_in_bytes", f"{200 * MIB}\n")
    box.write("sys/fs/cgroup/memory/memory.stat", f"total_cache {110 * MIB}\ntotal_inactive_file {50 * MIB}\n")


@pytest.mark.parametrize("version", [first, second])
def test_memory_is_held_against_the_limit_of_the_container(box: Box, version: object) -> None:
    assert callable(version)
    version(box)
    found = box.memory()
    assert found["system_memory_total_bytes"] == 300 * MIB
    assert found["system_memory_used_bytes"] == 150 * MIB, "the cache that is taken back first is not in use"
    assert found["system_memory_used_ratio"] == pytest.approx(0.5)
    assert found["system_host_memory_total_bytes"] == HOST_KIB * 1_024
    (memory,) = [each.component for each in judge(_samples(found), Thresholds()) if each.component.name == "Memory"]
    assert memory.why == "50.0 % of 300 MiB in use, the limit of this container; host at 50.0 %"


def test_a_host_short_of_memory_is_told_by_a_container_that_is_not(box: Box) -> None:
    second(box)
    box.write("proc/meminfo", f"MemTotal: {HOST_KIB} kB\nMemFree: 1 kB\nMemAvailable: {HOST_KIB // 20} kB\n")
    (memory,) = [each.component for each in judge(_samples(box.memory()), Thresholds()) if each.component.value]
    assert memory.status is Status.CRITICAL


def test_the_tightest_limit_on_the_way_up_counts_and_no_limit_is_the_machine(box: Box) -> None:
    box.write("proc/self/cgroup", "0::/system.slice/fundwatch.service\n")
    unit = "sys/fs/cgroup/system.slice/fundwatch.service"
    box.write(f"{unit}/memory.max", "max\n")
    box.write("sys/fs/cgroup/system.slice/memory.max", "max\n")
    assert box.memory()["system_memory_total_bytes"] == HOST_KIB * 1_024
    assert "system_memory_limit_bytes" not in box.memory()
    box.write("sys/fs/cgroup/system.slice/memory.max", f"{400 * MIB}\n")
    box.write("sys/fs/cgroup/system.slice/memory.current", f"{100 * MIB}\n")
    assert box.memory()["system_memory_limit_bytes"] == 400 * MIB
    box.write(f"{unit}/memory.max", f"{200 * MIB}\n")
    box.write(f"{unit}/memory.current", f"{50 * MIB}\n")
    assert box.memory()["system_memory_used_ratio"] == pytest.approx(0.25)


@pytest.mark.parametrize("unlimited", ["9223372036854771712", str(HOST_KIB * 2_048)])
def test_a_limit_beyond_the_machine_is_none(box: Box, unlimited: str) -> None:
    first(box)
    box.write("sys/fs/cgroup/memory/memory.limit_in_bytes", f"{unlimited}\n")
    assert box.memory()["system_memory_total_bytes"] == HOST_KIB * 1_024


def test_cpu_is_held_against_the_quota_of_either_version(box: Box) -> None:
    box.write("proc/self/cgroup", "0::/\n")
    box.write("sys/fs/cgroup/cpu.max", "50000 100000\n")
    _uses(box, "sys/fs/cgroup/cpu.stat", "usage_usec {}\nuser_usec 1\n", 1e6)
    box.write("proc/self/cgroup", "3:cpuacct:/box\n2:cpu:/box\n")
    (Path(box._folder) / "sys/fs/cgroup/cpu.max").write_text("max 100000\n")
    box.write("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "50000\n")
    box.write("sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n")
    _uses(box, "sys/fs/cgroup/cpuacct/box/cpuacct.usage", "{}\n", 1e9)


def _uses(box: Box, file: str, written: str, a_second: float) -> None:
    """Let the container use 0.4 cores for six minutes, of a quota of 0.5."""
    part = CpuLimit(box.kernel)
    for at in range(0, 365, 5):
        box.write(file, written.format(round(0.4 * at * a_second)))
        found = {sample.metric: sample.value for sample in part.samples(float(at))}
        assert ("system_cpu_of_limit_5m_ratio" in found) == (at >= 300)
    assert found["system_cpu_limit_cores"] == 0.5
    assert found["system_cpu_of_limit_ratio"] == pytest.approx(0.8)
    assert found["system_cpu_of_limit_5m_ratio"] == pytest.approx(0.8)
    busy = [Sample("system_cpu_busy_ratio", 0.1, (("core", "total"),))]
    (cpu,) = [each.component for each in judge([*_samples(found), *busy], Thresholds()) if each.component.name == "CPU"]
    assert cpu.why == "80.0 % of 0.50 cores busy, the limit of this container; 80.0 % over 5 minutes"
    assert cpu.status is Status.CRITICAL


def _samples(found: dict[str, float]) -> list[Sample]:
    return [Sample(metric, value) for metric, value in found.items()]
