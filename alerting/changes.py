"""What the engine knows of conditions, and what a tick is about to change."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import orjson

from alerting.incidents import Turn
from core.alerts.conditions import Condition, Evaluation
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.model import Labels
from storage.state.alert_requests import Request
from storage.state.alerts import HistoryRow


@dataclass(frozen=True, slots=True)
class Known:
    """A condition with what it is of."""

    rule: str
    labels: Labels
    condition: Condition
    key: str
    """What tells it from every other one: `key_of`."""
    newest: Evaluation | None = None
    """What was found since, where only the value is another one."""

    @property
    def now(self) -> Condition:
        """Return the condition with the newest value."""
        found = self.newest
        return replace(self.condition, value=found.value, why=found.why) if found else self.condition

    def turned(self, condition: Condition) -> Known:
        """Return it as it is with another condition."""
        return Known(self.rule, self.labels, condition, self.key)

    def seen(self, found: Evaluation) -> Known:
        """Return it with another value."""
        return Known(self.rule, self.labels, self.condition, self.key, found)


@dataclass(frozen=True, slots=True)
class Firing:
    """A condition that fires, as what keeps it quiet sees it."""

    key: str
    rule: Rule
    labels: Labels
    severity: Severity


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of what a person asked for; `why_not` empty: it was done."""

    request: Request
    why_not: str = ""


@dataclass(slots=True)
class Changes:
    """What a tick is about to write."""

    conditions: dict[str, Known] = field(default_factory=dict)
    values: dict[str, Known] = field(default_factory=dict)
    """Those of which only the value is another one: they are not written."""
    gone: list[str] = field(default_factory=list)
    unproven: dict[str, str] = field(default_factory=dict)
    """Of what fires no more though nobody knows that it is well: why, by the key of the condition."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """Of everything that fires now, by the key of the condition."""
    muted: Mapping[str, str] = field(default_factory=dict)
    """Of what fires now and is kept quiet: by what, by the key of the condition."""
    turns: list[tuple[int, str, Turn]] = field(default_factory=list)
    """Id of the incident (0: a new one), its group, and what became of it."""
    cleared: list[str] = field(default_factory=list)
    """Groups that a person had resolved, and of which nothing fires any more that he saw."""
    answers: list[Answer] = field(default_factory=list)
    history: list[HistoryRow] = field(default_factory=list)
    went_back: bool = False
    """The machine's clock was set back."""


def key_of(rule: str, labels: Labels) -> str:
    """Return what tells a condition of a rule from every other one."""
    return hashlib.blake2b(orjson.dumps([rule, labels]), digest_size=16).hexdigest()
