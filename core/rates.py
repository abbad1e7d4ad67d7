"""Counters to rates: how fast a number that only grows is growing."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

LONGEST_GAP_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Step:
    """How far a counter moved between two looks: `change` is never negative, `seconds` always positive."""

    change: float
    seconds: float

    @property
    def per_second(self) -> float:
        """Return the mean rate over the step."""
        return self.change / self.seconds


@dataclass(frozen=True, slots=True)
class CounterDeltas:
    """How far the counters of one server moved since the reading before; one without a step is missing."""

    steps: Mapping[str, Step] = field(default_factory=dict)

    def rate(self, name: str) -> float | None:
        """Return a counter's rate in its unit per second; None without a step."""
        step = self.steps.get(name)
        return step.per_second if step else None

    def change(self, name: str) -> float:
        """Return by how much a counter grew; 0 without a step."""
        step = self.steps.get(name)
        return step.change if step else 0.0


class Rates:
    """Remembers the last look at each counter; one instance belongs to one collector.

    Times are monotonic seconds, so a step of the wall clock cannot bend a rate. There is no step (None) at
    first sight of a counter, after it went backwards (a restart or reset of its source), and after a gap
    longer than `longest_gap_seconds`, over which a mean would pass for the present.
    """

    def __init__(self, longest_gap_seconds: float = LONGEST_GAP_SECONDS) -> None:
        self._longest_gap = longest_gap_seconds
        self._seen: dict[Hashable, tuple[float, float]] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def step(self, key: Hashable, value: float, monotonic: float) -> Step | None:
        """Return how far the counter `key` moved since the last look, and remember this one."""
        before = self._seen.get(key)
        self._seen[key] = (value, monotonic)
        if before is None:
            return None
        change, seconds = value - before[0], monotonic - before[1]
        if change < 0 or seconds <= 0 or seconds > self._longest_gap:
            return None
        return Step(change, seconds)

    def deltas(self, run: Hashable, values: Mapping[str, float | None], monotonic: float) -> CounterDeltas:
        """Return how far counters moved since the last look, those aside that are not told (None).

        run: what names the run of the server. Another one counts from zero and may have passed the old value
        already: it gives no step.
        """
        known = {name: value for name, value in values.items() if value is not None}
        found = {name: self.step((run, name), value, monotonic) for name, value in known.items()}
        return CounterDeltas({name: step for name, step in found.items() if step is not None})

    def per_second(self, key: Hashable, value: float, monotonic: float) -> float | None:
        """Return the rate of the counter `key` since the last look in its unit per second, or None (see above)."""
        step = self.step(key, value, monotonic)
        return step.per_second if step is not None else None

    def forget(self, before_monotonic: float) -> None:
        """Drop the counters last seen before a time: unplugged devices, ended processes."""
        self._seen = {key: seen for key, seen in self._seen.items() if seen[1] >= before_monotonic}
