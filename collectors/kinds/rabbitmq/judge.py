"""From what the management API says to checks.

An alarm of memory or disk is critical: while it lasts every publisher of the cluster is blocked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from collectors.judging.checks import Check, bad_if
from collectors.kinds.rabbitmq.tables import Node, Queue, share
from core.format import bytes_, coarse_duration, count, percent
from core.kinds.rabbitmq.source import RabbitmqSource
from core.limits import Limit
from core.model import Status, worst

MEMORY_WARNING, FULL_WARNING, FULL_CRITICAL = 0.8, 0.8, 0.95
DISK_WARNING_TIMES = 2.0
REDELIVERED_RATIO, REDELIVERED_LEAST = 0.01, 0.1
BROKEN = ("crashed", "stopped", "down", "terminated", "stopping")
NAMED = 3


class Unread:
    """Since when which queue has messages and no consumer."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def longer_than(self, source: RabbitmqSource, queues: Sequence[Queue], monotonic: float) -> list[Queue]:
        """Return the queues that nobody has read for longer than the source allows."""
        alone = [each for each in watched(source, queues) if each.ready and each.consumers == 0]
        self._since = {each.queue: self._since.get(each.queue, monotonic) for each in alone}
        return [each for each in alone if monotonic - self._since[each.queue] >= source.unread_seconds]


def watched(source: RabbitmqSource, queues: Sequence[Queue]) -> list[Queue]:
    """Return the queues that may not hold messages for long."""
    ignored = re.compile(source.ignored_queues) if source.ignored_queues else None
    return [each for each in queues if not (ignored and ignored.search(each.queue))]


def judge(
    source: RabbitmqSource,
    nodes: Sequence[Node],
    queues: Sequence[Queue],
    rates: Mapping[str, float | None],
    vhosts: Any,
    unread: Sequence[Queue],
) -> list[Check]:
    """Return every check of a reading. unread: queues that nobody reads, for long enough to tell."""
    return [
        _nodes(nodes),
        _memory(nodes),
        _disk(nodes),
        _limits(nodes),
        _queues(queues, unread),
        _oldest(source, queues),
        _redelivered(rates),
        _vhosts(vhosts),
    ]


def _nodes(nodes: Sequence[Node]) -> Check:
    if not nodes:
        return Check("nodes", Status.UNKNOWN, "no node is told")
    down = [each.name for each in nodes if not each.running]
    split = [f"{each.name} does not see {each.partitions}" for each in nodes if each.partitions]
    told = [
        *([f"{_names(down)} {'is' if len(down) == 1 else 'are'} not running"] if down else []),
        *([f"the network is partitioned: {_names(split)}"] if split else []),
    ]
    return bad_if("nodes", bool(told), "; ".join(told), f"{len(nodes)} running", Status.CRITICAL)


def _memory(nodes: Sequence[Node]) -> Check:
    used = {each.name: share(each.memory_bytes, each.memory_limit_bytes) or 0.0 for each in nodes}
    alarmed = [each.name for each in nodes if each.memory_alarm]
    most = max(used, key=lambda name: used[name], default="")
    if alarmed:
        why = f"memory alarm on {_names(alarmed)}: publishers are blocked"
        return Check("memory", Status.CRITICAL, why, min(used[alarmed[0]], 1.0))
    if not most:
        return Check("memory", Status.OK, "")
    why = f"{most} uses {percent(used[most])} of its memory limit"
    return Check("memory", Limit(MEMORY_WARNING).status(used[most]), why, used[most])


