"""The figures above the differences: whether the books agree, what differs, since when, and what was not compared."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from dash import html

from core import format as text
from core.model import Status
from dashboard.components.card import card, verdict
from dashboard.reconcile.tables import cents
from portfolio.reconciliation import Compared, Reconciliation

ID = "reconcile"


def strip(found: Reconciliation) -> list[html.Article]:
    """Return the cards."""
    currency, positions, cash = found.portfolio.currency, found.of("position"), found.of("cash")
    beyond = len(found.beyond)
    word, state = _state(found)
    off = sum(not each.is_within for each in positions)
    nav = next((each for each in found.of("nav") if each.portfolio == found.portfolio.id), None)
    oldest = found.oldest
    days = int((found.days[-1] - oldest).astype(np.int64)) if oldest is not None else 0
    return [
        card(f"{ID}-state", "Books", word, state=state,
             why=f"{text.number(len(found.compared))} compared, {text.number(beyond)} beyond tolerance",
             definition="Whether positions, cash and net asset value that are built agree with those reported"),
        card(f"{ID}-positions", "Positions that differ", text.number(off),
             why=f"of {text.number(len(positions))} compared",
             definition="Quantities beyond tolerance, and positions that one side alone knows"),
        card(f"{ID}-worth", "Worth of differences", text.money(cents(found.positions[-1])), currency,
             why=_share(float(found.positions[-1]), found.nav),
             definition="Differences of quantities at the last price, without their signs"),
        card(f"{ID}-cash", "Cash differs by",
             text.money(cents(found.cash[-1])) if cash else text.NOT_AVAILABLE, currency if cash else "",
             why=_share(float(found.cash[-1]), found.nav) if cash else _no_cash(found),
             definition="Differences of every currency at the day's rate, without their signs"),
        card(f"{ID}-nav", "Net asset value",
             text.money(cents(nav.worth), signed=True) if nav else text.NOT_AVAILABLE, currency if nav else "",
             why=_of_nav(found, nav) if nav else _no_nav(found),
             definition="Built positions and cash at the day's prices, less the net asset value that was reported"),
        card(f"{ID}-oldest", "Since", str(oldest) if oldest is not None else "–",
             why=text.count(days, "day") if oldest is not None else "nothing differs",
             definition="Day on which the oldest difference that still stands appeared"),
    ]  # fmt: skip


def remarks(found: Reconciliation) -> list[Any]:
    """Return what must be known before the figures: what differs most, what could not be built, how books begin."""
    said: list[Any] = []
    beyond = found.beyond
    if beyond:
        more = f" {text.count(len(beyond) - 1, 'more difference')}." if len(beyond) > 1 else ""
        said.append(verdict(Status.WARNING, f"{_sentence(found, beyond[0])}.{more}", word="books differ"))
    unbuilt = [f"{found.names.get(id, id)}: {why}." for id, why in found.not_built.items()]
    if unbuilt:
        said.append(verdict(Status.WARNING, f"Not compared: {' '.join(unbuilt)}", word="no book"))
    lines = []
    if found.begins:
        days = [str(day) for day in sorted(set(found.begins.values()))]
        lines.append(f"No trade is there before the first report, so books begin with it: {text.first_of(days)}.")
    if found.without_money:
        names = text.first_of([found.names.get(id, id) for id in found.without_money])
        lines.append(f"Cash is not built of {names}: {_NO_MONEY}.")
    return [*said, html.P(" ".join(lines), className="fw-nothing")] if lines else said


_NO_MONEY = "send deposits and withdrawals as transactions, or flows with its values"


def _state(found: Reconciliation) -> tuple[str, Status]:
    """Return whether the books agree, which nobody knows where a part of them is on one side alone."""
    if found.beyond:
        return "differ", Status.WARNING
    if not found.compared:
        return "not compared", Status.UNKNOWN
    if found.not_built or found.without_money:
        return "not all compared", Status.UNKNOWN
    return "agree", Status.OK


def _sentence(found: Reconciliation, each: Compared) -> str:
    whose = f" of {found.names.get(each.portfolio, each.portfolio)}" if len(found.names) > 1 else ""
    worth = (
        "by what nobody can value"
        if math.isnan(each.worth)
        else f"by {text.money(abs(each.worth), found.portfolio.currency)}"
    )
    since = f" since {each.since}" if each.since is not None else ""
    if each.what == "position":
        return f"{each.name}{whose} is off {worth}{since}"
    name = f"Cash in {each.name}" if each.what == "cash" else "The net asset value"
    return f"{name}{whose} is off {worth}{since}"


def _share(worth: float, nav: float, *, signed: bool = False) -> str:
    return f"{text.percent(worth / nav, signed=signed)} of NAV" if nav > 0 else "no net asset value reported"


def _of_nav(found: Reconciliation, nav: Compared) -> str:
    share, days = _share(nav.worth, found.nav, signed=True), found.days_old(nav)
    return f"{share} · of {nav.day}, {text.count(days, 'day')} before the newest report" if days else share


def _no_cash(found: Reconciliation) -> str:
    return "not built: no money in is told" if found.without_money else "no cash reported"


def _no_nav(found: Reconciliation) -> str:
    if found.without_money:
        return "not built: no money in is told"
    return "not every part has a book" if found.not_built else "none reported on a day with a report"
