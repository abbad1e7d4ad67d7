"""Tables of what is held: positions, groups, the day's movers, what was closed, cash and value beside each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dash import html

from analytics.liquidity import SHARE_OF_VOLUME
from core import format as text
from core.model import Status
from dashboard.components.card import state_badge
from dashboard.components.choices import choice_button
from dashboard.components.table import Cell, Column, amounts_table
from dashboard.portfolio.links import HOLDINGS, drill, to_trades
from portfolio.costs import Costed
from portfolio.holdings import GROUPS, Group, Held, Holding, Holdings

ID = "holdings"
POSITIONS, GROUPED, MOVERS, CLOSED = (f"{ID}-{name}-rows" for name in ("positions", "groups", "movers", "closed"))
MOST_MOVERS = 5
MONEY = ("long", "short", "net", "gross", "value", "day", "month", "total", "unrealised", "realised")
SMALL_PRICE = 10.0
GONE = "gone"
NOT_EXPLAINED = "not known: no trade explains how the quantity changed"
COLUMNS = (
    Column("instrument", "Instrument", numeric=False, definition="Click to see its history"),
    Column("value", "Value", definition="Quantity × price × multiplier and what has accrued, at the day's rate"),
    Column("weight", "Weight", definition="Value over the portfolio's net asset value", unit="ratio"),
    Column("day", "Day", definition="Profit and loss since the report of the day before, costs and dividends included"),
    Column("return", "Day %", definition="The day's profit and loss over what it was worth before and what was bought",
           unit="ratio"),
    Column("portfolio", "Strategy", numeric=False, definition="The portfolio that holds it"),
    Column("quantity", "Quantity", definition="Below 0: sold short. Click for its trades and orders"),
    Column("currency", "Currency", numeric=False, definition="Its own: that of price, cost and local value"),
    Column("price", "Price", definition="Of one, in its own currency, as reported"),
    Column("cost", "Cost", definition="Average cost of one, in its own currency; costs in it where it is worked out",
           plain="Average cost"),
    Column("local", "Local value", definition="Value in its own currency"),
    Column("month", "Month", definition="Profit and loss since the last report of last month"),
    Column("total", "Total", definition="Profit and loss since the first trade: realised and unrealised"),
    Column("unrealised", "Unrealised", definition="(Price − average cost) × quantity × multiplier"),
    Column("realised", "Realised", definition="Total less unrealised"),
    Column("held", "Held", definition="Calendar days on this side without a break", plain="Held", unit="days"),
    Column("volume", "ADV", definition="Quantity over the instrument's average daily volume", plain="Share of ADV",
           unit="ratio"),
    Column(
        "liquidate", "Exit", definition=f"Days to sell it at {100 * SHARE_OF_VOLUME:.0f} % of the average daily volume",
        plain="Exit", unit="days",
    ),
)  # fmt: skip


def positions_table(found: Holdings, chosen: str, costs: Costed, doubts: Mapping[tuple[str, str], str]) -> html.Div:
    """Return every position, the largest first; `chosen` is the instrument whose history is shown.

    doubts: why prices are hard to believe, by portfolio and instrument.
    """
    currency = found.portfolio.currency
    is_left_out = {
        *(["portfolio"] if len(found.names) < 2 else []),
        *(["currency", "local"] if all(each.currency == currency for each in found.positions) else []),
    }
    rows = [
        {
            **_position(found, each, each.instrument == chosen, costs),
            "price": _price(each, doubts.get((each.portfolio, each.instrument), "")),
        }
        for each in found.positions
    ]
    return amounts_table(
        POSITIONS,
        [each for each in COLUMNS if each.key not in is_left_out],
        rows,
        currency,
        MONEY,
        caption="Positions",
        nothing="Holds nothing but cash on this day.",
    )


def groups_table(found: Holdings, group: Group) -> html.Div:
    """Return the positions added up by group, and all of them."""
    columns = [
        Column("name", GROUPS[group], numeric=False),
        Column("count", "Positions"),
        Column("long", "Long"),
        Column("short", "Short"),
        Column("net", "Net", definition="Long and short together"),
        Column("gross", "Gross", definition="Long and short without their signs"),
        Column("weight", "Weight", definition="Net over the portfolio's net asset value", unit="ratio"),
        Column("day", "Day", definition="Profit and loss since the report of the day before, of closed ones too"),
        Column("month", "Month", definition="Profit and loss since the last report of last month, of closed ones too"),
        Column("total", "Total", definition="Profit and loss since the first trade, of closed ones too"),
    ]
    parts = [each for each in found.by(group) if each.count or each.day or each.month or each.total]
    rows = [_group(each) for each in (*parts, found.all())]
    return amounts_table(GROUPED, columns, rows, found.portfolio.currency, MONEY, caption=f"By {GROUPS[group].lower()}")


def movers_table(found: Holdings) -> html.Div:
    """Return the positions that gained and lost the most on the day."""
    told = (each for each in (*found.positions, *found.closed) if each.day and not math.isnan(each.day))
    known = sorted(told, key=lambda each: -each.day)
    gains = [each for each in known if each.day > 0][:MOST_MOVERS]
    losses = [each for each in reversed(known) if each.day < 0][:MOST_MOVERS]
    columns = [
        Column("instrument", "Instrument", numeric=False),
        Column("day", "Day", definition="Profit and loss since the report of the day before"),
        Column("return", "Day %", unit="ratio"),
        Column("share", "Of NAV", definition="The day's profit and loss over the net asset value", unit="ratio"),
    ]
    # The same rule as that of weights: of a value that is none or below 0 nothing is a share.
    nav = found.nav if found.nav > 0 else math.nan
    rows = [
        {
            "instrument": Cell(each.instrument, each.instrument, hint=_whose(found, each)),
            "day": _gain(each.day),
            "return": _return(each),
            "share": Cell(text.percent(each.day / nav, signed=True), each.day / nav),
        }
        for each in (*gains, *reversed(losses))
    ]
    return amounts_table(
        MOVERS, columns, rows, found.portfolio.currency, MONEY, caption="Movers of the day", nothing="Nothing moved."
    )


def closed_table(found: Holdings) -> html.Div:
    """Return what was closed since the end of last month."""
    columns = [
        Column("instrument", "Instrument", numeric=False),
        Column("portfolio", "Strategy", numeric=False),
        Column("day", "Day"),
        Column("month", "Month"),
        Column("total", "Total", definition="Profit and loss since its first trade"),
    ]
    rows = [
        {
            "instrument": Cell(each.instrument, each.instrument, hint=each.about.name),
            "portfolio": _whose(found, each),
            "day": _gain(each.day),
            "month": _gain(each.month),
            "total": _gain(each.total),
        }
        for each in sorted(recently_closed(found), key=lambda each: (math.isnan(each.month), -abs(each.month)))
    ]
    return amounts_table(
        CLOSED,
        columns,
        rows,
        found.portfolio.currency,
        MONEY,
        caption="Closed this month",
        nothing="Nothing was closed this month.",
    )


def recently_closed(found: Holdings) -> list[Holding]:
    """Return what is not held any more and had a part in the month's profit or loss."""
    return [each for each in found.closed if each.month]


