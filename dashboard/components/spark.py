"""A sparkline as a data image: no script, no chart library, theme colour by CSS mask."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from dash import html

from dashboard.components.attributes import attributes

WIDTH = 120
HEIGHT = 24


def spark(values: Sequence[float | None], *, label: str = "") -> html.Div:
    """Return a sparkline of `values`, oldest first, scaled to their own range; None is a gap."""
    mask = f'url("data:image/svg+xml,{quote(_svg(values), safe="=:/ ")}")'
    return html.Div(
        className="fw-spark",
        style={"maskImage": mask, "WebkitMaskImage": mask},
        role="img",
        **attributes(aria_label=label or "recent course"),
    )


def _svg(values: Sequence[float | None]) -> str:
    present = [value for value in values if value is not None]
    low, high = (min(present), max(present)) if present else (0.0, 0.0)
    scale = (HEIGHT - 4) / (high - low) if high > low else 0.0
    step = WIDTH / max(len(values) - 1, 1)
    path, pen = [], "M"
    for index, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        y = HEIGHT - 2 - (value - low) * scale if scale else HEIGHT / 2
        path.append(f"{pen}{index * step:.1f} {y:.1f}")
        pen = "L"
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' preserveAspectRatio='none'>"
        f"<path d='{''.join(path)}' fill='none' stroke='black' stroke-width='1.5' "
        f"vector-effect='non-scaling-stroke'/></svg>"
    )
