"""What crosses from the process that speaks with Kafka to the collector, as JSON (collectors/runtime/child.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collectors.kinds.kafka.cluster import Description, Place

Offset = tuple[str, int, int]
"""Topic, number of the partition, offset."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one part of an answer is missing; the rest of the reading stands."""

    why: str
    is_denied: bool = False
    """Whether our user may not ask this."""
    is_unsupported: bool = False
    """Whether the cluster does not know the question."""
    is_late: bool = False
    """Whether no answer came in time."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The state of every consumer group, and what is missing in the list."""

    states: Mapping[str, str]
    problems: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class PlaceOffsets:
    """An offset of each partition, and of which it could not be read."""

    found: Sequence[Offset] = ()
    missing: Sequence[tuple[str, int, Problem]] = ()

    @property
    def offsets(self) -> dict[Place, int]:
        """The offsets by partition."""
        return by_place(self.found)

    @property
    def silent(self) -> dict[Place, Problem]:
        """What was wrong, by partition."""
        return {(topic, number): problem for topic, number, problem in self.missing}


@dataclass(frozen=True, slots=True)
class Answers:
    """What was asked of groups, partitions and topics at once."""

    members: Mapping[str, Description] = field(default_factory=dict)
    undescribed: Mapping[str, Problem] = field(default_factory=dict)
    commits: Mapping[str, Sequence[Offset]] = field(default_factory=dict)
    """The committed offsets of each group that could be read; a partition without one is left out."""
    unread: Mapping[str, Problem] = field(default_factory=dict)
    """Groups whose committed offsets could not be read."""
    last: PlaceOffsets = PlaceOffsets()
    first: PlaceOffsets = PlaceOffsets()
    configs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def is_late(self) -> bool:
        """Whether a part is missing because no answer came in time."""
        problems = (*self.undescribed.values(), *self.unread.values(), *self.last.silent.values())
        return any(problem.is_late for problem in problems)


@dataclass(frozen=True, slots=True)
class Moved:
    """How a group was moved: `refused` says why not, empty: it was."""

    refused: str


def by_place(offsets: Sequence[Offset]) -> dict[Place, int]:
    """Return offsets by partition."""
    return {(topic, number): offset for topic, number, offset in offsets}
