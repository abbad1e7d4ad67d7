"""Rules: every rule of alerts with what it watches, how it stands and where it is written; what is done with them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import Viewer
from core.alerts.files import RuleFault
from core.alerts.kept import STATE_DATABASE
from core.alerts.rule_set import RuleSet
from core.alerts.spec import ALERTS
from core.errors import ChangeRejected
from core.format import count
from core.roles import Role
from dashboard.alerts.known import Known, know
from dashboard.alerts.rule_forms import EXPORT_PATH, delete_form, edit_address, export_link, forms, link
from dashboard.alerts.rules import ID, as_yaml, rules_table, seen
from dashboard.alerts.verdict import alerts_verdict
from dashboard.components.panel import panels, verdict_slot
from dashboard.views.panel import Panel, TableBody
from dashboard.views.route import Answer, Route
from dashboard.views.tab import Choices, Page, View
from portfolio.own_rules import exported
from portfolio.rule_files import rule_set
from portfolio.withheld import WITHHELD
from status.freshness import next_stale_at

if TYPE_CHECKING:
    from storage.stores import Stores

VERDICT = f"{ID}-verdict"
ALL = Panel(
    f"{ID}-all",
    "Rules",
    "The rules that come with Fundwatch, those of rules/*.yaml and of fundwatch.yaml, and those that were made here "
    "(docs/rules.md). A rule that has the name of one that comes with Fundwatch takes its place.",
    TableBody(400, filters=f"{ID}-rows"),
    subtitle_slot=f"{ID}-count",
    controls_slot=f"{ID}-does",
)
ONE = Panel(
    f"{ID}-yaml",
    "As a file has it",
    "As a file of rules/ has it, or fundwatch.yaml under rules:.",
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
            f"{ID}-does": [
                link("New rule", edit_address(), "Make a rule, and see when it would have fired"),
                export_link(),
            ],
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
    if told.faults:
        return f"{count(len(known.costs), 'rule')} evaluated, as they were before the mistakes{own}"
    return f"{count(len(told.in_force()), 'rule')} in force, {off} off{own}"


def _faults(found: RuleSet, known: Known) -> list[Any]:
    """Return what is wrong with files of rules: until it is mended those before hold on."""
    if not known.sight.is_whole:
        return []
    of_files = "Files of rules have mistakes. Until they are mended the rules before stay in force:"
    of_own = "These rules that were made here are left out, the others are in force:"
    return [
        html.Div(
            [
                html.P(told),
                html.Ul([html.Li(["✕ ", str(each), *_mend(each, found)]) for each in faults]),
            ],
            className="fw-tone-critical",
            role="alert",
        )
        for told, faults in ((of_files, found.faults), (of_own, found.left_out))
        if faults
    ]


def _mend(fault: RuleFault, found: RuleSet) -> list[Any]:
    """Return what an administrator can do with a rule that is left out."""
    if fault.file != STATE_DATABASE or found.kept.rule(fault.rule) is None:
        return []
    edit = link("Edit", edit_address(rule=fault.rule), f"Edit the rule {fault.rule}")
    return [" ", edit, " ", delete_form(fault.rule)]


def _routes(stores: Stores) -> list[Route]:
    """Return the file of rules."""

    def export(choices: Choices, viewer: Viewer) -> Answer | None:
        name = choices.get("rule", "")
        if viewer.portfolios is not None:
            return None  # what rules of the fund's own are called and say may name any portfolio
        try:
            text = exported(rule_set(stores), [name] if name else [])
        except ChangeRejected:
            return None
        return Answer(text, YAML, f"{name or 'rules'}.yaml")

    return [Route(EXPORT_PATH, export, Role.ADMIN)]


YAML = "application/yaml"
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
    routes=_routes,
    forms=forms,
    slots=(VERDICT, f"{ID}-count", f"{ID}-does", ALL.slot, f"{ID}-which", ONE.slot),
)
