"""Tables of what is built beside what is reported: positions, cash and net asset values."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import urlencode

from dash import html

from core import format as text
from core.model import Status
from dashboard.components.card import state_badge
from dashboard.components.table import Cell, Column, amounts_table
from portfolio.chosen import key_of
from portfolio.reconciliation import Compared, Reconciliation

ID = "reconcile"
POSITIONS, MONEY = f"{ID}-positions-rows", f"{ID}-money-rows"
NO_PRICE = "not known: there is no price or rate for it"
STATE = Column("state", "State", numeric=False, definition="Whether the difference is beyond the tolerance")
STRATEGY = Column("portfolio", "Strategy", numeric=False, definition="The portfolio whose it is")
REST = (
    Column("built", "Built", definition="From trades and transactions"),
    Column("reported", "Reported"),
    Column("difference", "Difference", definition="Built less reported"),
    Column("worth", "Worth", definition="The difference at the last price and rate, in the portfolio's currency"),
    Column("share", "Of NAV", definition="Worth over the net asset value", unit="ratio"),
    Column("since", "Since", numeric=False, definition="First day of the difference, without a break since"),
)


def positions_table(found: Reconciliation, query: dict[str, str]) -> html.Div:
    """Return every position of either side, the largest differences first."""
    columns = [
        STATE, Column("name", "Instrument", numeric=False, definition="Leads to its history on Holdings"),
        *_strategy(found), Column("sides", "Known to", numeric=False), *REST,
    ]  # fmt: skip
    rows = [_position(found, each, query) for each in found.of("position")]
    return amounts_table(
        POSITIONS, columns, rows, found.portfolio.currency, ("worth",), caption="Positions", nothing="Nothing is held."
    )


def money_table(found: Reconciliation) -> html.Div:
    """Return cash by currency and net asset values."""
    columns = [STATE, Column("name", "Money", numeric=False), *_strategy(found), *REST]
    rows = [{"name": _money_name(found, each), **_row(found, each)} for each in found.of("cash", "nav")]
    return amounts_table(
        MONEY,
        columns,
        rows,
        found.portfolio.currency,
        ("worth",),
        caption="Cash and net asset value",
        nothing="No cash and no net asset value is told on both sides.",
    )


def _money_name(found: Reconciliation, each: Compared) -> Cell:
    name, days = f"Cash, {each.name}" if each.what == "cash" else "Net asset value", found.days_old(each)
    if not days:
        return Cell(name)
    return Cell(f"{name}, of {each.day}", hint=f"{text.count(days, 'day')} before the newest report: not told since")


def _strategy(found: Reconciliation) -> list[Column]:
    return [STRATEGY] if len(found.names) > 1 else []


def _position(found: Reconciliation, each: Compared, query: dict[str, str]) -> dict[str, Any]:
    where = urlencode({**query, "instrument": each.name})
    link = html.A(each.name, href=f"/portfolio/holdings?{where}")
    sides = {(True, False): "reports only", (False, True): "trades only"}
    return {
        "name": Cell(link, each.name, hint=each.about.name if each.about else ""),
        "sides": sides.get((math.isnan(each.built), math.isnan(each.reported)), "both"),
        **_row(found, each),
    }


def _row(found: Reconciliation, each: Compared) -> dict[str, Any]:
    name = found.names.get(each.portfolio, each.portfolio)
    key = urlencode({"portfolio": f"{key_of(found.portfolio).partition(':')[0]}:{each.portfolio}"})
    is_position = each.what == "position"
    shown, off = (_quantity, each.difference) if is_position else (_money, cents(each.difference))
    word, status = ("agrees", Status.OK) if each.is_within else ("differs", Status.WARNING)
    if math.isnan(each.worth) and not each.is_within:
        status = Status.UNKNOWN if math.isnan(each.difference) else status
    unit = "" if is_position else each.currency
    no_price = NO_PRICE if math.isnan(each.worth) else ""
    return {
        "state": Cell(state_badge(status, word), float(each.is_within)),
        "portfolio": Cell(html.A(name, href=f"/portfolio/reconcile?{key}"), name),
        "built": Cell(shown(each.built), each.built, hint=each.currency, unit=unit),
        "reported": Cell(shown(each.reported), each.reported, hint=each.currency, unit=unit),
        "difference": Cell(_signed(off, shown), each.difference, hint=each.currency, unit=unit),
        "worth": Cell(text.money(cents(each.worth), signed=True), each.worth, hint=no_price),
        "share": Cell(text.percent(each.share, signed=True), each.share, hint=no_price),
        "since": Cell(str(each.since) if each.since is not None else "", str(each.since or "")),
    }


def cents(value: float) -> float:
    """Return money to the hundredth: sums of thousands of trades differ by less, whatever they are of."""
    return round(float(value), 2) + 0.0


def _quantity(value: float) -> str:
    return "–" if math.isnan(value) else text.number(value, 0 if value == int(value) else 4)


def _money(value: float) -> str:
    return "–" if math.isnan(value) else text.number(value, 2)


def _signed(value: float, shown: Any) -> str:
    return f"+{shown(value)}" if value > 0 else str(shown(value))
