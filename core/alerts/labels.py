"""The labels by which a silence, a maintenance window or a route means an alert."""

from __future__ import annotations

from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.model import Labels

SEVERITY = "severity"
OWN = ("rule", "alertname", SEVERITY, "category")
"""Those that every alert has, beside the labels of its rule and of its series."""


def alert_labels(rule: Rule, labels: Labels, severity: Severity) -> dict[str, str]:
    """Return the labels of an alert; `alertname` is the rule, for who comes from Alertmanager.

    Of one that a Prometheus sent it is the name that it has there.
    """
    own = {"rule": rule.name, SEVERITY: severity.word, "category": rule.category.value}
    return {"alertname": rule.name, **rule.labels, **dict(labels), **own}
