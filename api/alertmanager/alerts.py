"""What fires in the form of Alertmanager: alerts, the groups that they are told in, and who is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from api.matching import matchers_of, matching, meant
from api.models import at
from core.alerts.expression import Matcher
from core.alerts.rule import Category
from core.alerts.sent import BELIEVED_SECONDS, SEVERITY
from core.alerts.spec import FiringAlert, OpenIncident
from core.settings.routes import RULE, Route, leading_first, those_that_count
from portfolio.alerts import COMPONENT

NOBODY = "nobody"
"""The receiver of what no route tells: Alertmanager's alerts have one each."""
SILENCES = ("silence ", "everything is muted ")
"""What `muted_by` begins with where a silence keeps an alert quiet."""
MAINTENANCE = "maintenance "
CAUSES = (("caused by ", COMPONENT), ("hidden by ", ""))
"""What it begins with where another alert does, and the label that names that one; empty: its title."""
YES = frozenset({"true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"})
"""What is true in a query string (go-openapi, swag.ConvertBool)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts are asked for."""

    matchers: Sequence[Matcher] = ()
    receiver: str = ""
    """A regular expression; empty: any."""
    active: bool = True
    silenced: bool = True
    inhibited: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """An alert with what is worked out of it."""

    alert: FiringAlert
    labels: dict[str, str]
    receivers: tuple[str, ...]
    group: dict[str, str]
    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether nothing keeps it quiet."""
        return not self.alert.muted_by


@dataclass(frozen=True, slots=True)
class Firing:
    """Everything that fires and may be seen."""

    alerts: Sequence[FiringAlert]
    incidents: Sequence[OpenIncident]
    evaluated_at: float
    routes: Sequence[Route] = field(default=())

    def told(self) -> list[Told]:
        """Return every alert with what is worked out of it, in the order of Alertmanager: by fingerprint."""
        labels = {each.key: orjson.loads(each.labels) for each in self.alerts}
        opened = {each.incident: each.opened_at for each in self.incidents}
        found = []
        for each in sorted(self.alerts, key=fingerprint_of):
            of = labels[each.key]
            fitting = _fitting(self.routes, of)
            begun = opened.get(each.incident, each.since)
            counting = those_that_count((route for route in fitting if route.is_open(begun)), each.severity)
            receivers = tuple(dict.fromkeys(name for route in counting for name in route.receivers)) or (NOBODY,)
            names = leading_first(fitting)[0].group_by if fitting else (RULE,)
            group = {name: of.get(name, "") for name in names}
            silenced = (silence_of(each.muted_by),) if each.muted_by.startswith((*SILENCES, MAINTENANCE)) else ()
            found.append(Told(each, of, receivers, group, silenced, self._causes(each, labels)))
        return found

    def _causes(self, alert: FiringAlert, labels: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
        """Return the fingerprints of what hides an alert; what is not seen is named as it is."""
        for begins, label in CAUSES:
            if alert.muted_by.startswith(begins):
                name = alert.muted_by.removeprefix(begins)
                causes = [
                    fingerprint_of(each)
                    for each in self.alerts
                    if each.key != alert.key and name == (labels[each.key].get(label) if label else each.title)
                ]
                return tuple(sorted(causes)) or (name,)
        return ()


def wanted_of(filters: Sequence[str], receiver: str, flags: Mapping[str, str]) -> Wanted:
    """Return what is asked for. Raises Refused for what cannot be."""
    if receiver:
        matching(receiver, [], "receiver")
    shown = {name: flags[name].lower() in YES for name in ("active", "silenced", "inhibited") if name in flags}
    return Wanted(matchers_of(filters, "filter"), receiver, **shown)


def chosen(firing: Firing, wanted: Wanted) -> list[Told]:
    """Return the alerts that are asked for."""
    told = firing.told()
    held = meant(wanted.matchers, [each.labels for each in told], "filter")
    return [each for each, is_meant in zip(told, held, strict=True) if is_meant and _is_shown(each, wanted)]


def alerts_as_json(firing: Firing, wanted: Wanted) -> list[dict[str, Any]]:
    """Return `gettableAlerts`."""
    found = [each for each in chosen(firing, wanted) if _told_to(each, wanted)]
    return [_alert(each, firing.evaluated_at) for each in found]


def groups_as_json(firing: Firing, wanted: Wanted) -> list[dict[str, Any]]:
    """Return `alertGroups`: each incident once for each receiver. What a person resolved is in none."""
    groups: defaultdict[tuple[str, int], list[Told]] = defaultdict(list)
    for each in chosen(firing, wanted):
        for name in _told_to(each, wanted) if each.alert.incident else ():
            groups[name, each.alert.incident].append(each)
    return [
        {
            "labels": members[0].group,
            "receiver": {"name": name},
            "alerts": [_alert(each, firing.evaluated_at) for each in members],
        }
        for (name, _), members in sorted(groups.items())
    ]


def receivers_as_json(channels: Collection[str]) -> list[dict[str, str]]:
    """Return every receiver, by name."""
    return [{"name": name} for name in sorted({*channels, NOBODY})]


def fingerprint_of(alert: FiringAlert) -> str:
    """Return 16 hexadecimal digits, as Alertmanager has them; the labels that the engine knows it by make them."""
    return alert.key[:16]


def silence_of(muted_by: str) -> str:
    """Return the id of what keeps an alert quiet, as /api/v2/silences has it; of maintenance what it is called."""
    begins = next((each for each in SILENCES if muted_by.startswith(each)), "")
    return uuid_of(int(muted_by.removeprefix(begins))) if begins else muted_by


def uuid_of(number: int) -> str:
    """Return the number of a silence in the form that Alertmanager's ids have."""
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def time_of(seconds: float) -> str:
    """Return a time (epoch seconds) as Alertmanager writes it."""
    moment = at(seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1_000:03d}Z" if moment else "0001-01-01T00:00:00.000Z"


def _alert(told: Told, evaluated_at: float) -> dict[str, Any]:
    alert = told.alert
    held = "snoozed_by" if alert.is_snoozed else "acknowledged_by"
    annotations = {"summary": alert.title, "description": alert.text, held: alert.acknowledged_by}
    return {
        "annotations": {name: value for name, value in annotations.items() if value},
        # As of one that is sent without an end.
        "endsAt": time_of(evaluated_at + BELIEVED_SECONDS),
        "fingerprint": fingerprint_of(alert),
        "receivers": [{"name": name} for name in told.receivers],
        "startsAt": time_of(alert.since),
        "status": {
            "inhibitedBy": [*told.inhibited_by],
            "silencedBy": [*told.silenced_by],
            "state": "active" if told.is_active else "suppressed",
        },
        "updatedAt": time_of(evaluated_at),
        "labels": told.labels,
    }


def _is_shown(told: Told, wanted: Wanted) -> bool:
    if told.silenced_by and not wanted.silenced:
        return False
    if told.inhibited_by and not wanted.inhibited:
        return False
    return wanted.active or not told.is_active


def _told_to(told: Told, wanted: Wanted) -> list[str]:
    """Return the receivers of an alert that are asked for."""
    if not wanted.receiver:
        return [*told.receivers]
    held = matching(wanted.receiver, told.receivers, "receiver")
    return [name for name, is_meant in zip(told.receivers, held, strict=True) if is_meant]


def _fitting(routes: Sequence[Route], labels: Mapping[str, str]) -> list[Route]:
    of = tuple(sorted((name, value) for name, value in labels.items() if name != SEVERITY))
    return [route for route in routes if route.is_of(Category(labels["category"]), of)]
