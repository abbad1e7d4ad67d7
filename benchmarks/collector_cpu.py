"""What watching the machine costs: CPU of both collectors as a share of one core, and their memory.

    python -m benchmarks.collector_cpu

Each collector runs as often as in a day's first minutes, one run after another without waiting; its CPU time a
run over its interval is the share of a core it takes. The process table is read every third time, as in life.
"""

from __future__ import annotations

import resource
import statistics
import time

from collectors.processes import ProcessCollector
from collectors.system import SystemCollector

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


def main() -> None:
    """Print the shares beside their targets."""
    spent = measure()
    cheap = statistics.mean(spent["system"]) / SystemCollector().interval_seconds
    tables = statistics.mean(spent["processes"]) / ProcessCollector().interval_seconds
    for name, seconds in spent.items():
        median, worst = statistics.median(seconds) * 1e3, max(seconds) * 1e3
        print(f"{name:<10} {len(seconds)} runs: median {median:.2f} ms, worst {worst:.2f} ms of CPU")
    print(f"cheap set each 5 s:        {cheap:.4%} of a core (target ≤ {CHEAP_TARGET:.1%})")
    print(f"with tables each 15 s:     {cheap + tables:.4%} of a core (target ≤ {ALL_TARGET:.0%})")
    print(f"resident memory at most:   {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.1f} MiB")


if __name__ == "__main__":
    main()
