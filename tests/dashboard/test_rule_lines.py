"""Thresholds of rules on charts: which rules draw one, what it is called, and that no line is drawn twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.alerts.expression import Matcher
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.alerts.thresholds import Threshold, thresholds_of
from core.model import labels
from dashboard.charts.rules import MOST_LINES, RuleLines, rule_lines
from dashboard.charts.timeseries import LimitLine
from dashboard.sources.charts import Chart, chart_figure
from storage.clickhouse.reads.sources import SourceSeries
from storage.stores import Stores

PING = "redis_ping_judged_seconds"


def rule(name: str, when: str, **more: Any) -> Rule:
    return Rule.model_validate({"name": name, "when": when, **more})


def test_a_rule_that_compares_a_metric_as_it_is_has_a_threshold_in_its_base_unit() -> None:
    found = thresholds_of([
        rule("slow", f"{PING} > 250 ms", title="Redis is slow", severity="critical"),
        rule("slow-on-main", f'{PING}{{instance="main"}} > 100 ms'),
        rule("mean", f"change({PING}, 5 min) > 1 s"),
        rule("down", 'status{collector="redis:main"} == down'),
        rule("both", f"{PING} > 2 s and redis_up == 1"),
    ])  # fmt: skip
    slow = Threshold("Redis is slow", 0.25, Severity.CRITICAL)
    of_main = (Matcher("instance", "=", "main"),)
    assert found == {PING: (Threshold("slow-on-main", 0.1, Severity.WARNING, of_main), slow)}


def test_a_rule_draws_its_line_where_a_series_that_it_means_is_drawn_and_nowhere_else() -> None:
    of_main = rule("main", f'{PING}{{instance="main"}} > 100 ms')
    of_others = rule("others", f'{PING}{{instance!="main"}} > 200 ms')
    busy = rule("busy", 'system_disk_used_ratio{mount="/data", machine=~"trade-.*"} > 80 %')
    lines = RuleLines(thresholds_of([of_main, of_others, rule("all", f"{PING} > 300 ms"), busy]))

    def drawn(*instances: str) -> list[str]:
        return [each.text for each in lines.beside((), {PING: [labels(instance=each) for each in instances]})]

    assert drawn("main") == ["main", "all"]
    assert drawn("own") == ["others", "all"]
    assert drawn("main", "own") == ["main", "others", "all"]
    assert drawn() == ["all"]
    mounts = {"system_disk_used_ratio": [labels(mount="/"), labels(mount="/data")]}
    assert [each.text for each in replace(lines, machine="trade-1").beside((), mounts)] == ["busy"]
    assert replace(lines, machine="web-1").beside((), mounts) == []


def test_the_line_is_labelled_with_the_rule_and_the_chart_s_own_equal_one_stands_for_it() -> None:
    levels = {"warning": f"{PING} > 500 ms", "critical": f"{PING} > 800 ms"}
    slow = Rule.model_validate({"name": "slow", "title": "Redis is slow", "levels": levels})
    rules = RuleLines(thresholds_of([slow]))
    chart = Chart("ping", "Ping", "", {PING: ""}, "")
    drawn = chart_figure(chart, SourceSeries(0.0, 100.0), [], (0.0, 100.0), rules)["layout"]
    assert {each["text"] for each in drawn["annotations"]} == {"Redis is slow"}
    assert sorted(shape["y0"] for shape in drawn["shapes"]) == [0.5, 0.8]
    own = [LimitLine(0.5, "warning 500 ms", "@warning")]
    assert [each.text for each in rules.beside(own, {PING: ()})] == ["warning 500 ms", "Redis is slow"]
    many = RuleLines({PING: tuple(Threshold(str(at), float(at), Severity.INFO) for at in range(10))})
    assert len(many.beside((), {PING: ()})) == MOST_LINES


def test_who_may_see_some_portfolios_is_told_of_no_rule_of_the_fund_s_own(stores: Stores) -> None:
    own = rule("alpha-ping", f"{PING} > 3 s", title="Desk of Alpha")
    settings = stores.settings.model_copy(update={"rules": (own,)})
    found = replace(stores, settings=settings)
    assert "Desk of Alpha" in [each.title for each in rule_lines(found, None).by_metric[PING]]
    limited = rule_lines(found, frozenset({"beta"})).by_metric[PING]
    assert [each.title for each in limited] == ["Redis answers slowly"], "those that come with Fundwatch are for all"
