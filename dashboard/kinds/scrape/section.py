"""Exporters on the Services tab: what was scraped."""

from __future__ import annotations

from dashboard.services import tables
from dashboard.services.cards import no_cards
from dashboard.sources.charts import Chart
from dashboard.sources.section import Section, TablePanel

CHARTS = (
    Chart("response", "Exporters, time to answer", "", {"scrape_response_seconds": ""},
          "From the look-up of the name to the last byte of /metrics."),
    Chart("series", "Exporters, series", "taken", {"scrape_series": "", "scrape_left_out": "left out"},
          "Series taken at each scrape, and those above the limit."),
)  # fmt: skip

SECTION = Section(
    kind="scrape",
    charts=CHARTS,
    cards=no_cards,
    tables=(TablePanel("metrics", "Metrics", "first 200 of each exporter", 8, "GET /metrics.",
                   lambda shown, _id, _title: tables.metrics(shown), is_filtered=True),),
    actions=tables.ACTIONS,
)  # fmt: skip
