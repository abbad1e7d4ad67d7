"""Colours and figure parts as they are sent.

A figure is a plain dict. The server sends no template, fonts, margins or grid: the browser adds them from
the CSS variables of the theme (assets/js/40-figures.js), so that switching it needs no request.

* Colours are tokens: "@series-1" … "@series-6", "@muted", "@text", "@line", "@grid", "@panel", "@accent",
  "@ok", "@warning", "@critical", "@unknown", "@gain", "@loss"; with opacity: "@series-1/0.2".
* On an x axis of type "date", numbers are epoch seconds, shown in the reader's local time. Days are ISO
  texts ("2022-12-28") and stay as they are. The same holds for `x0`, `x1` of shapes, `x` of annotations, `range`.
* `layout.uirevision` is set by the frame: zoom and selection survive a refresh.
"""

from __future__ import annotations

from typing import Any

SERIES = ("@series-1", "@series-2", "@series-3", "@series-4", "@series-5", "@series-6")
COMPARED = (*SERIES[1:], "@text")
"""Of the portfolios beside the chosen one, which has the first."""
BENCHMARK = "@muted"
HOVER = "hover"
"""Key of a trace: what it has for who points at it alone (customdata, hovertemplate). It is fetched then."""


def faded(token: str, opacity: float) -> str:
    """Return `token` with an opacity from 0 to 1, for fills."""
    return f"{token}/{opacity:g}"


def end_label(text: str, y: float, color: str, *, yref: str = "y", xref: str = "paper") -> dict[str, Any]:
    """Return the annotation that names a line at its right end. Leave `layout.margin.r` for it (about 70)."""
    return {
        "text": text, "x": 1, "y": y, "xref": xref, "yref": yref, "xanchor": "left", "xshift": 6,
        "showarrow": False, "align": "left", "font": {"color": color, "size": 11}, "name": "end-label",
    }  # fmt: skip


def threshold(value: float, color: str = "@critical", *, yref: str = "y", xref: str = "paper") -> dict[str, Any]:
    """Return the shape of a thin horizontal line at `value`; its label stands at its right end, as those of lines."""
    return {
        "type": "line", "xref": xref, "x0": 0, "x1": 1, "yref": yref, "y0": value, "y1": value,
        "line": {"color": color, "width": 1, "dash": "dot"}, "layer": "above",
    }  # fmt: skip
