"""What is said of a condition and of an incident: sentences that channels, pages and the API share."""

from __future__ import annotations

from collections.abc import Mapping

from core.alerts.conditions import Condition, Phase
from core.alerts.rule import Rule
from core.alerts.sent import RULE as SENT_RULE
from core.format import NOT_AVAILABLE, percent
from core.model import Labels


class _Known(dict[str, object]):
    """What a message may name; a label that is not there reads n/a instead of failing in the night."""

    def __missing__(self, name: str) -> str:
        return NOT_AVAILABLE


def title_of(rule: Rule, of: Labels = ()) -> str:
    """Return what a rule is called by people; of an alert that a Prometheus sent, by its labels, its own name."""
    own = dict(of).get("alertname") if rule.name == SENT_RULE else ""
    return own or rule.title or rule.name


def message_of(rule: Rule, labels: Labels, condition: Condition) -> str:
    """Return the sentence of a condition: the rule's message of its last value.

    Of what cannot be judged, or has no value, what it is about and why: "CPU: host a: it is not reported any more".
    """
    is_blind = condition.phase in (Phase.NO_DATA, Phase.ERROR)
    if condition.value is not None and not is_blind and (told := _written(rule, labels, condition)):
        return told
    where = ", ".join(f"{name} {value}" for name, value in labels)
    return ": ".join(each for each in (title_of(rule, labels), where, condition.why) if each)


def _written(rule: Rule, labels: Labels, condition: Condition) -> str:
    value, why = condition.value or 0.0, condition.why
    written = {"percent": percent(value), "lost": percent(-value)}
    known: Mapping[str, object] = {
        **written,
        **dict(labels),
        **rule.labels,
        "value": value,
        "title": title_of(rule),
        "why": why,
    }
    template = rule.message or ("{title}: {why}" if why else f"{{title}}: {rule.figures[0]} is {{value:.4g}}")
    figures = dict.fromkeys(rule.figures[:1], value)
    try:
        told = template.format_map(_Known({**figures, **known}))
        return told if why else told.rstrip().removesuffix(":")
    except (ValueError, TypeError):
        # A format that does not fit what a label holds: said plainly rather than not at all.
        return f"{title_of(rule)}: {value:.4g}"
