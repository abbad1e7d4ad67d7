"""What a rule finds: the highest severity that holds, between the thresholds, and what went away."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.alerts.conditions import Outcome
from core.alerts.evaluate import Value
from core.alerts.expression import Figure, Worked
from core.alerts.judge import failed, judge
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.model import labels

A, B = labels(host="a"), labels(host="b")


def rule(**given: Any) -> Rule:
    return Rule.model_validate({"name": "cpu", **given})


def outcomes(of: Rule, values: dict[Any, float | None], known: Any = ()) -> dict[Any, tuple[Outcome, Severity]]:
    def read(operand: Figure | Worked) -> list[Value]:
        return [Value(each, value) for each, value in values.items()]

    return {each.labels: (each.evaluation.outcome, each.evaluation.severity) for each in judge(of, read, known, 0.0)}


LEVELS = rule(levels={"warning": "cpu > 80 %", "critical": "cpu > 95 %"}, clear="cpu < 70 %")


@pytest.mark.parametrize(
    ("value", "outcome", "severity"),
    [
        (0.99, Outcome.BREACH, Severity.CRITICAL),
        (0.9, Outcome.BREACH, Severity.WARNING),
        (0.75, Outcome.BETWEEN, Severity.CRITICAL),
        (0.5, Outcome.CLEAR, Severity.CRITICAL),
        (None, Outcome.NO_DATA, Severity.CRITICAL),
    ],
)
def test_the_highest_severity_that_holds_counts(value: float | None, outcome: Outcome, severity: Severity) -> None:
    assert outcomes(LEVELS, {A: value}) == {A: (outcome, severity)}


def test_each_set_of_labels_is_judged_by_itself_and_what_went_away_is_not_clear() -> None:
    simple = rule(when="cpu > 80 %", severity="urgent")
    assert outcomes(simple, {A: 0.9}, known=[A, B]) == {
        A: (Outcome.BREACH, Severity.URGENT),
        B: (Outcome.NO_DATA, Severity.URGENT),
    }
    assert outcomes(simple, {}) == {}


def test_a_rule_that_cannot_be_evaluated_says_why_of_everything_that_it_knew() -> None:
    (found,) = failed(LEVELS, [A], "ClickHouse does not answer", 5.0)
    assert (found.labels, found.evaluation.outcome, found.evaluation.why) == (
        A,
        Outcome.ERROR,
        "ClickHouse does not answer",
    )


OPERANDS = [
    rule(when="cpu > 80 %"),
    rule(when="cpu > 80 %", clear="cpu < 70 %"),
    LEVELS,
    rule(when="status == down"),
    rule(when="cpu > 80 % and mem > 10 %"),
    rule(when="cpu > 80 %", clear="mem < 70 %"),
    rule(when="not cpu < 20 %"),
]
SERIES = [labels(host=name) for name in "abcde"]


@given(
    st.sampled_from(OPERANDS),
    st.dictionaries(st.sampled_from(SERIES), st.sampled_from([None, 0.1, 0.75, 0.9, 0.99, 4.0])),
    st.sets(st.sampled_from(SERIES)),
    st.sets(st.sampled_from(SERIES)),
)
def test_of_what_is_calm_all_that_is_news_is_found_and_nothing_else(
    of: Rule, values: dict[Any, float | None], known: set[Any], calm: set[Any]
) -> None:
    def read(operand: Figure | Worked) -> list[Value]:
        return [Value(each, value) for each, value in values.items()]

    calm &= known
    every = {each.labels: each.evaluation for each in judge(of, read, known, 0.0)}
    quiet = (Outcome.CLEAR, Outcome.BETWEEN)
    news = {each: found for each, found in every.items() if each not in calm or found.outcome not in quiet}
    found = judge(of, read, known, 0.0, calm)
    assert {each.labels: each.evaluation for each in found} == news
    assert len(found) == len(news)
