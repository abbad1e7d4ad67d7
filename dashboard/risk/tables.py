"""Tables of risk: what each position and group has of it, and what factors move the book."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dash import html

from core import format as text
from dashboard.components.table import Cell, Column, amounts_table
from dashboard.holdings.tables import tone
from dashboard.risk.links import instrument_link, portfolio_link
from portfolio.holdings import GROUPS, Group
from portfolio.risk import Part, Risk
from portfolio.risk_factors import Factors

MONEY = ("value", "component", "incremental", "shortfall")
ID, PATH = "risk", "/portfolio/risk"
POSITIONS, GROUPED, FACTORS = (f"{ID}-{name}-rows" for name in ("positions", "groups", "factors"))
COLUMNS = (
    Column("instrument", "Instrument", numeric=False, definition="Leads to its history on Holdings"),
    Column("portfolio", "Strategy", numeric=False, definition="The portfolio that holds it"),
    Column("value", "Value"),
    Column("weight", "Weight", definition="Value over the portfolio's net asset value", unit="ratio"),
    Column("marginal", "Marginal", definition="VaR that one more unit of currency in it adds", plain="Marginal VaR",
           unit="ratio"),
    Column("component", "Component", definition="Value × marginal VaR: adds up to VaR", plain="Component VaR"),
    Column("share", "Of VaR", definition="Component over VaR; below 0: it hedges", unit="ratio"),
    Column(
        "incremental", "Incremental", definition="What VaR falls by when it is sold: these do not add up",
        plain="Incremental VaR",
    ),
    Column("shortfall", "Component ES", definition="Adds up to expected shortfall"),
)  # fmt: skip


def positions_table(risk: Risk, choices: Mapping[str, str]) -> html.Div:
    """Return every position with its part of the risk, the riskiest first, and the sum of all."""
    found, whole = risk.book.found, risk.whole
    has_parts = len(found.names) > 1
    columns = [each for each in COLUMNS if has_parts or each.key != "portfolio"]
    order = sorted(range(len(risk.book.positions)), key=lambda at: -whole.component_var[at])
    kept = {name: value for name, value in choices.items() if name != "portfolio"}
    rows: list[dict[str, Any]] = [_all(risk)]
    for at in order:
        each = risk.book.positions[at]
        rows.append({
            "instrument": Cell(
                instrument_link(found, each, choices.get("asof", "")), each.instrument, hint=each.about.name
            ),
            "portfolio": Cell(portfolio_link(found, each.portfolio, PATH, kept), found.names.get(each.portfolio)),
            "value": Cell(text.money(each.value), each.value),
            "weight": Cell(text.percent(each.weight), each.weight),
            "marginal": Cell(text.percent(float(whole.marginal_var[at])), float(whole.marginal_var[at])),
            "incremental": _money(float(whole.incremental_var[at])),
            **_parts(risk, float(whole.component_var[at]), float(whole.component_es[at])),
        })  # fmt: skip
    return amounts_table(
        POSITIONS, columns, rows, risk.book.found.portfolio.currency, MONEY, caption="Risk by position"
    )


def groups_table(risk: Risk, group: Group) -> html.Div:
    """Return the parts of groups, which add up to the whole."""
    columns = [
        Column("name", GROUPS[group], numeric=False),
        Column("value", "Value", definition="Long and short together"),
        Column("component", "Component VaR", definition="Adds up to VaR"),
        Column("share", "Of VaR", unit="ratio"),
        Column("shortfall", "Component ES", definition="Adds up to expected shortfall"),
    ]
    rows = [_group(risk, each) for each in (risk.all(), *risk.by(group))]
    return amounts_table(
        GROUPED, columns, rows, risk.book.found.portfolio.currency, MONEY, caption=f"Risk by {GROUPS[group].lower()}"
    )


def factors_table(factors: Factors, is_picked: bool, currency: str) -> html.Div:
    """Return what the book has of each factor."""
    columns = [
        Column("name", "Factor", numeric=False),
        *([] if is_picked else [Column("about", "Most of it", numeric=False,
                                       definition="Instruments with most of it, and the way they move")]),
        Column("gain", "Gain a move", definition="Of the book when the factor moves up by its deviation of a day"),
        *([Column("beta", "Beta", definition="What the portfolio moves when the factor moves by one"),
           Column("t", "t", definition="Beta over its standard error: beyond ±2 it is hardly chance",
                  plain="t value")] if is_picked else []),
        Column("share", "Of variance", definition="Share of the variance of what today's book would have gained",
               unit="ratio"),
    ]  # fmt: skip
    rows = [
        {
            "name": Cell(each.name, each.name),
            "about": Cell(each.about, each.about),
            "gain": Cell(text.money(each.gain, signed=True), each.gain, tone=tone(each.gain)),
            "beta": Cell(text.ratio(each.beta), each.beta),
            "t": Cell(text.number(each.t_value, 1), each.t_value),
            "share": Cell(text.percent(each.share), each.share),
        }
        for each in factors.rows
    ]
    if rows:
        told = text.percent(factors.explained)
        rows.append({"name": Cell("Together", "~"), "share": Cell(told, factors.explained)})
    return amounts_table(
        FACTORS, columns, rows, currency, ("gain",), caption="Factors", nothing="No factor could be used."
    )


def _all(risk: Risk) -> dict[str, Any]:
    whole, part = risk.whole, risk.all()
    weight = part.value / risk.book.found.nav if risk.book.found.nav > 0 else math.nan
    return {
        "instrument": Cell("All", "All"),
        "value": Cell(text.money(part.value), part.value),
        "weight": Cell(text.percent(weight), weight),
        **_parts(risk, whole.value_at_risk, whole.expected_shortfall),
    }


def _group(risk: Risk, part: Part) -> dict[str, Any]:
    return {
        "name": Cell(part.name, part.name),
        "value": Cell(text.money(part.value), part.value),
        **_parts(risk, part.component_var, part.component_es),
    }


def _parts(risk: Risk, component_var: float, component_es: float) -> dict[str, Cell]:
    var = risk.whole.value_at_risk
    share = component_var / var if var > 0 else math.nan
    return {
        "component": _money(component_var),
        "share": Cell(text.percent(share), share),
        "shortfall": _money(component_es),
    }


def _money(value: float) -> Cell:
    return Cell(text.money(value), value)
