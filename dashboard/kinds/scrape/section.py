"""The section of exporters: how they answer, and what was scraped of each."""

from __future__ import annotations

from urllib.parse import urlencode

from dash import html

from core.format import coarse_duration, number
from core.kinds.scrape import spec
from core.kinds.service_spec import Actions
from dashboard.components.table import Cell, Column, data_table, or_none
from dashboard.services.cards import Headline, cards_with
from dashboard.sources.charts import Chart
from dashboard.sources.section import Section, TablePanel
from dashboard.sources.shown import Shown

METRICS_PATH = "/services/metrics"
"""Where the page of the series is."""

CHARTS = (
    Chart("response", "Exporters, response time", "", {spec.RESPONSE: ""},
          "From name look-up to the last byte of /metrics."),
    Chart("series", "Exporters, series", "taken", {spec.SERIES: "", spec.LEFT_OUT: "left out"},
          "Series taken at each scrape, and those above the limit."),
)  # fmt: skip
COLUMNS = (
    Column("exporter", "Exporter", numeric=False, definition="Opens its series: to search, and each with its chart."),
    Column("series", "Series", definition="Taken at the newest scrape."),
    Column("left_out", "Above the limit", definition="Left out, above series_limit."),
    Column("stale", "Not of now",
           definition=f"Left out: their own time is more than {coarse_duration(spec.STALE_SECONDS)} off."),
    Column("doubled", "Doubled", definition="Served again with the same labels: stored once."),
)  # fmt: skip


def exporters(shown: Shown, id: str, title: str) -> html.Div:
    """Return what was scraped of each exporter, each a link to its series."""
    rows = []
    for each in shown.chosen:
        figures = {
            "series": each.value(spec.SERIES),
            "left_out": each.value(spec.LEFT_OUT),
            "stale": each.value(spec.STALE),
            "doubled": each.value(spec.DOUBLED),
        }
        link = html.A(each.name, href=f"{METRICS_PATH}?{urlencode({'exporter': each.name})}")
        cells = {
            name: Cell(or_none(number(value)), value, tone="warning" if value and name != "series" else "")
            for name, value in figures.items()
        }
        rows.append({"exporter": Cell(link, each.name), **cells})
    return data_table(id, COLUMNS, rows, caption=title, nothing="No exporter is watched.")


SECTION = Section(
    kind="scrape",
    charts=CHARTS,
    cards=cards_with(Headline(spec.RESPONSE)),
    tables=(TablePanel("metrics", "Metrics", "of each exporter", 8, "GET /metrics.", exporters),),
    actions=tuple(Actions),
)
