"""CPU: modes per core, averages, switches and interrupts, frequency, load (/proc/stat, /proc/loadavg)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from collectors.base import gauges
from collectors.machine.linux.kernel import Kernel, Remembered
from core.errors import SourceUnavailable
from core.machine import metrics
from core.machine.spec import ALL_CORES
from core.model import Sample, labels
from core.rates import LONGEST_GAP_SECONDS, Rates

MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
IDLE, IOWAIT = MODES.index("idle"), MODES.index("iowait")
AVERAGES_SECONDS = {metrics.CPU_BUSY_5M_RATIO: 300.0, metrics.CPU_BUSY_15M_RATIO: 900.0}

Ticks = tuple[int, ...]
"""Clock ticks spent in each of MODES since boot. Guests are inside user and nice already."""


@dataclass(frozen=True, slots=True)
class Stat:
    """/proc/stat: ticks by core ("total" and "0", "1", …) and counters since boot."""

    ticks: dict[str, Ticks]
    counters: dict[str, int]


def parse_stat(text: str) -> Stat:
    """Return what /proc/stat says; counters are ctxt, intr, softirq, processes, btime, procs_running, procs_blocked."""
    ticks: dict[str, Ticks] = {}
    counters: dict[str, int] = {}
    for line in text.splitlines():
        name, _, rest = line.partition(" ")
        if name.startswith("cpu"):
            values = tuple(int(word) for word in rest.split()[: len(MODES)])
            ticks[name[3:] or ALL_CORES] = values + (0,) * (len(MODES) - len(values))
        elif rest:
            counters[name] = int(rest.split(" ", 1)[0])
    return Stat(ticks, counters)


def shares(before: Ticks, after: Ticks) -> list[float] | None:
    """Return the share of time in each of MODES between two looks, summing to 1; None when a counter was reset.

    The kernel lets idle and iowait slip back by a few ticks (proc(5)): that is no reset and counts as nothing.
    """
    changes = [late - early for early, late in zip(before, after, strict=True)]
    changes[IDLE], changes[IOWAIT] = max(changes[IDLE], 0), max(changes[IOWAIT], 0)
    total = sum(changes)
    if total <= 0 or min(changes) < 0:
        return None
    return [change / total for change in changes]


def busy(share: Sequence[float]) -> float:
    """Return the share of time that was neither idle nor waiting for input and output."""
    return min(max(1.0 - share[IDLE] - share[IOWAIT], 0.0), 1.0)


class Averages:
    """Exact means of busy time over the last 5 and 15 minutes, from ticks kept for 15."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._ticks: list[Ticks] = []

    def add(self, ticks: Ticks, at: float) -> None:
        """Keep a look at the ticks of the whole machine."""
        if self._ticks and shares(self._ticks[-1], ticks) is None:
            self._times.clear()
            self._ticks.clear()
        self._times.append(at)
        self._ticks.append(ticks)
        surplus = bisect_right(self._times, at - max(AVERAGES_SECONDS.values())) - 1
        if surplus > 0:
            del self._times[:surplus], self._ticks[:surplus]

    def mean(self, window_seconds: float) -> float | None:
        """Return the mean busy share of the last `window_seconds`; None until as much has been seen."""
        start = bisect_right(self._times, self._times[-1] - window_seconds) - 1 if self._times else -1
        if start < 0:
            return None
        share = shares(self._ticks[start], self._ticks[-1])
        return busy(share) if share else None


