"""The figures above an attribution, and what must be known before them."""

from __future__ import annotations

import math
from typing import Any

from dash import html

from core import format as text
from core.model import Status
from dashboard.components.card import card, verdict
from dashboard.holdings.tables import tone
from portfolio.attribution import Attribution, Part
from portfolio.brinson import Brinson
from portfolio.by_period import UNEXPLAINED
from portfolio.data import PortfolioData
from portfolio.fees import Fees
from portfolio.money import of_line

ID = "attribution"


def strip(data: PortfolioData, found: Attribution, against: Brinson | None, by_fees: Fees | None) -> list[html.Article]:
    """Return the cards."""
    currency, money = data.portfolio.currency, of_line(data, data.own)
    weighted = money["money_weighted"]
    positions = [part for part in found.parts("position") if part.count]
    return [
        card(f"{ID}-return", "Return", text.percent(found.total_return, signed=True), tone=tone(found.total_return),
             why=f"time-weighted, {found.start} – {found.days[-1]}",
             definition="The portfolio's own time-weighted return of the window: all parts add up to it"),
        card(f"{ID}-money-weighted", "Money-weighted", text.percent(weighted.value, signed=True),
             tone=tone(weighted.value), why=weighted.reason or "what the money itself earned",
             definition="The rate at which money in and out and the two values come to nothing over the window"),
        card(f"{ID}-pnl", "P&L", text.money(found.total_pnl, signed=True), currency, tone=tone(found.total_pnl),
             why="after costs", definition="Change of the net asset value less the money that came and went"),
        card(f"{ID}-costs", "Costs", text.money(found.total_costs), currency,
             why=f"{text.percent(-_costs(found), signed=False)} of return",
             definition="Commission and fees of trades, and what they took of the return"),
        _extreme("best", "Best position", found, positions[:1]),
        _extreme("worst", "Worst position", found, positions[-1:]),
        card(f"{ID}-excess", "Excess return", text.percent(against.excess if against else math.nan, signed=True),
             tone=tone(against.excess) if against else "", why=_against(data, against),
             definition="Over the benchmark, since its constituents are known"),
        fees_card(by_fees),
    ]  # fmt: skip


def fees_card(found: Fees | None) -> html.Article:
    """Return what fees took of the return of the window; None: none are set."""
    return card(
        f"{ID}-fees", "Fees", text.percent(found.gross_return - found.net_return if found else math.nan),
        why=_fees(found), definition="Return before management and performance fees less that after them",
    )  # fmt: skip


def remarks(found: Attribution) -> list[Any]:
    """Return what is not explained of the return, and why."""
    if not found.is_unexplained:
        return []
    part = next(each for each in found.rest() if each.name == UNEXPLAINED)
    money = text.money(part.pnl, found.portfolio.currency, signed=True)
    said = f"{text.percent(part.added, signed=True)} of the return ({money}) is not explained. "
    return [verdict(Status.WARNING, said + " ".join(found.reasons), word="unexplained")]


def _costs(found: Attribution) -> float:
    return next(part.added for part in found.rest() if part.name == "Costs")


def _extreme(id: str, title: str, found: Attribution, part: list[Part]) -> html.Article:
    if not part:
        return card(f"{ID}-{id}", title, text.NOT_AVAILABLE, why="holds no position")
    name, currency = part[0].name.partition("\n")[2], found.portfolio.currency
    return card(
        f"{ID}-{id}", title, text.percent(part[0].added, signed=True), tone=tone(part[0].added),
        why=f"{name}, {text.money(part[0].net, currency, signed=True)}",
        definition="Contribution to the return before costs, of one instrument in one strategy",
    )  # fmt: skip


def _against(data: PortfolioData, against: Brinson | None) -> str:
    if data.benchmark is None:
        return "no benchmark is chosen"
    return f"over {data.benchmark.name}" if against else f"constituents of {data.benchmark.name} are not known"


def _fees(found: Fees | None) -> str:
    if found is None:
        return "no fees are set"
    return f"gross {text.percent(found.gross_return, signed=True)}, net {text.percent(found.net_return, signed=True)}"
