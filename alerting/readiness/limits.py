"""Whether portfolios keep their limits: a limit that matters and is broken, or not known, is no leave to trade."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from alerting.limits import LimitsNow
from alerting.readiness.found import Found
from alerting.readiness.probe import Outcome
from core.format import count
from core.portfolio_limits.limit import LimitState
from core.readiness import Checks, State
from portfolio.limits.judge import Finding

WHERE = "/portfolio/limits"
NO_PORTFOLIO = "the fund has no portfolio of its own"


def within_limits(told: Outcome[LimitsNow] | str, going_on: Sequence[str]) -> list[Found]:
    """Return for each portfolio that goes on, by id, whether its limits are kept."""
    if not going_on:
        return [Found(Checks.LIMITS, State.NOT_WATCHED, NO_PORTFOLIO, where=WHERE)]
    return [_of(id, told) for id in going_on]


def _of(id: str, told: Outcome[LimitsNow] | str) -> Found:
    where = f"{WHERE}?portfolio={quote(f'own:{id}')}"
    if isinstance(told, str) or told.answer is None:
        why = told if isinstance(told, str) else told.problem
        return Found(Checks.LIMITS, State.UNKNOWN, f"limits are not known: {why}", None, where, id)
    now, found = told.answer, told.answer.of(id)
    if not any(each.portfolio.id == id for each in now.found):
        return Found(Checks.LIMITS, State.UNKNOWN, "limits are not known: not looked at yet", now.at, where, id)
    bad = [each for each in found if each.stops]
    broken = [each for each in bad if each.state is LimitState.BREACHED]
    if bad:
        state = State.NOT_READY if broken else State.UNKNOWN
        return Found(Checks.LIMITS, state, "; ".join(each.why for each in broken or bad), now.at, where, id)
    return Found(Checks.LIMITS, State.READY, _kept(found), now.at, where, id)


def _kept(found: Sequence[Finding]) -> str:
    others = [each for each in found if each.state in (LimitState.BREACHED, LimitState.UNKNOWN)]
    kept = f"{count(len(found) - len(others), 'limit')} kept"
    if not others:
        return kept
    return f"{kept}; {count(len(others), 'other')} of no severity that stops trading broken or not known"
