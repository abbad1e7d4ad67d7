"""What can be done to a consumer group: move it to the end of what it reads, or to the start."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from collectors.base import Done
from collectors.kinds.kafka.answers import by_place
from collectors.kinds.kafka.cluster import NO_MEMBERS, Place, group_of, name_of
from collectors.kinds.kafka.connection import Client
from collectors.kinds.kafka.probe import probe
from core.errors import SourceRejected
from core.format import count
from core.kinds.kafka.source import KafkaSource
from core.kinds.kafka.spec import Actions
from core.net.reach import Deadline

TRIES_SECONDS = 2.0


def act(source: KafkaSource, action: str, target: str) -> Done:
    """Do one action on the group `target`: reset_to_start, reset_to_end. Only while it has no member."""
    if action not in set(Actions):
        raise SourceRejected(f"a Kafka knows no action {action}")
    is_first = Actions(action) is Actions.RESET_TO_START
    probe(source, Deadline(source.timeout_seconds))
    with closing(Client(source)) as client:
        client.start()
        client.metadata(source.timeout_seconds)
        before = _committed(client, target)
        after = _wanted(client, before, is_first=is_first)
        moved = client.move(TRIES_SECONDS, target, after)
    if moved.refused:
        raise SourceRejected(moved.refused)
    return Done(_sentence(target, before, after, is_first=is_first))


def _committed(client: Client, group: str) -> dict[Place, int]:
    """Return the committed offsets of a group without members. Raises SourceRejected."""
    told = client.read(TRIES_SECONDS, members=[group], commits=[group])
    if group in told.undescribed:
        raise SourceRejected(f"group {group} cannot be read: {told.undescribed[group].why}")
    found = group_of(group, "", told.members[group])
    if found.state not in NO_MEMBERS:
        raise SourceRejected(f"group {group} is {found.state}: stop its members first, they would commit over it")
    if group in told.unread:
        raise SourceRejected(f"the offsets of group {group} cannot be read: {told.unread[group].why}")
    offsets = by_place(told.commits[group])
    if not offsets:
        raise SourceRejected(f"there is no group {group}, or it has committed nothing")
    return offsets


def _wanted(client: Client, before: Mapping[Place, int], *, is_first: bool) -> dict[Place, int]:
    places = list(before)
    told = client.read(TRIES_SECONDS, first=places).first if is_first else client.read(TRIES_SECONDS, last=places).last
    if told.silent:
        place, problem = next(iter(told.silent.items()))
        raise SourceRejected(f"the offsets of {name_of(place)} cannot be read: {problem.why}")
    return told.offsets


def _sentence(group: str, before: Mapping[Place, int], after: Mapping[Place, int], *, is_first: bool) -> str:
    moved = sum(abs(after[place] - before[place]) for place in after)
    what = "to be read again" if is_first else "skipped"
    where = f"the {'start' if is_first else 'end'} of {count(len(after), 'partition')}"
    return f"group {group} moved to {where}: {count(moved, 'message')} {what}"
