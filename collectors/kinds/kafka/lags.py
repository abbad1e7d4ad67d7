"""How far consumer groups are behind, by partition: in messages, in seconds, and by Burrow's rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from collectors.kinds.kafka.cluster import REBALANCING, STABLE, Group, Place
from collectors.kinds.kafka.consumer_lag import SEVERITY, CommitWindow
from collectors.kinds.kafka.times import Behind, Ends
from core.kinds.kafka.spec import Verdict
from core.rates import Rates

MOST_FOLLOWED = 2_000
"""Partitions of groups whose course is remembered."""
FORGET_SECONDS = 600.0

Commits = Mapping[str, Mapping[Place, int]]
"""The committed offset of each partition, by group."""


@dataclass(frozen=True, slots=True)
class Lag:
    """One partition of a group. `behind` is None, as is `lag`, while the partition's end is not known."""

    group: str
    place: Place
    committed: int
    end: int | None
    lag: int | None
    behind: Behind | None
    verdict: Verdict
    lost: int
    """Messages that were deleted before the group read them."""
    client: str
    host: str
    silent_seconds: float | None
    """Since its offset was last seen to move."""
    back_from: int | None
    read_per_second: float | None


@dataclass(frozen=True, slots=True)
class GroupLag:
    """A group: the sums of its partitions, and the worst of them."""

    group: Group
    partitions: int
    lag: int | None
    behind: Behind | None
    verdict: Verdict
    worst: Lag | None
    read_per_second: float | None


class Lags:
    """Remembers the course of every partition of every group; one instance belongs to one cluster."""

    def __init__(self, window_seconds: float) -> None:
        self._window_seconds = window_seconds
        self._windows: dict[tuple[str, Place], CommitWindow] = {}
        self._ends: dict[Place, Ends] = {}
        self._moved: dict[tuple[str, Place], tuple[int, float]] = {}
        self._seen: dict[tuple[str, Place], float] = {}
        self._silent_since: dict[str, float] = {}
        self._rates = Rates()

    def look(
        self,
        groups: Sequence[Group],
        commits: Commits,
        ends: Mapping[Place, int],
        starts: Mapping[Place, int],
        monotonic: float,
    ) -> list[Lag]:
        """Return how every partition is that a group has committed an offset of, the worst first."""
        followed = [
            (group, place, offset) for group in groups for place, offset in sorted(commits.get(group.name, {}).items())
        ][:MOST_FOLLOWED]
        for place in {place for _, place, _ in followed} & ends.keys():
            self._ends.setdefault(place, Ends()).look(monotonic, ends[place])
        found = [self._lag(group, place, offset, ends, starts, monotonic) for group, place, offset in followed]
        self._forget(monotonic)
        return sorted(found, key=lambda lag: (-SEVERITY[lag.verdict], -(lag.lag or 0), lag.group, lag.place))

    def silent(self, groups: Sequence[Group], commits: Commits, monotonic: float) -> set[str]:
        """Return the groups with members that have committed nothing for half a window, the least that counts.

        One whose offsets could not be read is not in `commits`, and of it nothing is said.
        """
        reads = (STABLE, *REBALANCING)
        now = [group.name for group in groups if group.state in reads and commits.get(group.name) == {}]
        self._silent_since = {name: self._silent_since.get(name, monotonic) for name in now}
        return {name for name, since in self._silent_since.items() if monotonic - since >= self._window_seconds / 2}

    def _lag(
        self,
        group: Group,
        place: Place,
        offset: int,
        ends: Mapping[Place, int],
        starts: Mapping[Place, int],
        monotonic: float,
    ) -> Lag:
        key = (group.name, place)
        self._seen[key] = monotonic
        end, owner = ends.get(place), group.owner(place)
        lag, behind, verdict = None, None, Verdict.OK
        if end is not None and self._is_beyond(key, offset, end):
            self._windows.pop(key, None)  # the offsets of the new topic have nothing to do with those before
            verdict = Verdict.BEYOND
        window = self._windows.setdefault(key, CommitWindow(self._window_seconds))
        if end is not None and verdict is not Verdict.BEYOND:
            lag = max(end - offset, 0)
            behind = self._ends[place].behind(offset, monotonic)
            verdict = window.look(monotonic, offset, lag, is_alive=group.is_alive(place))
        return Lag(
            group.name, place, offset, end, lag, behind, verdict,
            lost=max(starts.get(place, 0) - offset, 0),
            client=owner.client if owner else "",
            host=owner.host if owner else "",
            silent_seconds=self._silent(key, offset, monotonic),
            back_from=window.back_from,
            read_per_second=self._rates.per_second(key, offset, monotonic),
        )  # fmt: skip

    def _is_beyond(self, key: tuple[str, Place], offset: int, end: int) -> bool:
        """Return whether more is committed than there is: now, and at the look before.

        Offset and end are asked for at once and not read at once, so a busy group may be ahead of the end for a moment.
        """
        before = self._moved.get(key)
        return before is not None and min(before[0], offset) > end

    def _silent(self, key: tuple[str, Place], offset: int, monotonic: float) -> float | None:
        before = self._moved.get(key)
        if before is None or before[0] != offset:
            self._moved[key] = (offset, monotonic)
        return monotonic - self._moved[key][1]

    def _forget(self, monotonic: float) -> None:
        gone = [key for key, seen in self._seen.items() if seen < monotonic - FORGET_SECONDS]
        for key in gone:
            for remembered in (self._seen, self._windows, self._moved):
                remembered.pop(key, None)
        if gone:
            kept = {place for _, place in self._seen}
            self._ends = {place: ends for place, ends in self._ends.items() if place in kept}
            self._rates.forget(monotonic - FORGET_SECONDS)


def by_group(groups: Sequence[Group], lags: Sequence[Lag], silent: Collection[str] = ()) -> list[GroupLag]:
    """Return the groups, the worst first. `lags` come worst first; silent: groups that commit nothing."""
    parts: dict[str, list[Lag]] = defaultdict(list)
    for lag in lags:
        parts[lag.group].append(lag)
    found = [_summed(group, parts[group.name], is_silent=group.name in silent) for group in groups]
    return sorted(found, key=lambda each: (-SEVERITY[each.verdict], -(each.lag or 0), each.group.name))


def _summed(group: Group, lags: Sequence[Lag], *, is_silent: bool) -> GroupLag:
    known = [lag.lag for lag in lags if lag.lag is not None]
    behind = [lag.behind for lag in lags if lag.behind is not None]
    rates = [lag.read_per_second for lag in lags if lag.read_per_second is not None]
    alone = Verdict.SILENT if is_silent else Verdict.OK
    return GroupLag(
        group,
        len(lags),
        sum(known) if known else None,
        max(behind, key=lambda each: each.seconds, default=None),
        max((lag.verdict for lag in lags), key=SEVERITY.__getitem__, default=alone),
        lags[0] if lags else None,
        sum(rates) if rates else None,
    )
