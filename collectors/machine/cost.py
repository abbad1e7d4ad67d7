"""What a collector itself costs."""

from __future__ import annotations

import mmap
import time

from collectors.base import gauges
from collectors.machine.linux.kernel import Kernel
from core.model import Sample
from core.pipeline import spec


class Cost:
    """CPU of a collector's thread and memory of its process.

    A run cannot measure its own end: each reading carries the cost of the run before.
    """

    def __init__(self, collector: str, kernel: Kernel) -> None:
        self._collector = collector
        self._kernel = kernel
        self._last_run: float | None = None
        self._since = 0.0
        self._begun = float("-inf")

    def begin(self, at: float) -> list[Sample]:
        """Start measuring a run at `at` monotonic seconds; returns the samples of the run before."""
        spent, interval = self._last_run, at - self._begun
        self._begun, self._since = at, time.thread_time()
        found = gauges(
            {
                spec.COLLECTOR_CPU: spent,
                spec.COLLECTOR_CPU_RATIO: spent / interval if spent is not None and interval > 0 else None,
            },
            collector=self._collector,
        )
        words = (self._kernel.proc("self/statm") or "").split()
        resident = int(words[1]) * mmap.PAGESIZE if len(words) > 1 else None
        return found + gauges({spec.COLLECTOR_MEMORY: resident}, collector=self._collector)

    def end(self) -> None:
        """Stop measuring; call from the thread that began."""
        self._last_run = time.thread_time() - self._since
