"""The course of what differs: positions, cash and net asset value."""

from __future__ import annotations

import math
from typing import Any

from dashboard.charts.drawn import Drawn, named
from portfolio.reconciliation import Reconciliation

LINES = (("Positions", "@series-1"), ("Cash", "@series-2"), ("Net asset value", "@series-3"))


def course(found: Reconciliation) -> Drawn:
    """Return how much differed on every day; the net asset value with its sign, the others without."""
    if len(found.days) < 2:
        return Drawn(note="Shows a line as soon as there are two reports.")
    days = [str(day) for day in found.days]
    currency = found.portfolio.currency
    parts = [(name, token, values) for (name, token), values in zip(LINES, _values(found), strict=True)]
    drawn = [part for part in parts if any(value is not None for value in part[2])]
    figure: dict[str, Any] = {
        "data": [
            {
                "type": "scatter", "mode": "lines", "name": name, "x": days, "y": values,
                "line": {"color": token, "width": 1.5, "shape": "hv"}, "hovertemplate": f"%{{y:,.2f}} {currency}",
            }
            for name, token, values in drawn
        ],
        "layout": {
            "yaxis": {"title": {"text": f"difference, {currency}"}, "rangemode": "tozero"},
            "xaxis": {"type": "date"},
            "showlegend": False,
        },
    }  # fmt: skip
    return Drawn(figure, named([(name, token) for name, token, _ in drawn]))


def _values(found: Reconciliation) -> list[list[float | None]]:
    columns = found.positions.tolist(), found.cash.tolist() if found.of("cash") else [], found.navs.tolist()
    return [[None if math.isnan(value) else round(value, 2) for value in column] for column in columns]
