"""Rules: every rule of alerts with what it watches, how it stands and where it is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import Viewer
from core.alerts.rule_set import RuleSet
from core.alerts.spec import ALERTS
from core.format import count
from dashboard.alerts.known import Known, know
from dashboard.alerts.rules import ID, as_yaml, rules_table, seen
from dashboard.alerts.verdict import alerts_verdict
from dashboard.components.panel import panels, verdict_slot
from dashboard.views.panel import Panel, TableBody
from dashboard.views.tab import Choices, Page, View
from portfolio.rule_files import rule_set
from portfolio.withheld import WITHHELD
from status.freshness import next_stale_at

if TYPE_CHECKING:
    from storage.stores import Stores

VERDICT = f"{ID}-verdict"
ALL = Panel(
    f"{ID}-all",
    "Rules",
    "The rules that come with Fundwatch, those of rules/*.yaml and of fundwatch.yaml (docs/rules.md). A rule that has "
    "the name of one that comes with Fundwatch takes its place.",
    TableBody(400, filters=f"{ID}-rows"),
    subtitle_slot=f"{ID}-count",
)
ONE = Panel(
    f"{ID}-yaml",
    "As a file has it",
    "Copy it to a file of rules/, or under rules: in fundwatch.yaml, to change it; its name stays.",
    TableBody(60),
    subtitle_slot=f"{ID}-which",
    tools=(),
)

NONE_CHOSEN = "YAML shows a rule here, to be copied."


def layout(_stores: Stores, _choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    return html.Div([verdict_slot(VERDICT), panels(ONE.element(), ALL.element())], className="fw-content")


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return the rules, and the one that is chosen as YAML."""
    known = know(stores, viewer.portfolios)
    found = rule_set(stores)
    told = replace(found, rules=tuple(seen(found, is_whole=known.sight.is_whole)))
    chosen = next((each.rule for each in told.rules if each.rule.name == choices.get("rule", "")), None)
    return View(
        slots={
            VERDICT: alerts_verdict(known),
            f"{ID}-count": _count(told, known),
            ALL.slot: [*_faults(found, known), rules_table(told, known, chosen.name if chosen else "")],
            f"{ID}-which": chosen.name if chosen else "of the rule whose YAML is chosen below",
            ONE.slot: as_yaml(chosen) if chosen else html.P(NONE_CHOSEN, className="fw-nothing"),
        },
        notes={ALL.id: "", ONE.id: ""},
        stale_at=next_stale_at([known.reading], known.now),
    )


def _count(told: RuleSet, known: Known) -> str:
    off = len(told.rules) - len(told.in_force())
    own = "" if known.sight.is_whole else f" · the fund's own are {WITHHELD}"
    return f"{count(len(told.in_force()), 'rule')} in force, {off} off{own}"


def _faults(found: RuleSet, known: Known) -> list[Any]:
    """Return what is wrong with files of rules: until it is mended those before hold on."""
    if not found.faults or not known.sight.is_whole:
        return []
    told = html.P("Files of rules have mistakes. Until they are mended the rules before stay in force:")
    faults = html.Ul([html.Li(["✕ ", str(each)]) for each in found.faults])
    return [html.Div([told, faults], className="fw-tone-critical", role="alert")]


PAGE = Page(
    id=ID,
    title="Rules",
    path="/alerts/rules",
    parent="alerts",
    layout=layout,
    build=build,
    varies_by=("role", "portfolios"),
    datasets=(ALERTS, "portfolio"),
    panels=(ONE, ALL),
    slots=(VERDICT, f"{ID}-count", ALL.slot, f"{ID}-which", ONE.slot),
)
