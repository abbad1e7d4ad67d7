"""Whether portfolios stay within their limits, and whether their positions agree with the broker's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from alerting.portfolio_figures import PortfolioFigures
from alerting.readiness.found import Found
from alerting.readiness.probe import Outcome
from core.alerts.evaluate import Value
from core.alerts.expression import Figure
from core.format import count, duration, percent
from core.readiness import EVERY_PORTFOLIO, Checks, State
from core.settings.readiness import Readiness
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.spans import Newest, read_newest

DAILY_RETURN, DRAWDOWN = Figure("daily_return"), Figure("current_drawdown")
"""The same figures as the rules that come with Fundwatch name."""
WHERE = "/portfolio"
NO_PORTFOLIO = "the fund has no portfolio of its own"
NOBODY_TELLS = "no program tells whether positions agree"
PORTFOLIO = "portfolio"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the figures of the portfolios are worth that go on, by id."""

    daily_return: Mapping[str, Value]
    drawdown: Mapping[str, Value]


def read_standing(figures: PortfolioFigures) -> Standing:
    """Return what the figures are worth: each is worked out once a version of the data.

    Raises StorageUnavailable or StorageRejected.
    """
    figures.use([DAILY_RETURN, DRAWDOWN])
    figures.begin()
    return Standing(_by_id(figures.values(DAILY_RETURN)), _by_id(figures.values(DRAWDOWN)))


def read_positions(clickhouse: ClickHouse, metric: str, since: float) -> list[Newest]:
    """Return what programs have sent since then (epoch seconds) of how many positions differ from the broker's.

    Raises StorageUnavailable or StorageRejected.
    """
    return read_newest(clickhouse, [metric], since) if metric else []


def within_limits(told: Outcome[Standing] | str, going_on: Sequence[str], rules: Readiness) -> list[Found]:
    """Return for each portfolio that goes on, by id, whether its daily loss and its drawdown are within its limits."""
    if not going_on:
        checks = (Checks.DAILY_LOSS, Checks.DRAWDOWN)
        return [Found(check, State.NOT_WATCHED, NO_PORTFOLIO, where=WHERE) for check in checks]
    found = []
    for id in going_on:
        loss = _worth(told, "daily_return", id)
        found.append(_judged(Checks.DAILY_LOSS, id, told, loss, rules.daily_loss_limit_of(id), "lost on its last day"))
        fall = _worth(told, "drawdown", id)
        found.append(_judged(Checks.DRAWDOWN, id, told, fall, rules.drawdown_limit_of(id), "below its peak"))
    return found


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


def _worth(told: Outcome[Standing] | str, figure: str, id: str) -> Value | str:
    """Return what a figure of a portfolio is worth, or why that is not known."""
    if isinstance(told, str):
        return told
    if told.answer is None:
        return told.problem
    return getattr(told.answer, figure).get(id) or "not worked out yet"


def _judged(
    check: Checks, portfolio: str, told: Outcome[Standing] | str, worth: Value | str, limit: float, words: str
) -> Found:
    read_at = told.at if isinstance(told, Outcome) and told.answer is not None else None
    where = _where(portfolio)
    if isinstance(worth, str) or worth.value is None:
        named = "daily loss" if check is Checks.DAILY_LOSS else "drawdown"
        why = f"the {named} is not known: {worth if isinstance(worth, str) else worth.why}"
        return Found(check, State.UNKNOWN, why, read_at, where, portfolio)
    lost = max(-worth.value, 0.0)
    why = f"{percent(lost)} {words}, {percent(limit)} allowed"
    return Found(check, State.NOT_READY if lost >= limit else State.READY, why, read_at, where, portfolio)


def _by_id(values: Sequence[Value]) -> dict[str, Value]:
    return {dict(each.labels)[PORTFOLIO]: each for each in values}


def _where(portfolio: str) -> str:
    return f"{WHERE}?portfolio={quote(f'own:{portfolio}')}" if portfolio else WHERE
