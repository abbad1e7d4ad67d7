"""Nginx on the Services tab: requests and connections."""

from __future__ import annotations

from dashboard.services.cards import no_cards
from dashboard.services.tables import ACTIONS
from dashboard.sources.charts import Chart
from dashboard.sources.section import Section

CHARTS = (
    Chart("requests", "Nginx, requests per second", "", {"nginx_requests_per_second": ""},
          "Difference of requests. Source: stub_status."),
    Chart("connections", "Nginx, connections", "by state",
          {"nginx_active": "active", "nginx_waiting": "waiting", "nginx_writing": "writing",
           "nginx_reading": "reading"},
          "Active, waiting for a request, writing an answer, reading a request. Source: stub_status."),
    Chart("dropped", "Nginx, connections dropped", "", {"nginx_dropped_per_second": ""},
          "Difference of accepts less handled: worker_connections or another limit was reached. Source: stub_status."),
)  # fmt: skip

SECTION = Section(
    kind="nginx",
    charts=CHARTS,
    cards=no_cards,
    actions=ACTIONS,
)  # fmt: skip
