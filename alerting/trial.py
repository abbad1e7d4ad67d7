"""Tests of rules: series in, alerts expected, in the manner of promtool. Nothing is read from stores, no time passes.

    rules: [desk.yaml]               files of rules, from the folder of this one; the shipped rules are there too
    tests:
      - name: a full disk is told after five minutes
        series:
          - {figure: 'system_disk_used_ratio{mount="/data"}', every: 1 min, values: '0.5x4 0.95x20'}
        expect:
          - {at: 8 min, rule: data-disk}
          - {at: 12 min, rule: data-disk, firing: [{labels: {mount: /data}, severity: critical}]}

Values are written as promtool has them: `a` one, `axn` it and n more, `a+bxn` n more that each grow by b, `_` none,
`_xn` n times none, `stale` no longer there. A figure of states takes words: `ok`, `downx3`.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alerting.words import message_of
from core.alerts.conditions import Condition
from core.alerts.evaluate import WORDS
from core.alerts.expression import Compared, Figure, read_expression
from core.alerts.rule import Level, Rule, Span
from core.alerts.series import Series
from core.errors import RuleRejected
from core.model import Labels, labels
from core.settings.plain import must_be
from status.freshness import stale_after_seconds
from status.played import played
from storage.clickhouse.reads.spans import WEEK_SECONDS

VALUE = re.compile(
    r"(?P<first>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|_|stale|ok|warning|critical|down|not_configured|unknown)"
    r"(?P<step>[-+](?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)?(?:x(?P<times>\d+))?"
)
MOST_VALUES = 1_000_000
START = 14 * WEEK_SECONDS * 100.0
"""Epoch seconds at which a test begins: a whole hour."""


class Given(BaseModel):
    """A series of a test."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    figure: str
    every: Span = Field(15.0, ge=1)
    values: str


class Alert(BaseModel):
    """An alert that is expected; what is left out is not looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    labels: Mapping[str, str] = Field(default_factory=dict)
    severity: Level | None = None
    message: str | None = None


class Expected(BaseModel):
    """What a rule tells at a time: these alerts and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: Annotated[Span, Field(ge=0)]
    rule: str
    firing: tuple[Alert, ...] = ()


class Trial(BaseModel):
    """One test."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    series: tuple[Given, ...]
    expect: tuple[Expected, ...] = Field(min_length=1)


class TrialFile(BaseModel):
    """A file of tests."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[str, ...] = ()
    tests: tuple[Trial, ...] = Field(min_length=1)


def read_trials(path: Path) -> TrialFile:
    """Return the tests of a file. Raises RuleRejected, which says where it is wrong."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return TrialFile.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        field = ".".join(map(str, problem["loc"])) or str(path)
        raise RuleRejected(field, must_be(problem)) from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise RuleRejected(str(path), " ".join(str(error).split())) from error


def failures(trial: Trial, rules: Mapping[str, Rule]) -> list[str]:
    """Return what did not come as expected, a sentence each; empty: the test has passed. Raises RuleRejected."""
    series = [series_of(each) for each in trial.series]
    found: list[str] = []
    for name in dict.fromkeys(each.rule for each in trial.expect):
        if name not in rules:
            raise RuleRejected("expect", f"there is no rule {name}", f"There are {', '.join(sorted(rules))}.")
        wanted = sorted((each for each in trial.expect if each.rule == name), key=lambda each: each.at)
        found += _of_rule(rules[name], series, wanted)
    return found


def samples_of(text: str, every_seconds: float) -> list[tuple[float, float | None]]:
    """Return time and value of what is written; a value None is where the series is gone. Raises RuleRejected."""
    found: list[tuple[float, float | None]] = []
    place = 0
    for token in text.split():
        match = VALUE.fullmatch(token)
        if match is None:
            raise RuleRejected("values", f"{token!r} is no value", "Write 1, 1x5, 1+2x5, _, _x5 or stale.")
        first, step, times = match["first"], float(match["step"] or 0), int(match["times"] or 0)
        if place + times > MOST_VALUES:
            raise RuleRejected("values", f"there are more than {MOST_VALUES}")
        if first == "_":
            place += max(times, 1)
            continue
        values: Sequence[float | None] = [None]
        if first != "stale":
            start = WORDS[first] if first in WORDS else float(first)
            values = [start + number * step for number in range(times + 1)]
        found += [(every_seconds * (place + number), value) for number, value in enumerate(values)]
        place += len(values)
    return found


def series_of(given: Given) -> Series:
    """Return a series of a test, which begins at START. Raises RuleRejected."""
    expression = read_expression(f"{given.figure} == 0", "figure")
    if not isinstance(expression, Compared) or not isinstance(expression.operand, Figure):
        raise RuleRejected("figure", f"{given.figure} is no figure")
    figure = expression.operand
    if any(each.operator != "=" for each in figure.matchers):
        raise RuleRejected("figure", f"{given.figure}: a series has labels with = alone")
    pairs = samples_of(given.values, given.every)
    return Series(
        Figure(figure.name, (), figure.window, figure.settings),
        labels(**{each.label: each.value for each in figure.matchers}),
        [START + at for at, _ in pairs],
        [value for _, value in pairs],
        stale_after_seconds(given.every),
    )


def _of_rule(rule: Rule, series: Sequence[Series], wanted: Sequence[Expected]) -> list[str]:
    found: list[str] = []
    waiting = deque(wanted)
    times = (START + number * rule.every for number in range(int(wanted[-1].at // rule.every) + 1))
    for now in played(rule, series, times):
        while waiting and now.at + rule.every > START + waiting[0].at:
            found += _compared(rule, waiting.popleft(), {of: each for of, each in now.known.items() if each.fires})
    return found


def _compared(rule: Rule, expected: Expected, firing: Mapping[Labels, Condition]) -> list[str]:
    where = f"{rule.name} at {expected.at:g} s"
    left = dict(firing)
    found = []
    for alert in expected.firing:
        of = labels(**alert.labels)
        condition = left.pop(of, None)
        if condition is None:
            found.append(f"{where}: expected an alert of {_named(of)}, there is none")
            continue
        severity = condition.severity.word if condition.severity else ""
        if alert.severity is not None and alert.severity.word != severity:
            found.append(f"{where}: {_named(of)} is {severity}, expected {alert.severity.word}")
        told = message_of(rule, of, condition)
        if alert.message is not None and alert.message != told:
            found.append(f"{where}: {_named(of)} says {told!r}, expected {alert.message!r}")
    found += [f"{where}: an alert of {_named(of)} that is not expected: {message_of(rule, of, each)}"
              for of, each in left.items()]  # fmt: skip
    return found


def _named(of: Labels) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in of) + "}"
