"""The rules of alerts as a table: what each watches, how it stands, what it costs, where it is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dash import html

from core.alerts.files import PlacedRule
from core.alerts.kept import STATE_DATABASE
from core.alerts.rule import Rule
from core.alerts.rule_set import SHIPPED, RuleSet
from core.alerts.severity import Severity
from core.alerts.spec import RuleCost
from core.alerts.written import written
from core.format import NOT_AVAILABLE, coarse_duration, count, duration
from dashboard.alerts.known import Known
from dashboard.alerts.parts import severity_cell
from dashboard.alerts.rule_forms import delete_form, edit_address, export_link, link, switch_form
from dashboard.components.age import age
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
    Column("for", "For", definition="How long it must hold before it fires", unit="s"),
    Column("every", "Every", definition="How often it is evaluated", unit="s"),
    Column("last", "Last", definition="Since it was evaluated last"),
    Column("conditions", "Conditions", definition="Sets of labels that it watches: each is an alert of its own"),
    Column("cost", "Cost", definition="What its last evaluation took", unit="s"),
    Column("where", "Where it stands", numeric=False),
    Column("does", "", numeric=False, plain="What can be done with it", has_buttons=True),
)
_ORDER = ("failed", "firing", "pending", "lacks", "clear", "waits", "off")


def rules_table(found: RuleSet, known: Known, chosen: str) -> html.Div:
    """Return a row a rule: what failed or fires first, what is off last. chosen: name of the one shown as YAML."""
    fires = known.fires
    rows = [_row(each, known, fires, found, is_chosen=each.rule.name == chosen) for each in found.rules]
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
    placed: PlacedRule, known: Known, fires: Mapping[str, int | None], found: RuleSet, *, is_chosen: bool
) -> tuple[tuple[int, int, str], dict[str, Any]]:
    """Return how a rule is ordered among others, and its row."""
    rule = placed.rule
    cost = known.costs.get(rule.name)
    severity = max((level for level, _ in rule.conditions), default=Severity.INFO)
    kind, state = _state(rule, cost, fires.get(rule.name), found, known)
    row = {
        "title": Cell(rule.title or rule.name, hint=rule.name, mark="fw-wraps"),
        "severity": severity_cell(severity),
        "state": state,
        "watches": whole_cell(watched(rule)),
        "for": Cell(coarse_duration(rule.for_) if rule.for_ else "at once", sort=rule.for_),
        "every": Cell(coarse_duration(rule.every), sort=rule.every),
        "last": Cell(age(cost.evaluated_at), sort=cost.evaluated_at) if cost and cost.evaluated_at else None,
        "conditions": Cell(str(cost.conditions), sort=float(cost.conditions)) if cost else None,
        "cost": _cost(cost),
        "where": _where(placed, found),
        "does": _does(placed, found, is_chosen=is_chosen),
    }
    return (_ORDER.index(kind), -severity, rule.name), row


def _state(rule: Rule, cost: RuleCost | None, firing: int | None, found: RuleSet, known: Known) -> tuple[str, Cell]:
    if found.is_off(rule):
        return "off", _off(rule, found, is_whole=known.sight.is_whole)
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
    if cost.lacks:
        return "lacks", Cell(f"? {cost.lacks}", tone="muted")
    return "clear", Cell("✓ clear", tone="ok")


def _cost(cost: RuleCost | None) -> Cell | None:
    shown = duration(cost.cost_seconds) if cost else NOT_AVAILABLE
    return Cell(shown, sort=cost.cost_seconds) if cost else None


def _off(rule: Rule, found: RuleSet, *, is_whole: bool) -> Cell:
    by = found.kept.switched_off(rule.name)
    if by is None or not is_whole:
        return Cell("○ off", tone="muted")
    return Cell(html.Span([f"○ off: {by.who}, ", age(by.at), " ago"]), tone="muted", sort=by.at)


def _does(placed: PlacedRule, found: RuleSet, *, is_chosen: bool) -> html.Div:
    """Return the YAML for all, and for who may change rules what else can be done."""
    name = placed.rule.name
    chosen = {"rule": None if is_chosen else name}
    parts: list[Any] = [choice_button(ID, chosen, "YAML", pressed=is_chosen, label=f"Show the rule {name} as YAML")]
    is_own = placed.file == STATE_DATABASE
    if is_own:
        parts.append(link("Edit", edit_address(rule=name), f"Edit the rule {name}"))
    else:
        parts.append(link("Copy to edit", edit_address(copy=name), f"Make a rule of your own of {name}"))
    parts.append(export_link(name))
    is_switched = found.kept.switched_off(name) is not None
    if is_switched or not found.is_off(placed.rule):
        parts.append(switch_form(name, is_off=is_switched))
    if is_own:
        parts.append(delete_form(name))
    return html.Div(parts, className="fw-row-does")


def _where(placed: PlacedRule, found: RuleSet) -> Cell:
    if placed.file == SHIPPED:
        return Cell("comes with Fundwatch", tone="muted")
    mine = found.kept.rule(placed.rule.name)
    if mine is not None and placed.file == STATE_DATABASE:
        did = "made" if mine.version == 1 else "changed"
        told = html.Span([f"made here, {did} by {mine.changed_by}, ", age(mine.changed_at), " ago"])
        return Cell(told, sort=mine.changed_at, hint=f"version {mine.version}, made by {mine.made_by}")
    return Cell(f"{Path(placed.file).name}:{placed.line}", hint=f"{placed.file}:{placed.line}")
