"""The headline cards of the Portfolio tab: each figure with its change, how sure it is, and its definition.

Two groups: those that end with the last value, whatever the window, and those of the window.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dash import html

from analytics.cadence import Rhythm
from analytics.calendar import ToDate
from analytics.metrics import Metric
from core import format as text
from dashboard.components.age import age
from dashboard.components.attributes import attributes
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
NARROWEST_PX = 132
"""Ten cards a row on a page of 1440 px."""
TO_DATE: tuple[tuple[ToDate, str, str], ...] = (
    ("WTD", "Week", "since the last value of the week before (ISO weeks)"),
    ("MTD", "Month", "since the last value of the month before"),
    ("QTD", "Quarter", "since the last value of the quarter before"),
    ("YTD", "Year", "since the last value of the year before"),
)
TITLES = {
    "annual_return": "Annual return", "max_drawdown": "Max DD", "value_at_risk": "VaR {confidence}",
    "expected_shortfall": "ES {confidence}", "information_ratio": "Info ratio",
}  # fmt: skip
IN_MONEY = ("value_at_risk", "expected_shortfall")
"""Figures that are told in money, too."""
LAST: dict[Rhythm, str] = {
    "daily": "Day", "weekly": "Last week", "monthly": "Last month", "quarterly": "Last quarter",
    "irregular": "Last value",
}  # fmt: skip
"""What the return since the value before the last is called."""


def last_title(rhythms: Iterable[Rhythm]) -> str:
    """Return what the return since the value before the last is called, of portfolios that are valued as often."""
    names = {LAST[each] for each in rhythms}
    return names.pop() if len(names) == 1 else LAST["irregular"]


NO_LONGER: dict[Rhythm, frozenset[ToDate]] = {
    "weekly": frozenset({"WTD"}),
    "monthly": frozenset({"WTD", "MTD"}),
    "quarterly": frozenset({"WTD", "MTD", "QTD"}),
}
"""Returns to date that are never of more than the last value: its own card says them."""
ARROWS = {"gain": "▲ ", "loss": "▼ ", "": ""}
OTHER_LETTERS = 9
"""Of a name on the card of another portfolio."""
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
    """Return the strips of cards; `seen` is when the newest value came, None for data that has no age."""
    oldest = [] if seen is None else ["· ", age(seen, stale_after_seconds)]
    return html.Div(
        [
            _group(["To the last value", f" · {data.last_day or '–'}, whatever the window ", *oldest], to_last(data)),
            _group(["In the window", f" · {_window_words(data)}"], in_window(data)),
        ],
        className="fw-headlines",
    )


def headlines(data: PortfolioData) -> list[Headline]:
    """Return every headline figure in the order of the page."""
    return [*to_last(data), *in_window(data)]


def to_last(data: PortfolioData) -> list[Headline]:
    """Return the figures that end with the last value and begin where the calendar says, whatever the window."""
    return [_value(data), *_calendar(data), _current_drawdown(data)]


def in_window(data: PortfolioData) -> list[Headline]:
    """Return the figures of the window."""
    own = [] if data.query.window_name == "ITD" else [_window(data)]
    return [*own, *(_estimate(data, each) for each in estimates(data))]


def _group(title: Sequence[Any], items: Sequence[Headline]) -> html.Section:
    name, *more = title
    heading = html.P([html.Span(name, className="fw-group-name"), *more], className="fw-group-title")
    return html.Section(
        [heading, cards(*[_card(each) for each in items], minimum_px=NARROWEST_PX)],
        className="fw-group",
        **attributes(aria_label=name),
    )


def _window_words(data: PortfolioData) -> str:
    days = data.part.dates
    shown = f", {days[0]} – {days[-1]}" if len(days) else ""
    return f"{data.query.window_name}{shown}, {data.frequency_name} returns"


def _card(item: Headline) -> Any:
    return card(
        f"portfolio-card-{item.id}",
        item.title,
        ARROWS[item.tone] + item.value,
        why=[html.Span(line, className="fw-card-line") for line in item.lines],
        definition=item.definition,
        tone=item.tone,
        spark=item.spark,
    )


def _value(data: PortfolioData) -> Headline:
    found = net_asset_value(data)
    built = " · built from trades" if data.own.built else ""
    lines = [f"{data.portfolio.currency} · {data.last_day or '–'}{built}"]
    if len(data.nav) > 1:
        lines.append(f"{_since_last(data)}: {text.money(found.change, signed=True)}")
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
        *[
            _compared(data, key.lower(), name, to_date_return(data, key), since)
            for key, name, since in TO_DATE
            if key not in NO_LONGER.get(data.own.cadence.rhythm, ())
        ],
        _compared(data, "1y", "1 year", year_return(data), "since the value on the same day a year earlier"),
        _compared(data, "total", "Total", total_return(data), first),
    ]


def _window(data: PortfolioData) -> Headline:
    """Return the return of the window.

    The days shown are named where they are not those of the window: the history is younger, or a gap lies before them.
    """
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
    lines += _others(data, [text.percent(value, signed=True) for value in found.others])
    if math.isfinite(found.ahead):
        lines.append(f"{text.points(abs(found.ahead), signed=False)} {'ahead' if found.ahead >= 0 else 'behind'}")
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
    lines += _others(data, [_said(metric, value) for value in found.others])
    if not math.isnan(low):
        lines.append(f"95 % CI {_said(metric, low).removesuffix(' %')}…{_said(metric, high)}")
    if math.isfinite(found.change):
        lines.append(f"{_step(data)}: {_change(metric, found.change)}")
    if is_money := metric.key in IN_MONEY and math.isfinite(found.value * net_asset_value(data).value):
        lines[:0] = [f"{_in_money(data, found.value)} in a {data.unit}"]
    if metric.key == "max_drawdown":
        lines[:0] = _trough(data)
    told = (
        f"{metric.definition} {data.query.window_name}, {data.frequency_name} returns, "
        f"n = {observations(data)}, {data.periods:.4g} a year, risk-free {data.risk_free.said}."
    )
    if is_money:
        told += f" In money: of the last value, {text.money(net_asset_value(data).value, data.portfolio.currency)}."
    if not math.isnan(low):
        told += f" CI: {INDEPENDENT}"
    if math.isfinite(found.change):
        told += f" {_step(data).capitalize()}: against the figure without the window’s last return."
    told += _told(found.told)
    tone = _tone(found.value) if metric.key == "annual_return" else ""
    title = TITLES.get(metric.key, metric.title).format(confidence=data.query.confidence_name)
    return Headline(_card_id(metric.key), title, _said(metric, found.value), tuple(lines), told, tone)


def _current_drawdown(data: PortfolioData) -> Headline:
    daily, found = data.own.daily, current_drawdown(data)
    lines = ["at its high"] if found.depth == 0 else []
    if found.peak is not None:
        lines = [f"peak {found.peak}", f"{text.count(found.days, 'day')} ago"]
    if len(daily) > 1:
        lines.append(f"{_since_last(data)}: {text.points(found.change)}")
    lines += _others(data, [text.percent(value) for value in found.others])
    first = daily.dates[0] if len(daily) else "the first value"
    return Headline(
        "current-drawdown",
        "Current DD",
        text.percent(found.depth),
        tuple(lines),
        f"Index below its running maximum since {first}, whatever the window.",
    )


def _others(data: PortfolioData, said: Sequence[str]) -> list[str]:
    """Return a line for each portfolio that the chosen one is compared with."""
    return [f"{text.cut(line.name, OTHER_LETTERS)} {each}" for line, each in zip(data.compared, said, strict=True)]


def _short(told: str) -> str:
    """Return what must be known beside a figure as its card has room for it; the rest is in the definition."""
    return f"† {told.partition(':')[0]}" if ":" in told else told


def _told(told: str) -> str:
    return f" {told[0].upper()}{told[1:]}." if told else ""


def _step(data: PortfolioData) -> str:
    return "on the day" if data.unit == "day" else f"last {data.unit}"


def _since_last(data: PortfolioData) -> str:
    return "on the day" if data.own.cadence.rhythm == "daily" else LAST[data.own.cadence.rhythm].lower()


def _in_money(data: PortfolioData, ratio: float) -> str:
    return text.money(ratio * net_asset_value(data).value, data.portfolio.currency)


def _trough(data: PortfolioData) -> Sequence[str]:
    day = trough(data)
    return () if day is None else (f"trough {day}",)


def _said(metric: Metric, value: float) -> str:
    return text.percent(value) if metric.unit == "percent" else text.ratio(value)


def _change(metric: Metric, change: float) -> str:
    return text.points(change) if metric.unit == "percent" else text.ratio(change, signed=True)


def _card_id(key: str) -> str:
    return {"annual_return": "annual"}.get(key, key.replace("_", "-"))


def _tone(value: float) -> str:
    return "gain" if value > 0 else "loss" if value < 0 else ""
