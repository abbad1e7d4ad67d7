"""Interactive Brokers on the pipeline tab: may orders be sent, is the link up, which data farms, what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from dash import html

from core.format import duration, number
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

KIND = "ib"
KINDS = (KIND,)

CHARTS = (
    Chart("ib-round-trip", "IB, round trip", "to the gateway's answer", {"ib_round_trip_seconds": ""},
          "From reqCurrentTime to its answer, once a reading; warning when two in a row take 1 s.",
          limit=Limit(1.0)),
    Chart("ib-link", "IB, ready and connected", "1 yes, 0 no", {"ib_ready": "ready", "ib_connected": "IB"},
          "ready: nextValidId and managedAccounts were seen. IB: no message 1100 or 2110 since the last 1101 or 1102.",
          top=1.0),
    Chart("ib-farms-broken", "IB, broken data farms", "", {"ib_farms_broken": ""},
          "Farms whose newest message is 2103, 2105 or 2157. Critical after 60 s while the market is open."),
    Chart("ib-messages", "IB, messages a second", "to and from Fundwatch alone",
          {"ib_messages_per_second": "from", "ib_requests_per_second": "to"},
          "Messages of our own connection. IB takes 50 a second from all clients together; what other clients send is "
          "told to nobody but them."),
    Chart("ib-orders-open", "IB, open orders", "of all clients", {"ib_open_orders": ""},
          "reqAllOpenOrders, once a minute."),
    Chart("ib-trouble", "IB, errors and reconnections", "of one minute, of ten",
          {"ib_errors_1m": "errors", "ib_reconnections_10m": "reconnections"},
          "Messages with an error code in the last minute; how often we had to connect anew within ten.",
          limit=Limit(3.0)),
)  # fmt: skip

FACTS = (
    Fact("kind", "Account"),
    Fact("accounts", "Accounts"),
    Fact("is_linked", "Connected to IB", lambda is_linked: "yes" if is_linked else "no"),
    Fact("version", "API version"),
    Fact("server_time", "Our session since"),
    Fact("client_id", "Our client id"),
    Fact("next_id", "Next order id"),
    Fact("skew_seconds", "Clock, ahead of ours by", lambda seconds: f"{number(seconds)} s"),
    Fact("reconnections_today", "Reconnections today (UTC)", number),
    Fact("calendar", "Calendar"),
    Fact("last_error", "Last error"),
    Fact("last_error_ts", "It came", local_time),
)


def cards(shown: Shown) -> Sequence[Any]:
    """Return a card for each gateway, those in trouble first."""
    return [
        source_card(
            each,
            duration(each.value("ib_round_trip_seconds")),
            "round trip",
            spark=shown.series.one("ib_round_trip_seconds", instance=each.name),
            definition="From reqCurrentTime to its answer. Ready means: the next order id and the accounts were told.",
        )
        for each in worst_first(shown.chosen)
    ]


def farms(shown: Shown) -> html.Div:
    """Return the data farms, broken ones first."""
    fields = (
        words("farm", "Farm"),
        words("kind", "Serves"),
        words("state", "State", tone=tone_of("state", {"broken": "critical", "ok": "ok"})),
        Field("since", "Since", age, numeric=False),
    )
    rows = source_rows(shown.chosen, "farms")
    return source_table(rows_id("ib-farms"), fields, rows, caption="Data farms", nothing="No farm was told of yet.")


def orders(shown: Shown) -> html.Div:
    """Return the open orders."""
    fields = (
        words("symbol", "Symbol"),
        words("type", "Type"),
        words("action", "Side"),
        Field("quantity", "Quantity", number),
        Field("filled", "Filled", number),
        words("order_type", "Order"),
        Field("limit", "Limit", partial(number, decimals=2)),
        words("exchange", "Exchange"),
        words("status", "Status"),
        words("account", "Account"),
        words("id", "Permanent id"),
    )
    rows = source_rows(shown.chosen, "orders")
    nothing = "No order is open."
    return source_table(rows_id("ib-orders"), fields, rows, caption="Open orders", nothing=nothing)


def accounts(shown: Shown) -> html.Div:
    """Return the accounts with their value as the gateway last told it."""
    fields = (
        words("account", "Account"),
        words("kind", "Kind"),
        Field("net_liquidation", "Net liquidation", number),
        words("currency", "In"),
        Field("ts", "Told", age, numeric=False),
    )
    rows = source_rows(shown.chosen, "accounts")
    return source_table(rows_id("ib-accounts"), fields, rows, caption="Accounts", nothing="No account was told yet.")


def messages(shown: Shown) -> html.Div:
    """Return the messages with a code, newest first."""
    fields = (
        Field("ts", "When", local_time, numeric=False),
        words("code", "Code"),
        words("level", "Level", tone=tone_of("level", {"error": "critical", "warning": "warning", "notice": "muted"})),
        words("text", "Message"),
        Field("request", "Request", number),
    )
    rows = sorted(source_rows(shown.chosen, "messages"), key=lambda row: -row["ts"])
    nothing = "No message with a code yet."
    return source_table(rows_id("ib-coded"), fields, rows, caption="Messages", nothing=nothing)


TABLES = {
    "ib-checks": checks(KIND),
    "ib-farms": farms,
    "ib-orders": orders,
    "ib-accounts": accounts,
    "ib-coded": messages,
    "ib-about": about(KIND, FACTS),
}

SECTION = old_section(
    kind=KIND,
    charts=CHARTS,
    cards=cards,
    tables=TABLES,
    panels=(
        OldPanel("ib-checks", "IB, checks", "worst first", 6, "what the gateway told, and reqCurrentTime."),
        OldPanel("ib-farms", "IB, data farms", "broken first", 6,
                   "messages 2103 to 2108, 2119, 2157, 2158 and the list in 1102."),
        OldPanel("ib-orders", "IB, open orders", "of all clients, read each minute", 8, "reqAllOpenOrders.",
                   rows_id("ib-orders")),
        OldPanel("ib-accounts", "IB, accounts", "told at changes, at most each 3 min", 4,
                   "reqAccountSummary NetLiquidation."),
        OldPanel("ib-coded", "IB, messages", "newest first", 8, "messages with a code (error, message 4).",
                   rows_id("ib-coded")),
        OldPanel("ib-about", "IB", "", 4, "handshake, nextValidId, managedAccounts, reqCurrentTime."),
    ),
    lazy=frozenset(TABLES) - {"ib-checks", "ib-farms"},
)  # fmt: skip
