"""Rules as a file has them: what is copied to be changed, and what is exported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from core.alerts.expression import UNITS
from core.alerts.files import FIELDS
from core.alerts.rule import Rule
from core.alerts.severity import Severity

SPANS = {"for", "keep_firing_for", "every", "keep"}
SPAN_UNITS = ("d", "h", "min", "s")
"""Coarsest first: the first that a span is a whole number of."""


def written(rules: Iterable[Rule], disabled: Sequence[str] = (), metrics: Sequence[str] = ()) -> str:
    """Return the text of a file with these rules, without what is so by default.

    disabled: of those that come with Fundwatch. metrics: those that exporters or programs name.
    """
    named = {"disabled": [*disabled], "metrics": [*metrics]}
    content = {"rules": [fields_of(rule) for rule in rules], **{name: each for name, each in named.items() if each}}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


def fields_of(rule: Rule) -> dict[str, Any]:
    """Return the fields of a rule as they are written, those that are not so by default."""
    found: dict[str, Any] = {}
    for name, attribute in FIELDS.items():
        field, value = Rule.model_fields[attribute], getattr(rule, attribute)
        if field.is_required() or value != field.get_default(call_default_factory=True):
            found[name] = _plain(name, value)
    return found


def _plain(name: str, value: Any) -> Any:
    if name in SPANS:
        return _span(value)
    if isinstance(value, Severity):
        return value.word
    if isinstance(value, Mapping):
        return {key.word if isinstance(key, Severity) else key: each for key, each in value.items()}
    return str(value) if isinstance(value, str) else value


def _span(seconds: float) -> str | float:
    """Return a span as people write it; one that is no whole number of seconds stays a number."""
    unit = next((each for each in SPAN_UNITS if seconds and seconds % UNITS[each][0] == 0), "")
    return f"{seconds / UNITS[unit][0]:.0f} {unit}" if unit else seconds
