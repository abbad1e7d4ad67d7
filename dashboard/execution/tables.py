"""Tables of execution: how orders ended and why, how long each leg took, groups beside each other, outages."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import urlencode

from dash import html

from analytics.comparison import Estimate
from analytics.orders import QUANTILES
from core import format as text
from dashboard.components.table import Cell, Column, cut_cell, data_table
from dashboard.execution.cards import basis_points, interval, share_interval
from portfolio.chosen import key_of
from portfolio.execution_model import BYS, FEWEST_INSIDE, Execution, Outage, Part

ID = "execution"
OUTCOMES, LATENCY, PARTS, OUTAGE = (f"{ID}-{name}-rows" for name in ("outcomes", "latency", "parts", "outage"))
PATH, TRADES = "/portfolio/execution", "/portfolio/trades"
NO_REASON = "no reason told"


def outcomes_table(found: Execution) -> html.Div:
    """Return how orders ended, each reason of those that came to nothing below its outcome."""
    whole = found.whole
    columns = [
        Column("outcome", "Outcome", numeric=False),
        Column("reason", "Reason", numeric=False, definition="As the broker told it"),
        Column("count", "Orders"),
        Column("share", "Share", definition="Of all orders that ended", unit="ratio"),
        Column("interval", "95 %", definition="Interval of the share (Wilson 1927)", plain="95 % interval"),
    ]
    rows = []
    for status in ("filled", "rejected", "cancelled", "expired"):
        number = getattr(whole, status)
        rows.append(_outcome(whole, status, "", number))
        reasons = [(reason, many) for of, reason, many in found.reasons if of == status]
        if any(reason for reason, _ in reasons):
            rows += [_outcome(whole, status, reason or NO_REASON, many) for reason, many in reasons]
    if whole.orders > whole.ended:
        rows.append({"outcome": "open", "reason": "", "count": _count(whole.orders - whole.ended)})
    return data_table(OUTCOMES, columns, rows, caption="Outcomes", stack=False, sortable=False)


def latency_table(found: Execution) -> html.Div:
    """Return how long each leg took."""
    columns = [
        Column("leg", "Leg", numeric=False),
        Column("count", "Orders", definition="That told both times"),
        *(
            Column(
                f"p{round(100 * level)}",
                f"p{round(100 * level)}",
                definition=f"{level:.0%} took so long at most",
                unit="s",
            )
            for level in QUANTILES
        ),
    ]
    rows = [
        {
            "leg": Cell(each.name),
            "count": _count(each.count),
            **{
                f"p{round(100 * level)}": Cell(
                    text.duration(seconds), seconds, hint="" if each.count else "no order tells both times"
                )
                for level, seconds in zip(QUANTILES, each.quantiles, strict=True)
            },
        }
        for each in found.legs
    ]
    return data_table(LATENCY, columns, rows, caption="Latency", stack=False, sortable=False)


def parts_table(found: Execution) -> html.Div:
    """Return the groups beside each other, and all of them."""
    columns = [
        Column("name", BYS[found.by], numeric=False),
        Column("orders", "Orders"),
        Column(
            "traded",
            "Traded",
            definition="Filled quantity × arrival price, in the portfolio's currency",
            unit=found.portfolio.currency,
        ),
        Column("arrival", "Slippage", definition="Against the price at arrival, basis points by value", unit="bp"),
        Column("arrival_range", "95 %", definition="Interval of the slippage", plain="95 % interval of slippage"),
        Column(
            "decision", "Against decision", definition="Basis points of the price at which it was decided on", unit="bp"
        ),
    ]
    if found.by != "venue":
        columns += [
            Column("filled", "Filled", definition="Whole orders filled, over all that ended", unit="ratio"),
            Column("rejected", "Rejected", definition="Over all that ended", unit="ratio"),
            Column("fill_ratio", "Fill rate", definition="Filled over ordered quantity", unit="ratio"),
            Column("shortfall", "Shortfall", definition="In the portfolio's currency; above 0: it cost",
                   unit=found.portfolio.currency),
            Column("shortfall_bp", "of paper", definition="Shortfall over the paper value, basis points",
                   plain="Shortfall of paper", unit="bp"),
        ]  # fmt: skip
    rows = [_part_row(found, each) for each in found.parts]
    if found.by != "venue":
        rows.append(_part_row(found, found.whole))
    return data_table(PARTS, columns, rows, caption=f"By {BYS[found.by].lower()}", stack=False)


def outage_table(found: Outage, currency: str) -> html.Div:
    """Return orders within outages beside the others, the differences and what they came to."""
    columns = [
        Column("what", "Figure", numeric=False),
        Column("inside", "Inside", definition="Orders sent while it was broken"),
        Column("outside", "Outside", definition="All other orders of the window"),
        Column("difference", "Difference"),
        Column("range", "95 %", definition="Interval of the difference", plain="95 % interval of the difference"),
    ]
    one, other = found.inside, found.outside
    told = found.is_compared
    slippage, rejects, fills, cost = found.slippage, found.rejects, found.fills, found.cost
    rows: list[dict[str, Any]] = [
        {"what": "Orders", "inside": _count(one.orders), "outside": _count(other.orders)},
        {
            "what": Cell("Slippage against arrival", hint="By value; difference: Welch (1947)"),
            "inside": _bp(one.arrival.value), "outside": _bp(other.arrival.value),
            "difference": _bp(slippage.value, told, signed=True), "range": _range(interval(slippage), slippage, told),
        },
        {
            "what": Cell("Rejected", hint="Of those that ended; difference: Newcombe (1998)"),
            "inside": _percent(one.share(one.rejected)), "outside": _percent(other.share(other.rejected)),
            "difference": _points(rejects, told), "range": _range(_points_interval(rejects), rejects, told),
        },
        {
            "what": Cell("Filled", hint="Whole orders, of those that ended"),
            "inside": _percent(one.share(one.filled)), "outside": _percent(other.share(other.filled)),
            "difference": _points(fills, told), "range": _range(_points_interval(fills), fills, told),
        },
        {
            "what": Cell("Fill rate", hint="Filled over ordered quantity"),
            "inside": Cell(text.percent(one.fill_ratio), one.fill_ratio, unit="ratio"),
            "outside": Cell(text.percent(other.fill_ratio), other.fill_ratio, unit="ratio"),
            "difference": _gap(one.fill_ratio - other.fill_ratio, told),
        },
        {
            "what": Cell(f"Cost an order, {currency}", hint="Implementation shortfall"),
            "inside": _money(one.lost.mean, currency), "outside": _money(other.lost.mean, currency),
            "difference": _money(one.lost.mean - other.lost.mean, currency, signed=True) if told else Cell(None),
        },
        {
            "what": Cell(f"What it cost, {currency}",
                         hint="Orders inside × (mean shortfall inside − outside); above 0: it cost (Welch 1947)"),
            "difference": _money(cost.value, currency, signed=True) if told else Cell(None),
            "range": _range(f"{text.money(cost.low, signed=True)} to {text.money(cost.high, signed=True)}", cost, told),
        },
    ]  # fmt: skip
    return data_table(OUTAGE, columns, rows, caption="Inside and outside of outages", stack=False, sortable=False)


def outage_verdict(found: Outage, currency: str) -> str:
    """Return in a sentence what outages cost, or why it is not known."""
    if not found.is_compared:
        few = "inside" if found.inside.orders < FEWEST_INSIDE else "outside"
        many = min(found.inside.orders, found.outside.orders)
        return f"{text.count(many, 'order')} {few}: too few to compare, {FEWEST_INSIDE} at least."
    cost = found.cost
    if math.isnan(cost.low):
        return "The cost of orders is not known on both sides: it takes decision and arrival prices."
    span = f"{text.money(cost.low, signed=True)} to {text.money(cost.high, signed=True)} {currency}"
    if not cost.is_told_apart:
        return f"No cost can be told apart from chance: {span} at 95 %."
    verb = "cost" if cost.value > 0 else "saved"
    return f"They {verb} {text.money(abs(cost.value), currency)} ({span} at 95 %)."


def _outcome(whole: Part, status: str, reason: str, number: int) -> dict[str, Any]:
    share = whole.share(number)
    return {
        "outcome": Cell(status, tone="muted" if reason else ""),
        "reason": cut_cell(reason),
        "count": _count(number),
        "share": Cell(text.percent(share.value), share.value),
        "interval": Cell(share_interval(share)),
    }


def _part_row(found: Execution, each: Part) -> dict[str, Any]:
    cost = each.shortfall
    in_bp = cost.in_basis_points(cost.total)
    return {
        "name": Cell(_named(found, each), each.name),
        "orders": _count(each.orders),
        "traded": Cell(text.money(each.traded), each.traded),
        "arrival": _bp(each.arrival.value),
        "arrival_range": Cell(interval(each.arrival)),
        "decision": _bp(each.decision.value),
        "filled": _percent(each.share(each.filled)),
        "rejected": _percent(each.share(each.rejected)),
        "fill_ratio": Cell(text.percent(each.fill_ratio), each.fill_ratio),
        "shortfall": _money(cost.total, found.portfolio.currency),
        "shortfall_bp": _bp(in_bp),
    }


def _named(found: Execution, each: Part) -> Any:
    """Return a group's name: a strategy leads to its own page, an instrument to its orders."""
    origin = found.portfolio.origin
    if each.key and found.by == "strategy" and each.key in found.names and each.key != found.portfolio.id:
        return html.A(each.name, href=f"{PATH}?{urlencode({'portfolio': f'{origin}:{each.key}'})}")
    if each.key and found.by == "instrument":
        query = urlencode({"portfolio": key_of(found.portfolio), "instrument": each.key})
        return html.A(each.name, href=f"{TRADES}?{query}")
    return each.name


def _count(many: int) -> Cell:
    return Cell(text.number(many), float(many))


def _bp(value: float, is_told: bool = True, *, signed: bool = False) -> Cell:
    return Cell(basis_points(value, signed=signed), value, unit="bp") if is_told else Cell(None)


def _percent(found: Estimate) -> Cell:
    return Cell(text.percent(found.value), found.value, hint=share_interval(found), unit="ratio")


def _points(found: Estimate, is_told: bool) -> Cell:
    return Cell(text.points(found.value), found.value, unit="ratio") if is_told else Cell(None)


def _money(value: float, currency: str, *, signed: bool = False) -> Cell:
    return Cell(text.money(value, signed=signed), value, unit=currency)


def _range(said: str, found: Estimate, is_told: bool) -> Cell:
    return Cell(said) if is_told and not math.isnan(found.low) else Cell(None)


def _gap(ratio: float, is_told: bool) -> Cell:
    return Cell(text.points(ratio), ratio, unit="ratio") if is_told else Cell(None)


def _points_interval(found: Estimate) -> str:
    return f"{text.points(found.low)} to {text.points(found.high)}"
