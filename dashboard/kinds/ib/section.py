"""The section of Interactive Brokers: may orders be sent, is the link up, which data farms, what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.format import duration
from core.kinds.ib import spec
from core.kinds.ib.codes import FARM_CODES, RESTORED
from dashboard.kinds.ib import tables
from dashboard.kinds.ib.charts import CHARTS
from dashboard.sources.common_panels import about_panel, checks_panel
from dashboard.sources.section import Section, TablePanel
from dashboard.sources.shown import Shown
from dashboard.sources.strip import source_card
from status.instances import worst_first


def cards(shown: Shown) -> Sequence[Any]:
    """Return a card for each gateway, those in trouble first."""
    return [
        source_card(
            each,
            duration(each.value(spec.ROUND_TRIP_SECONDS)),
            "round trip",
            spark=shown.series.one(spec.ROUND_TRIP_SECONDS, instance=each.name),
            definition="From reqCurrentTime to its answer. Ready: the next order id and the accounts are known.",
        )
        for each in worst_first(shown.chosen)
    ]


SECTION = Section(
    kind="ib",
    charts=CHARTS,
    cards=cards,
    tables=(
        checks_panel("IB, checks", "messages of the gateway, and reqCurrentTime."),
        TablePanel("farms", "IB, data farms", "broken first", 6,
                   f"messages {', '.join(map(str, FARM_CODES))} and the list in {RESTORED}.", tables.FARMS),
        TablePanel("orders", "IB, open orders", f"of all clients, every {duration(spec.ORDERS_SECONDS)}", 8,
                   "reqAllOpenOrders.", tables.ORDERS, is_filtered=True, is_lazy=True),
        TablePanel("accounts", "IB, accounts", "sent at changes, at most every 3 min", 4,
                   "reqAccountSummary NetLiquidation.", tables.ACCOUNTS, is_lazy=True),
        TablePanel("coded", "IB, messages", "newest first", 8, "messages with a code (error, message 4).",
                   tables.MESSAGES, is_filtered=True, is_lazy=True),
        about_panel("IB", "handshake, nextValidId, managedAccounts, reqCurrentTime.", spec.About, tables.FACTS,
                    is_lazy=True),
    ),
)  # fmt: skip
