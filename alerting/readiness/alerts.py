"""Whether alerts are evaluated, none of them is urgent, and somebody would be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from alerting.readiness.found import Found
from alerting.readiness.portfolios import PORTFOLIO
from alerting.readiness.probe import Outcome
from core.alerts.labels import OWN
from core.alerts.severity import Severity
from core.alerts.spec import FIRING, FiringAlert
from core.format import count, duration, first_of, noun
from core.model import LiveReading
from core.readiness import EVERY_PORTFOLIO, Checks, State
from core.tables import rows_of
from status.freshness import AHEAD_SECONDS, why_unknown
from storage.state.portfolios import NOT_TRADED

WHERE = "/alerts"
ORIGIN = "origin"
SAID_ELSEWHERE = (PORTFOLIO, ORIGIN, "collector", "machine", "source")
"""Labels that do not tell one alert of a rule from another, or of which the check itself says it."""
URGENT = Severity.URGENT.word


def engine(tick_age_seconds: float, limit_seconds: float, problem: str, now: float) -> Found:
    """Return whether alerts are evaluated: the last evaluation that ended well is younger than the limit."""
    if tick_age_seconds < limit_seconds:
        why = f"alerts were evaluated {duration(tick_age_seconds)} ago"
        return Found(Checks.ENGINE, State.READY, why, now - tick_age_seconds, WHERE)
    because = f": {problem}" if problem else ""
    why = f"alerts have not been evaluated for {duration(tick_age_seconds)}{because}"
    return Found(Checks.ENGINE, State.NOT_READY, why, now - tick_age_seconds, WHERE)


def engine_starts(now: float) -> Found:
    """Return that it is not known yet whether alerts are evaluated: the engine has just taken over."""
    return Found(Checks.ENGINE, State.UNKNOWN, "alerts are evaluated for the first time", now, WHERE)


def urgent(reading: LiveReading | None, known: Sequence[str], now: float) -> list[Found]:
    """Return whether an urgent alert fires: of each portfolio (ids), and of none of them.

    One that is silenced, acknowledged or resolved by hand and fires on counts all the same: quiet is not safe.
    """
    if why := why_unknown(reading, now):
        read_at = reading.ts if reading else None
        return [Found(Checks.ALERTS, State.UNKNOWN, why, read_at, WHERE, each) for each in (EVERY_PORTFOLIO, *known)]
    assert reading is not None
    by_portfolio: dict[str, list[str]] = {id: [] for id in (EVERY_PORTFOLIO, *known)}
    told = 0
    for alert in rows_of(reading.tables, FiringAlert):
        if alert.severity != URGENT:
            continue
        told += 1
        if alert.follows_readiness:
            continue  # that it is not safe is no reason that it is not safe: it would never be safe again
        labels = orjson.loads(alert.labels)
        if labels.get(PORTFOLIO) and labels.get(ORIGIN) in NOT_TRADED:
            continue
        id = labels.get(PORTFOLIO, EVERY_PORTFOLIO)
        by_portfolio[id if id in by_portfolio else EVERY_PORTFOLIO].append(_named(alert, labels))
    # A reading names so many and no more: whose the others are is not known.
    more = int(reading.value(FIRING, severity=URGENT) or 0) - told
    by_portfolio[EVERY_PORTFOLIO] += ["more than can be listed"] * max(more, 0)
    return [_fires(id, titles, reading.ts) for id, titles in by_portfolio.items()]


def channel(told: Outcome[Mapping[str, float | None]] | str, proven_seconds: float, now: float) -> Found:
    """Return whether one of the channels that are in force delivered a message lately.

    told: when each did last, None: never.
    """
    if isinstance(told, str) or told.answer is None:
        why = told if isinstance(told, str) else told.problem
        return Found(Checks.CHANNEL, State.UNKNOWN, f"what channels delivered is not known: {why}", where=WHERE)
    if not told.answer:
        return Found(Checks.CHANNEL, State.NOT_WATCHED, "no channel is set up", where=WHERE)
    sent = {name: at for name, at in told.answer.items() if at is not None}
    last = max(sent, key=sent.__getitem__, default=None)
    if last is None:
        return Found(
            Checks.CHANNEL, State.NOT_READY, "no channel has delivered a message yet: send a test", where=WHERE
        )
    age = now - sent[last]
    if -AHEAD_SECONDS <= age <= proven_seconds:
        return Found(
            Checks.CHANNEL, State.READY, f"{last} delivered a message {duration(max(age, 0.0))} ago", sent[last], WHERE
        )
    why = f"no channel has delivered a message for {duration(age)}: send a test"
    return Found(Checks.CHANNEL, State.NOT_READY, why, sent[last], WHERE)


def _named(alert: FiringAlert, labels: Mapping[str, str]) -> str:
    """Return the title of an alert and which of its rule it is: a rule can have many."""
    told = [value for name, value in labels.items() if name not in (*OWN, *SAID_ELSEWHERE) and value != alert.title]
    return f"{alert.title} ({', '.join(told)})" if told else alert.title


def _fires(portfolio: str, titles: Sequence[str], read_at: float) -> Found:
    if not titles:
        return Found(Checks.ALERTS, State.READY, "no urgent alert fires", read_at, WHERE, portfolio)
    named = first_of([*dict.fromkeys(titles)])
    why = f"{count(len(titles), 'urgent alert')} {noun(len(titles), 'fires', 'fire')}: {named}"
    return Found(Checks.ALERTS, State.NOT_READY, why, read_at, WHERE, portfolio)
