"""History: how soon people act, which rules are noisy, and what happened to alerts, newest first, filtered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import Viewer
from core.alerts.severity import Severity
from core.alerts.spec import ALERTS
from core.format import count
from dashboard.access.common import told_zone
from dashboard.alerts.history import ID, WHAT, history_table, seen
from dashboard.alerts.known import know
from dashboard.alerts.parts import ANY, PAGE_ROWS, chosen_or_any
from dashboard.alerts.response import (
    MTTA,
    MTTR,
    PERIODS,
    USUAL,
    noise_table,
    past_of,
    response_table,
)
from dashboard.alerts.verdict import alerts_verdict
from dashboard.components.choices import choice_bar, choice_button, choice_select, chosen, plain_select
from dashboard.components.panel import panels, verdict_slot
from dashboard.views.panel import Panel, TableBody
from dashboard.views.tab import Choices, Page, View
from portfolio.withheld import WITHHELD
from status.freshness import next_stale_at
from storage.state.alert_log import WantedRows, known_rules, read_rows
from storage.state.alerts import NumberedRow

if TYPE_CHECKING:
    from storage.stores import Stores

VERDICT, ZONE, TURNING, PICKS = f"{ID}-verdict", f"{ID}-zone", f"{ID}-turning", f"{ID}-picks"
MOST_LOOKED_AT = 2_000
"""Rows of which those are shown that somebody who is limited may see."""
ALL = Panel(
    f"{ID}-all",
    "History",
    "Every transition of an alert, and what people did; ClickHouse has it too, in the table alert_history.",
    TableBody(400),
    subtitle_slot=ZONE,
    controls_slot=TURNING,
)
RESPONSE = Panel(
    f"{ID}-response",
    "How soon people act",
    f"{MTTA} {MTTR} Of incidents that began in the days chosen above.",
    TableBody(120),
    span=6,
)
NOISE = Panel(
    f"{ID}-noise",
    "Noisiest rules",
    "The rules that began to fire most often in the days chosen above. What fires often and is seldom in hand "
    "teaches people not to look.",
    TableBody(120),
    span=6,
)
ANY_RULE = ("", "any")


def layout(_stores: Stores, choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    severities = [ANY, *((each.word, each.word) for each in reversed(Severity))]
    bar = choice_bar(
        html.Span(id=PICKS, className="fw-picks"),
        choice_select(ID, "severity", severities, choices, default="any", label="Severity"),
        choice_select(ID, "what", [ANY, *WHAT.items()], choices, default="any", label="What"),
        choice_select(ID, "period", PERIODS, choices, default=USUAL, label="Response of"),
    )
    content = [verdict_slot(VERDICT), panels(RESPONSE.element(), NOISE.element(), ALL.element())]
    return html.Div([bar, html.Div(content, className="fw-content")])


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return a page of what the choices leave."""
    known = know(stores, viewer.portfolios)
    wanted = WantedRows(*(chosen_or_any(choices, name) for name in ("rule", "severity", "what")))
    text = choices.get("before", "")
    before = int(text) if text.isdecimal() and len(text) < 16 else 0
    most = PAGE_ROWS if known.sight.is_whole else MOST_LOOKED_AT
    with stores.state.reading() as connection:
        found = read_rows(connection, wanted, most + 1, before)
        rules = known_rules(connection)
    shown = seen(found[:most], known.sight)
    rows = shown[:PAGE_ROWS]
    if not known.sight.is_whole:
        rules = sorted({row.rule for _, row in shown})
    older = rows[-1][0] if len(shown) > PAGE_ROWS else found[most - 1][0] if len(found) > most else 0
    return View(
        slots={
            **_past(stores, choices, is_whole=known.sight.is_whole),
            VERDICT: alerts_verdict(known),
            ZONE: told_zone("newest first", known.now),
            PICKS: _pick(wanted.rule, rules),
            TURNING: _turning(rows, before, older),
            ALL.slot: history_table(rows, known.sight),
        },
        notes=dict.fromkeys((RESPONSE.id, NOISE.id, ALL.id), ""),
        stale_at=next_stale_at([known.reading], known.now),
    )


def _past(stores: Stores, choices: Choices, *, is_whole: bool) -> dict[str, Any]:
    """Return both tables of the days that are chosen; they are of all portfolios."""
    if not is_whole:
        withheld = html.P(f"What all alerts together say is {WITHHELD}.", className="fw-nothing")
        return {RESPONSE.slot: withheld, NOISE.slot: withheld}
    past = past_of(stores, chosen(PERIODS, choices, "period", USUAL))
    return {RESPONSE.slot: response_table(past, RESPONSE.slot), NOISE.slot: noise_table(past, NOISE.slot)}


def _pick(wanted: str, known: list[str]) -> html.Label:
    names = known if not wanted or wanted in known else [wanted, *known]
    options = [ANY_RULE, *((each, each) for each in names)]
    return plain_select(ID, "rule", options, chosen=wanted, default="", label="Rule", key=str(len(options)))


def _turning(rows: list[NumberedRow], before: int, older: int) -> html.Div:
    return html.Div(
        [
            html.Span(count(len(rows), "row") + (" · older ones" if before else "")),
            choice_button(ID, {"before": None}, "‹ Newest", off="" if before else "These are the newest."),
            choice_button(ID, {"before": str(older)}, "Older ›", off="" if older else "These are the oldest."),
        ],
        className="fw-turning",
    )


PAGE = Page(
    id=ID,
    title="History",
    path="/alerts/history",
    parent="alerts",
    layout=layout,
    build=build,
    varies_by=("role", "portfolios"),
    datasets=(ALERTS, "portfolio"),
    panels=(RESPONSE, NOISE, ALL),
    slots=(VERDICT, ZONE, TURNING, PICKS, RESPONSE.slot, NOISE.slot, ALL.slot),
)
