"""Whether what portfolios report agrees with what their trades come to."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from alerting.readiness.found import Found
from alerting.readiness.probe import Outcome
from core.format import duration
from core.readiness import Checks, State
from portfolio.books import Books
from portfolio.freshness import value_stale_after_seconds

WHERE = "/portfolio/reconcile"
NOT_TOLD = "no portfolio reports positions and sends its trades"


def agree(told: Outcome[tuple[Books, ...]] | str, going_on: Sequence[str], now: float) -> list[Found]:
    """Return of each portfolio that tells both sides whether they agree."""
    if isinstance(told, str) or told.answer is None:
        why = told if isinstance(told, str) else told.problem
        return [Found(Checks.BOOKS, State.UNKNOWN, f"books are not known: {why}", where=WHERE)]
    found = [_judged(each, now) for each in told.answer if each.portfolio in going_on]
    return found or [Found(Checks.BOOKS, State.NOT_WATCHED, NOT_TOLD, where=WHERE)]


def _judged(each: Books, now: float) -> Found:
    where, age = f"{WHERE}?portfolio={quote(f'own:{each.portfolio}')}", now - each.newest
    if age > value_stale_after_seconds(1.0):
        state, why = State.UNKNOWN, f"no positions were reported any more for {duration(age)}"
    elif not each.is_built:
        state, why = State.UNKNOWN, each.why
    else:
        state, why = State.NOT_READY if each.differ else State.READY, each.why
    return Found(Checks.BOOKS, state, why, float(each.newest), where, each.portfolio)
