"""Rules as they are written: what they mean, and how a wrong one is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.alerts.timing import Policy


def test_a_rule_means_what_it_says() -> None:
    rule = Rule.model_validate(
        {"name": "cpu-busy", "when": "system_cpu_busy_ratio > 80 %", "for": "5 min", "no_data": "keep", "keep": "2 h",
         "severity": "critical", "clear": "system_cpu_busy_ratio < 70 %", "message": "CPU {value:.1%} on {host}"}
    )  # fmt: skip
    assert [(severity, str(expression)) for severity, expression in rule.conditions] == [
        (Severity.CRITICAL, "system_cpu_busy_ratio > 80 %")
    ]
    assert (rule.timing.for_seconds, rule.timing.no_data, rule.timing.keep_seconds) == (300.0, Policy.KEEP, 7_200.0)
    assert str(rule.clears) == "system_cpu_busy_ratio < 70 %" and rule.figures == ("system_cpu_busy_ratio",)


def test_levels_are_judged_from_the_highest_down() -> None:
    rule = Rule.model_validate({"name": "x", "levels": {"warning": "a > 1", "urgent": "a > 3", "critical": "a > 2"}})
    assert [severity.word for severity, _ in rule.conditions] == ["urgent", "critical", "warning"]


@pytest.mark.parametrize(
    ("given", "field", "told"),
    [
        ({"name": "Cpu", "when": "a > 1"}, "name", "match"),
        ({"when": "a > 1", "for": "5 GB"}, "for", "no span of time such as 30 s, 5 min or 2 h"),
        ({"when": "a > 1", "for": "60 d"}, "for", "less than or equal"),
        ({"when": "a > 1", "every": "0 s"}, "every", "greater than or equal"),
        ({"when": "a > 1", "severity": "high"}, "severity", "none of info, warning, critical, urgent"),
        ({"when": "a > 1", "message": "{value.__class__}"}, "message", "no name of a label"),
        ({"when": "a > 1", "message": "{value"}, "message", "no template"),
        ({"when": "a > 1", "message": "{value:{width}}"}, "message", "a format inside"),
        ({"when": "a > 1", "runbook": "javascript:alert(1)"}, "runbook", "no address"),
        ({"when": "a > 1", "foor": "5 min"}, "foor", "not permitted"),
        ({"when": "a >> 1"}, "", "when: 'a >> 1' is not understood"),
        ({"when": "a > 1", "clear": "a <"}, "", "clear: "),
        ({"levels": {"warning": "a >"}}, "", "levels.warning: "),
        ({}, "", "either when or levels"),
        ({"when": "a > 1", "levels": {"warning": "a > 1"}}, "", "either when or levels"),
    ],
)
def test_a_wrong_rule_is_refused_by_its_field(given: dict[str, Any], field: str, told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Rule.model_validate({"name": "x", **given})
    (problem,) = refused.value.errors()
    assert ".".join(map(str, problem["loc"])) == field and told in problem["msg"]


@pytest.mark.parametrize(
    ("when", "reads"),
    [
        ('status{collector="readiness"} == down', True),
        ("readiness_safe == 0", True),
        ('status{collector="readiness"} == down and daily_return < -3 %', True),
        ('status{collector="system"} == down', False),
        ("health_score < 50", False),
    ],
)
def test_a_rule_says_whether_it_reads_that_trading_may_go_on(when: str, reads: bool) -> None:
    assert Rule.model_validate({"name": "x", "when": when}).reads_readiness is reads
