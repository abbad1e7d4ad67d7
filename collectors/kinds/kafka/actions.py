"""What can be done to a consumer group: move it to the end of what it reads, or to the start."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.base import Done
from collectors.kinds.kafka.cluster import NO_MEMBERS, group_of, name_of, offsets_of, state_text
from collectors.kinds.kafka.connection import Client, Place, Problem, answer, answers
from collectors.kinds.kafka.probe import probe
from collectors.net.reach import Deadline
from core.errors import SourceRejected
from core.format import count
from core.kinds.kafka.source import KafkaSource
from core.kinds.kafka.spec import Actions

TRIES_SECONDS = 2.0


def act(source: KafkaSource, action: str, target: str) -> Done:
    """Do one action on the group `target`: reset_to_start, reset_to_end. Only while it has no member."""
    if action not in set(Actions):
        raise SourceRejected(f"a Kafka knows no action {action}")
    is_first = Actions(action) is Actions.RESET_TO_START
    probe(source, Deadline(source.timeout_seconds))
    client = Client(source)
    client.metadata(source.timeout_seconds)
    before = _committed(client, target, Deadline(TRIES_SECONDS))
    after = _wanted(client, before, Deadline(TRIES_SECONDS), is_first=is_first)
    found = answer(client.start_move(target, after, Deadline(TRIES_SECONDS)), Deadline(TRIES_SECONDS))
    if isinstance(found, Problem):
        raise SourceRejected(f"refused: {found.why}")
    failed = [each for each in found.topic_partitions if each.error is not None]
    if failed:
        raise SourceRejected(f"refused for {name_of((failed[0].topic, failed[0].partition))}: {failed[0].error.str()}")
    return Done(_sentence(target, before, after, is_first=is_first))


def _committed(client: Client, group: str, deadline: Deadline) -> dict[Place, int]:
    """Return the committed offsets of a group without members. Raises SourceRejected."""
    described = answer(client.start_descriptions([group], deadline)[group], deadline)
    if isinstance(described, Problem):
        raise SourceRejected(f"group {group} cannot be read: {described.why}")
    found = group_of(group, state_text(described.state), described)
    if found.state not in NO_MEMBERS:
        raise SourceRejected(f"group {group} is {found.state}: stop its members first, they would commit over it")
    committed = answer(client.start_commits([group], deadline)[group], deadline)
    if isinstance(committed, Problem):
        raise SourceRejected(f"the offsets of group {group} cannot be read: {committed.why}")
    offsets = offsets_of(committed)
    if not offsets:
        raise SourceRejected(f"there is no group {group}, or it has committed nothing")
    return offsets


def _wanted(client: Client, before: Mapping[Place, int], deadline: Deadline, *, is_first: bool) -> dict[Place, int]:
    good, bad = answers(client.start_offsets(list(before), deadline, is_first=is_first), deadline)
    if bad:
        place, problem = next(iter(bad.items()))
        raise SourceRejected(f"the offsets of {name_of(place)} cannot be read: {problem.why}")
    return {place: int(found.offset) for place, found in good.items()}


def _sentence(group: str, before: Mapping[Place, int], after: Mapping[Place, int], *, is_first: bool) -> str:
    moved = sum(abs(after[place] - before[place]) for place in after)
    what = "to be read again" if is_first else "skipped"
    where = f"the {'start' if is_first else 'end'} of {count(len(after), 'partition')}"
    return f"group {group} moved to {where}: {count(moved, 'message')} {what}"
