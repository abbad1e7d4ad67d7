"""The section of TCP ports: connect time."""

from __future__ import annotations

from core.kinds.service_spec import Actions
from core.kinds.tcp import spec
from dashboard.services.cards import Headline, cards_with
from dashboard.sources.charts import Chart
from dashboard.sources.section import Section

CHARTS = (
    Chart("response", "TCP, connect time", "", {spec.RESPONSE: ""},
          "From name look-up to the end of the TCP (and TLS) handshake, once a check."),
)  # fmt: skip

SECTION = Section(
    kind="tcp",
    charts=CHARTS,
    cards=cards_with(Headline(spec.RESPONSE)),
    actions=tuple(Actions),
)
