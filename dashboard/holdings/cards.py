"""The figures above the positions: value, exposure, concentration, cash, and whether they tie."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dash import html

from core import format as text
from core.model import Status
from core.portfolio_limits.figures import SHARE_OF_GROSS
from dashboard.components.card import card, verdict
from dashboard.holdings.tables import tone
from portfolio.concentrated import concentrated
from portfolio.gained import Gained
from portfolio.holdings import Holdings

ID = "holdings"
TIE = 0.0001
"""Of the net asset value: what positions and cash may differ from it by rounding."""


def strip(found: Holdings, day: Gained, month: Gained) -> list[html.Article]:
    """Return the cards. day, month: what was gained over these spans."""
    whole, nav, currency = found.all(), found.nav, found.portfolio.currency
    dense = concentrated(found.positions)
    largest, five, _ = dense.top[0]
    share = _share(nav)
    return [
        card(f"{ID}-nav", "Net asset value", text.money(nav), currency, why=_day(found),
             definition="Of the newest value up to the day of the positions"),
        _gained("day", "Day, positions", day, currency, "the report of the day before"),
        _gained("month", "Month so far, positions", month, currency, "the last report of last month"),
        card(f"{ID}-gross", "Gross exposure", text.percent(share(whole.gross)), why=text.money(whole.gross, currency),
             definition="Long and short positions without their signs, over the net asset value"),
        card(f"{ID}-net", "Net exposure", text.percent(share(whole.net)),
             why=f"{text.percent(share(whole.long))} long, {text.percent(share(whole.short))} short",
             definition="Long and short positions together, over the net asset value"),
        card(f"{ID}-cash", "Cash", text.percent(share(found.cash)),
             why=text.money(found.cash, currency) if not math.isnan(found.cash) else "not reported",
             definition="Cash in every currency at the day's rate, over the net asset value"),
        card(f"{ID}-count", "Positions", text.number(whole.count),
             why=f"effective {text.number(dense.effective_number[0], 1)}",
             definition="How many; effective: one over the sum of squared shares of gross exposure, by instrument "
                        "(Herfindahl)"),
        card(f"{ID}-top", "Five largest", text.percent(five), why=f"largest {text.percent(largest)}",
             definition=SHARE_OF_GROSS),
    ]  # fmt: skip


def remarks(found: Holdings, doubts: Mapping[tuple[str, str], str]) -> list[Any]:
    """Return what must be known before the figures: what does not tie, has no rate, no known profit, a doubted price.

    doubts: why prices are hard to believe, by portfolio and instrument.
    """
    said = []
    off = found.value - found.nav
    if found.nav and found.nav_day is not None and abs(off) > TIE * abs(found.nav):
        told = text.money(off, found.portfolio.currency, signed=True)
        said.append(f"Positions and cash differ from the net asset value of {found.nav_day} by {told}.")
    if found.no_rate:
        said.append(f"There is no rate for {text.first_of(found.no_rate)}: positions in it are worth nothing known.")
    unknown = found.all().unknown
    if unknown:
        told = text.count(unknown, "position")
        said.append(f"The profit of {told} is not known: no trades explain how the quantity changed.")
    if found.newest // 86_400 != found.oldest // 86_400:
        said.append("Parts were reported on different days.")
    warned = [verdict(Status.WARNING, " ".join(said), word="does not tie")] if said else []
    warned += _doubted(doubts)
    return [*warned, html.P(_built(found), className="fw-nothing")] if found.built else warned


def _doubted(doubts: Mapping[tuple[str, str], str]) -> list[Any]:
    """Return the line that tells of doubted prices; nothing where none is."""
    if not doubts:
        return []
    told = text.first_of(list(dict.fromkeys(f"{symbol}: {why}" for (_, symbol), why in doubts.items())), between="; ")
    return [verdict(Status.WARNING, f"Prices that are hard to believe: {told}.", word="doubted")]


def _built(found: Holdings) -> str:
    names = text.first_of([found.names[id] for id in found.built])
    how = "Prices are the last ones sent, else those of the last trades; costs are average costs with fees."
    return f"Built from trades, since no positions are reported: {names}. {how}"


def _gained(id: str, title: str, found: Gained, currency: str, since: str) -> html.Article:
    return card(
        f"{ID}-{id}", title, text.money(found.positions, signed=True), currency, tone=tone(found.positions),
        why=[html.Span(line, className="fw-card-line") for line in _gained_said(found, currency)],
        definition=f"Profit and loss of positions since {since}, costs and dividends included, over the net asset "
        "value of then and the money that came in since. Cash and other: what the net asset value gained beside it, "
        "such as currencies of cash, interest and fees. Together they are the portfolio's own profit and loss",
    )  # fmt: skip


def _gained_said(found: Gained, currency: str) -> list[str]:
    if math.isnan(found.positions):
        return ["no trades explain it"]
    share = "" if math.isnan(found.ratio) else f"{text.percent(found.ratio, signed=True)} of opening NAV"
    # A hundredth of a unit is what values are sent in.
    is_apart = abs(found.other) >= 0.01
    other = f"cash and other {text.money(found.other, currency, signed=True)}" if is_apart else ""
    return [each for each in (share, other) if each]


def _share(nav: float) -> Any:
    return lambda value: value / nav if nav > 0 else math.nan


def _day(found: Holdings) -> str:
    return f"of {found.nav_day}" if found.nav_day is not None else "positions and cash"
