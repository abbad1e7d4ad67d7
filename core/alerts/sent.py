"""Alerts that a Prometheus sends: each holds until it ends, or until it is told no more.

As Alertmanager has it (github.com/prometheus/alertmanager, api/v2): one without an end is believed for five minutes
after it was sent; Prometheus sends what fires again each minute, with an end some minutes ahead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.alerts.severity import Severity
from core.model import Labels

RULE = "sent"
"""The rule that tells them."""
BELIEVED_SECONDS = 300.0
"""How long one without an end is believed."""
KEPT_SECONDS = 900.0
"""How long one that has ended is kept: until every rule has seen that it has."""
MOST = 10_000
"""Alerts at once, those that have ended among them."""
SEVERITY, SUMMARY, DESCRIPTION = "severity", "summary", "description"
WORDS: Mapping[str, Severity] = {
    **{each.word: each for each in Severity},
    **dict.fromkeys(("emergency", "page", "p1", "disaster"), Severity.URGENT),
    **dict.fromkeys(("error", "high", "major", "p2"), Severity.CRITICAL),
    **dict.fromkeys(("none", "low", "notice", "debug"), Severity.INFO),
}
"""What people call a severity in their rules; anything else is a warning."""


@dataclass(frozen=True, slots=True)
class SentAlert:
    """An alert as it was sent last. Times are epoch seconds."""

    labels: Labels
    text: str
    begins: float
    ends: float
    sent_at: float

    def value(self, now: float) -> float:
        """Return how much it matters at a time, as a number of `Severity`; 0: it has ended."""
        if now >= self.ends:
            return 0.0
        return float(WORDS.get(dict(self.labels).get(SEVERITY, "").lower(), Severity.WARNING))


def text_of(annotations: Mapping[str, str], labels: Mapping[str, str]) -> str:
    """Return what is said of one: what its rule says, else its labels."""
    said = annotations.get(DESCRIPTION) or annotations.get(SUMMARY) or ""
    return said.strip() or ", ".join(f"{name} {value}" for name, value in labels.items())
