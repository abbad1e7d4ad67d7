"""TCP ports on the Services tab: time to connect."""

from __future__ import annotations

from dashboard.services.cards import no_cards
from dashboard.services.tables import ACTIONS
from dashboard.sources.charts import Chart
from dashboard.sources.section import Section

CHARTS = (
    Chart("response", "TCP, time to connect", "", {"tcp_response_seconds": ""},
          "From the look-up of the name to the end of the TCP (and TLS) handshake, once an interval."),
)  # fmt: skip

SECTION = Section(
    kind="tcp",
    charts=CHARTS,
    cards=no_cards,
    actions=ACTIONS,
)  # fmt: skip
