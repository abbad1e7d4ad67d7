"""Tests of rules that people write, and the commands that run them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from alerting.__main__ import main
from alerting.text import rules_page
from alerting.trial import Trial, failures, samples_of
from core.alerts.rule import Rule
from core.alerts.rule_set import shipped_text
from core.errors import RuleRejected
from core.settings.load import load_settings
from storage.state.database import State
from storage.state.rules import add_rule, switch_off

ROOT = Path(__file__).parents[2]
DISK = Rule.model_validate({
    "name": "disk", "when": "system_disk_used_ratio > 90 %", "clear": "system_disk_used_ratio < 85 %",
    "for": "5 min", "severity": "critical", "message": "{mount} is {value:.0%} full",
})  # fmt: skip
SERIES = 'system_disk_used_ratio{mount="/data"}'


def ran(rule: Rule, values: str, *expect: dict[str, object], figure: str = SERIES, every: str = "1 min") -> list[str]:
    given = {
        "name": "x",
        "series": [{"figure": figure, "every": every, "values": values}],
        "expect": [{"rule": rule.name, **each} for each in expect],
    }
    return failures(Trial.model_validate(given), {rule.name: rule})


def test_values_are_those_of_promtool() -> None:
    assert samples_of("1 2x2 3+1x2 _ 4 _x2 5-0.5x1 stale down", 10) == [
        (0, 1.0), (10, 2.0), (20, 2.0), (30, 2.0), (40, 3.0), (50, 4.0), (60, 5.0), (80, 4.0), (110, 5.0), (120, 4.5),
        (130, None), (140, 4.0),
    ]  # fmt: skip
    for wrong in ("1x", "abc", "1+x3", "1x9999999"):
        with pytest.raises(RuleRejected):
            samples_of(wrong, 10)


def test_an_alert_comes_when_the_rule_says_and_goes_when_it_is_clear() -> None:
    data = {"labels": {"mount": "/data"}, "severity": "critical", "message": "/data is 95% full"}
    between = {"labels": {"mount": "/data"}, "message": "/data is 88% full"}
    assert ran(
        DISK, "0.5x4 0.95x9 0.88x4 0.5x9",
        {"at": "4 min"}, {"at": "9 min"}, {"at": "11 min", "firing": [data]}, {"at": "18 min", "firing": [between]},
        {"at": "25 min"},
    ) == []  # fmt: skip


def test_what_does_not_come_as_expected_is_told() -> None:
    (missing,) = ran(DISK, "0.5x20", {"at": "10 min", "firing": [{"labels": {"mount": "/data"}}]})
    assert missing == 'disk at 600 s: expected an alert of {mount="/data"}, there is none'
    (extra,) = ran(DISK, "0.95x20", {"at": "10 min"})
    assert extra == 'disk at 600 s: an alert of {mount="/data"} that is not expected: /data is 95% full'
    wrong = {"labels": {"mount": "/data"}, "severity": "urgent", "message": "full"}
    assert ran(DISK, "0.95x20", {"at": "10 min", "firing": [wrong]}) == [
        'disk at 600 s: {mount="/data"} is critical, expected urgent',
        """disk at 600 s: {mount="/data"} says '/data is 95% full', expected 'full'""",
    ]


def test_series_that_end_lack_data_and_that_is_told() -> None:
    gone = {"labels": {"mount": "/data"}}
    assert ran(DISK, "0.5x3 stale", {"at": "3 min"}, {"at": "6 min", "firing": [gone]}) == []
    # Without a word it counts until two of its intervals are over.
    assert ran(DISK, "0.5x3", {"at": "5 min"}, {"at": "8 min", "firing": [gone]}) == []


@pytest.mark.parametrize(
    ("when", "values", "fires"),
    [
        ("avg(x_ratio, 5 min) > 0.5", "0x9 1x3", True),
        ("avg(x_ratio, 10 min) > 0.5", "0x9 1x2", False),
        ("change(x_ratio, 10 min) > 0.4", "0+0.05x20", True),
        ("change(x_ratio, 10 min) > 0.6", "0+0.05x20", False),
        ("forecast(x_ratio, 4 h) > 0.9", "0.1+0.001x200", False),
        ("forecast(x_ratio, 4 h) > 0.5", "0.1+0.001x200", True),
        ("zscore(x_ratio, 3 w) > 10", "5x10080 6x10080 5.5x10080 5.6", False),
        ("zscore(x_ratio, 3 w) > 10", "5x10079 6x10079 5.5x10079 50x3", True),
    ],
)
def test_figures_over_time_are_those_of_the_engine(when: str, values: str, fires: bool) -> None:
    rule = Rule.model_validate(
        {"name": "x", "when": when, "no_data": "ok", "every": "1 d" if "zscore" in when else "60 s"}
    )
    last = max(at for at, _ in samples_of(values, 60))
    found = ran(rule, values, {"at": last}, figure="x_ratio")
    assert bool(found) is fires, found


DESK = """
rules:
  - {name: data-disk, when: 'system_disk_used_ratio{mount="/data"} > 90 %', for: 5 min, severity: critical}
