"""Is a consumer group keeping up? Burrow's rules (LinkedIn, 2015): no fixed threshold, a window of commits.

Burrow reads the commits themselves; over the protocol only the newest one is seen, without its time. So a commit is
an offset that moved between two looks; while the group has a living member on the partition, every look counts as
one as well: a living consumer that stays where it is stalls, one that is gone has stopped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.kinds.kafka.spec import Verdict

COMMITS = 10
"""Commits in a full window."""
SEVERITY = {verdict: place for place, verdict in enumerate(Verdict)}


@dataclass(frozen=True, slots=True)
class Commit:
    """A committed offset, when it was seen (seconds on any clock) and how many messages were unread then."""

    at: float
    offset: int
    lag: int


def judge(
    commits: Sequence[Commit], now: float, lag: int, window_seconds: float, since: float, zero_at: float | None
) -> Verdict:
    """Return how a partition is.

    commits: oldest first, at most COMMITS. lag: of now. since: when it was first looked at.
    zero_at: when its lag was last seen to be zero; a zero older than the window says nothing of now.
    """
    if lag <= 0 or not commits or (zero_at is not None and now - zero_at <= window_seconds):
        return Verdict.OK
    first, last = commits[0], commits[-1]
    pairs = list(pairwise(commits))
    if any(late.offset < early.offset for early, late in pairs):
        return Verdict.REWIND
    # A single commit spans nothing: half a window is the least silence that counts.
    if now - last.at > max(last.at - first.at, window_seconds / 2) and now - since >= window_seconds / 2:
        return Verdict.STOP
    if last.at - first.at < window_seconds * (COMMITS - 1) / COMMITS:
        return Verdict.OK
    if first.offset == last.offset:
        return Verdict.STALL
    if last.lag > first.lag and all(late.lag >= early.lag for early, late in pairs):
        return Verdict.WARNING
    return Verdict.OK


class CommitWindow:
    """The newest commits of one partition of a group."""

    def __init__(self, window_seconds: float) -> None:
        self._seconds = window_seconds
        self._commits: deque[Commit] = deque(maxlen=COMMITS)
        self._since: float | None = None
        self._zero_at: float | None = None

    def look(self, at: float, offset: int, lag: int, *, is_alive: bool) -> Verdict:
        """Take a look at the committed offset and return how the partition is."""
        if self._since is None:
            self._since = at
        if lag <= 0:
            self._zero_at = at
        last = self._commits[-1] if self._commits else None
        moved = last is None or offset != last.offset
        if moved or is_alive:
            self._add(Commit(at, offset, lag), last)
        return judge(self._commits, at, lag, self._seconds, self._since, self._zero_at)

    @property
    def last(self) -> float | None:
        """When the newest commit was seen."""
        return self._commits[-1].at if self._commits else None

    @property
    def back_from(self) -> int | None:
        """The highest offset of the window, where a consumer that went back came from."""
        return max((commit.offset for commit in self._commits), default=None)

    def _add(self, commit: Commit, last: Commit | None) -> None:
        """Keep commits a tenth of the window apart, so that a full window is as long as asked for."""
        before = self._commits[-2] if len(self._commits) > 1 else None
        is_near = before is not None and last is not None and last.at - before.at < self._seconds / COMMITS
        is_back = last is not None and commit.offset < last.offset
        if is_near and not is_back:
            self._commits.pop()
        self._commits.append(commit)
