"""A rule that cannot be is refused with what could stand there instead."""

from __future__ import annotations

from typing import Any

import pytest

from core.alerts.check import check, hints
from core.alerts.figures import named, vocabulary_of
from core.alerts.rule import Rule
from core.errors import RuleRejected
from portfolio.vocabulary import query_of, vocabulary


def rule(when: str = "", **given: Any) -> Rule:
    fields = {"name": "x", "for": "1 min", **({"when": when} if when else {}), **given}
    return Rule.model_validate(fields)


@pytest.mark.parametrize(
    "when",
    [
        'system_cpu_busy_ratio{core="total"} > 80 %',
        'system_cpu_busy_ratio{machine=~"db.*"} > 0.8',
        "system_network_receive_bytes_per_second > 100 MB",
        'heartbeat_age_seconds{instance="nightly"} > 2 h and not status{component="Heartbeat nightly"} == ok',
        "daily_return < -0.05",
        "max_drawdown[1y] < -15 %",
        "beta[ytd, benchmark=SPY, frequency=weekly] > 1.2",
        "sharpe[2024-01-01:2024-12-31, risk_free=2.5] < 1",
        "value_at_risk[1y, confidence=99] > 5 %",
        'status{component="Redis main"} >= critical',
        "absent(freshness_age_seconds)",
        "age > 5 min",
        'collector_failed{collector="pull-fills"} == 1',
        "value_overdue == 1",
        "avg(system_cpu_busy_ratio, 5 min) > 80 %",
        "zscore(system_cpu_busy_ratio, 4 w) > 5",
        "forecast(system_disk_used_ratio, 4 h) >= 100 %",
        "change(redis_memory_used_bytes, 1 h) > 1 GiB",
    ],
)  # fmt: skip
def test_what_can_be_is_taken(when: str) -> None:
    check(rule(when), vocabulary(), query_of)
    assert hints(rule(when), vocabulary()) == []


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("system_cpu_busy_rati > 80 %", "no figure system_cpu_busy_rati. Did you mean system_cpu_busy_ratio?"),
        ("dialy_return < -0.05", "Did you mean daily_return?"),
        ('system_disk_used_ratio{mont="/"} > 90 %', "has no label mont. Did you mean mount? It has mount or machine."),
        ('redis_clients{machine="a"} > 5', "redis_clients has no label machine. It has instance."),
        ("system_cpu_busy_ratio > 80 GB", "is not measured in GB. Write %."),
        ("redis_memory_used_bytes > 80 %", "is not measured in %. Write B, KiB"),
        ("redis_clients > 5 min", "Write the number alone."),
        ("zscore(system_cpu_busy_ratio, 4 w) > 5 %", "Write the number alone."),
        ("sharpe[1y] < 5 %", "sharpe is not measured in %. Write the number alone."),
        ("status > 2", "it is a state, not a number. Compare it with ok, warning, critical, down or not_configured."),
        ("status == dwon", "there is no state dwon. Did you mean down?"),
        ("status == unknown", "Write absent(status)."),
        ("system_cpu_busy_ratio == down", "is a number, not a word"),
        ("system_cpu_busy_ratio[1y] > 80 %", "only figures of portfolios have a window. Write avg(x, 5 min)"),
        ("avg(daily_return, 5 min) < -5 %", "only metrics that are collected are worked on over time"),
        ("avg(status, 5 min) > 3", "only metrics that are collected"),
        ("avg(redis_clients, 1 s) > 3", "1 s is not between 10 s and 31 d"),
        ("zscore(redis_clients, 5 min) > 3", "needs 2 to 12 weeks. Write zscore(x, 4 w)."),
        ("max_drawdown[2y] < -15 %", "“2Y” is none of 1D, WTD"),
        ("max_drawdown[1y, frequency=hourly] < -15 %", "“hourly” is none of D, W, M, Q"),
        ("max_drawdown[1y, bench=SPY] < -15 %", "bench is no setting of a figure"),
        ("max_drawdown[2024-13-01:2024-12-31] < -15 %", "is no date"),
    ],
)
def test_what_cannot_be_is_refused_with_what_could(when: str, told: str) -> None:
    with pytest.raises(RuleRejected) as refused:
        check(rule(when), vocabulary(), query_of)
    assert refused.value.field == "when" and told in str(refused.value)


