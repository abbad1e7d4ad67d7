"""Whether the positions of portfolios agree with the broker's."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from alerting.readiness.found import Found
from alerting.readiness.probe import Outcome
from core.format import count, duration
from core.readiness import EVERY_PORTFOLIO, Checks, State
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.spans import Newest, read_newest

WHERE = "/portfolio"
NOBODY_TELLS = "no program tells whether positions agree"
PORTFOLIO = "portfolio"


def read_positions(clickhouse: ClickHouse, metric: str, since: float) -> list[Newest]:
    """Return what programs have sent since then (epoch seconds) of how many positions differ from the broker's.

    Raises StorageUnavailable or StorageRejected.
    """
    return read_newest(clickhouse, [metric], since) if metric else []


def positions(
    told: Outcome[list[Newest]] | str, known: Sequence[str], metric: str, counts_seconds: float, now: float
) -> list[Found]:
    """Return whether positions agree: of each portfolio that is told of, and of those that are told of together."""
    if not metric:
        return [Found(Checks.POSITIONS, State.NOT_WATCHED, NOBODY_TELLS, where=WHERE)]
    if isinstance(told, str) or told.answer is None:
        why = told if isinstance(told, str) else told.problem
        return [Found(Checks.POSITIONS, State.UNKNOWN, f"{metric}: {why}", where=WHERE)]
    if not told.answer:
        return [Found(Checks.POSITIONS, State.UNKNOWN, f"{metric}: no value has come", where=WHERE)]
    of_portfolio: dict[str, list[Newest]] = {}
    for each in told.answer:
        id = dict(each.labels).get(PORTFOLIO, EVERY_PORTFOLIO)
        of_portfolio.setdefault(id if id in known else EVERY_PORTFOLIO, []).append(each)
    return [_agree(id, values, metric, counts_seconds, now) for id, values in of_portfolio.items()]


def _agree(portfolio: str, values: Sequence[Newest], metric: str, counts_seconds: float, now: float) -> Found:
    silent = min((each.ts for each in values if now - each.ts > counts_seconds), default=None)
    if silent is not None:
        why = f"{metric}: no value came any more for {duration(now - silent)}"
        return Found(Checks.POSITIONS, State.UNKNOWN, why, silent, _where(portfolio), portfolio)
    differ = sum(each.value for each in values)
    state = State.READY if all(each.value == 0 for each in values) else State.NOT_READY
    why = f"{count(differ, 'position')} differ from the broker's" if state is State.NOT_READY else "positions agree"
    oldest = min(each.ts for each in values)
    return Found(Checks.POSITIONS, state, why, oldest, _where(portfolio), portfolio)


def _where(portfolio: str) -> str:
    return f"{WHERE}?portfolio={quote(f'own:{portfolio}')}" if portfolio else WHERE
