"""RabbitMQ: nodes, alarms, partitions, queues and rates, by the management API of one node.

Costs it three GETs a reading on one kept connection (overview, nodes, the 100 queues with most messages, named columns
only) and one a minute (vhosts); answered from the management plugin's own cache. Its rates are of its own samples,
taken every five seconds: differences of ours would beat against them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from collectors.base import Context
from collectors.judging.checks import checks_table, summed
from collectors.kinds.rabbitmq.connection import QUEUES, Api, checked_overview
from collectors.kinds.rabbitmq.judge import Unread, judge
from collectors.kinds.rabbitmq.tables import Cluster, nodes_of, queues_of, samples
from core.format import count
from core.kinds.rabbitmq import spec
from core.kinds.rabbitmq.source import RabbitmqSource
from core.model import Reading
from core.net.reach import GRACE_SECONDS, Deadline
from core.tables import table_of

__all__ = ["RabbitmqCollector", "make"]

VHOSTS_SECONDS = 60.0


def make(context: Context, source: RabbitmqSource) -> RabbitmqCollector:
    """Return the collector of one cluster."""
    return RabbitmqCollector(source)


class RabbitmqCollector:
    """Reads one cluster over one kept connection."""

    def __init__(self, source: RabbitmqSource, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.name = source.collector
        self.interval_seconds = source.interval_seconds
        self.timeout_seconds = source.timeout_seconds + GRACE_SECONDS
        self._source = source
        self._monotonic = monotonic
        self._where = urlsplit(source.url.get_secret_value()).netloc.rpartition("@")[2]
        self._api = Api(source)
        self._unread = Unread()
        self._vhosts: Any = None
        self._vhosts_due = 0.0

    def collect(self, now: float) -> Reading:
        """Return the reading at `now`. Raises SourceUnavailable or SourceRejected."""
        deadline = Deadline(self._source.timeout_seconds)
        monotonic = self._monotonic()
        overview = checked_overview(self._api.get(spec.OVERVIEW, deadline), self._where)
        nodes = nodes_of(self._api.get(spec.NODES, deadline))
        queues, queue_count = queues_of(self._api.get(QUEUES, deadline), now)
        if monotonic >= self._vhosts_due:
            self._vhosts = self._api.get(f"{spec.VHOSTS}?columns=name,cluster_state", deadline)
            self._vhosts_due = monotonic + VHOSTS_SECONDS
        cluster = Cluster(overview, nodes, queues, queue_count, self._vhosts)
        unread = self._unread.longer_than(self._source, queues, monotonic)
        checks = judge(self._source, cluster, unread)
        about = cluster.about
        fine = f"RabbitMQ {about.version}, {count(len(nodes), 'node')}, {count(queue_count, 'queue')}"
        return Reading(
            samples=samples(self._source.name, cluster),
            components=[summed(self._source.component, fine, checks)],
            tables=[
                checks_table(checks),
                table_of(spec.Node, nodes),
                table_of(spec.Queue, queues),
                table_of(spec.About, [about]),
            ],
        )
