"""The section of exporters: what was scraped."""

from __future__ import annotations

from core.format import number
from core.kinds.scrape import spec
from core.kinds.service_spec import Actions
from dashboard.services.cards import Headline, cards_with
from dashboard.sources.charts import Chart
from dashboard.sources.section import Section, TablePanel
from dashboard.sources.table import Field, Rows, words

CHARTS = (
    Chart("response", "Exporters, response time", "", {spec.RESPONSE: ""},
          "From name look-up to the last byte of /metrics."),
    Chart("series", "Exporters, series", "taken", {spec.SERIES: "", spec.LEFT_OUT: "left out"},
          "Series taken at each scrape, and those above the limit."),
)  # fmt: skip


def _value(value: float) -> str:
    return number(value) if float(value).is_integer() else f"{value:.6g}"


SERIES = Rows(
    spec.Series,
    (
        words("metric", "Metric"),
        words("labels", "Labels"),
        words("kind", "Type"),
        Field("value", "Value", _value),
        Field("per_second", "Per second", _value, "Counters: since the scrape before"),
        words("help", "Help"),
    ),
    nothing="Nothing scraped yet.",
    most=spec.SERIES_SHOWN,
)

SECTION = Section(
    kind="scrape",
    charts=CHARTS,
    cards=cards_with(Headline(spec.RESPONSE)),
    tables=(
        TablePanel("metrics", "Metrics", f"first {spec.SERIES_SHOWN}", 8, "GET /metrics.", SERIES, is_filtered=True),
    ),
    actions=tuple(Actions),
)
