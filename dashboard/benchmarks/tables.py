"""Series, blends and risk-free rates as tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dash import html

from core import format as text
from core.currency import CASH
from dashboard.benchmarks.facts import Facts
from dashboard.components.age import age
from dashboard.components.choices import choice_button
from dashboard.components.table import Cell, Column, data_table
from portfolio.series.decide import weight_text
from storage.state.series import Series

ID = "benchmarks"
KINDS = {"price": "price", "total_return": "total return", "rate": "rate", "fx": "currency"}
"""What kinds of series are called."""
_SERIES = (
    Column("name", "Series", numeric=False),
    Column("symbol", "Symbol", numeric=False),
    Column("kind", "Kind", numeric=False, definition="Price: without dividends. Total return: with them."),
    Column("currency", "Currency", numeric=False),
    Column("day_count", "Day count", numeric=False, definition="How days of interest become a share of a year"),
    Column("values", "Values from – to", numeric=False),
    Column("count", "Values"),
    Column("last", "Last value", definition="Of a rate: percent a year"),
    Column("age", "Age", definition="Of the last value"),
    Column("used", "Benchmark of", numeric=False),
)
_BLENDS = (
    Column("name", "Blend", numeric=False),
    Column("parts", "Parts", numeric=False),
    Column("rebalancing", "Weights restored", numeric=False),
    Column("currency", "Currency", numeric=False, definition="That the parts are converted to; else the portfolio's"),
    Column("used", "Benchmark of", numeric=False),
)
_RATES = (
    Column("currency", "Currency", numeric=False),
    Column("rate", "Risk-free rate", numeric=False),
    Column("used", "Portfolios in it", numeric=False),
)


def series_table(facts: Facts, chosen: str) -> html.Div:
    """Return a row a series; its name opens its settings."""
    rows = [_series_row(facts, each, chosen) for each in facts.known.series.values()]
    return data_table(f"{ID}-series-rows", _SERIES, rows, caption="Series of prices and rates")


def blends_table(facts: Facts, chosen: str) -> html.Div:
    """Return a row a blend; its name opens it."""
    rows = [
        {
            "name": _opens("blend", each.id, each.name, chosen),
            "parts": " + ".join(f"{weight_text(weight)} % {_part(facts, symbol)}" for symbol, weight in each.parts),
            "rebalancing": each.rebalancing,
            "currency": each.currency or Cell("the portfolio’s", tone="muted"),
            "used": ", ".join(facts.users(key)) or None,
        }
        for key, each in facts.known.blends.items()
    ]
    return data_table(f"{ID}-blends-rows", _BLENDS, rows, caption="Blends", nothing="There is no blend yet.")


def rates_table(facts: Facts) -> html.Div:
    """Return a row a currency that has a rate, or that a portfolio is in."""
    currencies = sorted({*facts.currencies, *facts.known.risk_free})
    rows = [{"currency": each, "rate": _rate(facts, each), "used": _in(facts, each)} for each in currencies]
    nothing = "No portfolio yet: no currency needs a rate."
    return data_table(f"{ID}-rates-rows", _RATES, rows, caption="Risk-free rates", nothing=nothing)


def currencies(facts: Facts) -> list[Any]:
    """Return which pairs of currencies have prices, and what lacks one."""
    there = ", ".join(map(str, facts.pairs)) or "none yet"
    lacking = facts.lacking()
    told = [html.P(f"Pairs with prices: {there}.", className="fw-nothing")]
    if lacking:
        told.append(html.P(["Missing, so that it is not converted: ", "; ".join(lacking), "."], className="fw-nothing"))
    how = "Import prices whose symbol is two currencies: EURUSD is dollars for one euro (EUR/USD and EURUSD=X, too)."
    return [*told, html.P([how, " ", html.A("Import", href="/import"), "."], className="fw-nothing")]


def _series_row(facts: Facts, each: Series, chosen: str) -> dict[str, Any]:
    span = facts.spans[each.symbol]
    shown = f"{span.value:,.4g} %" if each.kind == "rate" else f"{span.value:,.6g}"
    return {
        "name": _opens("series", each.symbol, each.name, chosen, each.note),
        "symbol": each.symbol,
        "kind": KINDS[each.kind],
        "currency": each.currency or Cell("not known", tone="muted"),
        "day_count": each.day_count or None,
        "values": f"{_day(span.first)} – {_day(span.last)}",
        "count": Cell(f"{span.values:,}", sort=span.values),
        "last": Cell(shown.replace("-", "−"), sort=span.value),
        "age": Cell(age(float(span.last)), sort=-float(span.last)),
        "used": ", ".join(facts.users(each.symbol)) or None,
    }


def _opens(what: str, id: str, name: str, chosen: str, hint: str = "") -> Cell:
    other = {"series": "blend", "blend": "series"}[what]
    is_open = id == chosen
    button = choice_button(
        ID, {what: None if is_open else id, other: None}, name, pressed=is_open, label=f"Settings of {name}"
    )
    return Cell(button, sort=name, hint=hint)


def _part(facts: Facts, symbol: str) -> str:
    return "cash" if symbol == CASH else facts.known.name(symbol)


def _rate(facts: Facts, currency: str) -> Any:
    found = facts.known.risk_free.get(currency)
    if found is None:
        return Cell("0 %: none is set", tone="muted")
    if not found.series:
        return f"{text.percent(found.percent / 100)} a year"
    series = facts.known.series.get(found.series)
    return f"{series.name}, {series.day_count}" if series else Cell(f"0 %: {found.series} has no rates", tone="warning")


def _in(facts: Facts, currency: str) -> str | None:
    return text.first_of([each.name for each in facts.portfolios if each.currency == currency]) or None


def _day(ts: int) -> str:
    return datetime.fromtimestamp(ts, UTC).date().isoformat()
