"""The headline cards of the Portfolio tab: each figure with its change, how sure it is, and its definition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from dash import html

from analytics.cadence import Rhythm
from analytics.calendar import ToDate
from analytics.metrics import Metric
from core import format as text
from dashboard.components.card import card, cards
from portfolio.data import PortfolioData, begins_in_gap, is_whole
from portfolio.headlines import (
    Compared,
    Estimate,
    current_drawdown,
    day_return,
    estimates,
    net_asset_value,
    observations,
    to_date_return,
    total_return,
    trough,
    window_return,
    year_return,
)

SPARK_DAYS = 63
NARROWEST_PX = 146
"""Nine cards a row on a page of 1440 px."""
TO_DATE: tuple[tuple[ToDate, str, str], ...] = (
    ("WTD", "Week", "since the last value of the week before (ISO weeks)"),
    ("MTD", "Month", "since the last value of the month before"),
    ("QTD", "Quarter", "since the last value of the quarter before"),
    ("YTD", "Year", "since the last value of the year before"),
)
TITLES = {
    "annual_return": "Annual return", "max_drawdown": "Max DD", "value_at_risk": "VaR 95 %",
    "expected_shortfall": "ES 95 %", "information_ratio": "Info ratio",
}  # fmt: skip
LAST: dict[Rhythm, str] = {
    "daily": "Day", "weekly": "Last week", "monthly": "Last month", "quarterly": "Last quarter",
    "irregular": "Last value",
}  # fmt: skip
"""What the return since the value before the last is called."""
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
    estimated = [_estimate(data, each) for each in estimates(data)]
    return [_value(data), *_calendar(data), *estimated, _current_drawdown(data)]


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
    found = net_asset_value(data)
    lines = [f"{data.portfolio.currency} · {data.last_day or '–'}"]
    if len(data.nav) > 1:
        lines.append(f"{text.money(found.change, signed=True)} {_since_last(data)}")
    flow = text.money(found.net_flow)
    return Headline(
        "value",
        "Value",
        text.money(found.value),
        tuple(lines),
        f"Net asset value at the end of {data.last_day or 'the last day'}. Net flow since the first value: {flow}.",
        spark=[round(float(value), 2) for value in data.nav.value[-SPARK_DAYS:]],
    )


def _calendar(data: PortfolioData) -> list[Headline]:
    own = data.own.daily
    first = f"since {own.dates[0]}" if len(own) else ""
    return [
        _compared(data, "day", LAST[data.own.cadence.rhythm], day_return(data), "since the value before the last"),
        *[_compared(data, key.lower(), name, to_date_return(data, key), since) for key, name, since in TO_DATE],
        _window(data),
        _compared(data, "total", "Total", total_return(data), first),
    ]


def _window(data: PortfolioData) -> Headline:
    """Return the return of the window; of a year where the window is the whole history, which has its own card.

    The days shown are named where they are not those of the window: the history is younger, or a gap lies before them.
    """
    if data.query.window_name == "ITD":
        return _compared(data, "1y", "1 year", year_return(data), "since the value on the same day a year earlier")
    since = f"since {data.part.dates[0]}" if len(data.part) else "in the window"
    found = window_return(data)
    if len(data.part) and is_whole(data) and not found.told:
        found = replace(found, told=f"since inception, {data.part.dates[0]}")
    elif begins_in_gap(data) and not found.told and not found.reason:
        found = replace(found, told=f"since {data.part.dates[0]}, after a gap")
    return _compared(data, "window", f"Window: {data.query.window_name}", found, since)


def _compared(data: PortfolioData, id: str, title: str, found: Compared, since: str) -> Headline:
    lines = [_short(each) for each in (found.told, "" if math.isfinite(found.own) else found.reason) if each]
    if found.benchmark is not None:
        lines.append(f"{data.benchmark_name} {text.percent(found.benchmark, signed=True)}")
    if math.isfinite(found.ahead):
        lines.append(f"{text.number(100 * abs(found.ahead), 2)} pts {'ahead' if found.ahead >= 0 else 'behind'}")
    last = data.own.daily.dates[-1] if len(data.own.daily) else "the last value"
    return Headline(
        id,
        title,
        text.percent(found.own, signed=True),
        tuple(lines),
        f"Time-weighted return {since}, external flows excluded. Ends with the last value, {last}.{_told(found.told)}",
        _tone(found.own),
    )


def _estimate(data: PortfolioData, found: Estimate) -> Headline:
    metric, (low, high) = found.metric, found.interval
    lines = [_short(each) for each in (found.reason, found.told) if each]
    if found.benchmark is not None:
        lines.append(f"{data.benchmark_name} {_said(metric, found.benchmark)}")
    if not math.isnan(low):
        lines.append(f"{_said(metric, low).removesuffix(' %')} … {_said(metric, high)}")
    if math.isfinite(found.change):
        lines.append(f"{_change(metric, found.change)} {_step(data)}")
    if metric.key == "max_drawdown":
        lines[:0] = _trough(data)
    told = (
        f"{metric.definition} {data.query.window_name}, {data.frequency_name} returns, "
        f"n = {observations(data)}, {data.periods:.4g} a year, risk-free {data.risk_free.said}."
    )
    if not math.isnan(low):
        told += f" Low … high: {INDEPENDENT}"
    told += _told(found.told)
    tone = _tone(found.value) if metric.key == "annual_return" else ""
    return Headline(
        _card_id(metric.key), TITLES.get(metric.key, metric.title), _said(metric, found.value), tuple(lines), told, tone
    )


def _current_drawdown(data: PortfolioData) -> Headline:
    daily, found = data.own.daily, current_drawdown(data)
    lines = ["at its high"] if found.depth == 0 else []
    if found.peak is not None:
        lines = [f"since {found.peak},", text.count(found.days, "day")]
    if len(daily) > 1:
        lines.append(f"{_points(found.change)} {_since_last(data)}")
    first = daily.dates[0] if len(daily) else "the first value"
    return Headline(
        "current-drawdown",
        "Current DD",
        text.percent(found.depth),
        tuple(lines),
        f"Index below its running maximum since {first}, whatever the window.",
    )


def _short(told: str) -> str:
    """Return what must be known beside a figure as its card has room for it; the rest is in the definition."""
    return f"† {told.partition(':')[0]}" if ":" in told else told


def _told(told: str) -> str:
    return f" {told[0].upper()}{told[1:]}." if told else ""


def _step(data: PortfolioData) -> str:
    return "on the day" if data.unit == "day" else f"in the {data.unit}"


def _since_last(data: PortfolioData) -> str:
    return "on the day" if data.own.cadence.rhythm == "daily" else "since the last"


def _trough(data: PortfolioData) -> Sequence[str]:
    day = trough(data)
    return () if day is None else (f"trough {day}",)


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
