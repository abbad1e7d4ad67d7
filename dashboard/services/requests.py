"""The requests that Fundwatch answers itself, on the services tab: by route, and the slowest calls."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dash import html

from core.format import duration, number, percent
from core.model import LiveReading
from core.tables import rows_of
from core.web import spec
from core.web.spec import RouteRequests, SlowCall
from dashboard.components.age import age
from dashboard.components.table import Cell, Column, data_table, or_none
from dashboard.services.cards import past_of
from dashboard.sources.shown import Shown
from dashboard.views.panel import Panel, TableBody

REQUESTS, SLOWEST = "requests", "slowest"
"""Names of the panels."""
ROUTE_COLUMNS = (
    Column("route", "Route", numeric=False, definition="What answers: the rule of an address, or a page's callbacks."),
    Column("rate", "Per s", definition="Mean of the last minute."),
    Column("count", "Per min", definition="In the last minute."),
    Column("client", "4xx", definition="Answers of the last minute that refuse."),
    Column("server", "5xx", definition="Answers of the last minute that failed."),
    Column("errors", "Errors", definition="4xx and 5xx over all answers of the last minute.", unit="ratio"),
    Column("p50", "p50", definition="Time that half of the answers of the last minute did not exceed.", unit="s"),
    Column("p95", "p95", definition="Time that 95 % of the answers of the last minute did not exceed.", unit="s"),
    Column("p99", "p99", definition="Time that 99 % of the answers of the last minute did not exceed.", unit="s"),
    Column("mean", "Mean", unit="s"),
)
SLOW_COLUMNS = (
    Column("at", "When", numeric=False),
    Column("route", "Route", numeric=False),
    Column("method", "Method", numeric=False),
    Column("status", "Status"),
    Column("seconds", "Time", unit="s"),
)


def requests_panels(tab: str) -> tuple[Panel, Panel]:
    """Return the panels of a tab."""
    return (
        Panel(
            f"{tab}-{REQUESTS}",
            "Requests",
            "What Fundwatch itself answered in the last minute, all its web processes together. Times are told to a "
            "fifth of themselves. Source: counts of each process in Redis.",
            TableBody(160, 320),
            subtitle="answered by Fundwatch, by route",
        ),
        Panel(
            f"{tab}-{SLOWEST}",
            "Slowest calls",
            "The ten requests of the last hour that took longest to answer.",
            TableBody(160, 320),
            subtitle="of the last hour",
        ),
    )


def requests(shown: Shown) -> html.Div:
    """Return the requests of the last minute by route, the busiest first, and how many pages are open."""
    reading = past_of(shown).requests
    found = sorted(rows_of(reading.tables, RouteRequests), key=lambda row: -row.count) if reading else []
    rows = [_route(each) for each in found]
    name = f"{shown.tab}-{REQUESTS}-rows"
    table = data_table(name, ROUTE_COLUMNS, rows, caption="Requests", nothing="No request in the last minute.")
    return html.Div([html.P(_summary(reading), className="fw-muted"), table])


def _summary(reading: LiveReading | None) -> str:
    if reading is None:
        return ""
    pages, processes = reading.value(spec.OPEN_PAGES), reading.value(spec.PROCESSES)
    return f"Open pages: {number(pages)}. Web processes: {number(processes)}."


def _route(row: RouteRequests) -> dict[str, Any]:
    errors = row.client_errors + row.server_errors
    ratio = errors / row.count if row.count else None
    rate = row.count / spec.WINDOW_SECONDS
    return {
        "route": _named(row.route),
        "rate": Cell(number(rate, 1 if rate >= 1 else 2), rate),
        "count": Cell(number(row.count), row.count),
        "client": Cell(number(row.client_errors), row.client_errors, tone="warning" if row.client_errors else ""),
        "server": Cell(number(row.server_errors), row.server_errors, tone="critical" if row.server_errors else ""),
        "errors": Cell(or_none(percent(ratio)), ratio),
        "p50": Cell(or_none(duration(row.p50_seconds)), row.p50_seconds),
        "p95": Cell(or_none(duration(row.p95_seconds)), row.p95_seconds),
        "p99": Cell(or_none(duration(row.p99_seconds)), row.p99_seconds),
        "mean": Cell(or_none(duration(row.mean_seconds)), row.mean_seconds),
    }


def _named(route: str) -> str:
    return "other callbacks" if route == spec.CALLBACK else route


def slowest(shown: Shown) -> html.Div:
    """Return the slowest calls, slowest first."""
    reading = past_of(shown).requests
    rows = [
        {
            "at": Cell(age(each.at, prefix=""), datetime.fromtimestamp(each.at, UTC).isoformat()),
            "route": _named(each.route),
            "method": each.method,
            "status": Cell(str(each.status), each.status),
            "seconds": Cell(duration(each.seconds), each.seconds),
        }
        for each in (rows_of(reading.tables, SlowCall) if reading else ())
    ]
    name = f"{shown.tab}-{SLOWEST}-rows"
    return data_table(name, SLOW_COLUMNS, rows, caption="Slowest calls", nothing="No request in the last hour.")
