"""From samples to rows: each series is named once in a while, and has one value a second."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence

from core.model import Facts, Sample
from storage.clickhouse.series import SeriesKey, series_id

NAME_AGAIN_SECONDS = 3600
REMEMBERED_SECONDS = 30
"""So long it is known which series have a value in a second: a clock set back by less doubles none."""
SERIES_COLUMNS, SAMPLE_COLUMNS = ("series", "host", "metric", "labels", "seen"), ("series", "ts", "value")


class SampleRows:
    """Makes rows of samples. Safe to call from any thread."""

    def __init__(self) -> None:
        self.repeated_rows = 0
        self.not_finite_rows = 0
        self._lock = threading.Lock()
        self._known: dict[SeriesKey, int] = {}
        self._named_at = 0
        self._taken: dict[int, set[int]] = {}
        """The series that have a value, by second."""

    def of(self, host: str, ts: float, samples: Sequence[Sample]) -> list[Facts]:
        """Return the rows of the samples of one run, all at `ts` (epoch seconds): names that are new, then values.

        Left out and counted: a value that is NaN or infinite, and a second value of a series in the same second.
        """
        second = int(ts)
        self._name_again(second)
        taken = self._series_of(second)
        fresh: list[tuple[int, str, str, dict[str, str], int]] = []
        ids: list[int] = []
        values: list[float] = []
        for sample in samples:
            if not math.isfinite(sample.value):
                self.not_finite_rows += 1
                continue
            key = (host, sample.metric, sample.labels)
            number = self._known.get(key)
            if number is None:
                number = self._known[key] = series_id(*key)
                fresh.append((number, host, sample.metric, dict(sample.labels), second))
            if number in taken:
                self.repeated_rows += 1
                continue
            taken.add(number)
            ids.append(number)
            values.append(sample.value)
        names = [Facts("series", SERIES_COLUMNS, tuple(zip(*fresh, strict=True)))] if fresh else []
        return [*names, Facts("samples", SAMPLE_COLUMNS, (ids, [second] * len(ids), values))] if ids else names

    def forget_names(self) -> None:
        """Name every series again when it comes: a batch of names was dropped."""
        self._known = {}

    def _series_of(self, second: int) -> set[int]:
        """Return the series that have a value in this second, and forget those of the seconds that came first."""
        with self._lock:
            taken = self._taken.setdefault(second, set())
            while len(self._taken) > REMEMBERED_SECONDS:
                del self._taken[next(iter(self._taken))]
            return taken

    def _name_again(self, second: int) -> None:
        """Forget now and then which series are named, so that a dropped batch of names heals by itself."""
        if abs(second - self._named_at) >= NAME_AGAIN_SECONDS:
            self.forget_names()
            self._named_at = second
