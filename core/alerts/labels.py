"""The labels by which a silence, a maintenance window or a route means an alert."""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.alerts.figures import LIMIT, PORTFOLIO
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


def where_of(of: Iterable[tuple[str, str]]) -> str:
    """Return labels as a sentence has them: "host a, mount /data"; without the id of a limit of a portfolio."""
    found = dict(of)
    return ", ".join(f"{name} {value}" for name, value in found.items() if not (name == LIMIT and PORTFOLIO in found))


def by_number(text: str) -> tuple[str | int, ...]:
    """Return what sorts texts as people count: V9 before V10."""
    return tuple(int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", text))
