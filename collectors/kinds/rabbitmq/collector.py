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
from collectors.kinds.rabbitmq.tables import nodes_of, queues_of, rates_of, samples, tables
from collectors.net.reach import GRACE_SECONDS, Deadline
from core.format import count
from core.kinds.rabbitmq.source import RabbitmqSource
from core.model import Reading

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
        overview = checked_overview(self._api.get("/api/overview", deadline), self._where)
        nodes = nodes_of(self._api.get("/api/nodes", deadline))
        queues, total = queues_of(self._api.get(QUEUES, deadline), now)
        if monotonic >= self._vhosts_due:
            self._vhosts = self._api.get("/api/vhosts?columns=name,cluster_state", deadline)
            self._vhosts_due = monotonic + VHOSTS_SECONDS
        unread = self._unread.longer_than(self._source, queues, monotonic)
        checks = judge(self._source, nodes, queues, rates_of(overview), self._vhosts, unread)
        version = overview["rabbitmq_version"]
        about = {
            "version": version,
            "erlang": overview.get("erlang_version"),
            "cluster": overview.get("cluster_name"),
            "node": overview.get("node"),
            "rates_mode": overview.get("rates_mode"),
            "queues": total,
        }
        fine = f"RabbitMQ {version}, {count(len(nodes), 'node')}, {count(total, 'queue')}"
        return Reading(
            samples=samples(self._source.name, overview, nodes, queues, total),
            components=[summed(self._source.component, fine, checks)],
            tables=[checks_table(checks), *tables(nodes, queues, about)],
        )
