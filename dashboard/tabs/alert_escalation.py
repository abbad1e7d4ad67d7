"""Escalation: the plans by which alerts reach more people, and where each open incident stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import Viewer
from core.alerts.spec import ALERTS
from dashboard.alerts.escalation import ID, plans_table, standing, standing_table
from dashboard.alerts.incidents import title_of
from dashboard.alerts.known import Known, know
from dashboard.alerts.verdict import alerts_verdict
from dashboard.components.panel import panels, verdict_slot
from dashboard.views.panel import Panel, TableBody
from dashboard.views.tab import Choices, Page, View
from portfolio.channel_set import channel_set
from portfolio.withheld import WITHHELD
from status.freshness import next_stale_at
from storage.state.alerts import incidents_in

if TYPE_CHECKING:
    from storage.stores import Stores

VERDICT = f"{ID}-verdict"
NOW = Panel(
    f"{ID}-standing",
    "Where incidents stand",
    "Each open incident in the plan that it opened with: edited routes hold for later ones. A step is taken when "
    "nobody has acknowledged since the step before.",
    TableBody(120),
)
PLANS = Panel(
    f"{ID}-plans",
    "Plans",
    "The routes of the settings, and those of channels that were made here (docs/channels.md): who is told first, who "
    "after that, and when again.",
    TableBody(120),
)


def layout(_stores: Stores, _choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    return html.Div([verdict_slot(VERDICT), panels(NOW.element(), PLANS.element())], className="fw-content")


def build(stores: Stores, _choices: Choices, viewer: Viewer) -> View:
    """Return where the incidents stand that may be seen, and the plans."""
    known = know(stores, viewer.portfolios)
    withheld = html.P(f"Routes may name any portfolio: they are {WITHHELD}.", className="fw-nothing")
    routes = channel_set(stores).routes
    return View(
        slots={
            VERDICT: alerts_verdict(known),
            NOW.slot: _standing(stores, known),
            PLANS.slot: plans_table(routes) if known.sight.is_whole else withheld,
        },
        notes={NOW.id: "", PLANS.id: ""},
        stale_at=next_stale_at([known.reading], known.now),
    )


def _standing(stores: Stores, known: Known) -> Any:
    told = known.sight.incidents(known.incidents, known.firing)
    with stores.state.reading() as connection:
        kept = incidents_in(connection, [each.incident for each in told])
    of = known.of_incident
    found = [
        standing(each, title_of(each, of.get(each.incident, ())), kept[each.incident])
        for each in told if each.incident in kept
    ]  # fmt: skip
    return standing_table(found, known.now)


PAGE = Page(
    id=ID,
    title="Escalation",
    path="/alerts/escalation",
    parent="alerts",
    layout=layout,
    build=build,
    varies_by=("role", "portfolios"),
    datasets=(ALERTS, "portfolio"),
    panels=(NOW, PLANS),
    slots=(VERDICT, NOW.slot, PLANS.slot),
)
