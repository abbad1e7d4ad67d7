"""Kafka: brokers, topics and partitions, traffic, consumer groups and how far they are behind, dead letters.

Costs the watched cluster, every interval: one Metadata request; to each broker one ListGroups and one ListOffsets; an
OffsetFetch a group (100 at most). A DescribeGroups a group each 15 s, the first offsets each minute, the settings of
topics each five. With 3 brokers and 20 groups at 5 s: about 410 small requests a minute. A message is never read.

Bytes are told only by JMX, and by a request that librdkafka does not know: traffic is in messages.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from collectors.base import Context, gauges
from collectors.judging.checks import checks_table, summed
from collectors.kinds.kafka import judge, tables
from collectors.kinds.kafka.actions import act
from collectors.kinds.kafka.answers import Answers, Problem, by_place
from collectors.kinds.kafka.cluster import Cluster, Description, Group, Place, group_of
from collectors.kinds.kafka.connection import Client, left
from collectors.kinds.kafka.lags import Commits, Lags, by_group
from collectors.kinds.kafka.probe import probe
from collectors.runtime.child import ChildEnded
from core.errors import SourceError, SourceUnavailable
from core.format import count, noun
from core.kinds.kafka import spec
from core.kinds.kafka.source import KafkaSource
from core.model import Reading
from core.net.reach import GRACE_SECONDS, Deadline
from core.rates import Rates
from core.tables import table_of

__all__ = ["KafkaCollector", "act", "make"]

MOST_PLACES = 3_000
MOST_TOPICS_CONFIGURED = 500
RENEWAL_SECONDS = 30.0
"""Between two clients at least while single brokers do not answer in time: one of them may really be away."""
METADATA_SHARE, LISTING_SHARE = 0.6, 0.5
"""How much of the time left one step may take, so that a dead broker leaves some for the next."""


def make(context: Context, source: KafkaSource) -> KafkaCollector:
    """Return the collector of one cluster."""
    return KafkaCollector(source)


@dataclass(frozen=True, slots=True)
class Found:
    """What a cluster answered at one reading."""

    cluster: Cluster
    metadata_seconds: float
    groups: Sequence[Group]
    groups_known: int
    """Those beyond the ones that are read as well."""
    commits: Commits
    ends: Mapping[Place, int]
    """The offset that the next message of a partition will have."""
    silent: Mapping[Place, Problem]
    """Partitions whose end could not be read."""
    problems: Sequence[str]
    """Of reading groups."""
    requests: int
    """Sent since the client was made."""


class KafkaCollector:
    """Reads one cluster through one kept client."""

    def __init__(self, source: KafkaSource, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.name = source.collector
        self.interval_seconds = source.interval_seconds
        self.timeout_seconds = source.timeout_seconds + GRACE_SECONDS
        self._source = source
        self._monotonic = monotonic
        self._client = Client(source)
        self._is_doubtful = True
        self._wanted = re.compile(source.groups)
        self._ignored = re.compile(source.ignored_groups or r"(?!)")
        self._dead = re.compile(source.dead_letters or r"(?!)")
        self._due: dict[str, float] = {}
        self._members: dict[str, Description] = {}
        self._starts: dict[Place, int] = {}
        self._configs: dict[str, dict[str, str]] = {}
        self._rates = Rates()
        self._lags = Lags(source.window_seconds)
        self._arrivals = judge.Arrivals()
        self._rebalances = judge.Rebalances()

    def collect(self, now: float) -> Reading:
        """Return the reading at `now`. The client is kept until the cluster refuses us or falls silent."""
        deadline = Deadline(self._source.timeout_seconds)
        try:
            return self._collected(deadline)
        except ChildEnded:
            return self._collected(deadline)

    def _collected(self, deadline: Deadline) -> Reading:
        try:
            deadline = self._started(deadline)
            cluster, latency = self._metadata(deadline)
        except SourceError:
            # librdkafka may not find back to a broker that was silent for a while: its coordinators stay unreachable.
            self._client.close()
            self._is_doubtful = True
            raise
        self._is_doubtful = False
        return self._read(cluster, latency, deadline)

    def _started(self, deadline: Deadline) -> Deadline:
        """Return the deadline, put off, with the client running. After a failure a plain socket is tried first.

        A start of the client's process, once in a long while, is not taken off the time that the cluster has.
        """
        if self._is_doubtful:
            probe(self._source, deadline)
        seconds = left(deadline)
        self._client.start()
        return Deadline(seconds)

    def _metadata(self, deadline: Deadline) -> tuple[Cluster, float]:
        """Return the metadata and how long they took."""
        began = self._monotonic()
        try:
            cluster = self._client.metadata(left(deadline) * METADATA_SHARE)
        except SourceUnavailable:
            # librdkafka calls almost everything a transport failure: ask the socket what is the matter.
            probe(self._source, Deadline(left(deadline)))
            raise
        return cluster, self._monotonic() - began

    def _read(self, cluster: Cluster, latency: float, deadline: Deadline) -> Reading:
        monotonic = self._monotonic()
        states, problems = self._listed(left(deadline) * LISTING_SHARE)
        names = sorted(states)[: spec.MOST_GROUPS]
        places = self._places(cluster)
        is_first_due = self._is_due("starts", spec.STARTS_SECONDS) or any(place not in self._starts for place in places)
        answers = self._client.read(
            left(deadline),
            members=names if self._is_due("members", spec.MEMBERS_SECONDS) else [],
            commits=names,
            last=places,
            first=places if is_first_due else [],
            configs=cluster.topics[:MOST_TOPICS_CONFIGURED] if self._is_due("configs", spec.CONFIGS_SECONDS) else [],
        )
        self._learn(answers, is_first_due)
        if answers.is_late and self._is_due("renewal", RENEWAL_SECONDS):
            self._client.close()
        problems += [f"the offsets of group {name} cannot be read: {each.why}" for name, each in answers.unread.items()]
        found = Found(
            cluster=cluster,
            metadata_seconds=latency,
            groups=[group_of(name, states[name], self._members.get(name)) for name in names],
            groups_known=len(states),
            commits={group: by_place(offsets) for group, offsets in answers.commits.items()},
            ends=answers.last.offsets,
            silent=answers.last.silent,
            problems=problems,
            requests=self._client.questions,
        )
        return self._reading(found, monotonic)

    def _reading(self, found: Found, monotonic: float) -> Reading:
        cluster, ends = found.cluster, found.ends
        steps = {place: self._rates.per_second(place, end, monotonic) for place, end in ends.items()}
        rates = {place: rate for place, rate in steps.items() if rate is not None}
        offsets = tables.Offsets(self._starts, ends, rates)
        lags = self._lags.look(found.groups, found.commits, ends, self._starts, monotonic)
        groups = by_group(found.groups, lags, self._lags.silent(found.groups, found.commits, monotonic))
        dead = self._arrivals.look(self._dead_letters(cluster, ends), monotonic)
        least = {topic: int(config.get("min.insync.replicas") or 0) for topic, config in self._configs.items()}
        checks = [
            *judge.judge_cluster(cluster, found.silent, least, found.metadata_seconds),
            *judge.judge_groups(groups, lags, self._rebalances.look(groups, monotonic), found.problems),
            judge.judge_dead_letters(dead),
        ]
        name = self._source.name
        return Reading(
            samples=[
                *tables.samples(name, cluster, offsets, groups, dead),
                *gauges({spec.METADATA_SECONDS: found.metadata_seconds}, instance=name),
            ],
            components=[summed(self._source.component, _fine(cluster, len(groups)), checks)],
            tables=[
                checks_table(checks),
                table_of(spec.About, [self._about(found)]),
                table_of(spec.Broker, tables.brokers(cluster, offsets, judge.mute_brokers(cluster, found.silent))),
                table_of(spec.Topic, tables.topics(cluster, offsets, lags, self._configs, dead)),
                table_of(spec.Group, tables.groups(groups)),
                table_of(spec.PartitionLag, tables.partition_lags(lags)),
            ],
        )

    def _listed(self, seconds: float) -> tuple[dict[str, str], list[str]]:
        """Return the state of every group that is wanted, and what is missing in the list."""
        listing = self._client.groups(seconds)
        wanted = {
            name: state
            for name, state in listing.states.items()
            if self._wanted.search(name) and not self._ignored.search(name)
        }
        self._members = {name: found for name, found in self._members.items() if name in wanted}
        return wanted, [_listing_problem(listing.problems)] if listing.problems else []

    def _places(self, cluster: Cluster) -> list[Place]:
        """Return the partitions whose offsets are read: those with a leader, Kafka's own topics left out."""
        found = [
            part.place
            for part in cluster.partitions
            if part.leader in cluster.brokers and not part.place[0].startswith(tables.INTERNAL)
        ]
        return sorted(found, key=lambda place: (self._dead.search(place[0]) is None, place))[:MOST_PLACES]

    def _learn(self, answers: Answers, is_first_due: bool) -> None:
        """Remember what changes slowly; what did not come stays as it was."""
        self._members |= answers.members
        if is_first_due:
            self._starts = answers.first.offsets
        self._configs |= {topic: dict(config) for topic, config in answers.configs.items()}

    def _dead_letters(self, cluster: Cluster, ends: Mapping[Place, int]) -> dict[str, int]:
        """Return the sum of the end offsets of each dead-letter topic of which all partitions are known."""
        return {
            topic: sum(ends[part.place] for part in parts)
            for topic, parts in tables.partitions_of(cluster).items()
            if self._dead.search(topic) and all(part.place in ends for part in parts)
        }

    def _is_due(self, what: str, every_seconds: float) -> bool:
        monotonic = self._monotonic()
        if monotonic < self._due.get(what, monotonic):
            return False
        self._due[what] = monotonic + every_seconds
        return True

    def _about(self, found: Found) -> spec.About:
        cluster = found.cluster
        return spec.About(
            cluster=cluster.id,
            bootstrap=self._source.bootstrap,
            controller=cluster.controller,
            brokers=len(cluster.brokers),
            topics=len(cluster.topics),
            partitions=len(cluster.partitions),
            groups=found.groups_known,
            groups_read=len(found.groups),
            requests=found.requests,
            window_seconds=self._source.window_seconds,
        )


def _listing_problem(bad: Sequence[Problem]) -> str:
    if all(each.is_unsupported for each in bad):
        return "cannot list its consumer groups: the broker is too old, or only partly compatible with Kafka"
    if any(each.is_denied for each in bad):
        return "our user may not list its consumer groups (it needs DESCRIBE on groups or the cluster)"
    return f"incomplete list of consumer groups: {bad[0].why}"


def _fine(cluster: Cluster, groups: int) -> str:
    keeping_up = f"{count(groups, 'group')} {noun(groups, 'keeps', 'keep')} up"
    return f"{count(len(cluster.brokers), 'broker')}, {count(len(cluster.partitions), 'partition')}, {keeping_up}"
