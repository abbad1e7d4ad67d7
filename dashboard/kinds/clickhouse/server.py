"""The tables of a ClickHouse server itself: what it is, its errors, events, pools and warnings."""

from __future__ import annotations

from typing import Any

from dash import html

from core.format import bytes_, duration, number, tenths
from core.kinds.clickhouse import spec
from core.kinds.clickhouse.questions import Number
from core.kinds.clickhouse.spec import Actions
from core.kinds.clickhouse.tables import About, Event, Pool, ServerError, ServerWarning
from dashboard.components.age import local_time
from dashboard.kinds.clickhouse.cells import nothing_of
from dashboard.sources.actions import action_button
from dashboard.sources.facts import Fact, Facts
from dashboard.sources.shown import Shown
from dashboard.sources.table import NO_READING, Field, Rows, words

LONGEST_FACT = 40
SINCE_START = "Since the server started"

ERRORS = Rows(
    ServerError,
    (
        words("name", "Error"),
        Field("code", "Code"),
        Field("count", "Count", number, SINCE_START),
        Field("last", "Last", local_time, numeric=False),
        words("message", "Message"),
    ),
    nothing=nothing_of(ServerError, "No error since the start."),
    sort=lambda row: -row.last,
)

EVENTS = Rows(
    Event,
    (
        words("event", "Event"),
        Field("per_second", "Per second", tenths, "Over the last minute"),
        Field("count", "Count", number, SINCE_START),
    ),
    nothing=nothing_of(Event, NO_READING),
    sort=lambda row: -(row.per_second or 0.0),
)

POOLS = Rows(
    Pool,
    (words("pool", "Pool"), Field("busy", "Busy", number), Field("size", "Threads", number)),
    nothing=nothing_of(Number, NO_READING),
)

WARNINGS = Rows(
    ServerWarning,
    (words("message", "Message"),),
    nothing=nothing_of(ServerWarning, "The server has no warnings."),
)


def _flush_buttons(shown: Shown) -> html.Div:
    buttons: list[Any] = []
    for each in shown.chosen:
        about = each.first(About)
        if about is not None and not about.is_own:
            text = "Flush logs" if shown.only else f"Flush logs of {each.name}"
            question = f"Write the logs of {each.title} to their tables now? SYSTEM FLUSH LOGS."
            buttons.append(action_button(shown, each.collector, Actions.FLUSH_LOGS, "", text, question))
    return html.Div(buttons, className="fw-buttons")


def _limits(is_limited: bool) -> str:
    if is_limited:
        return f"one thread, {bytes_(spec.QUERY_MEMORY_BYTES)}, the deadline"
    return "none: our user has readonly = 1"


ABOUT = Facts(
    About,
    (
        Fact("product", "Product"),
        Fact("host", "Host"),
        Fact("user", "Our user"),
        Fact("uptime_seconds", "Up", duration),
        Fact("memory_limit_bytes", "Memory limit", bytes_),
        Fact("tables", "Tables with data", number),
        Fact("parts_active", "Active parts", number),
        Fact("parts_delay", "Inserts delayed from, parts", number),
        Fact("parts_throw", "Inserts rejected from, parts", number),
        Fact("changed", "Settings changed"),
        Fact("is_limited", "Limits on our queries", _limits),
        Fact("refused", "Not available"),
    ),
    longest=LONGEST_FACT,
    above=_flush_buttons,
)
