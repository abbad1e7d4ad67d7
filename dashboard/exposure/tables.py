"""The table of exposure by group, and the figures above the charts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from dash import html

from core import format as text
from core.model import Status
from core.portfolio_limits.figures import SHARE_OF_GROSS
from dashboard.components.card import card, verdict
from dashboard.components.table import Cell, Column, data_table
from dashboard.portfolio.choice_bar import adjusted_line
from portfolio.exposure import ExposureCourse
from portfolio.holdings import GROUPS, Group

ID = "exposure"
ROWS = f"{ID}-rows"


def strip(found: ExposureCourse, currency: str) -> list[html.Article]:
    """Return the cards, as of the last day of the window."""
    whole, nav = found.whole, float(found.whole.nav[-1])
    gross, net = (float(each[-1]) for each in (whole.gross, whole.net))
    long, short = float(whole.long[-1]), float(whole.short[-1])
    highest = int(np.argmax(np.nan_to_num(whole.leverage)))
    largest, five, ten = found.dense.top[-1]
    return [
        card(f"{ID}-gross", "Gross exposure", text.percent(gross / nav), why=text.money(gross, currency),
             definition="Long and short positions without their signs, over the net asset value"),
        card(f"{ID}-net", "Net exposure", text.percent(net / nav), why=text.money(net, currency),
             definition="Long and short positions together, over the net asset value"),
        card(f"{ID}-long", "Long", text.percent(long / nav), why=text.money(long, currency),
             definition="Positions above zero, over the net asset value"),
        card(f"{ID}-short", "Short", text.percent(short / nav), why=text.money(short, currency),
             definition="Positions below zero, over the net asset value"),
        card(f"{ID}-leverage", "Leverage", _times(gross / nav),
             why=f"highest {_times(float(whole.leverage[highest]))} on {found.days[highest]}",
             definition="Gross exposure over the net asset value; the highest is of the window shown"),
        card(f"{ID}-effective", "Effective positions", text.number(float(found.dense.effective_number[-1]), 1),
             why=f"HHI {text.number(float(found.dense.herfindahl[-1]), 3)}",
             definition="One over the sum of squared shares of gross exposure by instrument (Herfindahl-Hirschman "
                        "index, HHI): so many equal positions would be as concentrated"),
        card(f"{ID}-top", "Five largest", text.percent(float(five)),
             why=f"largest {text.percent(float(largest))}, ten {text.percent(float(ten))}",
             definition=SHARE_OF_GROSS),
    ]  # fmt: skip


def _times(ratio: float) -> str:
    return text.NOT_AVAILABLE if math.isnan(ratio) else f"{text.number(ratio, 2)}×"


def remarks(found: ExposureCourse, problems: list[str]) -> list[Any]:
    """Return what must be known before the figures: choices that were adjusted, and what is left out."""
    said = []
    if found.without_rate:
        lost = text.first_of(found.without_rate)
        said.append(f"There is no rate for {lost}: positions in it are left out while there is none.")
    if found.unreported:
        names = text.first_of(found.unreported)
        said.append(f"Positions of {names} are built from trades, and in no figure of this page but NAV.")
    if found.without_nav:
        days = text.count(found.without_nav, "day")
        said.append(f"Of {days} no net asset value above 0 is known: nothing is shown there.")
    return [*adjusted_line(problems), *([verdict(Status.WARNING, " ".join(said), word="left out")] if said else [])]


def groups_table(found: ExposureCourse, by: Group, leads: Callable[[str], Any]) -> html.Div:
    """Return each group's exposure on the last day, and how its net share changed over the window.

    leads: returns a group's name as a link to where it is told of.
    """
    columns = [
        Column("name", GROUPS[by], numeric=False),
        Column("long", "Long", definition="Of the net asset value", unit="ratio"),
        Column("short", "Short", definition="Of the net asset value, 0 or below", unit="ratio"),
        Column("net", "Net", definition="Long and short together, of the net asset value", unit="ratio"),
        Column("gross", "Gross", definition="Long and short without their signs, of the net asset value", unit="ratio"),
        Column(
            "change",
            "Change",
            definition="Of net over the window, in percentage points of the net asset value",
            unit="ratio",
        ),
    ]
    each = found.groups.exposure
    gross = each.gross / each.nav
    order = [at for at in np.argsort(-gross[-1], kind="stable") if gross[-1, at] or gross[0, at]]
    shares = [found.groups.names[at] for at in order]
    rows = [_row(leads(name), name, *(part[:, at] / each.nav[:, 0] for part in (each.long, each.short)))
            for name, at in zip(shares, order, strict=True)]  # fmt: skip
    whole = found.whole
    rows.append(_row("All", "All", whole.long / whole.nav, whole.short / whole.nav))
    return data_table(ROWS, columns, rows, caption=f"By {GROUPS[by].lower()}", stack=False)


def _row(shown: Any, name: str, long: Any, short: Any) -> dict[str, Any]:
    net = long + short
    return {
        "name": Cell(shown, name),
        "long": _share(float(long[-1])),
        "short": _share(float(short[-1])),
        "net": _share(float(net[-1])),
        "gross": _share(float(long[-1] - short[-1])),
        "change": _points(float(net[-1] - net[0])),
    }


def _share(ratio: float) -> Cell:
    return Cell(text.percent(ratio), ratio)


def _points(change: float) -> Cell:
    return Cell(text.points(change), change)
