"""The charts of watched sources: which metrics, in what unit, against which limits; lines by instance or label."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.format import axis_scale, cut
from core.kinds.base import Source
from core.limits import Limit
from core.metrics import unit_of
from dashboard.charts.rules import NO_RULES, RuleLines
from dashboard.charts.theme import SERIES
from dashboard.charts.timeseries import LimitLine, Line, line_figure, nice_ceiling
from dashboard.sources.limits import threshold_text
from dashboard.views.panel import GraphBody, Panel
from status.instances import Instance
from storage.clickhouse.reads.series import SeriesData
from storage.clickhouse.reads.sources import SourceSeries

MOST_LINES = 6
DASHES = ("solid", "dot", "dash")
LIMIT_COLORS = ("@warning", "@critical")
HEIGHT_PX = 170
LONGEST_NAME = 64
"""On hover; the label at the end of the line has less room."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: `metrics` maps each to the word that its lines carry (empty: none needed)."""

    id: str
    title: str
    subtitle: str
    metrics: Mapping[str, str]
    definition: str
    """What it is, with the query or command behind it."""
    label: str = ""
    """The label that tells several lines of one instance apart: "command", "db"."""
    limit: Limit | None = None
    """In the unit of the metrics: the one that judges."""
    limit_of: Callable[[Any], Limit] | None = None
    """From the settings of a source to its own limit, which then stands for `limit` where all sources have the same."""
    limit_words: tuple[str, str] = ("warning", "critical")
    """What its lines are called."""
    limits: Mapping[str, Limit] = field(default_factory=dict)
    """Of several, by the name of the line: where each is a warning."""
    nothing: str = "Nothing measured in this window."
    """What it means that there is no line."""
    top: float | None = None
    """Where the axis ends in the base unit; None: a tenth above the highest value."""

    @property
    def unit(self) -> str:
        """The unit of its metrics, a key of core.format.SCALES."""
        return unit_of(next(iter(self.metrics)))

    def agreed(self, sources: Sequence[Source]) -> Chart:
        """Return it with the limit that all these sources are judged by; with none where they differ."""
        if self.limit_of is None:
            return self
        found = {self.limit_of(source) for source in sources}
        return replace(self, limit=found.pop() if len(found) == 1 else None)

    @property
    def limit_lines(self) -> list[LimitLine]:
        """Return the line of each threshold, in the base unit."""
        drawn = [(limit.warning, name, "@warning") for name, limit in self.limits.items()]
        if self.limit is not None:
            drawn += zip((self.limit.warning, self.limit.critical), self.limit_words, LIMIT_COLORS, strict=True)
        return [
            LimitLine(value, f"{word} {threshold_text(value, self.unit)}", color)
            for value, word, color in drawn
            if value
        ]


@dataclass(frozen=True, slots=True)
class _Trace:
    """A line before it has its scale: an instance keeps its colour on all charts, its metrics differ by dash."""

    name: str
    data: SeriesData
    place: int
    dash: str


def chart_panel(id: str, chart: Chart, span: int = 4) -> Panel:
    """Return the panel `id` that the chart stands in."""
    return Panel(id, chart.title, chart.definition, GraphBody(HEIGHT_PX), subtitle=chart.subtitle, span=span)


def chart_figure(
    chart: Chart,
    series: SourceSeries,
    about: Sequence[Instance],
    span: tuple[float, float],
    rules: RuleLines = NO_RULES,
) -> dict[str, Any]:
    """Return one chart of the instances that it is about: at most six lines, those that are highest now.

    rules: what rules compare its metrics with.
    """
    found = [
        _Trace(_name(chart, metric, data, instance, len(about) > 1), data, place, DASHES[number % len(DASHES)])
        for number, metric in enumerate(chart.metrics)
        for place, instance in enumerate(about)
        for data in series.all(metric, instance=instance.name)
    ]
    found.sort(key=lambda each: -(_last(each.data) or 0.0))
    kept = sorted(found[:MOST_LINES], key=lambda each: each.name)
    highest = max((value for each in kept for value in each.data.mean if value is not None), default=0.0)
    by, unit = axis_scale(chart.unit, max(highest, chart.top or 0.0))
    is_by_instance = len(about) > 1 and not chart.label
    lines = [
        Line(
            each.name,
            each.data.ts,
            [None if value is None else value / by for value in each.data.mean],
            SERIES[(each.place if is_by_instance else number) % len(SERIES)],
            each.dash if is_by_instance else "solid",
        )
        for number, each in enumerate(kept)
    ]
    own = [replace(each, value=each.value / by) for each in chart.limit_lines]
    drawn = {metric: [each.data.labels for each in kept if each.data.metric == metric] for metric in chart.metrics}
    limits = rules.beside(own, drawn, by)
    top = chart.top / by if chart.top else nice_ceiling(highest / by)
    figure = line_figure(lines, span, unit=unit, top=top, limits=limits)
    figure["layout"]["yaxis"]["ticksuffix"] = f" {unit}" if unit else ""
    figure["layout"]["xaxis"] |= {"nticks": 4, "tickangle": 0}
    if len(found) > len(kept):
        figure["layout"]["annotations"].append(_left_out(len(kept), len(found)))
    if not lines:
        # Without any trace the axis would show a year of its own choice.
        figure["data"] = [{"type": "scatter", "mode": "none", "x": list(map(round, span)), "y": [0, 0]}]
    figure["layout"]["margin"]["l"] = 60
    return figure


def metrics_of(charts: Sequence[Chart]) -> list[str]:
    """Return every metric that the charts show."""
    return sorted({metric for chart in charts for metric in chart.metrics})


def _name(chart: Chart, metric: str, data: SeriesData, instance: Instance, is_one_of_many: bool) -> str:
    parts = [instance.name if is_one_of_many else "", data.label(chart.label) if chart.label else ""]
    name = " ".join(part for part in (*parts, chart.metrics[metric]) if part) or instance.name
    return cut(name, LONGEST_NAME)


def _left_out(kept: int, of: int) -> dict[str, Any]:
    return {
        "text": f"{kept} highest of {of}", "x": 0, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "left",
        "yanchor": "top", "showarrow": False, "font": {"color": "@muted", "size": 10}, "bgcolor": "@panel/0.7",
    }  # fmt: skip


def _last(data: SeriesData) -> float | None:
    return next((value for value in reversed(data.mean) if value is not None), None)
