"""What happened to alerts and incidents, a row each, and what people asked of an incident."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from dash import html

from core.alerts.severity import Severity
from dashboard.alerts.known import severity_of
from dashboard.alerts.parts import labels_text, severity_cell
from dashboard.components.age import local_time
from dashboard.components.table import Cell, Column, data_table, whole_cell
from portfolio.alerts import Sight
from storage.state.alert_requests import DONE, REFUSED, Request
from storage.state.alerts import HistoryRow, NumberedRow

ID = "alert-history"
WHAT = {
    "fires": "fires", "resolved": "is over", "raised": "worse", "lowered": "less severe", "flapping": "flaps",
    "steady": "no longer flaps", "near_miss": "held, not for long enough", "acknowledged": "acknowledged",
    "snoozed": "snoozed", "resolved_by_hand": "resolved by hand", "escalated": "escalated",
    "exhausted": "nobody left to tell", "delivered": "told", "undelivered": "could not be delivered",
    "clock_jump": "the clock jumped",
}  # fmt: skip
"""Words of what happens."""
_COLUMNS = (
    Column("at", "When", numeric=False),
    Column("what", "What happened", numeric=False),
    Column("severity", "Severity", numeric=False),
    Column("rule", "Rule", numeric=False),
    Column("labels", "Labels", numeric=False),
    Column("detail", "Detail", numeric=False),
    Column("who", "Who", numeric=False),
    Column("incident", "Incident"),
)
_ASKED = (
    Column("at", "When", numeric=False),
    Column("who", "Who", numeric=False),
    Column("what", "Asked for", numeric=False),
    Column("until", "Until", numeric=False),
    Column("note", "Note", numeric=False),
    Column("became", "What became of it", numeric=False),
)


def history_table(rows: Sequence[NumberedRow], sight: Sight, *, id: str = f"{ID}-rows") -> html.Div:
    """Return a row of the table for each, in the order given; `sight` says what of them may be told."""
    nothing = "Nothing that happened is like that."
    return data_table(id, _COLUMNS, [_row(number, row, sight) for number, row in rows], caption="History",
                      nothing=nothing, is_page=True)  # fmt: skip


def seen(rows: Sequence[NumberedRow], sight: Sight) -> list[NumberedRow]:
    """Return the rows that may be told: under limits those of alerts that may be."""
    if sight.is_whole:
        return [*rows]
    return [(id, row) for id, row in rows if row.is_of_alert and sight.sees(row.rule, orjson.loads(row.labels))]


def asked_table(asked: Sequence[Request], id: str) -> html.Div:
    """Return what people asked of an incident, and what became of it."""
    return data_table(
        id, _ASKED, [_asked(each) for each in asked], caption="Asked", nothing="Nobody asked for anything."
    )


def _row(number: int, row: HistoryRow, sight: Sight) -> dict[str, Any]:
    labels = orjson.loads(row.labels)
    severity: Severity | None = severity_of(row.severity) if row.severity else None
    of = row.incident
    return {
        "at": Cell(local_time(row.at), sort=float(number)),
        "what": WHAT.get(row.what, row.what),
        "severity": severity_cell(severity),
        "rule": row.rule or None,
        "labels": whole_cell(labels_text(labels) or None),
        "detail": whole_cell(sight.sentence(labels, row.detail) or None),
        "who": row.who or None,
        "incident": Cell(html.A(f"#{of}", href=f"/alerts?incident={of}"), sort=float(of)) if of else None,
    }


def _asked(request: Request) -> dict[str, Any]:
    became = {DONE: ("✓ done", "ok"), REFUSED: (f"✕ refused: {request.why_not}", "warning")}
    word, tone = became.get(request.status, ("waits for the engine", "muted"))
    return {
        "at": Cell(local_time(request.at), sort=request.at),
        "who": request.who or None,
        "what": request.what.value,
        "until": Cell(local_time(request.until, "span"), sort=request.until) if request.until else None,
        "note": whole_cell(request.note or None),
        "became": Cell(word, tone=tone, mark="fw-wraps"),
    }
