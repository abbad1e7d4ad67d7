"""The section of Nginx: requests and connections."""

from __future__ import annotations

from core.format import number
from core.kinds.nginx import spec
from core.kinds.service_spec import Actions
from dashboard.services.cards import Headline, cards_with
from dashboard.sources.charts import Chart
from dashboard.sources.section import Section

CHARTS = (
    Chart("requests", "Nginx, requests per second", "", {spec.REQUESTS_RATE: ""},
          "Difference of requests. Source: stub_status."),
    Chart("connections", "Nginx, connections", "by state",
          {spec.ACTIVE: "active", spec.WAITING: "waiting", spec.WRITING: "writing", spec.READING: "reading"},
          "Active, waiting for a request, writing an answer, reading a request. Source: stub_status."),
    Chart("dropped", "Nginx, dropped per second", "", {spec.DROPPED_RATE: ""},
          "Difference of accepts minus handled: worker_connections or another limit was reached. Source: stub_status."),
)  # fmt: skip

SECTION = Section(
    kind="nginx",
    charts=CHARTS,
    cards=cards_with(Headline(spec.REQUESTS_RATE, number, "requests/s")),
    actions=tuple(Actions),
)
