"""Peers on the network on the Services tab: latency, loss, jitter."""

from __future__ import annotations

from core.limits import Limit
from dashboard.services.cards import no_cards
from dashboard.services.tables import ACTIONS
from dashboard.sources.charts import Chart
from dashboard.sources.section import Section

CHARTS = (
    Chart("response", "Peers, time to connect", "median of each reading",
          {"peer_response_seconds": "", "peer_worst_seconds": "worst"},
          "TCP connections to the peer, three a reading; the look-up of its name is not in it."),
    Chart("loss", "Peers, loss", "of the last 100 connections", {"peer_loss_ratio": ""},
          "Connections not answered in time among the newest 100; a refused one is an answer.",
          limit=Limit(0.02, 0.2)),
    Chart("jitter", "Peers, jitter", "", {"peer_jitter_seconds": ""},
          "Mean difference between one connection's time and the next one's, of the newest 100."),
)  # fmt: skip

SECTION = Section(
    kind="peer",
    charts=CHARTS,
    cards=no_cards,
    actions=ACTIONS,
)  # fmt: skip
