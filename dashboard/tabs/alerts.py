"""Alerts: what fires now and needs a person, incident by incident; and one incident with all that came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import Viewer
from core.alerts.rule import Rule
from core.alerts.spec import ALERTS
from core.errors import StorageError
from core.format import count
from dashboard.alerts.actions import PATH, forms
from dashboard.alerts.courses import courses_of
from dashboard.alerts.history import asked_table
from dashboard.alerts.incidents import ID, Shown, alerts_shown, closed, everything_asked, listed, one
from dashboard.alerts.known import Known, know, labels_of
from dashboard.alerts.messages import messages_table
from dashboard.alerts.told import told_route
from dashboard.alerts.verdict import alerts_verdict
from dashboard.components.age import age
from dashboard.components.attributes import attributes
from dashboard.components.card import empty
from dashboard.components.choices import choice_button
from dashboard.components.panel import panels, verdict_slot
from dashboard.notices.routes import list_route, mark_form
from dashboard.views.panel import Panel, TableBody
from dashboard.views.route import Route
from dashboard.views.tab import Choices, Tab, View
from portfolio.alert_places import charts_of
from portfolio.notices.read import Newest
from portfolio.rule_files import rule_set
from status.freshness import next_stale_at
from storage.state.alert_requests import requests_of, waiting_in
from storage.state.alerts import CLOSED, incident_in, messages_of

if TYPE_CHECKING:
    from storage.stores import Stores

VERDICT = f"{ID}-verdict"
NOW = Panel(
    f"{ID}-now",
    "Open alerts",
    "What fires, as the alert engine found it last. Alerts that belong together are an incident: it is told, "
    "acknowledged and ended as one. Those that need somebody stand first, the gravest before others.",
    TableBody(200),
    controls_slot=f"{ID}-back",
    tools=("full",),
)


def layout(_stores: Stores, _choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    return html.Div([verdict_slot(VERDICT), panels(NOW.element()), _sound()], className="fw-content")


def _sound() -> html.P:
    """Return the switch of the sound, which the browser keeps (assets/js/53-sound.js)."""
    switch = html.Button("Sound for urgent: off", id="alerts-sound", type="button", className="fw-button",
                         **attributes(aria_pressed="false"))  # fmt: skip
    attempt = html.Button("Try it", id="alerts-sound-try", type="button", className="fw-button")
    hint = html.Span("In this browser, while a page of Fundwatch is open.", className="fw-facts")
    toasts = html.Button("Toasts: on", id="alerts-toasts", type="button", className="fw-button",
                         title="A new critical or urgent alert is shown at once, on whatever page is open",
                         **attributes(aria_pressed="true"))  # fmt: skip
    return html.P([switch, " ", attempt, " ", toasts, " ", hint], className="fw-sound")


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return what fires, or the one incident that is chosen."""
    known = know(stores, viewer.portfolios)
    text = choices.get("incident", "")
    chosen = int(text) if text.isdecimal() and len(text) < 16 else 0
    rules = _rules(stores, known)
    listed_ones = alerts_shown(known, chosen)
    courses = courses_of(stores, listed_ones, rules, known.now)
    places = {
        each.key: charts_of(stores, labels_of(each), each.since, rules.get(each.rule), known.now)
        for each in listed_ones
    }
    shown = Shown(known, rules, _waiting(stores), courses, places)
    back = choice_button(ID, {"incident": None}, "‹ All open alerts")
    return View(
        slots={
            VERDICT: alerts_verdict(known),
            NOW.slot: _one(stores, shown, chosen) if chosen else _all(shown),
            f"{ID}-back": back if chosen else [],
        },
        notes={NOW.id: ""},
        stale_at=next_stale_at([known.reading], known.now),
    )


def _rules(stores: Stores, known: Known) -> dict[str, Rule]:
    return {each.rule.name: each.rule for each in rule_set(stores).rules} if known.firing else {}


def _waiting(stores: Stores) -> list[Any]:
    try:
        with stores.state.reading() as connection:
            return waiting_in(connection)
    except StorageError:
        # What fires is in Redis and is told all the same; the verdict says that it is not evaluated.
        return []


def _all(shown: Shown) -> Any:
    known = shown.known
    if known.incidents or known.firing:
        return listed(shown)
    if known.problem:
        return html.P("Nothing is known to fire.", className="fw-nothing")
    rules = count(len(known.costs), "rule")
    return empty("Nothing fires", html.P([f"{rules} evaluated ", age(known.evaluated_at), " ago."]))


def _one(stores: Stores, shown: Shown, id: int) -> Any:
    known = shown.known
    incident = next((each for each in known.incidents if each.incident == id), None)
    if incident is None and not known.sight.is_whole:
        return html.P(f"There is no open incident {id}.", className="fw-nothing")
    with stores.state.reading() as connection:
        kept = incident_in(connection, id)
        asked, messages = requests_of(connection, id), messages_of(connection, id)
    if kept is None:
        return html.P(f"There is no incident {id}.", className="fw-nothing")
    told: list[Any] = []
    if known.sight.is_whole:
        told = [
            html.H3("Messages", className="fw-part"), messages_table(messages, known.sight),
            html.H3("What was asked", className="fw-part"), asked_table(asked, f"{ID}-asked"),
        ]  # fmt: skip
    if incident is None:
        if kept.stage == CLOSED:
            return [closed(kept, messages if known.sight.is_whole else (), known.sight), *told]
        over = f"Incident {id} is open; what fires of it is not known yet."
        return [html.P(over, className="fw-nothing"), *told]
    return [one(incident, shown), everything_asked(incident, shown), *told]


def _routes(stores: Stores) -> list[Route]:
    newest = Newest(stores)  # what open pages are told and what the list says is read once
    return [told_route(stores, newest), list_route(stores, newest)]


TAB = Tab(
    id=ID,
    title="Alerts",
    called="Open alerts",
    icon="alerts",
    key="8",
    path=PATH,
    layout=layout,
    build=build,
    varies_by=("role", "portfolios"),
    datasets=(ALERTS, "portfolio"),
    panels=(NOW,),
    slots=(VERDICT, NOW.slot, f"{ID}-back"),
    routes=_routes,
    forms=lambda stores: [*forms(stores), mark_form(stores)],
    counts=f"{PATH}/told",
)
