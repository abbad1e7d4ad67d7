"""What watching the machine costs: CPU of both collectors as a share of one core, and their memory.

    python -m benchmarks.collector_cpu

The collectors run one after another without waiting, the process table every third time, as in life. CPU time
a run over the collector's interval is the share of a core it takes; added is what a disk's forecast costs once a
minute, which runs in a hurry do not reach.
"""

from __future__ import annotations

import resource
import statistics
import time

from collectors.machine.fill import FillTrend
from collectors.machine.processes import ProcessCollector
from collectors.machine.system import SystemCollector

RUNS = 300
CHEAP_TARGET, ALL_TARGET = 0.003, 0.010


def measure() -> dict[str, list[float]]:
    """Return CPU seconds (user and system, of this process) of each run by collector."""
    system, processes = SystemCollector(), ProcessCollector()
    spent: dict[str, list[float]] = {system.name: [], processes.name: []}
    for run in range(RUNS):
        for collector in (system, processes) if run % 3 == 0 else (system,):
            before = time.process_time()
            collector.collect(time.time())
            spent[collector.name].append(time.process_time() - before)
    return spent


def forecast_seconds() -> float:
    """Return CPU seconds of working out the forecast of one mount from six full hours."""
    trend = FillTrend((60.0 * minute, 1e6 * minute + minute % 7 * 3e5) for minute in range(360))
    before = time.process_time()
    for minute in range(360, 380):
        trend.add(60.0 * minute, 1e6 * minute)
    return (time.process_time() - before) / 20


def main() -> None:
    """Print the shares beside their targets."""
    spent = measure()
    forecast = forecast_seconds()
    cheap = statistics.mean(spent["system"]) / SystemCollector().interval_seconds + forecast / 60
    tables = statistics.mean(spent["processes"]) / ProcessCollector().interval_seconds
    for name, seconds in spent.items():
        median, worst = statistics.median(seconds) * 1e3, max(seconds) * 1e3
        print(f"{name:<10} {len(seconds)} runs: median {median:.2f} ms, worst {worst:.2f} ms of CPU")
    print(f"forecast   {forecast * 1e3:.2f} ms a mount and minute")
    print(f"cheap set each 5 s:        {cheap:.4%} of a core (target ≤ {CHEAP_TARGET:.1%})")
    print(f"with tables each 15 s:     {cheap + tables:.4%} of a core (target ≤ {ALL_TARGET:.0%})")
    print(f"resident memory at most:   {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.1f} MiB")


if __name__ == "__main__":
    main()
