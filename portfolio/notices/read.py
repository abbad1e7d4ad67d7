"""Notices, newest first, a part at a time: made from what is kept of alerts, people and readiness, and kept nowhere."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from core.alerts.spec import HISTORY
from core.errors import StorageError
from core.memo import Memo
from core.patience import at_most
from core.readiness import READINESS
from portfolio.allowed import Limits
from portfolio.notices.notice import Cut, Notice, Seen, Source
from portfolio.notices.of_alerts import notices_of_alerts
from portfolio.notices.of_done import notices_of_done
from portfolio.notices.of_due import notices_of_due
from portfolio.notices.of_safe import notices_of_safe
from portfolio.notices.viewpoint import Viewpoint, viewpoint_of
from storage.clickhouse.reads.readiness_changes import SafeChange, read_safe_changes
from storage.state.accounts import find_account
from storage.state.notices_seen import END, UpTo, seen_by

if TYPE_CHECKING:
    from storage.state.database import Transaction
    from storage.stores import Stores

DATASETS = (HISTORY, READINESS, "portfolio", "imports")
ROUNDS = 5
"""How often one answer looks further where what it has looked at makes few notices, or may not be told."""
MOST_COUNTED = 100
"""Notices that are kept at hand: of more that are not seen the number is not told."""
SAFE_SECONDS = 1.0
"""So long is waited for ClickHouse: every open page asks, and what fires and is muted waits for the answer."""
COUNTS_SECONDS = 10.0
"""For so long they are believed where no data set has changed: what begins and ends by itself changes none."""
NO_READINESS = "When it became safe to trade, or not, is not known now: the database does not answer."


@dataclass(frozen=True)
class Part:
    """Notices, the newest first."""

    notices: Sequence[Notice]
    following: UpTo | None
    """Where older ones begin; None: there are none."""
    problem: str = ""
    """What is missing among them; empty: nothing."""

    @cached_property
    def newest(self) -> UpTo:
        """Where those are who have seen all of them."""
        return UpTo(**{each: _highest(self.notices, each) for each in Source})


def read_notices(stores: Stores, limits: Limits, most: int, before: UpTo = END) -> Part:
    """Return the newest notices before a place that somebody with these limits may be told.

    A part has fewer than `most` where much was looked at, and more where several came at the same moment. Raises
    StorageUnavailable or StorageRejected for the state database; without ClickHouse it says what is missing.
    """
    of = viewpoint_of(stores, limits)
    changes, problem = _safe_changes(stores, of, before.safe, most)
    with stores.state.reading() as connection:
        found: list[Notice] = []
        following = before
        for _ in range(ROUNDS):
            part = _part(connection, of, changes, following, most - len(found), stores.clock.now())
            found += part.notices
            if part.following is None or len(found) >= most:
                break
            following = part.following
    return Part(found, part.following, problem)


class Newest:
    """The newest notices of each who may see the same, read once for each version of the data. Shared by threads."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._memo: Memo[Part] = Memo()

    def of(self, limits: Limits) -> Part:
        """Return the newest MOST_COUNTED notices. Raises StorageUnavailable or StorageRejected."""
        stores = self._stores
        key = (stores.live.version(*DATASETS), limits, int(stores.clock.now() // COUNTS_SECONDS))
        return self._memo.get(key, lambda: read_notices(stores, limits, MOST_COUNTED))


def seen_of(stores: Stores, account: str) -> Seen:
    """Return what somebody has seen: at first what was before the account was. Raises StorageUnavailable."""
    with stores.state.reading() as connection:
        kept = seen_by(connection, account)
    if kept is not None:
        return Seen(*kept)
    known = find_account(stores.state, account)
    return Seen(since=known.made_at if known else 0.0)


def count_unseen(part: Part, seen: Seen) -> int:
    """Return how many notices somebody has not seen."""
    return sum(map(seen.misses, part.notices))


def _safe_changes(stores: Stores, of: Viewpoint, before: int, most: int) -> tuple[list[SafeChange], str]:
    ids = None if of.is_whole else of.own_ids
    try:
        with at_most(SAFE_SECONDS):
            return read_safe_changes(stores.clickhouse, most + 1, before, ids), ""
    except StorageError:
        return [], NO_READINESS


def _part(
    connection: Transaction, of: Viewpoint, changes: Sequence[SafeChange], before: UpTo, most: int, now: float
) -> Part:
    sources: list[Iterator[Notice]] = [
        notices_of_alerts(connection, before.alerts, of),
        notices_of_done(connection, before.done, of),
        notices_of_safe((each for each in changes if each.at < before.safe), of),
        notices_of_due(connection, before.due, of, now),
    ]
    found: list[Notice] = []
    after = before
    try:
        for each in heapq.merge(*sources, key=lambda notice: -notice.at):
            is_of_moment = found and each.at == found[-1].at and each.source in (Source.SAFE, Source.DUE)
            if len(found) >= most and not is_of_moment:
                return Part(found, after)
            found.append(each)
            after = replace(after, **{each.source.value: each.oldest or each.number})
    except Cut as cut:
        return Part(found, replace(after, **{cut.source.value: cut.number}))
    return Part(found, None)


def _highest(notices: Sequence[Notice], source: Source) -> int:
    return max((each.number for each in notices if each.source == source), default=0)
