"""The section of peers on the network: latency, loss, jitter."""

from __future__ import annotations

from core.kinds.peer import spec
from core.kinds.service_spec import Actions
from dashboard.services.cards import Headline, cards_with
from dashboard.sources.charts import Chart
from dashboard.sources.section import Section

CHARTS = (
    Chart("response", "Peers, connect time", "median of each reading",
          {spec.RESPONSE: "", spec.WORST: "worst"},
          f"TCP connections to the peer, {spec.PROBES} a reading unless set otherwise; without name look-up."),
    Chart("loss", "Peers, loss", f"of the last {spec.CONNECTIONS_KEPT} connections", {spec.LOSS_RATIO: ""},
          f"Connections not answered in time among the newest {spec.CONNECTIONS_KEPT}; a refused one is an answer.",
          limit=spec.LOSS),
    Chart("jitter", "Peers, jitter", "", {spec.JITTER: ""},
          "Mean difference between the times of one connection and the next, "
          f"of the newest {spec.CONNECTIONS_KEPT}."),
)  # fmt: skip

SECTION = Section(
    kind="peer",
    charts=CHARTS,
    cards=cards_with(Headline(spec.RESPONSE)),
    actions=tuple(Actions),
)
