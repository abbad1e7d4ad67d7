"""Whether trading may go on, for pages and programs: the newest reading. What is not known is not safe."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.format import duration
from core.readiness import EVERY_PORTFOLIO, READINESS, PortfolioReadiness, ReadinessCheck
from core.tables import rows_of
from status.freshness import is_stale

if TYPE_CHECKING:
    from storage.stores import Stores

NOBODY = "nobody says whether it is safe: alerts are not evaluated"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether trading may go on at a moment."""

    whole: PortfolioReadiness
    """Of the whole fund."""
    portfolios: Mapping[str, PortfolioReadiness]
    """By id."""
    checks: Sequence[ReadinessCheck]
    """Every check, of the whole fund first."""
    read_at: float | None
    """When they were made, epoch seconds; None: nothing is known."""
    unknown: str
    """Why nothing is known; empty: something is."""

    def of(self, portfolio: str) -> PortfolioReadiness:
        """Return the answer for the portfolio of an id, EVERY_PORTFOLIO: for the whole fund. Unknown: not safe."""
        if portfolio == EVERY_PORTFOLIO:
            return self.whole
        why = self.unknown or f"nobody has looked at {portfolio} yet"
        return self.portfolios.get(portfolio) or _unsafe(portfolio, why)

    def only(self, ids: Collection[str]) -> Readiness:
        """Return what may be told to somebody who may see these portfolios alone: of the whole what holds for them."""
        seen = {id: answer for id, answer in self.portfolios.items() if id in ids}
        checks = [each for each in self.checks if each.portfolio in (EVERY_PORTFOLIO, *seen)]
        if self.unknown or not seen:
            why = self.unknown or "there is no portfolio here that you may see"
            return replace(self, whole=_unsafe(EVERY_PORTFOLIO, why), portfolios=seen, checks=checks)
        unsafe = [each for each in seen.values() if not each.is_safe]
        whole = PortfolioReadiness(
            portfolio=EVERY_PORTFOLIO,
            is_safe=not unsafe,
            ready=min(each.ready for each in seen.values()),
            watched=min(each.watched for each in seen.values()),
            reasons=[*dict.fromkeys(why for each in unsafe for why in each.reasons)],
            since=max(each.since for each in unsafe or seen.values()),
            halted_by=next((each.halted_by for each in unsafe if each.halted_by), ""),
        )
        return replace(self, whole=whole, portfolios=seen, checks=checks)


def readiness_of(stores: Stores, now: float) -> Readiness:
    """Return whether trading may go on at `now` (epoch seconds). It raises nothing: what is not known is not safe."""
    readings = stores.live.every_reading([READINESS])
    if stores.live.problem:
        return _unknown(f"Redis does not answer: {stores.live.problem}")
    newest = max(readings, key=lambda each: each.ts, default=None)
    if newest is None:
        return _unknown(NOBODY)
    if is_stale(newest, now):
        return _unknown(f"nobody has looked for {duration(now - newest.ts)}")
    answers = {each.portfolio: each for each in rows_of(newest.tables, PortfolioReadiness)}
    whole = answers.pop(EVERY_PORTFOLIO, None)
    if whole is None:
        return _unknown("what another version of Fundwatch wrote cannot be read")
    return Readiness(whole, answers, rows_of(newest.tables, ReadinessCheck), newest.ts, "")


def _unknown(why: str) -> Readiness:
    return Readiness(_unsafe(EVERY_PORTFOLIO, why), {}, (), None, why)


def _unsafe(portfolio: str, why: str) -> PortfolioReadiness:
    return PortfolioReadiness(portfolio, False, 0, 0, [why], 0.0, "")
