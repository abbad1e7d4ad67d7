"""IQFeed on the pipeline tab: is the feed connected, is it fresh, who reads it and how fast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from core.format import bytes_, duration, number
from core.limits import Limit
from dashboard.components.age import age, local_time
from dashboard.sources.charts import Chart
from dashboard.sources.facts import Fact
from dashboard.sources.feed_tables import about, checks, rows_id, tone_of
from dashboard.sources.section import OldPanel, old_section
from dashboard.sources.shown import Shown
from dashboard.sources.strip import source_card
from dashboard.sources.table import Field, source_rows, source_table, words
from status.instances import worst_first

KIND = "iqfeed"
KINDS = (KIND,)
STATS = "Source: S,STATS of the admin port, once a second."
SLOW_BYTES = 1_000 * 1_024

CHARTS = (
    Chart("iqfeed-age", "IQFeed, since its last update", "expected while the market is open",
          {"iqfeed_update_age_seconds": ""},
          f"Seconds since the last update from DTN's servers; judged only in the calendar's hours. Field 7. {STATS}",
          limit=Limit(15.0, 60.0)),
    Chart("iqfeed-traffic", "IQFeed, bytes a second", "received from DTN, sent to clients",
          {"iqfeed_receive_bytes_per_second": "in", "iqfeed_transmit_bytes_per_second": "out"},
          "Differences of total KB received and sent (fields 15, 18; 1 KB taken as 1,024 bytes): IQConnect counts "
          f"bytes, not messages. {STATS}"),
    Chart("iqfeed-symbols", "IQFeed, symbols, % of limit", "watched, of those allowed",
          {"iqfeed_symbols_used_ratio": ""}, f"Number of symbols over max symbols (fields 5, 4). {STATS}",
          limit=Limit(0.95), top=1.0),
    Chart("iqfeed-reconnections", "IQFeed, reconnections", "of ten minutes", {"iqfeed_reconnections_10m": ""},
          f"How far reconnections (field 8) rose within ten minutes. {STATS}",
          limit=Limit(3.0)),
    Chart("iqfeed-queue", "IQFeed, longest client queue", "of a client that reads too slowly",
          {"iqfeed_queued_bytes": ""},
          "KB queued (field 10) of the slowest client; warning after 30 s above. Source: S,CLIENTSTATS.",
          limit=Limit(float(SLOW_BYTES))),
    Chart("iqfeed-ports", "IQFeed ports, time to answer", "each once a minute", {"iqfeed_port_seconds": ""},
          "From connecting to the answer to S,SET PROTOCOL,6.2, on a new connection.", label="port"),
)  # fmt: skip

FACTS = (
    Fact("server", "DTN's server"),
    Fact("version", "IQConnect"),
    Fact("protocol", "Protocol"),
    Fact("login", "Logged in as"),
    Fact("started", "Started"),
    Fact("market_time", "Market time"),
    Fact("reconnections", "Reconnections", number),
    Fact("attempts", "Attempts to reconnect", number),
    Fact("max_symbols", "Most symbols", number),
    Fact("received_bytes", "Received", bytes_),
    Fact("sent_bytes", "Sent", bytes_),
    Fact("calendar", "Calendar"),
    Fact("is_open", "Market", lambda is_open: "open" if is_open else "closed"),
    Fact("next_open", "Opens next", local_time),
)


def cards(shown: Shown) -> Sequence[Any]:
    """Return a card for each instance, those in trouble first."""
    return [
        source_card(
            each,
            duration(each.value("iqfeed_update_age_seconds")),
            "since update",
            bar_ratio=each.value("iqfeed_symbols_used_ratio"),
            spark=shown.series.one("iqfeed_receive_bytes_per_second", instance=each.name),
            definition=f"Since the last update from DTN; the bar is symbols of those allowed, the line bytes received "
            f"a second. {STATS}",
        )
        for each in worst_first(shown.chosen)
    ]


def clients(shown: Shown) -> html.Div:
    """Return the programs that read the feed, the slowest first."""
    fields = (
        words("name", "Client"),
        words("type", "Type"),
        Field("symbols", "Symbols", number),
        Field("regional", "Regional", number),
        Field("queued_bytes", "Queued", bytes_, "Waits for the client to read it",
              lambda row: "warning" if row["queued_bytes"] > SLOW_BYTES else ""),
        Field("sent_bytes", "Sent", bytes_),
        Field("received_bytes", "Received", bytes_),
        words("started", "Since", "As IQConnect tells it"),
        words("client", "Id"),
    )  # fmt: skip
    rows = source_rows(shown.chosen, "clients")
    nothing = "No client was told of yet."
    return source_table(rows_id("iqfeed-clients"), fields, rows, caption="Clients", nothing=nothing)


def ports(shown: Shown) -> html.Div:
    """Return the other ports, those that do not answer first."""
    fields = (
        words("name", "Port"),
        words("port", "Number"),
        words("status", "Answers", tone=tone_of("status", {"no": "critical"})),
        Field("seconds", "In", duration),
        words("why", "Why not"),
        Field("ts", "Checked", age, numeric=False),
    )
    rows = sorted(source_rows(shown.chosen, "ports"), key=lambda row: str(row["status"]))
    return source_table(rows_id("iqfeed-ports"), fields, rows, caption="Ports", nothing="No other port is checked.")


def events(shown: Shown) -> html.Div:
    """Return what IQConnect announced, newest first."""
    tones = {
        "server disconnected": "critical",
        "server reconnect failed": "critical",
        "symbol limit reached": "warning",
    }
    fields = (
        Field("ts", "When", local_time, numeric=False),
        words("event", "Event", tone=tone_of("event", tones)),
        words("detail", "Detail"),
    )
    rows = sorted(source_rows(shown.chosen, "events"), key=lambda row: -row["ts"])
    nothing = "Nothing since we connected."
    return source_table(rows_id("iqfeed-events"), fields, rows, caption="Events", nothing=nothing)


TABLES = {
    "iqfeed-checks": checks(KIND),
    "iqfeed-ports-list": ports,
    "iqfeed-clients": clients,
    "iqfeed-about": about(KIND, FACTS),
    "iqfeed-events": events,
}

SECTION = old_section(
    kind=KIND,
    charts=CHARTS,
    cards=cards,
    tables=TABLES,
    panels=(
        OldPanel("iqfeed-checks", "IQFeed, checks", "worst first", 6, "S,STATS and S,CLIENTSTATS of the admin port."),
        OldPanel("iqfeed-ports-list", "IQFeed, ports", "each once a minute", 6,
                   "connect, S,SET PROTOCOL,6.2, read the answer, leave."),
        OldPanel("iqfeed-clients", "IQFeed, clients", "slowest first", 8, "S,CLIENTSTATS, once a second a client.",
                   rows_id("iqfeed-clients")),
        OldPanel("iqfeed-about", "IQFeed", "", 4, "S,STATS; exchange_calendars for the market's hours."),
        OldPanel("iqfeed-events", "IQFeed, events", "newest first", 12,
                   "S,SERVER …, S,SYMBOL LIMIT REACHED and E lines of the admin port.", rows_id("iqfeed-events")),
    ),
    lazy=frozenset(TABLES) - {"iqfeed-checks"},
)  # fmt: skip