def test_the_field_is_told_that_is_wrong() -> None:
    levels = {"warning": "redis_clients > 5", "critical": "redis_client > 9"}
    for given, field in [
        ({"levels": levels}, "levels.critical"),
        ({"when": "redis_clients > 5", "clear": "redis_client < 2"}, "clear"),
        ({"when": "redis_clients > 5", "message": "{instanse}"}, "message"),
    ]:
        with pytest.raises(RuleRejected) as refused:
            check(rule(**given), vocabulary(), query_of)  # type: ignore[arg-type]
        assert refused.value.field == field and "Did you mean" in str(refused.value)


def test_a_message_names_what_there_is() -> None:
    message = "{daily_return:.2%} of {portfolio}, {value} {title} {why} {team}"
    check(rule("daily_return < -5 %", message=message, labels={"team": "desk"}), vocabulary(), query_of)


def test_what_exporters_name_has_any_label() -> None:
    known = vocabulary_of([*vocabulary().values(), *named(["oms_lag_seconds"])])
    check(rule('oms_lag_seconds{desk="fx"} > 5 s', message="{desk}"), known)
    with pytest.raises(RuleRejected, match="not measured in GB"):
        check(rule("oms_lag_seconds > 5 GB"), known)


def test_what_is_hardly_meant_is_hinted_at() -> None:
    assert "is 8000 %; is 80 % meant?" in hints(rule("system_cpu_busy_ratio > 80"), vocabulary())[0]
    at_once = Rule.model_validate({"name": "x", "when": "redis_clients > 5"})
    assert "say how long it must hold" in hints(at_once, vocabulary())[0]


@pytest.mark.parametrize(
    ("when", "clear", "instead"),
    [
        ("system_cpu_busy_ratio > 80 %", "system_cpu_busy_ratio > 50 %", "system_cpu_busy_ratio < 50 %"),
        ("max_drawdown[1y] < -15 %", "max_drawdown[1y] < -10 %", "max_drawdown[1y] > -10 %"),
        ("status >= critical", "status >= warning", "status < warning"),
    ],
)
def test_a_clear_that_holds_while_it_fires_is_refused(when: str, clear: str, instead: str) -> None:
    with pytest.raises(RuleRejected, match="also holds where") as refused:
        check(rule(when, clear=clear), vocabulary())
    assert refused.value.field == "clear" and instead in refused.value.fix


@pytest.mark.parametrize(
    ("when", "clear"),
    [
        ("system_cpu_busy_ratio > 80 %", "system_cpu_busy_ratio <= 80 %"),
        ("system_cpu_busy_ratio > 80 %", "system_cpu_busy_ratio < 90 %"),
        ("system_cpu_busy_ratio > 80 %", "system_cpu_busy_ratio < 50 %"),
        ("status >= critical", "status == ok"),
        ("system_cpu_busy_ratio > 80 %", "system_memory_used_ratio > 50 %"),
    ],
)
def test_a_clear_that_holds_apart_from_it_is_taken(when: str, clear: str) -> None:
    check(rule(when, clear=clear), vocabulary())


def test_what_can_never_be_told_is_hinted_at() -> None:
    levels = {"warning": "system_cpu_busy_ratio > 90 %", "critical": "system_cpu_busy_ratio > 80 %"}
    (told, *_) = hints(rule(levels=levels), vocabulary())
    assert told.startswith("levels.warning: it is never told: where system_cpu_busy_ratio > 90 %")
    (told, *_) = hints(rule("max_drawdown[1y] > 15 %"), vocabulary())
    assert "it never holds" in told and told.endswith("is max_drawdown[1y] < -15 % meant?")
