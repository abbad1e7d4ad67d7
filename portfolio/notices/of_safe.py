"""Notices of readiness: trading became safe, or is not safe any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from core.format import first_of
from core.readiness import EVERY_PORTFOLIO
from portfolio.notices.notice import Kind, Notice, Source, level_of
from portfolio.notices.of_done import READINESS
from portfolio.notices.viewpoint import Viewpoint
from storage.clickhouse.reads.readiness_changes import SafeChange


def notices_of_safe(changes: Iterable[SafeChange], of: Viewpoint) -> Iterator[Notice]:
    """Yield a notice for each change, in their order; `changes` are those that may be told."""
    for change in changes:
        yield _notice(change, of)


def _notice(change: SafeChange, of: Viewpoint) -> Notice:
    kind = Kind.SAFE if change.is_safe else Kind.NOT_SAFE
    is_of_fund = EVERY_PORTFOLIO in change.portfolios
    keys = [] if is_of_fund else [of.key_of(each) for each in change.portfolios]
    whose = "" if is_of_fund else f": {first_of([of.name_of(key) for key in keys])}"
    # Why may name portfolios that somebody else sees.
    why = f". {first_of(change.reasons, between='; ')}" if change.reasons and of.is_whole and not change.is_safe else ""
    sentence = f"{'Every check is ready' if change.is_safe else 'Not safe to trade'}{whose}{why}"
    found = Notice(Source.SAFE, change.at, float(change.at), kind, level_of(kind), sentence, READINESS)
    return replace(found, portfolio=keys[0], name=of.name_of(keys[0])) if len(keys) == 1 else found
