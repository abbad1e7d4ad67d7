"""The figures above the trades: what round trips came to, the day's orders, and what must be known beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from core import format as text
from core.model import Status
from dashboard.components.card import card, verdict
from dashboard.holdings.tables import tone
from portfolio.orders import Blotter, said_of_odd
from portfolio.round_trips import Trips
from storage.clickhouse.reads.orders import Odd

ID = "trades"


def strip(found: Trips | None, orders: Blotter | None) -> list[html.Article]:
    """Return the cards."""
    return [*(_of_trips(found) if found else []), *([_of_orders(orders)] if orders else [])]


def _of_trips(found: Trips) -> list[html.Article]:
    whole, currency = found.all(), found.portfolio.currency
    sides = found.by("side")
    of_sides = ", ".join(f"{text.number(each.count)} {name}" for name, each in sorted(sides.items()))
    profits = ", ".join(f"{name} {text.money(each.profit, signed=True)}" for name, each in sorted(sides.items()))
    return [
        card(f"{ID}-count", "Round trips", text.number(whole.count), why=of_sides,
             definition="Closed in the window, first in first out: what all fills of one order close is one"),
        card(f"{ID}-profit", "Profit", text.money(whole.profit, signed=True), currency, tone=tone(whole.profit),
             why=profits, definition="Realised by the round trips, commission and fees of both sides taken off"),
        card(f"{ID}-hit", "Hit rate", text.percent(whole.hit_rate),
             why=f"{text.number(whole.won)} won, {text.number(whole.lost)} lost",
             definition="Won over all; those at exactly 0 are neither"),
        card(f"{ID}-payoff", "Payoff", text.ratio(whole.payoff), definition="Mean win over mean loss"),
        card(f"{ID}-expectancy", "Expectancy", text.money(whole.expectancy, signed=True), currency,
             tone=tone(whole.expectancy), why="a round trip", definition="Mean profit"),
        card(f"{ID}-factor", "Profit factor", text.ratio(whole.profit_factor),
             definition="All that was won over all that was lost"),
        card(f"{ID}-held", "Held", text.duration(whole.held_seconds),
             why=f"median {text.duration(whole.median_held_seconds)}",
             definition="Mean time from the first unit in to the last one out"),
        card(f"{ID}-best", "Best", text.money(whole.best, signed=True), currency, tone=tone(whole.best),
             why=f"worst {text.money(whole.worst, signed=True)}", definition="The largest profit and the largest loss"),
    ]  # fmt: skip


def _of_orders(orders: Blotter) -> html.Article:
    rejected = orders.counted.by_status.get("rejected", 0)
    return card(
        f"{ID}-orders", "Orders", text.number(sum(orders.counted.by_status.values())),
        why=f"{text.number(orders.open)} open, {text.number(rejected)} rejected",
        definition=f"Of {orders.day} (UTC): placed or ended then, or open",
    )  # fmt: skip


def remarks(problems: Sequence[str], found: Trips | None, odd: Odd) -> list[Any]:
    """Return what must be known before the figures: choices that were adjusted, trades that do not fit."""
    adjusted = [verdict(Status.WARNING, " ".join(problems), word="adjusted choices")] if problems else []
    said = [*_of_odd(odd), *(_of_matching(found) if found else [])]
    return [*adjusted, *([verdict(Status.WARNING, " ".join(said), word="does not fit")] if said else [])]


def _of_odd(odd: Odd) -> list[str]:
    told = [f"{text.count(many, one)} {wrong}" for many, one, wrong in said_of_odd(odd)]
    return [f"Of all days: {', '.join(told)}."] if told else []


def _of_matching(found: Trips) -> list[str]:
    said, matched = [], found.matched
    if found.unknown:
        because = f"there is no rate for {text.first_of(matched.no_rate)} on its days" if matched.no_rate else (
            "what was transferred in had no known cost")  # fmt: skip
        said.append(f"The profit of {text.count(found.unknown, 'round trip')} is not known: {because}.")
    if matched.left_out:
        said.append(f"{matched.left_out_said} Choose one of the strategies to see its own.")
    return [*said, *(f"{each}." for each in matched.refused)]
