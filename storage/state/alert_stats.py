"""What the past says of alerting, worked out by the state database: how soon people act, and which rules are noisy.

Every read is of a span of time, by the index of that time; what is grouped afterwards is as much as happened in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from storage.state.alert_tables import alert_history, alert_incidents
from storage.state.database import Transaction

IN_HAND = ("acknowledged", "resolved_by_hand")
"""What a person does to take an incident in hand, as the history calls it; a snooze puts it off."""
_row, _incident = alert_history.c, alert_incidents.c


@dataclass(frozen=True, slots=True)
class Response:
    """How soon people acted on the incidents of one severity that began in a span. Seconds; None: there is none."""

    severity: int
    """As a number; 0: it is not known."""
    incidents: int
    acknowledged: int
    acknowledge_seconds: float
    """Of all that were acknowledged together, from their beginning until somebody first had them in hand."""
    over: int
    resolve_seconds: float
    """Of all that are over together, from beginning to end."""

    @property
    def mean_acknowledge_seconds(self) -> float | None:
        """Return the MTTA."""
        return self.acknowledge_seconds / self.acknowledged if self.acknowledged else None

    @property
    def mean_resolve_seconds(self) -> float | None:
        """Return the MTTR."""
        return self.resolve_seconds / self.over if self.over else None


@dataclass(frozen=True, slots=True)
class Noise:
    """What a rule cost people in a span."""

    rule: str
    fired: int
    """How often something of it began to fire."""
    firing_seconds: float
    """Of all of that together, to its end or to now."""
    incidents: int
    acknowledged: int
    """Of these incidents: somebody had them in hand."""
    flaps: int
    """How often it began to flap."""

    @property
    def acknowledged_ratio(self) -> float | None:
        """Return the share of its incidents that somebody had in hand; None: it had none that is known."""
        return self.acknowledged / self.incidents if self.incidents else None


def responses(connection: Transaction, since: float, until: float) -> list[Response]:
    """Return how soon people acted on incidents that began from `since` until before `until`, the gravest first."""
    first = (
        sa.select(sa.func.min(_row.at))
        .where(_row.incident == _incident.id, _row.what.in_(IN_HAND))
        .correlate(alert_incidents)
        .scalar_subquery()
    )
    began = (
        sa.select(_incident.severity, _incident.opened_at, _incident.closed_at, first.label("first"))
        .where(_incident.opened_at >= since, _incident.opened_at < until)
        .subquery()
        .c
    )
    # A clock that was set back makes no time negative.
    waited = sa.case((began.first < began.opened_at, 0.0), else_=began.first - began.opened_at)
    lasted = sa.case((began.closed_at < began.opened_at, 0.0), else_=began.closed_at - began.opened_at)
    asked = (
        sa.select(
            began.severity, sa.func.count(), sa.func.count(began.first), sa.func.sum(waited),
            sa.func.count(began.closed_at), sa.func.sum(lasted),
        )
        .group_by(began.severity)
        .order_by(began.severity.desc())
    )  # fmt: skip
    return [
        Response(int(severity), int(all_), int(acknowledged), float(waits or 0.0), int(over), float(lasts or 0.0))
        for severity, all_, acknowledged, waits, over, lasts in connection.execute(asked)
    ]


def together(found: Sequence[Response]) -> Response:
    """Return all of these severities as one."""
    return Response(
        0, sum(each.incidents for each in found), sum(each.acknowledged for each in found),
        sum(each.acknowledge_seconds for each in found), sum(each.over for each in found),
        sum(each.resolve_seconds for each in found),
    )  # fmt: skip


def noisiest(connection: Transaction, since: float, now: float, most: int) -> list[Noise]:
    """Return the rules that fired most often since then, at most so many; what fires still counts until `now`."""
    next_at = sa.func.lead(_row.at).over(partition_by=(_row.rule, _row.labels), order_by=_row.id)
    changes = (
        sa.select(
            _row.rule, _row.what, _row.at, _row.incident, next_at.label("ended")
        ).where(_row.at >= since, _row.what.in_(("fires", "resolved")))
    ).subquery().c  # fmt: skip
    lasted = sa.func.coalesce(changes.ended, now) - changes.at
    fired = sa.func.count().label("fired")
    asked = (
        sa.select(
            changes.rule, fired, sa.func.sum(sa.case((lasted > 0, lasted), else_=0.0)),
            sa.func.count(sa.distinct(sa.func.nullif(changes.incident, 0))),
        )
        .where(changes.what == "fires")
        .group_by(changes.rule)
        .order_by(fired.desc(), changes.rule)
        .limit(most)
    )  # fmt: skip
    found = connection.execute(asked).all()
    rules = [str(row[0]) for row in found]
    acknowledged, flaps = _acknowledged(connection, rules, since), _flaps(connection, rules, since)
    return [
        Noise(rule, int(times), float(seconds), int(incidents), acknowledged.get(rule, 0), flaps.get(rule, 0))
        for rule, times, seconds, incidents in found
    ]


def _acknowledged(connection: Transaction, rules: Sequence[str], since: float) -> dict[str, int]:
    by_hand = alert_history.alias("by_hand")
    was = sa.exists().where(by_hand.c.incident == _row.incident, by_hand.c.what.in_(IN_HAND))
    where = (_row.rule.in_(rules), _row.what == "fires", _row.at >= since, _row.incident > 0, was)
    asked = sa.select(_row.rule, sa.func.count(sa.distinct(_row.incident))).where(*where).group_by(_row.rule)
    return {str(rule): int(incidents) for rule, incidents in connection.execute(asked)}


def _flaps(connection: Transaction, rules: Sequence[str], since: float) -> dict[str, int]:
    where = (_row.rule.in_(rules), _row.what == "flapping", _row.at >= since)
    asked = sa.select(_row.rule, sa.func.count()).where(*where).group_by(_row.rule)
    return {str(rule): int(times) for rule, times in connection.execute(asked)}
