"""Files of rules: taken whole, or refused with the line of each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.alerts.files import RuleFile, read_rule_file, read_rules
from core.alerts.rule_set import SHIPPED, assemble, load_rules, require, shipped_text
from core.alerts.severity import Severity
from core.errors import SettingsError
from core.settings.load import load_settings
from core.settings.model import Settings
from portfolio.vocabulary import query_of, vocabulary

GOOD = """\
rules:
  - name: data-disk
    when: system_disk_used_ratio{mount="/data"} > 90 %
    for: 5 min
  - name: orders
    when: oms_orders > 500
    for: 1 min
disabled: [api-slow]
metrics: [oms_orders]
"""


def read(text: str, file: str = "rules/desk.yaml") -> RuleFile:
    return read_rules(text, file, vocabulary(), query_of)


def test_a_file_says_rules_with_their_lines() -> None:
    found = read(GOOD)
    assert [(each.rule.name, each.line) for each in found.rules] == [("data-disk", 2), ("orders", 5)]
    assert ([each.name for each in found.disabled], found.metrics, found.faults, found.hints) == (
        ["api-slow"],
        ("oms_orders",),
        (),
        (),
    )
    assert read("") == RuleFile() and read("# nothing\n") == RuleFile()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD.replace("_used_ratio", "_used_rati"), "3: data-disk: when: there is no figure system_disk_used_rati"),
        (GOOD.replace("for: 5", "four: 5"), "4: data-disk: four: is no field of a rule. Did you mean for?"),
        (GOOD.replace("5 min", "5 GB"), "4: data-disk: for: is no span of time such as 30 s"),
        (GOOD.replace("metrics: [oms_orders]", ""), "6: orders: when: there is no figure oms_orders"),
        (GOOD.replace("orders\n", "data-disk\n"), "5: data-disk: name: another rule has it, in line 2"),
        (GOOD.replace("    when: oms", "    wenn: oms"), "6: orders: wenn: is no field"),
        (GOOD.replace("> 500", ">> 500"), "6: orders: when: 'oms_orders >> 500' is not understood: at '> 500'"),
        (GOOD.replace("disabled", "disbled"), "8: disbled: is nothing that a file of rules has"),
        (GOOD.replace("[api-slow]", "api-slow"), "8: disabled: must be a list of names"),
        (GOOD.replace("    for: 5 min\n", "    for: 5 min\n    for: 6 min\n"), "5: for: stands here twice"),
        ("rules: {a: 1}", "1: rules: must be a list"),
        ("rules: [cpu]", "1: must be a rule: `name: value` lines"),
        ("- 1", "1: must hold lists named rules, disabled, metrics"),
        ("rules:\n\t- name: a", "2: cannot be read as YAML: found character"),
        ("rules: !!bool maybe", "1: cannot be read as YAML: "),
        ("rules: !!timestamp x", "1: cannot be read as YAML: "),
        ("rules: &a [*a]", "1: cannot be read as YAML: "),
        ("rules: [{name: a, when: 'status == down', for: 2020-13-01}]", "1: cannot be read as YAML: month must be"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, told: str) -> None:
    faults = [str(each) for each in read(text).faults]
    assert any(each.startswith(f"rules/desk.yaml:{told}") for each in faults), faults


def test_every_mistake_of_a_file_is_told_at_once() -> None:
    text = GOOD.replace("_used_ratio", "_used").replace("for: 1 min", "severity: high").replace("metrics", "matrics")
    assert [each.line for each in read(text).faults] == [3, 7, 9]


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"rules: \xff")
    assert "no text in UTF-8" in str(read_rule_file(tmp_path / "latin.yaml", vocabulary()).faults[0])
    assert "No such file" in str(read_rule_file(tmp_path / "none.yaml", vocabulary()).faults[0])


def test_the_rules_that_come_with_fundwatch_can_all_be() -> None:
    found = read(shipped_text(), SHIPPED)
    assert found.faults == ()
    names = {each.rule.name for each in found.rules}
    assert {"machine", "storage", "trading", "services", "limits", "value-overdue"} <= names
    (trading,) = (each.rule for each in found.rules if each.rule.name == "trading")
    assert [severity for severity, _ in trading.conditions] == [Severity.URGENT, Severity.CRITICAL, Severity.WARNING]


def test_a_shipped_rule_is_switched_off_or_replaced() -> None:
    mine = "rules: [{name: value-overdue, when: 'current_drawdown < -10 %', for: 1 min}]\ndisabled: [api-slow]\n"
    found = assemble([read(mine)], vocabulary(), query_of)
    assert found.faults == ()
    by_name = {rule.name: rule for rule in found.in_force()}
    assert "api-slow" not in by_name and str(by_name["value-overdue"].conditions[0][1]) == "current_drawdown < -10 %"
    assert "machine" in by_name
    off = mine.replace("}]", ", enabled: false}]")
    assert "value-overdue" not in {rule.name for rule in assemble([read(off)], vocabulary(), query_of).in_force()}
    wrong = assemble([read("# ours\ndisabled:\n- api-slow\n- api-slo\n")], vocabulary(), query_of)
    assert wrong.faults[0].line == 4 and wrong.faults[0].file != SHIPPED
    assert "Did you mean api-slow?" in str(wrong.faults[0])


def test_two_files_with_one_name_are_told() -> None:
    found = assemble([read(GOOD), read(GOOD, "rules/other.yaml")], vocabulary(), query_of)
    assert "rules/other.yaml:2: data-disk: name: another rule has it, in rules/desk.yaml:2" in map(str, found.faults)


def test_rules_of_the_settings_and_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FUNDWATCH_CONFIG", raising=False)
    Path("rules").mkdir()
    Path("rules/desk.yaml").write_text(GOOD)
    config = Path("fundwatch.yaml")
    config.write_text("port: 8060\nrules:\n  - {name: busy, when: redis_clients > 500, for: 1 min}\n")
    found = load_rules(load_settings(), config, vocabulary(), query_of)
    assert found.faults == ()
    assert {"busy", "data-disk", "orders", "machine"} <= {rule.name for rule in found.in_force()}
    config.write_text("rules:\n  - name: busy\n    for: 1 min\n    when: redis_clint > 500\n")
    (fault,) = load_rules(load_settings(), config, vocabulary(), query_of).faults
    assert str(fault).startswith("fundwatch.yaml:4: busy: when: there is no figure redis_clint. Did you mean redis_cl")
    with pytest.raises(SettingsError, match="4: busy: when"):
        require(load_rules(load_settings(), config, vocabulary(), query_of))
    config.write_text("rules:\n  - name: busy\n    wen: redis_clients > 500\n")
    with pytest.raises(SettingsError, match=r"rules\[0\].wen \(fundwatch.yaml, line 3\): unknown setting"):
        load_settings()
    config.write_text("rules: [{name: a, when: status == down}, {name: a, when: status == down}]")
    with pytest.raises(SettingsError, match="two rules are named a"):
        load_settings()


def test_no_rule_is_set_by_default() -> None:
    assert Settings().rules == ()
