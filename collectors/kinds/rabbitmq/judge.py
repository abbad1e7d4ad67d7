"""From what the management API says to checks.

An alarm of memory or disk is critical: while it lasts every publisher of the cluster is blocked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from collectors.judging.checks import Check, bad_if, judged
from collectors.kinds.rabbitmq.tables import Cluster
from core.format import bytes_, coarse_duration, count, first_of, noun, percent
from core.kinds.rabbitmq import spec
from core.kinds.rabbitmq.source import RabbitmqSource
from core.kinds.rabbitmq.spec import Checks, Node, Queue
from core.model import Status, worst


class Unread:
    """Since when which queue has messages and no consumer."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def longer_than(self, source: RabbitmqSource, queues: Sequence[Queue], monotonic: float) -> list[Queue]:
        """Return the queues that nobody has read for longer than the source allows."""
        alone = [each for each in watched(source, queues) if each.is_unread]
        self._since = {each.queue: self._since.get(each.queue, monotonic) for each in alone}
        return [each for each in alone if monotonic - self._since[each.queue] >= source.unread_seconds]


def watched(source: RabbitmqSource, queues: Sequence[Queue]) -> list[Queue]:
    """Return the queues that may not hold messages for long."""
    ignored = re.compile(source.ignored_queues) if source.ignored_queues else None
    return [each for each in queues if not (ignored and ignored.search(each.queue))]


def judge(source: RabbitmqSource, cluster: Cluster, unread: Sequence[Queue]) -> list[Check]:
    """Return every check of a reading. unread: queues that nobody reads, for long enough to tell."""
    return [
        _nodes(cluster.nodes),
        _memory(cluster.nodes),
        _disk(cluster.nodes),
        _limits(cluster.nodes),
        _queues(cluster.queues, unread),
        _oldest(source, cluster.queues),
        _redelivered(cluster),
        _vhosts(cluster.vhosts),
    ]


def _nodes(nodes: Sequence[Node]) -> Check:
    if not nodes:
        return Check(Checks.NODES, Status.UNKNOWN, "no node is reported")
    down = [each.name for each in nodes if not each.running]
    split = [f"{each.name} does not see {each.partitions}" for each in nodes if each.partitions]
    why = [
        *([f"{first_of(down)} {noun(len(down), 'is', 'are')} not running"] if down else []),
        *([f"the network is partitioned: {first_of(split)}"] if split else []),
    ]
    return bad_if(Checks.NODES, bool(why), "; ".join(why), f"{len(nodes)} running", Status.CRITICAL)


def _memory(nodes: Sequence[Node]) -> Check:
    used = {each.name: each.memory_ratio or 0.0 for each in nodes}
    alarmed = [each.name for each in nodes if each.memory_alarm]
    most = max(used, key=lambda name: used[name], default="")
    if alarmed:
        why = f"memory alarm on {first_of(alarmed)}: publishers are blocked"
        return Check(Checks.MEMORY, Status.CRITICAL, why, min(used[alarmed[0]], 1.0))
    if not most:
        return Check(Checks.MEMORY, Status.OK, "")
    why = f"{most} uses {percent(used[most])} of its memory limit"
    return judged(Checks.MEMORY, used[most], why, spec.MEMORY, used[most])


def _disk(nodes: Sequence[Node]) -> Check:
    alarmed = [each.name for each in nodes if each.disk_alarm]
    if alarmed:
        return Check(Checks.DISK, Status.CRITICAL, f"disk alarm on {first_of(alarmed)}: publishers are blocked", 1.0)
    known = [(each.disk_free_bytes / each.disk_limit_bytes, each) for each in nodes
             if each.disk_free_bytes is not None and each.disk_limit_bytes]  # fmt: skip
    if not known:
        return Check(Checks.DISK, Status.OK, "")
    times, least = min(known, key=lambda pair: pair[0])
    why = f"{least.name} has {bytes_(least.disk_free_bytes)} free, its alarm is at {bytes_(least.disk_limit_bytes)}"
    return judged(Checks.DISK, times, why, spec.DISK_TIMES, min(1 / times, 1.0) if times else 1.0)


def _limits(nodes: Sequence[Node]) -> Check:
    used = [
        (ratio or 0.0, each.name, what)
        for each in nodes
        for ratio, what in (
            (each.files_ratio, "file descriptors"),
            (each.sockets_ratio, "sockets"),
            (each.processes_ratio, "Erlang processes"),
        )
    ]
    if not used:
        return Check(Checks.LIMITS, Status.OK, "")
    most, node, what = max(used)
    return judged(Checks.LIMITS, most, f"{node} uses {percent(most)} of its {what}", spec.NODE_LIMITS, most)


def _queues(queues: Sequence[Queue], unread: Sequence[Queue]) -> Check:
    broken = [f"{each.queue} is {each.state}" for each in queues if each.is_broken]
    minority = [_minority(each) for each in queues if each.is_minority]
    alone = [f"{each.queue} holds {count(each.ready, 'message')}" for each in unread]
    why = [
        *([first_of(broken)] if broken else []),
        *([f"without a majority: {first_of(minority)}"] if minority else []),
        *([f"nobody reads: {first_of(alone)}"] if alone else []),
    ]
    status = worst([Status.CRITICAL if broken else Status.OK, Status.WARNING if why else Status.OK])
    return Check(Checks.QUEUES, status, "; ".join(why) or "all running")


def _minority(queue: Queue) -> str:
    if queue.members is None or queue.online is None:
        return queue.queue
    return f"{queue.queue} has {queue.online} of {count(queue.members, 'member')}"


def _oldest(source: RabbitmqSource, queues: Sequence[Queue]) -> Check:
    known = [each for each in watched(source, queues) if each.head_seconds is not None and each.ready]
    if not known:
        return Check(Checks.OLDEST, Status.OK, "no message has a timestamp")
    oldest = max(known, key=lambda each: each.head_seconds or 0.0)
    seconds = oldest.head_seconds or 0.0
    why = f"the oldest of {count(oldest.ready, 'message')} in {oldest.queue} is {coarse_duration(seconds)} old"
    share = min(seconds / source.queue_critical_seconds, 1.0)
    return judged(Checks.OLDEST, seconds, why, source.queue_age, share)


def _redelivered(cluster: Cluster) -> Check:
    rates = cluster.rates
    again, delivered = rates.get(spec.REDELIVERED_RATE) or 0.0, rates.get(spec.DELIVERED_RATE) or 0.0
    ratio = again / delivered if delivered else 0.0
    is_bad = again >= spec.REDELIVERED_LEAST_PER_SECOND and spec.REDELIVERED.is_bad(ratio)
    why = f"{percent(ratio)} of deliveries are redeliveries: consumers give messages back"
    return bad_if(Checks.REDELIVERED, is_bad, why)


def _vhosts(vhosts: Any) -> Check:
    bad = []
    for each in vhosts if isinstance(vhosts, list) else []:
        states = each.get("cluster_state") if isinstance(each, dict) else None
        wrong = {node: state for node, state in (states or {}).items() if state != "running"}
        bad += [f"{each.get('name')} is {state} on {node}" for node, state in wrong.items()]
    return bad_if(Checks.VHOSTS, bool(bad), f"virtual host {first_of(bad)}", "all running", Status.CRITICAL)
