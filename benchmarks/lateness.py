"""How late do healthy collectors start while others hang for ever? Prints p50, p99 and the longest.

    python -m benchmarks.lateness [--seconds 30] [--stuck 10] [--healthy 10] [--interval 1]

Exits with 1 when p99 is above the limit of 50 ms.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Sequence

from collectors.pipeline import percentile
from collectors.runtime.publisher import RUN_COLUMNS
from collectors.runtime.runner import Runner
from core import log
from core.clock import SystemClock
from core.model import Facts, Reading, Sample

LIMIT_SECONDS = 0.050
LATENESS = RUN_COLUMNS.index("lateness_seconds")
COLLECTOR = RUN_COLUMNS.index("collector")


class Source:
    """Answers at once, or never."""

    timeout_seconds = 2.0

    def __init__(self, name: str, interval_seconds: float, *, hangs: bool) -> None:
        self.name = name
        self.interval_seconds = interval_seconds
        self._hangs = hangs

    def collect(self, now: float) -> Reading:
        if self._hangs:
            threading.Event().wait()
        return Reading(samples=[Sample("value", now)] * 40)


class Sink:
    """Takes what the runner publishes and keeps how late the healthy runs were."""

    def __init__(self) -> None:
        self.lateness: list[float] = []
        self.given_up = 0

    def put(self, host: str, ts: float, samples: Sequence[Sample]) -> None: ...

    def put_facts(self, facts: Facts) -> None:
        if facts.data[COLLECTOR][0].startswith("healthy"):
            self.lateness.append(facts.data[LATENESS][0])
        else:
            self.given_up += 1

    def put_reading(
        self,
        collector: str,
        host: str,
        ts: float,
        interval_seconds: float,
        reading: Reading,
        tables_ts: float | None = None,
        *,
        timeout_seconds: float = 0.0,
    ) -> None: ...

    def bump(self, dataset: str) -> None: ...


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--stuck", type=int, default=10)
    parser.add_argument("--healthy", type=int, default=10)
    parser.add_argument("--interval", type=float, default=1)
    options = parser.parse_args()

    log.configure("ERROR")
    sink = Sink()
    runner = Runner("benchmark", SystemClock(), sink, sink)
    for number in range(options.stuck):
        runner.add(Source(f"stuck-{number}", options.interval, hangs=True))
    for number in range(options.healthy):
        runner.add(Source(f"healthy-{number}", options.interval, hangs=False))
    cpu = time.process_time()
    runner.start()
    time.sleep(options.seconds)
    cpu = time.process_time() - cpu
    runner.stop(deadline_seconds=0)

    late = sink.lateness
    p99 = percentile(late, 0.99) or float("inf")
    print(
        f"{options.stuck} stuck ({sink.given_up} runs given up), "
        f"{options.healthy} healthy each {options.interval:g} s, "
        f"{options.seconds:g} s: {len(late)} healthy runs, late p50 {(percentile(late, 0.5) or 0) * 1e3:.2f} ms, "
        f"p99 {p99 * 1e3:.2f} ms, longest {max(late) * 1e3:.2f} ms (limit p99 {LIMIT_SECONDS * 1e3:.0f} ms); "
        f"runtime {cpu / options.seconds:.2%} of a core"
    )
    return 0 if p99 <= LIMIT_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
