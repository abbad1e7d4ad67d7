"""From a reading to checks: what is wrong with a Kafka cluster and those who read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.judging.checks import Check, bad_if
from collectors.judging.recent import Window
from collectors.kinds.kafka.answers import Problem
from collectors.kinds.kafka.cluster import REBALANCING, Cluster, Partition, Place
from collectors.kinds.kafka.lags import GroupLag, Lag
from core.format import coarse_duration, count, duration, first_of, noun, number
from core.kinds.kafka import spec
from core.kinds.kafka.spec import Checks, Verdict
from core.model import Status


class Arrivals:
    """Messages that reached each dead-letter topic lately."""

    def __init__(self) -> None:
        self._ends: dict[str, int] = {}
        self._window = Window(spec.DEAD_LETTER_SECONDS)

    def look(self, ends: Mapping[str, int], monotonic: float) -> dict[str, float]:
        """Return how many came to each topic, from the sums of its partitions' end offsets."""
        came = {topic: max(end - self._ends.get(topic, end), 0) for topic, end in ends.items()}
        self._ends |= ends
        return {topic: self._window.add(topic, came.get(topic, 0), monotonic) for topic in self._ends}


class Rebalances:
    """How long each group has been rebalancing."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def look(self, groups: Sequence[GroupLag], monotonic: float) -> dict[str, float]:
        """Return the seconds of the groups that do so for too long."""
        now = {each.group.name for each in groups if each.group.state in REBALANCING}
        self._since = {name: self._since.get(name, monotonic) for name in now}
        found = {name: monotonic - since for name, since in self._since.items()}
        return {name: seconds for name, seconds in found.items() if spec.REBALANCE.is_bad(seconds)}


def judge_cluster(
    cluster: Cluster, silent: Mapping[Place, Problem], least_in_sync: Mapping[str, int], latency: float
) -> list[Check]:
    """Return what is wrong with brokers and partitions.

    silent: partitions whose end could not be read. least_in_sync: min.insync.replicas by topic. latency in seconds.
    """
    gone, offline, under = cluster.gone, cluster.offline, cluster.under_replicated
    names = [f"broker {id} (replicas of {count(replicas, 'partition')})" for id, replicas in sorted(gone.items())]
    mute = [f"broker {id} at {cluster.brokers[id].address}" for id in mute_brokers(cluster, silent)]
    lacking = [each for each in cluster.partitions if cluster.in_sync_count(each) < least_in_sync.get(each.place[0], 0)]
    lacking = [each for each in lacking if each not in offline]
    critical = Status.CRITICAL
    return [
        bad_if(Checks.BROKERS, bool(names), f"{first_of(names)} {noun(len(names), 'is', 'are')} gone"),
        bad_if(Checks.LEADERS, bool(mute), f"{first_of(mute)} {noun(len(mute), 'does', 'do')} not answer"),
        bad_if(
            Checks.CONTROLLER, cluster.controller not in cluster.brokers, "no active controller", status=critical
        ),
        bad_if(
            Checks.OFFLINE, bool(offline),
            f"{_partitions(offline)} without a leader: {_names(offline)}",
            status=critical,
        ),
        bad_if(
            Checks.COPIES, bool(lacking),
            f"{_partitions(lacking)} with fewer in-sync replicas than min.insync.replicas, writes are refused: "
            f"{_names(lacking)}",
            status=critical,
        ),
        bad_if(Checks.UNDER_REPLICATED, bool(under), f"{_partitions(under)} under-replicated: {_names(under)}"),
        bad_if(Checks.LATENCY, spec.METADATA.is_bad(latency), f"metadata took {duration(latency)}"),
    ]  # fmt: skip


def judge_groups(
    groups: Sequence[GroupLag], lags: Sequence[Lag], rebalances: Mapping[str, float], problems: Sequence[str]
) -> list[Check]:
    """Return what is wrong with consumer groups; the worst stands first in each sentence. problems: of reading them."""
    bad = [_told(each) for each in groups if each.verdict is not Verdict.OK]
    is_grave = any(each.verdict.is_grave for each in groups)
    lost = [f"{count(lag.lost, 'message')} of {_place(lag)} before {lag.group} read them" for lag in lags if lag.lost]
    long = [f"{name} for {coarse_duration(seconds)}" for name, seconds in rebalances.items()]
    return [
        bad_if(
            Checks.GROUPS,
            bool(bad),
            first_of(bad, between="; "),
            status=Status.CRITICAL if is_grave else Status.WARNING,
        ),
        bad_if(Checks.RETENTION, bool(lost), f"retention deleted {first_of(lost)}", status=Status.CRITICAL),
        bad_if(Checks.REBALANCES, bool(long), f"still rebalancing: {first_of(long)}"),
        bad_if(Checks.READING, bool(problems), first_of(problems, between="; "), status=Status.UNKNOWN),
    ]


def judge_dead_letters(arrived: Mapping[str, float]) -> Check:
    """Return whether a dead letter came lately."""
    told = [f"{number(came)} in {topic}" for topic, came in sorted(arrived.items()) if came]
    why = f"dead letters in the last {coarse_duration(spec.DEAD_LETTER_SECONDS)}: {first_of(told)}"
    return bad_if(Checks.DEAD_LETTERS, bool(told), why)


def mute_brokers(cluster: Cluster, silent: Mapping[Place, Problem]) -> list[int]:
    """Return the brokers that are said to live, but of whose partitions none that was asked for could be read."""
    led: dict[int, list[bool]] = {}
    for partition in cluster.partitions:
        led.setdefault(partition.leader, []).append(partition.place in silent)
    return [id for id in sorted(cluster.brokers) if any(led.get(id, ())) and all(led[id])]


def _told(group: GroupLag) -> str:
    if group.worst is not None:
        return _sentence(group.worst)
    return f"group {group.group.name} commits nothing: it has members, and how far they are is not known"


def _sentence(lag: Lag) -> str:
    if lag.verdict is Verdict.BEYOND:
        committed, end = number(lag.committed), number(lag.end or 0)
        group = f"group {lag.group} has committed {committed} of {_place(lag)}"
        return f"topic {lag.place[0]} was re-created: {group}, beyond its end {end}"
    unread = f"{count(lag.lag or 0, 'message')} ({_behind(lag)})"
    behind = f"{unread} behind"
    if lag.verdict is Verdict.STOP:
        return f"group {lag.group} has stopped: nobody reads {_place(lag)}, {behind}"
    if lag.verdict is Verdict.STALL:
        return f"group {lag.group} is stuck at offset {number(lag.committed)} of {_place(lag)}, {behind}"
    if lag.verdict is Verdict.REWIND:
        back = f"from {number(lag.back_from or 0)} to {number(lag.committed)}"
        return f"group {lag.group} went back {back} on {_place(lag)}, {behind}"
    return f"group {lag.group} falls behind on {_place(lag)}: {unread}, its lag never fell"


def _behind(lag: Lag) -> str:
    if lag.behind is None:
        return "age unknown"
    text = coarse_duration(lag.behind.seconds)
    return f"{text} or more" if lag.behind.is_least else text


def _place(lag: Lag) -> str:
    return f"{lag.place[0]}[{lag.place[1]}]"


def _partitions(found: Sequence[Partition]) -> str:
    return count(len(found), "partition")


def _names(found: Sequence[Partition]) -> str:
    return first_of([each.name for each in found])
