"""What a chart hands to its panel: the figure, a line of words that goes with it, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dash import html


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart as drawn for one set of choices. `note` says why it is empty; without one it is not."""

    figure: Mapping[str, Any] = field(default_factory=lambda: {"data": [], "layout": {}})
    subtitle: Any = ""
    """A text or components."""
    note: str = ""


def named(lines: Sequence[tuple[str, str]], more: str = "") -> list[Any]:
    """Return (name, colour token) pairs as words in the colours of their bars: a legend in the subtitle."""
    parts: list[Any] = []
    for name, token in lines:
        parts += [" · "] if parts else []
        parts.append(html.Span(name, style={"color": f"var(--fw-{token.removeprefix('@')})"}))
    return [*parts, more] if more else parts


def still(layout: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the layout of a chart that is no course of time: nothing to zoom, drawn anew only when it changes.

    `name` keeps it apart from other charts.
    """
    x_axis = {"fixedrange": True, "showspikes": False, **layout.get("xaxis", {})}
    return {"hovermode": "closest", "dragmode": False, "uirevision": name, **layout, "xaxis": x_axis}