def _disk(nodes: Sequence[Node]) -> Check:
    alarmed = [each.name for each in nodes if each.disk_alarm]
    if alarmed:
        return Check("disk", Status.CRITICAL, f"disk alarm on {_names(alarmed)}: publishers are blocked", 1.0)
    known = [(each.disk_free_bytes / each.disk_limit_bytes, each) for each in nodes
             if each.disk_free_bytes is not None and each.disk_limit_bytes]  # fmt: skip
    if not known:
        return Check("disk", Status.OK, "")
    times, least = min(known, key=lambda pair: pair[0])
    free, limit = bytes_(least.disk_free_bytes or 0.0), bytes_(least.disk_limit_bytes or 0.0)
    why = f"{least.name} has {free} free, its alarm is at {limit}"
    return Check("disk", Status.WARNING if times < DISK_WARNING_TIMES else Status.OK, why, min(1 / times, 1.0))


def _limits(nodes: Sequence[Node]) -> Check:
    parts: dict[str, Callable[[Node], float | None]] = {
        "file descriptors": lambda node: share(node.files, node.files_limit),
        "sockets": lambda node: share(node.sockets, node.sockets_limit),
        "Erlang processes": lambda node: share(node.processes, node.processes_limit),
    }
    used = [(part(each) or 0.0, each.name, name) for each in nodes for name, part in parts.items()]
    if not used:
        return Check("limits", Status.OK, "")
    most, node, name = max(used)
    status = Limit(FULL_WARNING, FULL_CRITICAL).status(most)
    return Check("limits", status, f"{node} uses {percent(most)} of its {name}", most)


def _queues(queues: Sequence[Queue], unread: Sequence[Queue]) -> Check:
    broken = [f"{each.queue} is {each.state}" for each in queues if each.state in BROKEN]
    few = [each for each in queues if each.state not in BROKEN and _is_minority(each)]
    minority = [f"{each.queue} has {each.online} of {count(each.members, 'member')}" for each in few]
    alone = [f"{each.queue} holds {count(each.ready, 'message')}" for each in unread]
    told = [
        *([_names(broken)] if broken else []),
        *([f"without a majority: {_names(minority)}"] if minority else []),
        *([f"nobody reads: {_names(alone)}"] if alone else []),
    ]
    status = worst([Status.CRITICAL if broken else Status.OK, Status.WARNING if told else Status.OK])
    return Check("queues", status, "; ".join(told) or "all running")


def _is_minority(queue: Queue) -> bool:
    if queue.state == "minority":
        return True
    return queue.members is not None and queue.online is not None and queue.online * 2 <= queue.members


def _oldest(source: RabbitmqSource, queues: Sequence[Queue]) -> Check:
    known = [each for each in watched(source, queues) if each.head_seconds is not None and each.ready]
    if not known:
        return Check("oldest", Status.OK, "no message tells when it was sent")
    oldest = max(known, key=lambda each: each.head_seconds or 0.0)
    seconds = oldest.head_seconds or 0.0
    status = Limit(source.queue_warning_seconds, source.queue_critical_seconds).status(seconds)
    why = f"the oldest of {count(oldest.ready, 'message')} in {oldest.queue} is {coarse_duration(seconds)} old"
    return Check("oldest", status, why, min(seconds / source.queue_critical_seconds, 1.0))


def _redelivered(rates: Mapping[str, float | None]) -> Check:
    again = rates.get("rabbitmq_redelivered_per_second") or 0.0
    delivered = rates.get("rabbitmq_delivered_per_second") or 0.0
    ratio = again / delivered if delivered else 0.0
    is_bad = again >= REDELIVERED_LEAST and ratio > REDELIVERED_RATIO
    return bad_if("redelivered", is_bad, f"{percent(ratio)} of deliveries are repeated: consumers give messages back")


def _vhosts(vhosts: Any) -> Check:
    bad = []
    for each in vhosts if isinstance(vhosts, list) else []:
        states = each.get("cluster_state") if isinstance(each, dict) else None
        wrong = {node: state for node, state in (states or {}).items() if state != "running"}
        bad += [f"{each.get('name')} is {state} on {node}" for node, state in wrong.items()]
    return bad_if("vhosts", bool(bad), f"virtual host {_names(bad)}", "all running", Status.CRITICAL)


def _names(found: Sequence[str]) -> str:
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return ", ".join(found[:NAMED]) + more
