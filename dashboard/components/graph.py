"""The only place that makes a chart."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

CONFIG: Any = {
    "displaylogo": False,
    "displayModeBar": False,
    "doubleClick": "autosize",
    "plotlyServerURL": "",
    "responsive": True,
    "scrollZoom": False,
    "showSendToCloud": False,
    "showTips": False,
}
"""Nothing leaves: plotly 7 would otherwise offer to send the chart's data to its cloud."""


def graph(id: str, height: int = 240, *, narrow_height: int | None = None) -> html.Div:
    """Return an empty chart of `height` px (`narrow_height`, by default 200 px at most, below 768 px width).

    Its figure comes from View.figures[id]; until then a skeleton of the same height shows.
    """
    narrow = narrow_height or min(height, 200)
    return html.Div(
        dcc.Graph(id=id, config=CONFIG, figure=None, responsive=True, style={"height": "100%"}),
        className="fw-graph fw-skeleton",
        style={"--height": f"{height}px", "--narrow-height": f"{narrow}px"},
    )
