"""An ordinary rule as fields of a form: what of its YAML stands in which, and the YAML with other ones. Pure.

What the fields lack stands in the YAML alone: conditions that are joined, several severities, and the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from core.alerts.expression import Absent, Compared, Worked
from core.alerts.files import NO_YAML
from core.alerts.rule import Rule
from core.alerts.written import fields_of
from core.errors import ChangeRejected
from storage.state.rules import NOT_SAVED

WATCHED = ("figure", "which", "window", "work", "span", "operator", "limit")
"""Fields that make one condition together."""
PLAIN = (
    "name", "title", "for", "keep_firing_for", "every", "clear", "severity", "category", "no_data", "message",
    "runbook",
)  # fmt: skip
"""Fields that are one of the YAML."""
LABELS = "labels"
FIELDS = (*WATCHED, *PLAIN, LABELS)
AS_IT_IS, ABSENT = "", "absent"
DEFAULTS = {"operator": ">", "severity": "warning", "category": "system", "no_data": "alert"}
"""What drop-downs show where the YAML says nothing."""


def fields_from(rule: Rule | None) -> dict[str, str]:
    """Return what stands in each field of a rule; None: of a new one."""
    found = dict.fromkeys(FIELDS, "") | DEFAULTS
    if rule is None:
        return found
    written = fields_of(rule)
    found |= {name: _shown(written[name]) for name in PLAIN if name in written}
    found[LABELS] = ", ".join(f"{name}={value}" for name, value in rule.labels.items())
    return found | _watched(rule)


def with_fields(text: str, fields: Mapping[str, str], changed: frozenset[str]) -> str:
    """Return the YAML of a rule with the fields that were changed; `fields`: all of them.

    Raises ChangeRejected, beside the fields: what they say cannot be put together, or the text cannot be read.
    """
    content = _read(text)
    rules = content.setdefault("rules", [])
    if not rules:
        rules.append({})
    rule = rules[0]
    for name in PLAIN:
        if name in changed:
            _put(rule, name, fields[name])
    if LABELS in changed:
        _put(rule, LABELS, _labels(fields[LABELS]))
    if changed & set(WATCHED):
        rule.pop("levels", None)
        _put(rule, "when", _when(fields))
    ordered = {name: rule[name] for name in ("name", "title", "when") if name in rule}
    rules[0] = ordered | {name: value for name, value in rule.items() if name not in ordered}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


def field_of_mistake(reason: str) -> str:
    """Return the field that a mistake of the checker stands beside; empty: the YAML alone."""
    name, colon, _ = reason.partition(":")
    if not colon:
        return ""
    if name == "when":
        return "figure"
    return name if name in (*PLAIN, LABELS) else ""


def _watched(rule: Rule) -> dict[str, str]:
    condition = rule.conditions[0][1]
    if rule.levels or not isinstance(condition, (Compared, Absent)):
        return {}
    operand = condition.figure if isinstance(condition, Absent) else condition.operand
    figure = operand.figure if isinstance(operand, Worked) else operand
    found = {
        "figure": figure.name,
        "which": ", ".join(map(str, figure.matchers)),
        "window": ", ".join([figure.window, *(f"{name}={value}" for name, value in figure.settings)])
        if figure.window
        else "",
    }
    if isinstance(condition, Absent):
        return found | {"work": ABSENT}
    if isinstance(operand, Worked):
        found |= {"work": operand.work, "span": operand.written}
    limit = str(condition).removeprefix(f"{operand} {condition.operator} ")
    return found | {"operator": condition.operator, "limit": limit}


def _when(fields: Mapping[str, str]) -> str:
    if not fields["figure"]:
        raise ChangeRejected(NOT_SAVED, {"figure": "is empty; say what the rule watches, or write it in the YAML"})
    which = f"{{{fields['which'].strip('{} ')}}}" if fields["which"] else ""
    window = f"[{fields['window'].strip('[] ')}]" if fields["window"] else ""
    figure = f"{fields['figure']}{which}{window}"
    if fields["work"] == ABSENT:
        return f"absent({figure})"
    if fields["work"] != AS_IT_IS:
        if not fields["span"]:
            raise ChangeRejected(NOT_SAVED, {"span": "is empty; say over how long, such as 5 min"})
        figure = f"{fields['work']}({figure}, {fields['span']})"
    if not fields["limit"]:
        raise ChangeRejected(NOT_SAVED, {"limit": "is empty; give a value with its unit, such as 90 %, or a state"})
    return f"{figure} {fields['operator']} {fields['limit']}"


def _labels(text: str) -> dict[str, str]:
    found = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise ChangeRejected(NOT_SAVED, {LABELS: f"{part!r} is no label; write team=core, desk=fx"})
        found[name.strip()] = value.strip().strip('"')
    return found


def _read(text: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(text) or {}
    except NO_YAML as error:
        raise ChangeRejected(NOT_SAVED, {"text": f"cannot be read as YAML: {' '.join(str(error).split())}"}) from error
    rules = content.get("rules") or [] if isinstance(content, dict) else None
    if not isinstance(rules, list) or not all(isinstance(each, dict) for each in rules):
        raise ChangeRejected(NOT_SAVED, {"text": "must hold `rules:` and one rule below it"})
    return {**content, "rules": rules}


def _put(rule: dict[str, Any], name: str, value: Any) -> None:
    if value:
        rule[name] = value
    else:
        rule.pop(name, None)


def _shown(value: Any) -> str:
    return f"{value:g} s" if isinstance(value, float) else str(value)
