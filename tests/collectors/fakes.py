"""Hand-written stand-ins at the runner's seams: a source, the writer's queue, the live store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from collectors.runtime.runner import Runner
from core.model import Facts, Labels, Reading, Sample

PATIENCE_SECONDS = 10.0


class FakeCollector:
    """A source whose answers a test gives: a reading, an error to raise, or a gate to hang on."""

    def __init__(self, name: str = "source", interval_seconds: float = 5.0, timeout_seconds: float = 2.0) -> None:
        self.name = name
        self.interval_seconds = interval_seconds
        self.timeout_seconds = timeout_seconds
        self.answer: Reading | Exception = Reading(samples=[Sample("temperature_celsius", 21.0)])
        self.gate: threading.Event | None = None
        self.entered = threading.Semaphore(0)
        self.calls: list[float] = []

    def collect(self, now: float) -> Reading:
        gate, answer = self.gate, self.answer
        self.calls.append(now)
        self.entered.release()
        if gate is not None:
            gate.wait(PATIENCE_SECONDS * 3)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def wait_until_entered(self) -> None:
        assert self.entered.acquire(timeout=PATIENCE_SECONDS), f"{self.name} was not run"


class FakeWriter:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float, Sample]] = []
        self.facts: list[Facts] = []

    def put(self, host: str, ts: float, samples: Sequence[Sample]) -> None:
        self.rows.extend((host, ts, sample) for sample in samples)

    def put_facts(self, facts: Facts) -> None:
        self.facts.append(facts)

    def values(self, metric: str, labels: Labels = ()) -> list[float]:
        return [s.value for _, _, s in self.rows if s.metric == metric and s.labels == labels]

    def runs(self) -> list[dict[str, object]]:
        """Every stored run, a dict of column to value each."""
        return [
            dict(zip(facts.columns, row, strict=True))
            for facts in self.facts
            if facts.table == "runs"
            for row in zip(*facts.data, strict=True)
        ]


class FakeLive:
    """Keeps the newest reading of each collector and counts what was bumped."""

    def __init__(self) -> None:
        self.readings: dict[str, Reading] = {}
        self.timeouts: dict[str, float] = {}
        self.bumps: dict[str, int] = {}

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
    ) -> None:
        self.readings[collector] = reading
        self.timeouts[collector] = timeout_seconds

    def bump(self, dataset: str) -> int:
        self.bumps[dataset] = self.bumps.get(dataset, 0) + 1
        return self.bumps[dataset]


def eventually(is_true: Callable[[], bool], what: str) -> None:
    """Wait until another thread has made `is_true` hold; fail with `what` when it does not."""
    tick = threading.Event()
    for _ in range(int(PATIENCE_SECONDS / 0.005)):
        if is_true():
            return
        tick.wait(0.005)
    raise AssertionError(f"did not happen: {what}")


def finish(runner: Runner, name: str, runs: int) -> None:
    """Wait until the collector `name` has `runs` runs behind it and may be submitted again."""
    view = {view.collector: position for position, view in enumerate(runner.views())}[name]
    executor = runner.scheduler._lookup_executor(name)
    eventually(
        lambda: len(runner.views()[view].durations_seconds) == runs and not executor._instances,
        f"{runs} runs of {name} end",
    )
