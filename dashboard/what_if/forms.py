"""The form that adds a trade: it changes nothing but the address, which can be shared."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from dash import html

from access.viewer import Viewer
from core.roles import Role
from dashboard.components.form import form, hidden, select_field, text_field
from dashboard.risk.bar import asked_of
from dashboard.views.form import Form, Said, Sent
from dashboard.views.tab import MAX_CHOICE_CHARS, Choices
from dashboard.what_if.tables import ID, PATH
from portfolio.thought_trades import (
    MOST_AMOUNT,
    MOST_TRADES,
    Trade,
    known_instruments,
    nearest_instrument,
    parse_trades,
    write_trades,
)

if TYPE_CHECKING:
    from storage.stores import Stores

SIDES = (("buy", "Buy"), ("sell", "Sell"))
NOT_ADDED = "Nothing was added."


def forms(stores: Stores) -> list[Form]:
    """Return what the page's form does: the address with one more trade."""

    def add(sent: Sent, viewer: Viewer) -> Said:
        choices = Choices.parse(sent["query"])
        asked = asked_of(stores, choices, viewer.portfolios)
        if asked.book is None:
            return Said(f"{NOT_ADDED} {asked.nothing}.", is_done=False)
        known = known_instruments(stores, asked.book.found)
        trade, wrong = _trade(sent, known)
        trades, _ = parse_trades(choices.get("trades", ""))
        if len(trades) >= MOST_TRADES:
            wrong["instrument"] = f"{MOST_TRADES} trades at most; take one back first"
        if trade is None or wrong:
            return Said(NOT_ADDED, is_done=False, fields=wrong)
        written = write_trades([*trades, trade])
        if len(written) > MAX_CHOICE_CHARS:
            return Said(f"{NOT_ADDED} The address holds no more trades; take one back first.", is_done=False)
        return Said(f"{trade.written()} added.", goto=f"{PATH}?{urlencode({**choices, 'trades': written})}")

    return [Form(f"{PATH}/add", add, Role.VIEWER)]


def trade_form(choices: Choices, known: list[str], currency: str) -> html.Form:
    """Return the form; known: the symbols that can be traded."""
    id = f"{ID}-new"
    units = (("quantity", "quantity"), ("money", f"money, {currency}"))
    return form(
        f"{PATH}/add",
        hidden("query", choices.query),
        select_field(id, "side", "Side", SIDES, "buy"),
        text_field(id, "amount", "Amount", hint="A number above 0, such as 100."),
        select_field(id, "unit", "In", units, "quantity"),
        text_field(id, "instrument", "Instrument", hint="Held, or with stored prices.", options=known),
        id=id,
        does="Add",
        clears=True,
    )


def _trade(sent: Sent, known: list[str]) -> tuple[Trade | None, dict[str, str]]:
    """Return the trade that was typed, and what is wrong with each field."""
    wrong: dict[str, str] = {}
    instrument = sent["instrument"]
    if instrument not in known:
        folded = {each.casefold(): each for each in known}
        instrument = folded.get(instrument.casefold(), "")
    if not instrument or ";" in instrument:
        typed = sent["instrument"][:64]
        wrong["instrument"] = f"there is no “{typed}”; {nearest_instrument(typed, known)}"
    try:
        amount = float(sent["amount"].replace("\u202f", "").replace(" ", ""))
    except ValueError:
        amount = math.nan
    if not 1e-6 <= amount <= MOST_AMOUNT:
        wrong["amount"] = "give a number above 0, such as 100; whether it is bought or sold, the side says"
    if sent["side"] not in dict(SIDES):
        wrong["side"] = "choose one of those offered"
    if sent["unit"] not in ("quantity", "money"):
        wrong["unit"] = "choose one of those offered"
    if wrong:
        return None, wrong
    return Trade(instrument, amount if sent["side"] == "buy" else -amount, sent["unit"] == "money"), wrong
