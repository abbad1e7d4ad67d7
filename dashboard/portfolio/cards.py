"""The headline cards of the Portfolio tab: each figure with its change, how sure it is, and its definition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from dash import html

from analytics import intervals
from analytics.block import Floats
from analytics.calendar import ToDate, to_date, trailing_months
from analytics.drawdown import underwater
from analytics.metrics import METRICS, Metric
from analytics.performance import Track, between, worst
from analytics.returns import per_period_rate
from analytics.summary import Summary
from core import format as text
from dashboard.components.card import card, cards
from dashboard.portfolio.data import Shown
from dashboard.portfolio.query import FREQUENCY_NAMES
from dashboard.portfolio.summary import period_before, side_by_side

SPARK_DAYS = 63
NARROWEST_PX = 146
"""Nine cards a row on a page of 1440 px."""
TO_DATE: tuple[tuple[ToDate, str, str], ...] = (
    ("WTD", "Week", "since the last value of the week before (ISO weeks)"),
    ("MTD", "Month", "since the last value of the month before"),
    ("QTD", "Quarter", "since the last value of the quarter before"),
    ("YTD", "Year", "since the last value of the year before"),
)
ESTIMATES = (
    "annual_return", "volatility", "sharpe", "sortino", "max_drawdown", "value_at_risk", "expected_shortfall",
    "beta", "information_ratio",
)  # fmt: skip
TITLES = {
    "annual_return": "Annual return", "max_drawdown": "Max DD", "value_at_risk": "VaR 95 %",
    "expected_shortfall": "ES 95 %", "information_ratio": "Info ratio",
}  # fmt: skip
LOSSES = ("value_at_risk", "expected_shortfall")
STEPS = {"D": "on the day", "W": "in the week", "M": "in the month"}
ARROWS = {"gain": "▲ ", "loss": "▼ ", "": ""}
INDEPENDENT = "95 % confidence, for independent returns (a run of good or bad days makes it wider)."


@dataclass(frozen=True, slots=True)
class Headline:
    """One card: title, the figure as shown, the lines below it, its definition, and whether it is gain or loss."""

    id: str
    title: str
    value: str
    lines: tuple[str, ...]
    """Beside the benchmark, how sure, and how it changed; what there is of them."""
    definition: str
    tone: str = ""
    spark: list[float | None] | None = None


def card_strip(shown: Shown, seen: float | None = None, stale_after_seconds: float | None = None) -> html.Div:
    """Return the strip of cards; `seen` is when the newest value came, None for data that has no age."""
    strip = cards(*[_card(each, seen, stale_after_seconds) for each in headlines(shown)], minimum_px=NARROWEST_PX)
    return html.Div(strip, className="fw-headlines")


def headlines(shown: Shown) -> list[Headline]:
    """Return every headline figure in the order of the page."""
    return [_value(shown), *_calendar(shown), *_estimates(shown), _current_drawdown(shown)]


def _card(item: Headline, seen: float | None, stale_after_seconds: float | None) -> Any:
    return card(
        f"portfolio-card-{item.id}",
        item.title,
        ARROWS[item.tone] + item.value,
        why=[html.Span(line, className="fw-card-line") for line in item.lines],
        definition=item.definition,
        tone=item.tone,
        spark=item.spark,
        as_of=seen,
        stale_after_seconds=stale_after_seconds,
    )


def _value(shown: Shown) -> Headline:
    nav = shown.nav
    last = float(nav.value[-1]) if len(nav) else None
    lines = [f"{shown.portfolio.currency} · {shown.last_day or '–'}"]
    if len(nav) > 1:
        lines.append(f"{text.money(float(nav.value[-1] - nav.value[-2]), signed=True)} on the day")
    flow = text.money(float(nav.flow[1:].sum()))
    return Headline(
        "value",
        "Value",
        text.money(last),
        tuple(lines),
        f"Net asset value at the end of {shown.last_day or 'the last day'}. Money in less money out since the first "
        f"value: {flow}.",
        spark=[round(float(value), 2) for value in nav.value[-SPARK_DAYS:]],
    )


def _calendar(shown: Shown) -> list[Headline]:
    own, other = shown.own.daily, _up_to_date(shown)
    first = f"since {own.dates[0]}" if len(own) else ""
    return [
        _compared(shown, "day", "Day", _day(own), _day(other), "since the value before the last"),
        *[
            _compared(shown, period.lower(), name, _to_date(own, period), _to_date(other, period), since)
            for period, name, since in TO_DATE
        ],
        _window(shown, own, other),
        _compared(shown, "total", "Total", _total(own), _total(other), first),
    ]


def _window(shown: Shown, own: Track, other: Track | None) -> Headline:
    """Return the return of the window; of a year where the window is the whole history, which has its own card."""
    if shown.window == "ITD" and not shown.is_zoomed:
        since = "since the value on the same day a year earlier"
        return _compared(shown, "1y", "1 year", _year(own), _year(other), since)
    since = f"since {shown.part.dates[0]}" if len(shown.part) else "in the window"
    title = f"Window: {shown.window_name}"
    return _compared(shown, "window", title, _total(shown.part), _total(shown.part_benchmark), since)


def _compared(shown: Shown, id: str, title: str, own: float | None, other: float | None, since: str) -> Headline:
    value = math.nan if own is None else own
    lines = [] if math.isfinite(value) else ["history too short"]
    if other is not None:
        lines.append(f"{shown.benchmark_name} {text.percent(other, signed=True)}")
        if math.isfinite(value - other):
            lines.append(f"{text.number(100 * abs(value - other), 2)} pts {'ahead' if value >= other else 'behind'}")
    last = shown.own.daily.dates[-1] if len(shown.own.daily) else "the last value"
    return Headline(
        id,
        title,
        text.percent(value, signed=True),
        tuple(lines),
        f"Time-weighted return {since}, external flows taken out. Anchored at {last}, the last value.",
        _tone(value),
    )


def _estimates(shown: Shown) -> list[Headline]:
    metrics = [metric for metric in METRICS if metric.key in ESTIMATES]
    found = side_by_side(shown, metrics)
    before = period_before(shown, metrics) if len(shown.part) > 2 else None
    sure = _intervals(shown, shown.part.returns[1:])
    by_key = {metric.key: metric for metric in found.metrics}
    return [
        _estimate(shown, by_key[key], found, before, sure.get(key, intervals.NONE))
        for key in ESTIMATES
        if key in by_key
    ]


def _estimate(
    shown: Shown, metric: Metric, found: Summary, before: Summary | None, interval: intervals.Interval
) -> Headline:
    value = found.of(metric.key)
    reason = found.reason(metric.key)
    lines = [reason] if reason else []
    if shown.benchmark and not metric.needs_benchmark:
        lines.append(f"{shown.benchmark_name} {_said(metric, found.of(metric.key, -1))}")
    if not math.isnan(interval[0]):
        low, high = _said(metric, interval[0]), _said(metric, interval[1])
        lines.append(f"{low.removesuffix(' %')} … {high}")
    change = math.nan if before is None else value - before.of(metric.key)
    if math.isfinite(change):
        lines.append(f"{_change(metric, change)} {STEPS[shown.frequency]}")
    if metric.key == "max_drawdown":
        lines[:0] = _trough(shown)
    count = _count(shown.part.returns)
    told = (
        f"{metric.definition} {shown.window_name}, {FREQUENCY_NAMES[shown.frequency]} returns, n = {count}, "
        f"{shown.periods} a year, risk-free {text.percent(shown.risk_free)} a year."
    )
    if not math.isnan(interval[0]):
        told += f" Low … high: {INDEPENDENT}"
    tone = _tone(value) if metric.key == "annual_return" else ""
    return Headline(
        _card_id(metric.key), TITLES.get(metric.key, metric.title), _said(metric, value), tuple(lines), told, tone
    )


def _intervals(shown: Shown, returns: Floats) -> dict[str, intervals.Interval]:
    rate = per_period_rate(shown.risk_free, shown.periods)
    found = {
        "annual_return": intervals.annual_return_interval(returns, shown.periods),
        "volatility": intervals.volatility_interval(returns, shown.periods),
        "sharpe": intervals.sharpe_interval(returns, rate, shown.periods),
        "sortino": intervals.sortino_interval(returns, rate, shown.periods),
        "value_at_risk": intervals.value_at_risk_interval(returns),
        "expected_shortfall": intervals.expected_shortfall_interval(returns),
    }
    if shown.benchmark:
        own, other = shown.pair(shown.own)
        found["beta"] = intervals.beta_interval(own.returns[1:], other.returns[1:])
    return found


def _current_drawdown(shown: Shown) -> Headline:
    daily = shown.own.daily
    water = underwater(daily.index)
    now = float(water[-1]) if len(water) else math.nan
    lines = ["at its best day"] if now == 0 else []
    if now < 0:
        peak = len(water) - 1 - int(np.argmax(water[::-1] == 0))
        days = int((daily.dates[-1] - daily.dates[peak]).astype(int))
        lines = [f"since {daily.dates[peak]},", text.count(days, "day")]
    if len(water) > 1:
        lines.append(f"{_points(now - float(water[-2]))} on the day")
    first = daily.dates[0] if len(daily) else "the first value"
    return Headline(
        "current-drawdown",
        "Current DD",
        text.percent(now),
        tuple(lines),
        f"How far the index is below its best day since {first}, whatever the window.",
    )


def _trough(shown: Shown) -> Sequence[str]:
    deepest = worst(shown.part, 1)
    return (f"trough {shown.part.dates[deepest[0].trough]}",) if deepest else ()


def _said(metric: Metric, value: float) -> str:
    return text.percent(value) if metric.unit == "percent" else text.ratio(value)


def _change(metric: Metric, change: float) -> str:
    return _points(change) if metric.unit == "percent" else text.ratio(change, signed=True)


def _points(change: float) -> str:
    return f"{text.number(100 * change, 2, signed=True)} pts"


def _card_id(key: str) -> str:
    return {"annual_return": "annual"}.get(key, key.replace("_", "-"))


def _tone(value: float) -> str:
    return "gain" if value > 0 else "loss" if value < 0 else ""


def _up_to_date(shown: Shown) -> Track | None:
    """Return the benchmark, without a day when it ends before the portfolio does: its week would be another."""
    if shown.benchmark is None:
        return None
    other, own = shown.benchmark.daily, shown.own.daily
    if len(other) and len(own) and other.dates[-1] == own.dates[-1]:
        return other
    return between(other, 0, 0)


def _day(track: Track | None) -> float | None:
    return None if track is None else float(track.returns[-1]) if len(track) > 1 else math.nan


def _to_date(track: Track | None, period: ToDate) -> float | None:
    return None if track is None else float(to_date(track.dates, track.index, period))


def _year(track: Track | None) -> float | None:
    return None if track is None else float(trailing_months(track.dates, track.index, 12))


def _total(track: Track | None) -> float | None:
    return None if track is None else float(track.index[-1] / track.index[0] - 1) if len(track) > 1 else math.nan


def _count(returns: Floats) -> int:
    """Return how many returns there are."""
    return int(np.isfinite(returns).sum())