def _position(found: Holdings, each: Holding, is_chosen: bool, costs: Costed) -> dict[str, Any]:
    pick = choice_button(
        ID, {"instrument": None if is_chosen else each.instrument}, each.instrument, pressed=is_chosen,
        label=f"History of {each.about.name}",
    )  # fmt: skip
    return {
        "instrument": Cell(pick, each.instrument, hint=each.about.name),
        "portfolio": Cell(_to_holdings(found, each), _whose(found, each)),
        "quantity": Cell(
            to_trades(found.portfolio.origin, found.portfolio.id, quantity_text(each.quantity), each.instrument),
            each.quantity, hint="Click for its trades and orders",
        ),
        "cost": Cell(
            price_text(each.average_cost), each.average_cost, hint=f"{each.currency}, {costs.of(each)}",
            unit=each.currency,
        ),
        "value": Cell(text.money(each.value), each.value),
        "currency": each.currency,
        "local": Cell(text.money(each.local_value), each.local_value, unit=each.currency),
        "weight": Cell(text.percent(each.weight), each.weight),
        "day": _gain(each.day),
        "return": _return(each),
        "month": _gain(each.month),
        "total": _gain(each.total),
        "unrealised": _gain(each.unrealised, "not known: its average cost is not"),
        "realised": _gain(each.realised, "not known: its average cost or a trade is not"),
        "held": Cell(f"{text.number(each.held_days)} d", each.held_days),
        "volume": Cell(text.percent(each.volume_share), each.volume_share, hint=_no_volume(each)),
        "liquidate": Cell(_days(each.liquidate_days), each.liquidate_days, hint=_no_volume(each)),
    }  # fmt: skip


def _price(each: Holding, doubt: str) -> Cell:
    shown = price_text(each.price)
    if not doubt:
        return Cell(shown, each.price, hint=each.currency, unit=each.currency)
    return Cell(
        [state_badge(Status.WARNING, "doubted"), f" {shown}"], each.price, hint=f"{each.currency}; {doubt}",
        unit=each.currency,
    )  # fmt: skip


def _group(each: Held) -> dict[str, Any]:
    missing = f"{text.count(each.unknown, 'position')} of no known profit left out" if each.unknown else ""
    mark = " †" if missing else ""
    return {
        "name": Cell(each.name, each.name),
        "count": Cell(text.number(each.count), float(each.count)),
        "long": Cell(text.money(each.long), each.long),
        "short": Cell(text.money(each.short), each.short),
        "net": Cell(text.money(each.net), each.net),
        "gross": Cell(text.money(each.gross), each.gross),
        "weight": Cell(text.percent(each.weight), each.weight),
        **{
            name: Cell(text.money(value, signed=True) + mark, value, tone=tone(value), hint=missing)
            for name, value in (("day", each.day), ("month", each.month), ("total", each.total))
        },
    }


def tone(value: float) -> str:
    """Return gain or loss, or nothing."""
    return "gain" if value > 0 else "loss" if value < 0 else ""


def _gain(value: float, why: str = NOT_EXPLAINED) -> Cell:
    return Cell(text.money(value, signed=True), value, tone=tone(value), hint=why if math.isnan(value) else "")


def _return(each: Holding) -> Cell:
    return Cell(text.percent(each.day_return, signed=True), each.day_return, tone=tone(each.day_return))


def _to_holdings(found: Holdings, each: Holding) -> html.A:
    return drill(HOLDINGS, _whose(found, each), portfolio=f"{found.portfolio.origin}:{each.portfolio}")


def _whose(found: Holdings, each: Holding) -> str:
    return found.names.get(each.portfolio, each.portfolio)


def quantity_text(value: float) -> str:
    """Return how many, with decimals where it has some."""
    return text.number(value, 0 if value == round(value) else 4)


def price_text(value: float) -> str:
    """Return a price: four decimals below 10, as of currencies, else two."""
    return text.number(value, 4 if abs(value) < SMALL_PRICE else 2)


def _days(value: float) -> str:
    return "under 1 d" if value < 1 else f"{text.number(value, 1)} d" if not math.isnan(value) else text.NOT_AVAILABLE


def _no_volume(each: Holding) -> str:
    return (
        "its average daily volume is not known: send it with the instruments" if math.isnan(each.volume_share) else ""
    )
