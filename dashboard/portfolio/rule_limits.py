"""Drawdowns at which rules fire, as lines on the way under water of the window that they watch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.alerts.expression import Figure
from dashboard.charts.rules import COLOURS, MOST_LINES, rule_lines
from dashboard.charts.theme import threshold
from dashboard.charts.timeseries import LimitLine, shortened
from portfolio.rule_figures import is_meant
from portfolio.vocabulary import query_of

if TYPE_CHECKING:
    from portfolio.allowed import Limits
    from portfolio.data import PortfolioData
    from storage.stores import Stores

FIGURES = ("current_drawdown", "max_drawdown")
AXIS, YREF = "yaxis2", "y2"
"""Of the way under water in the figure of growth."""
LABEL_PX = 240
LEAST_SHARE = 0.12
"""Of the row, between two labels: of nearer ones the gravest stands."""


def drawdown_limits(stores: Stores, data: PortfolioData, limits: Limits) -> list[LimitLine]:
    """Return what rules compare the drawdowns of the window with that is shown, in percent, the gravest last.

    limits: of the viewer, who is told of no rule that he may not see.
    """
    if data.query.span is not None or data.intraday is not None:
        return []
    known = rule_lines(stores, limits).by_metric
    found = [
        each
        for name in FIGURES
        for each in known.get(name, ())
        if is_meant(data.portfolio, Figure(name, each.matchers))
        and query_of(Figure(name, (), each.window)).window == data.query.window
    ]
    worst = sorted(found, key=lambda each: each.severity)[-MOST_LINES:]
    return [LimitLine(100 * each.value, each.title, COLOURS.get(each.severity, "@critical")) for each in worst]


def with_limits(figure: Mapping[str, Any], limits: Sequence[LimitLine]) -> dict[str, Any]:
    """Return the figure of growth with lines; those below its row are left out: they would squash the rest."""
    layout = figure.get("layout", {})
    floor = layout.get(AXIS, {}).get("range", [0, 0])[0]
    drawn = [each for each in limits if floor <= each.value < 0]
    if not drawn:
        return dict(figure)
    lines = [threshold(each.value, each.color, yref=YREF) for each in drawn]
    labels: list[LimitLine] = []
    for each in reversed(drawn):
        if all(abs(each.value - other.value) > LEAST_SHARE * -floor for other in labels):
            labels.append(each)
    notes = [
        {
            "text": shortened(each.text, LABEL_PX), "x": 0, "xref": "paper", "xanchor": "left", "xshift": 4,
            "y": each.value, "yref": YREF, "yanchor": "top", "showarrow": False, "name": "wide-only",
            "font": {"color": each.color, "size": 11},
        }
        for each in labels
    ]  # fmt: skip
    return {
        **figure,
        "layout": {
            **layout,
            "shapes": [*layout.get("shapes", ()), *lines],
            "annotations": [*layout.get("annotations", ()), *notes],
        },
    }
