"""The only place that makes room for a chart. Plotly draws it when it comes into view (assets/js/43-plot.js)."""

from __future__ import annotations

from dash import html


def graph(id: str, height: int = 240, *, narrow_height: int | None = None) -> html.Div:
    """Return the place of a chart of `height` px (`narrow_height`, by default 200 px at most, below 768 px width).

    Its figure comes from View.figures[id]; until then a skeleton of the same height shows.
    """
    narrow = narrow_height or min(height, 200)
    return html.Div(
        html.Div(id=id, className="fw-plot"),
        className="fw-graph fw-skeleton",
        style={"--height": f"{height}px", "--narrow-height": f"{narrow}px"},
    )
