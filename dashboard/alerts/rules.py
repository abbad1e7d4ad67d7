"""The rules of alerts as a table: what each watches, how it stands, what it costs, where it is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from dash import html

from core.alerts.files import PlacedRule
from core.alerts.rule import Rule
from core.alerts.rule_set import SHIPPED, RuleSet
from core.alerts.severity import Severity
from core.alerts.spec import RuleCost
from core.alerts.written import written
from core.format import NOT_AVAILABLE, coarse_duration, count, duration
from dashboard.alerts.known import Known
from dashboard.alerts.parts import severity_cell
from dashboard.components.attributes import attributes
from dashboard.components.choices import choice_button
from dashboard.components.table import Cell, Column, data_table, whole_cell
from portfolio.withheld import WITHHELD

ID = "rules"
_COLUMNS = (
    Column("title", "Rule", numeric=False),
    Column("severity", "Severity", numeric=False, definition="The highest that it can have"),
    Column("state", "State", numeric=False),
    Column("watches", "What it watches", numeric=False),
    Column("for", "For", definition="How long it must hold before it fires"),
    Column("every", "Every", definition="How often it is evaluated"),
    Column("conditions", "Conditions", definition="Sets of labels that it watches: each is an alert of its own"),
    Column("cost", "Cost", definition="What its last evaluation took"),
    Column("where", "Where it stands", numeric=False),
    Column("does", "", numeric=False, plain="Show it as YAML"),
)
_ORDER = ("failed", "firing", "pending", "clear", "waits", "off")


def rules_table(found: RuleSet, known: Known, chosen: str) -> html.Div:
    """Return a row a rule: what failed or fires first, what is off last. chosen: name of the one shown as YAML."""
    fires = known.fires
    rows = [_row(each, known, fires, found.disabled, is_chosen=each.rule.name == chosen) for each in found.rules]
    rows.sort(key=lambda each: each[0])
    return data_table(f"{ID}-rows", _COLUMNS, [row for _, row in rows], caption="Rules",
                      chosen=next((at for at, ((*_, name), _) in enumerate(rows) if name == chosen), None))  # fmt: skip


def seen(found: RuleSet, *, is_whole: bool) -> list[PlacedRule]:
    """Return the rules that may be told: what the fund's own are called and watch may name any portfolio."""
    return [each for each in found.rules if is_whole or each.file == SHIPPED]


def as_yaml(rule: Rule) -> html.Div:
    """Return a rule as a file has it, and the button that copies it (assets/js/73-once.js)."""
    return html.Div(
        [
            html.Pre(written([rule]), className="fw-yaml fw-once-secret", tabIndex=0),
            html.Button("Copy", type="button", className="fw-button", **attributes(data_copies="")),
        ],
        className="fw-once-line",
    )


def watched(rule: Rule) -> str:
    """Return what a rule watches for, at each severity where there are several."""
    if rule.when:
        return rule.when
    return "; ".join(f"{severity.word}: {text}" for severity, text in sorted(rule.levels.items(), reverse=True))


def _row(
    placed: PlacedRule, known: Known, fires: Mapping[str, int | None], disabled: Collection[str], *, is_chosen: bool
) -> tuple[tuple[int, int, str], dict[str, Any]]:
    """Return how a rule is ordered among others, and its row."""
    rule = placed.rule
    cost = known.costs.get(rule.name)
    severity = max((level for level, _ in rule.conditions), default=Severity.INFO)
    kind, state = _state(rule, cost, fires.get(rule.name), disabled, known)
    label = f"Show the rule {rule.name} as YAML"
    row = {
        "title": Cell(rule.title or rule.name, hint=rule.name, mark="fw-wraps"),
        "severity": severity_cell(severity),
        "state": state,
        "watches": whole_cell(watched(rule)),
        "for": Cell(coarse_duration(rule.for_) if rule.for_ else "at once", sort=rule.for_),
        "every": Cell(coarse_duration(rule.every), sort=rule.every),
        "conditions": Cell(str(cost.conditions), sort=float(cost.conditions)) if cost else None,
        "cost": _cost(cost),
        "where": _where(placed),
        "does": choice_button(ID, {"rule": None if is_chosen else rule.name}, "YAML", pressed=is_chosen, label=label),
    }
    return (_ORDER.index(kind), -severity, rule.name), row


def _state(
    rule: Rule, cost: RuleCost | None, firing: int | None, disabled: Collection[str], known: Known
) -> tuple[str, Cell]:
    if not rule.is_enabled or rule.name in disabled:
        return "off", Cell("○ off", tone="muted")
    if cost is None:
        return "waits", Cell("? not evaluated yet", tone="muted")
    if cost.problem:
        why = cost.problem if known.sight.is_whole else WITHHELD
        return "failed", Cell(f"✕ failed: {why}", tone="critical", mark="fw-wraps")
    pending = f", {cost.pending} pending" if cost.pending and known.sight.is_whole else ""
    if firing is None:
        return "firing", Cell("? more alerts fire than are told", tone="muted")
    if firing:
        return "firing", Cell(f"▲ {firing} firing{pending}", tone="warning")
    if pending:
        return "pending", Cell(f"◔ {count(cost.pending, 'condition')} pending", tone="warning")
    return "clear", Cell("✓ clear", tone="ok")


def _cost(cost: RuleCost | None) -> Cell | None:
    shown = duration(cost.cost_seconds) if cost else NOT_AVAILABLE
    return Cell(shown, sort=cost.cost_seconds) if cost else None


def _where(placed: PlacedRule) -> Cell:
    if placed.file == SHIPPED:
        return Cell("comes with Fundwatch", tone="muted")
    return Cell(f"{Path(placed.file).name}:{placed.line}", hint=f"{placed.file}:{placed.line}")
