"""A sparkline as a data image: no script, no chart library, theme colour by CSS mask."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from dash import html

from dashboard.components.attributes import attributes
from dashboard.components.quick import quick

FEWEST_POINTS = 10
"""Fewer are no course: what they look like is chance, and the start of the program."""
HEIGHT = 96
"""In quarters of the pixels it is drawn with: whole numbers and steps, not places, make the image a third smaller."""
EDGE = 8


def spark(values: Sequence[float | None], *, label: str = "", hint: str = "") -> html.Div:
    """Return a sparkline of `values`, oldest first, scaled to their own range; None is a gap.

    label: for who does not see it; hint: for who points at it. Of fewer than FEWEST_POINTS its place stays empty.
    """
    if sum(value is not None for value in values) < FEWEST_POINTS:
        return quick(html.Div, className="fw-spark fw-spark-none")
    mask = f'url("data:image/svg+xml,{quote(_svg(values), safe="=:/ ")}")'
    return quick(
        html.Div,
        className="fw-spark",
        style={"maskImage": mask, "WebkitMaskImage": mask},
        role="img",
        title=hint or None,
        **attributes(aria_label=label or "recent course"),
    )


def _svg(values: Sequence[float | None]) -> str:
    present = [value for value in values if value is not None]
    low, high = (min(present), max(present)) if present else (0.0, 0.0)
    scale = (HEIGHT - 2 * EDGE) / (high - low) if high > low else 0.0
    path: list[str] = []
    is_drawn, before = False, (0, 0)
    for x, value in enumerate(values):
        if value is None:
            is_drawn = False
            continue
        here = (x, HEIGHT - EDGE - round((value - low) * scale) if scale else HEIGHT // 2)
        path.append(f"l1 {here[1] - before[1]}" if is_drawn else f"M{here[0]} {here[1]}")
        is_drawn, before = True, here
    width = max(len(values) - 1, 1)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {HEIGHT}' preserveAspectRatio='none'>"
        f"<path d='{''.join(path)}' fill='none' stroke='black' stroke-width='1.5' "
        f"vector-effect='non-scaling-stroke'/></svg>"
    )
