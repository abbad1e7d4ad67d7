"""From a reading to checks: what is wrong with a Kafka cluster and those who read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.judging.checks import Check, bad_if
from collectors.judging.consumer_lag import Verdict
from collectors.judging.recent import Window
from collectors.kinds.kafka.cluster import REBALANCING, Cluster, Partition
from collectors.kinds.kafka.connection import Place, Problem
from collectors.kinds.kafka.lags import GroupLag, Lag
from core.format import coarse_duration, count, duration, number
from core.model import Status

FEW = 3
LATENCY_WARNING_SECONDS = 0.5
REBALANCE_SECONDS = 60.0
ARRIVAL_SECONDS = 600.0
"""How long a message that reached a dead-letter topic is told."""


class Arrivals:
    """Messages that reached each topic within the last ten minutes."""

    def __init__(self) -> None:
        self._ends: dict[str, int] = {}
        self._window = Window(ARRIVAL_SECONDS)

    def look(self, ends: Mapping[str, int], monotonic: float) -> dict[str, float]:
        """Return how many came to each topic, from the sums of its partitions' end offsets."""
        came = {topic: max(end - self._ends.get(topic, end), 0) for topic, end in ends.items()}
        self._ends |= ends
        return {topic: self._window.add(topic, came.get(topic, 0), monotonic) for topic in self._ends}


class Rebalances:
    """How long each group has been sharing out its partitions anew."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def look(self, groups: Sequence[GroupLag], monotonic: float) -> dict[str, float]:
        """Return the seconds of the groups that do so for too long."""
        now = {each.group.name for each in groups if each.group.state in REBALANCING}
        self._since = {name: self._since.get(name, monotonic) for name in now}
        found = {name: monotonic - since for name, since in self._since.items()}
        return {name: seconds for name, seconds in found.items() if seconds > REBALANCE_SECONDS}


def judge_cluster(
    cluster: Cluster, silent: Mapping[Place, Problem], least_copies: Mapping[str, int], latency: float
) -> list[Check]:
    """Return what is wrong with brokers and partitions.

    silent: partitions whose end could not be read. least_copies: min.insync.replicas by topic. latency in seconds.
    """
    gone, offline, under = cluster.gone, cluster.offline, cluster.under_replicated
    names = [f"broker {id} (copies of {count(copies, 'partition')})" for id, copies in sorted(gone.items())]
    mute = [f"broker {id} at {cluster.brokers[id].address}" for id in mute_brokers(cluster, silent)]
    lacking = [
        each for each in cluster.partitions if cluster.complete_copies(each) < least_copies.get(each.place[0], 0)
    ]
    lacking = [each for each in lacking if each not in offline]
    critical = Status.CRITICAL
    return [
        bad_if("brokers", bool(names), f"{_few(names)} {'is' if len(names) == 1 else 'are'} gone"),
        bad_if("leaders", bool(mute), f"{_few(mute)} does not answer"),
        bad_if(
            "controller", cluster.controller not in cluster.brokers, "no broker is its controller", status=critical
        ),
        bad_if(
            "offline", bool(offline), f"{_partitions(offline)} without a leader: {_names(offline)}", status=critical
        ),
        bad_if(
            "copies", bool(lacking),
            f"{_partitions(lacking)} with fewer copies than min.insync.replicas, writes are refused: {_names(lacking)}",
            status=critical,
        ),
        bad_if("under-replicated", bool(under), f"{_partitions(under)} under-replicated: {_names(under)}"),
        bad_if("latency", latency > LATENCY_WARNING_SECONDS, f"metadata took {duration(latency)}"),
    ]  # fmt: skip


def judge_groups(
    groups: Sequence[GroupLag], lags: Sequence[Lag], rebalances: Mapping[str, float], problems: Sequence[str]
) -> list[Check]:
    """Return what is wrong with consumer groups; the worst stands first in each sentence. problems: of reading them."""
    told = [_sentence(each.worst) for each in groups if each.worst is not None and each.verdict is not Verdict.OK]
    is_grave = any(each.verdict not in (Verdict.OK, Verdict.WARNING) for each in groups)
    lost = [f"{count(lag.lost, 'message')} of {_place(lag)} before {lag.group} read them" for lag in lags if lag.lost]
    long = [f"{name} for {coarse_duration(seconds)}" for name, seconds in rebalances.items()]
    return [
        bad_if("groups", bool(told), _few(told, "; "), status=Status.CRITICAL if is_grave else Status.WARNING),
        bad_if("retention", bool(lost), f"retention deleted {_few(lost)}", status=Status.CRITICAL),
        bad_if("rebalances", bool(long), f"sharing out partitions does not end: {_few(long)}"),
        bad_if("reading", bool(problems), _few(problems, "; "), status=Status.UNKNOWN),
    ]


def judge_dead_letters(arrived: Mapping[str, float]) -> Check:
    """Return whether messages were given up lately."""
    told = [f"{number(came)} in {topic}" for topic, came in sorted(arrived.items()) if came]
    why = f"messages given up in the last {coarse_duration(ARRIVAL_SECONDS)}: {_few(told)}"
    return bad_if("dead letters", bool(told), why)


def mute_brokers(cluster: Cluster, silent: Mapping[Place, Problem]) -> list[int]:
    """Return the brokers that are said to live, but of whose partitions none that was asked for could be read."""
    led: dict[int, list[bool]] = {}
    for partition in cluster.partitions:
        led.setdefault(partition.leader, []).append(partition.place in silent)
    return [id for id in sorted(cluster.brokers) if any(led.get(id, ())) and all(led[id])]


def _sentence(lag: Lag) -> str:
    unread = f"{count(lag.lag or 0, 'message')} ({_behind(lag)})"
    behind = f"{unread} behind"
    if lag.verdict is Verdict.STOP:
        return f"group {lag.group} has stopped: nobody reads {_place(lag)}, {behind}"
    if lag.verdict is Verdict.STALL:
        return f"group {lag.group} is stuck at offset {number(lag.committed)} of {_place(lag)}, {behind}"
    if lag.verdict is Verdict.REWIND:
        back = f"from {number(lag.back_from or 0)} to {number(lag.committed)}"
        return f"group {lag.group} went back {back} on {_place(lag)}, {behind}"
    return f"group {lag.group} falls behind on {_place(lag)}: {unread}, never fewer"


def _behind(lag: Lag) -> str:
    if lag.behind is None:
        return "how long is not known"
    text = coarse_duration(lag.behind.seconds)
    return f"{text} or more" if lag.behind.is_least else text


def _place(lag: Lag) -> str:
    return f"{lag.place[0]}[{lag.place[1]}]"


def _partitions(found: Sequence[Partition]) -> str:
    return count(len(found), "partition")


def _names(found: Sequence[Partition]) -> str:
    return _few([each.name for each in found])


def _few(names: Sequence[str], between: str = ", ") -> str:
    return between.join(names[:FEW]) + (f" and {len(names) - FEW} more" if len(names) > FEW else "")