class Cpu:
    """Samples of the processors. Raises SourceUnavailable when /proc/stat cannot be read: nothing works then."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._rates = Rates()
        self._averages = Averages()
        self._before: dict[str, Ticks] = {}
        self._before_at = float("-inf")
        self._frequency: Remembered[float | None] = Remembered()

    def samples(self, at: float) -> list[Sample]:
        text = self._kernel.proc("stat")
        if text is None:
            raise SourceUnavailable("/proc/stat cannot be read")
        stat = parse_stat(text)
        return [*self._core_samples(stat, at), *self._counter_samples(stat, at), *self._frequency_samples(at)]

    def _core_samples(self, stat: Stat, at: float) -> list[Sample]:
        before, gap = self._before, at - self._before_at
        self._before, self._before_at = stat.ticks, at
        total = stat.ticks[ALL_CORES]
        self._averages.add(total, at)
        found = gauges({metric: self._averages.mean(seconds) for metric, seconds in AVERAGES_SECONDS.items()})
        found.append(Sample(metrics.CPU_CORES, float(len(stat.ticks) - 1)))
        if gap > LONGEST_GAP_SECONDS:
            return found
        for core, ticks in stat.ticks.items():
            share = shares(before[core], ticks) if core in before else None
            if share is not None:
                found += self._share_samples(core, share)
        return found

    def _share_samples(self, core: str, share: list[float]) -> list[Sample]:
        found = [Sample(metrics.CPU_BUSY_RATIO, busy(share), labels(core=core))]
        for mode, value in zip(MODES, share, strict=True):
            found.append(Sample(metrics.CPU_MODE_RATIO, value, (("core", core), ("mode", mode))))
        return found

    def _counter_samples(self, stat: Stat, at: float) -> list[Sample]:
        def rate(name: str) -> float | None:
            return self._rates.per_second(name, stat.counters[name], at) if name in stat.counters else None

        def count(name: str) -> float | None:
            return stat.counters.get(name)

        return gauges(
            {
                metrics.CONTEXT_SWITCHES_RATE: rate("ctxt"),
                metrics.INTERRUPTS_RATE: rate("intr"),
                metrics.SOFT_INTERRUPTS_RATE: rate("softirq"),
                metrics.FORKS_RATE: rate("processes"),
                metrics.PROCESSES_RUNNABLE: count("procs_running"),
                metrics.PROCESSES_BLOCKED: count("procs_blocked"),
                metrics.BOOT_TIME: count("btime"),
            }
        )

    def _frequency_samples(self, at: float) -> list[Sample]:
        if self._frequency.is_due(at):
            self._frequency.put(mean_frequency_hertz(self._kernel), at)
        return gauges({metrics.CPU_FREQUENCY: self._frequency.value})


def mean_frequency_hertz(kernel: Kernel) -> float | None:
    """Return the mean frequency of the cores now, None where the machine does not tell."""
    folder = "devices/system/cpu"
    cores = [name for name in kernel.list_sys(folder) if name[:3] == "cpu" and name[3:].isdigit()]
    kilohertz = [kernel.sys_number(f"{folder}/{core}/cpufreq/scaling_cur_freq") for core in cores]
    known = [value * 1e3 for value in kilohertz if value]
    if not known:
        lines = (kernel.proc("cpuinfo") or "").splitlines()
        known = [float(line.partition(":")[2]) * 1e6 for line in lines if line.startswith("cpu MHz")]
    return sum(known) / len(known) if known else None


class Load:
    """Samples of the run queue (/proc/loadavg) and uptime."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._cores: Remembered[int] = Remembered()

    def samples(self, at: float) -> list[Sample]:
        found: list[Sample] = []
        if self._cores.is_due(at):
            lines = (self._kernel.proc("stat") or "").splitlines()
            self._cores.put(sum(line.startswith("cpu") for line in lines) - 1, at)
        words = (self._kernel.proc("loadavg") or "").split()
        if len(words) >= 4:
            cores = max(self._cores.value or 1, 1)
            for minutes, word in zip(("1", "5", "15"), words, strict=False):
                found += gauges(
                    {metrics.LOAD: float(word), metrics.LOAD_PER_CORE: float(word) / cores}, minutes=minutes
                )
            found += gauges({metrics.THREADS: float(words[3].partition("/")[2])})
        uptime = (self._kernel.proc("uptime") or "").split()
        if uptime:
            found += gauges({metrics.UPTIME: float(uptime[0])})
        return found
