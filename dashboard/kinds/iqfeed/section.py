"""The section of IQFeed: is the feed connected, is it fresh, who reads it and how fast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.format import bytes_, duration, number
from core.kinds.iqfeed import spec
from core.kinds.iqfeed.protocol import CLIENT_STATS, SET_PROTOCOL, STATS, EventName
from dashboard.components.age import age, local_time
from dashboard.kinds.iqfeed.charts import CHARTS, EACH_PORT, SOURCE
from dashboard.sources.common_panels import about_panel, checks_panel
from dashboard.sources.facts import Fact
from dashboard.sources.section import Section, TablePanel
from dashboard.sources.shown import Shown
from dashboard.sources.strip import source_card
from dashboard.sources.table import Field, Rows, words
from status.instances import worst_first

TONES: dict[str, str] = {
    EventName.DISCONNECTED: "critical",
    EventName.RECONNECT_FAILED: "critical",
    EventName.SYMBOL_LIMIT: "warning",
}


def cards(shown: Shown) -> Sequence[Any]:
    """Return a card for each instance, those in trouble first."""
    return [
        source_card(
            each,
            duration(each.value(spec.LAST_UPDATE)),
            "since update",
            bar_ratio=each.value(spec.SYMBOLS_USED_RATIO),
            spark=shown.series.one(spec.RECEIVE_RATE, instance=each.name),
            definition="Time since the last update from DTN; the bar is symbols of those allowed, the line bytes "
            f"received a second. {SOURCE}",
        )
        for each in worst_first(shown.chosen)
    ]


def _queue_tone(row: spec.Client) -> str:
    return "warning" if spec.QUEUED.is_bad(row.queued_bytes) else ""


CLIENTS = Rows(
    spec.Client,
    (
        words("name", "Client"),
        words("type", "Type"),
        Field("symbols", "Symbols", number),
        Field("regional_symbols", "Regional", number),
        Field("queued_bytes", "Queued", bytes_, "Waits for the client to read it", _queue_tone),
        Field("sent_bytes", "Sent", bytes_),
        Field("received_bytes", "Received", bytes_),
        words("started", "Since", "As IQConnect writes it"),
        words("id", "Id"),
    ),
    nothing="No client seen yet.",
)


def _answers(row: spec.Port) -> str:
    return "no" if row.why else "yes"


def _answer_tone(row: spec.Port) -> str:
    return "critical" if row.why else ""


def _silent_first(row: spec.Port) -> bool:
    return not row.why


PORTS = Rows(
    spec.Port,
    (
        words("name", "Port"),
        words("port", "Number"),
        words("status", "Answers", tone=_answer_tone, value=_answers),
        Field("seconds", "In", duration),
        words("why", "Why not"),
        Field("ts", "Checked", age, numeric=False),
    ),
    nothing="No other port is checked.",
    sort=_silent_first,
)


def _event_tone(row: spec.Event) -> str:
    return TONES.get(row.event, "")


def _newest_first(row: spec.Event) -> float:
    return -row.ts


EVENTS = Rows(
    spec.Event,
    (
        Field("ts", "When", local_time, numeric=False),
        words("event", "Event", tone=_event_tone),
        words("detail", "Detail"),
    ),
    nothing="No event since we connected.",
    sort=_newest_first,
)

FACTS = (
    Fact("server", "DTN's server"),
    Fact("version", "IQConnect"),
    Fact("protocol", "Protocol"),
    Fact("login", "Logged in as"),
    Fact("started", "Started"),
    Fact("market_time", "Market time"),
    Fact("reconnections", "Reconnections", number),
    Fact("attempts", "Attempts to reconnect", number),
    Fact("max_symbols", "Symbols allowed", number),
    Fact("received_bytes", "Received", bytes_),
    Fact("sent_bytes", "Sent", bytes_),
    Fact("calendar", "Calendar"),
    Fact("is_open", "Market", lambda is_open: "open" if is_open else "closed"),
    Fact("next_open", "Opens next", local_time),
)

SECTION = Section(
    kind="iqfeed",
    charts=CHARTS,
    cards=cards,
    tables=(
        checks_panel("IQFeed, checks", f"{STATS} and {CLIENT_STATS} of the admin port."),
        TablePanel("ports-list", "IQFeed, ports", EACH_PORT, 6,
                   f"connect, {SET_PROTOCOL}, read the answer, leave.", PORTS, is_lazy=True),
        TablePanel("clients", "IQFeed, clients", "slowest first", 8, f"{CLIENT_STATS}, once a second a client.",
                   CLIENTS, is_filtered=True, is_lazy=True),
        about_panel("IQFeed", f"{STATS}; exchange_calendars for the market's hours.", spec.About, FACTS, is_lazy=True),
        TablePanel("events", "IQFeed, events", "newest first", 12,
                   f"S,SERVER …, S,{EventName.SYMBOL_LIMIT.upper()} and E lines of the admin port.", EVENTS,
                   is_filtered=True, is_lazy=True),
    ),
)  # fmt: skip
