"""The headline cards of the Portfolio tab, each with its definition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from dash import html

from analytics.calendar import ToDate, to_date, trailing_months
from analytics.performance import Figures, Track, between, drawdowns, figures, worst
from dashboard import format as text
from dashboard.components.card import card, cards
from dashboard.portfolio_data import Shown

SPARK_DAYS = 63
TO_DATE: tuple[tuple[ToDate, str, str], ...] = (
    ("WTD", "Week", "since the last value of the week before (ISO weeks)"),
    ("MTD", "Month", "since the last value of the month before"),
    ("QTD", "Quarter", "since the last value of the quarter before"),
    ("YTD", "Year", "since the last value of the year before"),
)
ARROWS = {"gain": "▲ ", "loss": "▼ ", "": ""}


@dataclass(frozen=True, slots=True)
class Headline:
    """One card: title, text shown, the line below, its definition, and whether it is a gain or a loss."""

    id: str
    title: str
    value: str
    why: str
    definition: str
    tone: str = ""
    spark: list[float | None] | None = None


def card_strip(shown: Shown) -> html.Div:
    """Return the strip of cards."""
    return cards(*[_card(each) for each in headlines(shown)], minimum_px=180)


def headlines(shown: Shown) -> list[Headline]:
    """Return every headline figure in the order of the page."""
    own = figures(shown.part, shown.periods)
    other = figures(shown.part_benchmark, shown.periods) if shown.part_benchmark is not None else None
    return [_value(shown), *_periods(shown), *_risk(shown, own, other), *_drawdown(shown, own, other)]


def _value(shown: Shown) -> Headline:
    series = shown.nav
    last = float(series.value[-1]) if len(series) else None
    flow = float(series.flow.sum())
    return Headline(
        "value",
        "Value",
        text.money(last),
        f"{shown.portfolio.currency} · {_last_day(shown.whole)}",
        f"Net asset value at the end of the last day. Money in less money out since inception: {text.money(flow)}.",
        spark=[round(float(value), 2) for value in series.value[-SPARK_DAYS:]],
    )


def _periods(shown: Shown) -> list[Headline]:
    whole, other = shown.whole, _up_to_date(shown)
    return [
        _return("day", "Day", _day(whole), _day(other), shown, "since the value of the day before"),
        *[
            _return(period.lower(), name, _to_date(whole, period), _to_date(other, period), shown, since)
            for period, name, since in TO_DATE
        ],
        _return("1y", "1 year", _year(whole), _year(other), shown, "since the value on the same day a year earlier"),
        _return("total", "Total", _total(whole), _total(other), shown, f"since {_first_day(whole)}"),
    ]


def _risk(shown: Shown, own: Figures, other: Figures | None) -> list[Headline]:
    n = f"{shown.window_name}, n = {own.observations}"
    return [
        Headline(
            "annual", "Annual return", text.percent(own.annual, signed=True),
            _versus(shown, text.percent(other.annual, signed=True) if other else None, _short(shown, own)),
            f"Compounded: product of (1 + r) to the power of {shown.periods}/n, less 1; n/a below a year (GIPS). {n}.",
            _tone(own.annual),
        ),
        Headline(
            "volatility", "Volatility", text.percent(own.volatility),
            _versus(shown, text.percent(other.volatility) if other else None, shown.window_name),
            f"Standard deviation of daily returns (n − 1) times √{shown.periods}. {n}.",
        ),
        Headline(
            "sharpe", "Sharpe", text.ratio(own.sharpe),
            _versus(shown, text.ratio(other.sharpe) if other else None, shown.window_name),
            f"Mean daily return over its standard deviation, times √{shown.periods}; rate 0 (Sharpe 1994). {n}.",
        ),
        Headline(
            "sortino", "Sortino", text.ratio(own.sortino),
            _versus(shown, text.ratio(other.sortino) if other else None, shown.window_name),
            f"Mean annual return over the downside deviation of all days, target 0 (Sortino & van der Meer 1991). {n}.",
        ),
    ]  # fmt: skip


def _drawdown(shown: Shown, own: Figures, other: Figures | None) -> list[Headline]:
    deepest = worst(shown.part, 1)
    trough = f"trough {shown.part.dates[deepest[0].trough]}" if deepest else "none"
    whole = shown.whole
    water = drawdowns(whole)
    now = float(water[-1]) if len(water) else float("nan")
    since = "at its best day"
    if now < 0:
        peak = len(water) - 1 - int(np.argmax(water[::-1] == 0))
        since = f"since {whole.dates[peak]}, {(whole.dates[-1] - whole.dates[peak]).astype(int)} days"
    return [
        Headline(
            "max-drawdown", "Max drawdown", text.percent(own.max_drawdown),
            _versus(shown, text.percent(other.max_drawdown) if other else None, trough),
            f"Deepest fall below the best day so far, the first day included ({trough}). {shown.window_name}.",
        ),
        Headline(
            "current-drawdown", "Current drawdown", text.percent(now), since,
            f"How far the index is below its best day since {_first_day(whole)}, whatever the window.",
        ),
    ]  # fmt: skip


def _return(id: str, title: str, own: float | None, other: float | None, shown: Shown, since: str) -> Headline:
    note = None if other is None else text.percent(other, signed=True)
    return Headline(
        id,
        title,
        text.percent(own, signed=True),
        _versus(shown, note, "history too short" if own is None or not np.isfinite(own) else ""),
        f"Time-weighted return {since}, external flows taken out. Anchored at {_last_day(shown.whole)}.",
        _tone(own),
    )


def _card(item: Headline) -> Any:
    return card(
        f"portfolio-card-{item.id}",
        item.title,
        ARROWS[item.tone] + item.value,
        why=item.why,
        definition=item.definition,
        tone=item.tone,
        spark=item.spark,
    )


def _versus(shown: Shown, benchmark: str | None, otherwise: str) -> str:
    return f"{shown.benchmark_name} {benchmark}" if benchmark is not None else otherwise


def _short(shown: Shown, own: Figures) -> str:
    return "n/a below one year" if not np.isfinite(own.annual) else shown.window_name


def _tone(value: float | None) -> str:
    if value is None:
        return ""
    return "gain" if value > 0 else "loss" if value < 0 else ""


def _day(track: Track | None) -> float | None:
    if track is None:
        return None
    return float(track.returns[-1]) if len(track) > 1 else float("nan")


def _up_to_date(shown: Shown) -> Track | None:
    """Return the benchmark, without a day when it ends before the portfolio does: its week would be another."""
    other = shown.whole_benchmark
    if other is None or (len(other) and other.dates[-1] == shown.whole.dates[-1]):
        return other
    return between(other, 0, 0)


def _to_date(track: Track | None, period: ToDate) -> float | None:
    return None if track is None else to_date(track.dates, track.index, period)


def _year(track: Track | None) -> float | None:
    return None if track is None else trailing_months(track.dates, track.index, 12)


def _total(track: Track | None) -> float | None:
    if track is None:
        return None
    return float(track.index[-1] / track.index[0] - 1) if len(track) > 1 else float("nan")


def _first_day(track: Track) -> str:
    return str(track.dates[0]) if len(track) else "–"


def _last_day(track: Track) -> str:
    return str(track.dates[-1]) if len(track) else "–"
