"""What is said of a condition and of an incident: sentences that channels, pages and the API share."""

from __future__ import annotations

from collections.abc import Mapping

from core.alerts.conditions import Condition, Phase
from core.alerts.evaluate import COMPARE, WORDS
from core.alerts.figures import STATE
from core.alerts.labels import where_of
from core.alerts.rule import Rule
from core.alerts.sent import RULE as SENT_RULE
from core.alerts.thresholds import limit_at
from core.format import NOT_AVAILABLE, in_unit, percent
from core.model import Labels
from portfolio.vocabulary import unit_of_operand

SIDES: Mapping[str, str] = {">": "above", ">=": "at or above", "<": "below", "<=": "at or below"}
"""Where a value is that fires."""


class _Nothing(str):
    """What is not there reads n/a in whatever format it was to be written."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return str(self)


class _Known(dict[str, object]):
    """What a message may name; a label that is not there reads n/a instead of failing in the night."""

    def __missing__(self, name: str) -> str:
        return _Nothing(NOT_AVAILABLE)


def title_of(rule: Rule, of: Labels = ()) -> str:
    """Return what a rule is called by people; of an alert that a Prometheus sent, by its labels, its own name."""
    own = dict(of).get("alertname") if rule.name == SENT_RULE else ""
    return own or rule.title or rule.name


def message_of(rule: Rule, labels: Labels, condition: Condition) -> str:
    """Return the sentence of a condition: the rule's message of its last value, else what it watches for and found.

    Of what cannot be judged, or is there no longer, what it is about and why: "CPU: host a: it is not reported any
    more".
    """
    is_blind = condition.phase in (Phase.NO_DATA, Phase.ERROR)
    # What is there no longer, and why, has no value; of what is absent there is none either.
    has_value = condition.value is not None or not condition.why
    if not is_blind and has_value and (told := _written(rule, labels, condition)):
        return told
    return ": ".join(each for each in (title_of(rule, labels), where_of(labels), condition.why) if each)


def _written(rule: Rule, labels: Labels, condition: Condition) -> str:
    value, why = condition.value, condition.why
    if not rule.message:
        return f"{title_of(rule)}: {why or _found(rule, condition)}"
    shown = _Nothing(NOT_AVAILABLE) if value is None else value
    lost = None if value is None else -value
    known: Mapping[str, object] = {
        **dict.fromkeys(rule.figures[:1], shown),
        "percent": percent(value),
        "lost": percent(lost),
        **dict(labels),
        **rule.labels,
        "value": shown,
        "title": title_of(rule),
        "why": why,
    }
    try:
        told = rule.message.format_map(_Known(known))
        return told if why else told.rstrip().removesuffix(":")
    except (ValueError, TypeError):
        # A format that does not fit what a label holds: said plainly rather than not at all.
        return f"{title_of(rule)}: {_found(rule, condition)}"


def _found(rule: Rule, condition: Condition) -> str:
    """Return what a condition found, in its unit, beside what it is compared with."""
    operand, value = rule.operands[0], condition.value
    if value is None:
        return f"{operand} is not there"
    unit = unit_of_operand(operand)
    if unit == STATE:
        return f"{operand} is {next((word for word, worth in WORDS.items() if worth == value), NOT_AVAILABLE)}"
    told = f"{operand} is {in_unit(value, unit)}"
    compared, sign, limit = (limit_at(rule, condition.severity) if condition.severity else None) or (None, "", 0.0)
    if compared != operand or sign not in SIDES:
        return told
    fires = "" if COMPARE[sign](value, limit) else "fires "
    return f"{told}, {fires}{SIDES[sign]} {in_unit(limit, unit)}"
