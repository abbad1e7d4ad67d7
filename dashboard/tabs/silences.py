"""Silences: what keeps alerts from being told because somebody said so, and saying so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import ACTING_ROLE, Viewer
from core.alerts.matchers import read_matchers
from core.alerts.spec import ALERTS
from core.errors import ChangeRejected
from dashboard.access.common import told_zone
from dashboard.alerts.calendar import calendar_table
from dashboard.alerts.known import Known, know
from dashboard.alerts.silence_forms import ID, PATH, forms, mute_form, silence_form, window_form
from dashboard.alerts.silences import preview, silences_table, windows_table
from dashboard.alerts.verdict import alerts_verdict
from dashboard.components.choices import choice_bar, choice_input
from dashboard.components.panel import panels, verdict_slot
from dashboard.views.forms import SHARED
from dashboard.views.panel import Panel, TableBody
from dashboard.views.rights import needs
from dashboard.views.tab import Choices, Page, View
from portfolio.withheld import WITHHELD
from status.freshness import next_stale_at
from storage.state.silences import silences_in, windows_in

if TYPE_CHECKING:
    from storage.stores import Stores

VERDICT, ZONE = f"{ID}-verdict", f"{ID}-zone"
LATELY_SECONDS = 7 * 86_400.0
"""For so long what is over stays in the tables."""
NEW = Panel(
    f"{ID}-add",
    "New silence",
    "All matchers must hold; =~ and !~ mean the whole value. Labels are the alert's, and rule, severity, category.",
    TableBody(120),
    subtitle="of the alerts that the matchers above mean",
    span=6,
    tools=(),
)
MUTE = Panel(
    f"{ID}-mute-all",
    "Mute everything",
    "Alerts go on being evaluated and stand in the history; nobody is told of any.",
    TableBody(120),
    subtitle="for a day at most",
    span=6,
    tools=(),
)
ALL = Panel(
    f"{ID}-all",
    "Silences",
    "Active ones, those to come, and those that ended within seven days.",
    TableBody(160),
    subtitle_slot=ZONE,
)
WINDOWS = Panel(
    f"{ID}-windows",
    "Maintenance",
    "Keeps quiet like a silence, once or again by a cron line in a time zone.",
    TableBody(90),
)
CALENDAR = Panel(
    f"{ID}-calendar",
    "Maintenance of the next 14 days",
    "Each time that a window opens, in your time and by the clocks of its own time zone.",
    TableBody(90),
)
WINDOW = Panel(
    f"{ID}-plan", "Plan maintenance", "When the clocks change it opens as cron does.", TableBody(220), tools=()
)
PANELS = (NEW, MUTE, ALL, WINDOWS, CALENDAR, WINDOW)


def layout(_stores: Stores, choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    bar = choice_bar(
        choice_input(
            ID, "matchers", choices, default="", label="Matchers", type="search",
            hint='Such as component="Redis main", severity=~"info|warning"',
        )
    )  # fmt: skip
    return html.Div(
        [bar, html.Div([verdict_slot(VERDICT), panels(*(each.element() for each in PANELS))], className="fw-content")]
    )


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return what keeps alerts quiet, and the forms of more."""
    known = know(stores, viewer.portfolios)
    slots = {VERDICT: alerts_verdict(known), ZONE: told_zone("ended ones for seven days", known.now)}
    slots |= _slots(stores, choices.get("matchers", ""), known, viewer) if known.sight.is_whole else _withheld()
    return View(
        slots=slots,
        notes=dict.fromkeys((each.id for each in PANELS), ""),
        stale_at=next_stale_at([known.reading], known.now),
    )


def _withheld() -> dict[str, Any]:
    told = html.P(f"Matchers and reasons may name any portfolio: they are {WITHHELD}.", className="fw-nothing")
    may_not = html.P(SHARED, className="fw-nothing")
    return {
        NEW.slot: may_not,
        MUTE.slot: may_not,
        ALL.slot: told,
        WINDOWS.slot: told,
        CALENDAR.slot: told,
        WINDOW.slot: may_not,
    }


def _slots(stores: Stores, text: str, known: Known, viewer: Viewer) -> dict[str, Any]:
    since = known.now - LATELY_SECONDS
    with stores.state.reading() as connection:
        silences, windows = silences_in(connection, since), windows_in(connection, since)
    may_act = viewer.role >= ACTING_ROLE
    may_not = html.P(needs(ACTING_ROLE, "keep alerts quiet"), className="fw-nothing")
    return {
        NEW.slot: _new(text, known, may_act),
        MUTE.slot: mute_form() if may_act else may_not,
        ALL.slot: silences_table(silences, known),
        WINDOWS.slot: windows_table(windows, known),
        CALENDAR.slot: calendar_table(windows, known.now),
        WINDOW.slot: window_form("UTC") if may_act else may_not,
    }


def _new(text: str, known: Known, may_act: bool) -> Any:
    if not text:
        return html.P(
            'Write matchers above, such as component="Redis main": what they hide now is shown before you silence it.',
            className="fw-nothing",
        )
    try:
        matchers = read_matchers(text)
    except ChangeRejected as error:
        return html.P(f"Matchers: {error.fields['matchers']}", className="fw-nothing fw-tone-critical")
    shown = preview(matchers, known)
    return [shown, silence_form(text) if may_act else html.P(needs(ACTING_ROLE, "keep alerts quiet"))]


PAGE = Page(
    id=ID,
    title="Silences",
    path=PATH,
    parent="alerts",
    layout=layout,
    build=build,
    varies_by=("role", "portfolios"),
    datasets=(ALERTS, "portfolio"),
    panels=PANELS,
    slots=(VERDICT, ZONE, *(each.slot for each in PANELS)),
    forms=forms,
)
