"""Disks: space, inodes, read-only and when they will be full."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from collectors.base import gauges
from collectors.machine.fill import SIX_HOURS_SECONDS, FillTrend
from collectors.machine.linux.kernel import Kernel, Remembered
from collectors.machine.linux.mounts import Space, data_mounts, left_out_mounts, space
from core.errors import StorageError
from core.machine import metrics
from core.machine.spec import LeftOut, Mount
from core.model import Sample

History = Callable[[str, float], Mapping[str, Sequence[tuple[float, float]]]]
"""history(metric, seconds) returns by mount the (seconds ago, value) pairs that storage still holds."""

log = logging.getLogger(__name__)


class Disks:
    """Samples of every mount that holds data.

    `history` fills the trends after a restart; without it a forecast needs an hour of its own readings.
    """

    def __init__(self, kernel: Kernel, history: History | None = None) -> None:
        self._kernel = kernel
        self._history = history
        self._mounts: Remembered[list[Mount]] = Remembered()
        self._left_out: list[LeftOut] = []
        self._trends: dict[str, FillTrend] | None = None
        self._was_writable: set[str] = set()

    def samples(self, at: float) -> list[Sample]:
        if self._trends is None:
            self._trends = self._from_history(at)
        if self._mounts.is_due(at):
            self._mounts.put(data_mounts(self._kernel), at)
            self._left_out = left_out_mounts(self._kernel)
        found: list[Sample] = []
        for mount in self.mounts:
            asked = space(mount.path)
            if asked is not None and asked.total_bytes:
                found += self._mount(mount.path, asked, self._trends, at)
        return found

    @property
    def mounts(self) -> list[Mount]:
        """The mounts last seen."""
        return self._mounts.value or []

    @property
    def left_out(self) -> list[LeftOut]:
        """The mounts that are not among them, as last seen."""
        return self._left_out

    def _mount(self, path: str, asked: Space, trends: dict[str, FillTrend], at: float) -> list[Sample]:
        trend = trends.setdefault(path, FillTrend())
        trend.add(at, asked.used_bytes)
        fill = trend.fill(asked.available_bytes) if not asked.read_only else None
        if not asked.read_only:
            self._was_writable.add(path)
        lost = float(path in self._was_writable) if asked.read_only else 0.0
        return gauges(
            {
                metrics.DISK_TOTAL: asked.total_bytes,
                metrics.DISK_USED: asked.used_bytes,
                metrics.DISK_FREE: asked.available_bytes,
                metrics.DISK_USED_RATIO: asked.used_ratio,
                metrics.DISK_INODES: asked.inodes_total or None,
                metrics.DISK_INODES_USED_RATIO: asked.inodes_used_ratio,
                metrics.DISK_READ_ONLY: float(asked.read_only),
                metrics.DISK_BECAME_READ_ONLY: lost,
                metrics.DISK_FULL: fill.seconds if fill else None,
                metrics.DISK_FILL_RATE: fill.trend.bytes_per_second if fill else None,
                metrics.DISK_FILL_WINDOW: fill.trend.window_seconds if fill else None,
            },
            mount=path,
        )

    def _from_history(self, at: float) -> dict[str, FillTrend]:
        if self._history is None:
            return {}
        try:
            known = self._history(metrics.DISK_USED, SIX_HOURS_SECONDS)
        except StorageError as error:
            log.warning("disk forecasts start without history: %s", error)
            return {}
        return {mount: FillTrend((at - ago, used) for ago, used in points) for mount, points in known.items()}