"""
TESTS = """
rules: [desk.yaml]
tests:
  - name: a full disk is told after five minutes
    series:
      - {figure: 'system_disk_used_ratio{mount="/data"}', every: 1 min, values: '0.5x4 0.95x20'}
    expect:
      - {at: 8 min, rule: data-disk}
      - {at: 12 min, rule: data-disk, firing: [{labels: {mount: /data}, severity: critical}]}
  - name: a feed that is down is urgent
    series:
      - {figure: 'status{component="IQFeed main", collector="iqfeed:main"}', every: 5 s, values: 'okx9 downx20'}
    expect:
      - at: 2 min
        rule: trading
        firing: [{labels: {component: IQFeed main, collector: 'iqfeed:main'}, severity: urgent}]
  - name: a limit that is broken is told at once
    series:
      - {figure: 'limit_level{portfolio="alpha", limit="7"}', every: 1 min, values: '0x3 4x3'}
    expect:
      - {at: 3 min, rule: limits}
      - at: 5 min
        rule: limits
        firing: [{labels: {portfolio: alpha, limit: '7'}, severity: urgent}]
"""


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("desk.yaml").write_text(DESK)
    Path("tests.yaml").write_text(TESTS)
    shipped = shipped_text().count("\n  - name: ")
    assert main(["check", "desk.yaml"]) == 0 and f"{shipped + 1} rules in force" in capsys.readouterr().out
    assert main(["check"]) == 0 and f"{shipped} rules in force" in capsys.readouterr().out
    assert main(["show", "limits"]) == 0
    copied = capsys.readouterr().out
    assert copied.startswith("rules:\n- name: limits\n") and "keep: 31 d" in copied
    Path("mine.yaml").write_text(copied.replace("every: 1 s", "every: 5 s"))
    assert main(["check", "mine.yaml"]) == 0 and f"{shipped} rules in force" in capsys.readouterr().out
    assert main(["show", "limts"]) == 2 and "Did you mean limits?" in capsys.readouterr().err
    assert main(["test", "tests.yaml"]) == 0
    told = capsys.readouterr().out
    assert told.count("passed") == 3 and "tests.yaml: 3 tests, 0 failed" in told
    Path("tests.yaml").write_text(TESTS.replace("0.95x20", "0.85x20"))
    assert main(["test", "tests.yaml"]) == 1
    assert "FAILED  a full disk is told after five minutes\n        data-disk at 720 s" in capsys.readouterr().out
    Path("desk.yaml").write_text(DESK.replace("used_ratio", "usd_ratio"))
    assert main(["check", "desk.yaml"]) == 1
    assert "desk.yaml:3: data-disk: when: there is no figure" in capsys.readouterr().err
    assert main(["test", "tests.yaml"]) == 2
    Path("tests.yaml").write_text("tests: [{name: x, series: [], expects: []}]")
    assert main(["test", "tests.yaml"]) == 2 and "tests.0.expect" in capsys.readouterr().err


def test_the_page_of_rules_is_what_the_code_says() -> None:
    assert rules_page() == (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")


def test_rules_that_were_made_on_the_page_are_exported_as_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export"]) == 0 and capsys.readouterr().out == "rules: []\n", "there is no state database yet"
    settings = load_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with closing(State(settings.state_dsn)) as state:
        state.migrate()
        add_rule(state, "data-disk", DESK, "ana", 1_700_000_000.0)
        add_rule(state, "broken", DESK, "ana", 1_700_000_000.0)
        switch_off(state, "limits", "ana", 1_700_000_000.0)
    assert main(["export"]) == 0
    exported = capsys.readouterr().out
    assert exported.startswith("rules:\n- name: data-disk\n") and exported.endswith("disabled:\n- limits\n")
    Path("mine.yaml").write_text(exported)
    assert main(["check", "mine.yaml"]) == 0 and "18 rules in force" in capsys.readouterr().out
    assert main(["check"]) == 1
    assert "broken: must hold the rule broken and no other" in capsys.readouterr().err
    assert main(["export", "data-dsk"]) == 2 and "Did you mean data-disk?" in capsys.readouterr().err
