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
from portfolio.data import PortfolioData
from portfolio.query import FREQUENCY_NAMES
from portfolio.summary import period_before, side_by_side

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
INDEPENDENT = "95 % confidence interval for independent returns (autocorrelation makes it wider)."


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


def card_strip(data: PortfolioData, seen: float | None = None, stale_after_seconds: float | None = None) -> html.Div:
    """Return the strip of cards; `seen` is when the newest value came, None for data that has no age."""
    strip = cards(*[_card(each, seen, stale_after_seconds) for each in headlines(data)], minimum_px=NARROWEST_PX)
    return html.Div(strip, className="fw-headlines")


def headlines(data: PortfolioData) -> list[Headline]:
    """Return every headline figure in the order of the page."""
    return [_value(data), *_calendar(data), *_estimates(data), _current_drawdown(data)]


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


def _value(data: PortfolioData) -> Headline:
    nav = data.nav
    last = float(nav.value[-1]) if len(nav) else None
    lines = [f"{data.portfolio.currency} · {data.last_day or '–'}"]
    if len(nav) > 1:
        lines.append(f"{text.money(float(nav.value[-1] - nav.value[-2]), signed=True)} on the day")
    flow = text.money(float(nav.flow[1:].sum()))
    return Headline(
        "value",
        "Value",
        text.money(last),
        tuple(lines),
        f"Net asset value at the end of {data.last_day or 'the last day'}. Net flow since the first value: {flow}.",
        spark=[round(float(value), 2) for value in nav.value[-SPARK_DAYS:]],
    )


def _calendar(data: PortfolioData) -> list[Headline]:
    own, other = data.own.daily, _up_to_date(data)
    first = f"since {own.dates[0]}" if len(own) else ""
    return [
        _compared(data, "day", "Day", _day(own), _day(other), "since the value before the last"),
        *[
            _compared(data, period.lower(), name, _to_date(own, period), _to_date(other, period), since)
            for period, name, since in TO_DATE
        ],
        _window(data, own, other),
        _compared(data, "total", "Total", _total(own), _total(other), first),
    ]


def _window(data: PortfolioData, own: Track, other: Track | None) -> Headline:
    """Return the return of the window; of a year where the window is the whole history, which has its own card."""
    if data.query.window_name == "ITD":
        since = "since the value on the same day a year earlier"
        return _compared(data, "1y", "1 year", _year(own), _year(other), since)
    since = f"since {data.part.dates[0]}" if len(data.part) else "in the window"
    title = f"Window: {data.query.window_name}"
    return _compared(data, "window", title, _total(data.part), _total(data.part_benchmark), since)


def _compared(data: PortfolioData, id: str, title: str, own: float | None, other: float | None, since: str) -> Headline:
    value = math.nan if own is None else own
    lines = [] if math.isfinite(value) else ["history too short"]
    if other is not None:
        lines.append(f"{data.benchmark_name} {text.percent(other, signed=True)}")
        if math.isfinite(value - other):
            lines.append(f"{text.number(100 * abs(value - other), 2)} pts {'ahead' if value >= other else 'behind'}")
    last = data.own.daily.dates[-1] if len(data.own.daily) else "the last value"
    return Headline(
        id,
        title,
        text.percent(value, signed=True),
        tuple(lines),
        f"Time-weighted return {since}, external flows excluded. Ends with the last value, {last}.",
        _tone(value),
    )


def _estimates(data: PortfolioData) -> list[Headline]:
    metrics = [metric for metric in METRICS if metric.key in ESTIMATES]
    found = side_by_side(data, metrics)
    before = period_before(data, metrics) if len(data.part) > 2 else None
    sure = _intervals(data, data.part.returns[1:])
    by_key = {metric.key: metric for metric in found.metrics}
    return [
        _estimate(data, by_key[key], found, before, sure.get(key, intervals.NONE)) for key in ESTIMATES if key in by_key
    ]


def _estimate(
    data: PortfolioData, metric: Metric, found: Summary, before: Summary | None, interval: intervals.Interval
) -> Headline:
    value = found.of(metric.key)
    reason = found.reason(metric.key)
    lines = [reason] if reason else []
    if data.benchmark and not metric.needs_benchmark:
        lines.append(f"{data.benchmark_name} {_said(metric, found.of(metric.key, -1))}")
    if not math.isnan(interval[0]):
        low, high = _said(metric, interval[0]), _said(metric, interval[1])
        lines.append(f"{low.removesuffix(' %')} … {high}")
    change = math.nan if before is None else value - before.of(metric.key)
    if math.isfinite(change):
        lines.append(f"{_change(metric, change)} {STEPS[data.query.frequency]}")
    if metric.key == "max_drawdown":
        lines[:0] = _trough(data)
    count = _count(data.part.returns)
    told = (
        f"{metric.definition} {data.query.window_name}, {FREQUENCY_NAMES[data.query.frequency]} returns, n = {count}, "
        f"{data.periods} a year, risk-free {text.percent(data.query.risk_free)} a year."
    )
    if not math.isnan(interval[0]):
        told += f" Low … high: {INDEPENDENT}"
    tone = _tone(value) if metric.key == "annual_return" else ""
    return Headline(
        _card_id(metric.key), TITLES.get(metric.key, metric.title), _said(metric, value), tuple(lines), told, tone
    )


def _intervals(data: PortfolioData, returns: Floats) -> dict[str, intervals.Interval]:
    rate = per_period_rate(data.query.risk_free, data.periods)
    found = {
        "annual_return": intervals.annual_return_interval(returns, data.periods),
        "volatility": intervals.volatility_interval(returns, data.periods),
        "sharpe": intervals.sharpe_interval(returns, rate, data.periods),
        "sortino": intervals.sortino_interval(returns, rate, data.periods),
        "value_at_risk": intervals.value_at_risk_interval(returns),
        "expected_shortfall": intervals.expected_shortfall_interval(returns),
    }
    if data.benchmark:
        own, other = data.pair(data.own)
        found["beta"] = intervals.beta_interval(own.returns[1:], other.returns[1:])
    return found


def _current_drawdown(data: PortfolioData) -> Headline:
    daily = data.own.daily
    water = underwater(daily.index)
    now = float(water[-1]) if len(water) else math.nan
    lines = ["at its high"] if now == 0 else []
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
        f"Index below its running maximum since {first}, whatever the window.",
    )


def _trough(data: PortfolioData) -> Sequence[str]:
    deepest = worst(data.part, 1)
    return (f"trough {data.part.dates[deepest[0].trough]}",) if deepest else ()


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


def _up_to_date(data: PortfolioData) -> Track | None:
    """Return the benchmark, without a day when it ends before the portfolio does: its week would be another."""
    if data.benchmark is None:
        return None
    other, own = data.benchmark.daily, data.own.daily
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
