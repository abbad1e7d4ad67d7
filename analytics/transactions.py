"""What happened to a fund's positions and cash, one row each, and which rows cannot be meant.

An exchange of currencies is two rows, a withdrawal of one and a deposit of the other, each at a rate such that both are
worth the same: then neither counts as money from investors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeAlias, get_args

from core.errors import BookRefused, Fault

Kind: TypeAlias = Literal[
    "buy", "sell", "short", "cover", "transfer", "split", "dividend", "fee", "interest", "deposit", "withdrawal"
]
KINDS = get_args(Kind)
TRADES = frozenset({"buy", "sell", "short", "cover"})
SIDES = {"buy": 1.0, "cover": 1.0, "sell": -1.0, "short": -1.0, "transfer": 1.0}
OF_INSTRUMENTS = frozenset({*SIDES, "split", "dividend"})
PAID = frozenset({"fee", "deposit", "withdrawal"})


@dataclass(frozen=True, slots=True)
class Transaction:
    """One row, in the currency of the instrument or the cash."""

    time_seconds: float
    """Since 1970, UTC."""
    kind: Kind
    symbol: str = ""
    quantity: float = 0.0
    """Above 0; of a transfer of instruments in (+) or out (−)."""
    price: float = 0.0
    """Of a unit; of a transfer what the unit was worth."""
    amount: float = 0.0
    """Of cash: above 0 for fee, deposit and withdrawal; a dividend or interest that is paid is below 0."""
    fees: float = 0.0
    """Commission, taxes and charges of a trade or transfer, 0 or above; a rebate is below 0."""
    currency: str = ""
    """"" for the base currency."""
    rate: float = 1.0
    """Base currency for a unit of this one, then."""
    ratio: float = 1.0
    """Of a split: new units for an old one, 2 for 2:1, 0.1 for a reverse one of 1:10."""
    multiplier: float = 1.0
    """Value of a point, for contracts."""
    order: str = ""
    """Fills of one order belong together."""


def check(transactions: Sequence[Transaction]) -> None:
    """Raise BookRefused at the first row that cannot be meant, or that is older than the one before it."""
    before = -math.inf
    for row, given in enumerate(transactions, 1):
        _check(row, given)
        if given.time_seconds < before:
            refused(row, "time_seconds", given.time_seconds, "is before that of the row above", "give the oldest first")
        before = given.time_seconds


def refused(row: int, field: str, value: object, reason: str, fix: str) -> NoReturn:
    """Raise BookRefused. row: counted from 1; 0: it is no transaction."""
    raise BookRefused(Fault(row, field, str(value), reason, fix))


def _check(row: int, given: Transaction) -> None:
    if given.kind not in KINDS:
        refused(row, "kind", given.kind, "is no kind of transaction", f"give one of {', '.join(KINDS)}")
    _check_finite(row, given)
    if given.rate <= 0:
        refused(row, "rate", given.rate, "is not above 0", "give base currency for a unit of this one")
    if given.multiplier <= 0:
        refused(row, "multiplier", given.multiplier, "is not above 0", "give the value of a point, 1 for shares")
    if not given.currency and given.rate != 1.0:
        refused(row, "rate", given.rate, "is of the base currency", "name the currency, or leave the rate 1")
    if given.kind in OF_INSTRUMENTS:
        _check_instrument(row, given)
    elif given.kind in PAID and given.amount <= 0:
        refused(row, "amount", given.amount, "is not above 0", "the kind says which way it goes")


def _check_finite(row: int, given: Transaction) -> None:
    money = given.quantity + given.price + given.amount + given.fees
    # A sum that is finite proves that every number is.
    if math.isfinite(money + given.time_seconds + given.rate + given.ratio + given.multiplier):
        return
    for name in ("time_seconds", "quantity", "price", "amount", "fees", "rate", "ratio", "multiplier"):
        if not math.isfinite(getattr(given, name)):
            refused(row, name, getattr(given, name), "is missing or infinite", "give a number")


def _check_instrument(row: int, given: Transaction) -> None:
    if not given.symbol:
        refused(row, "symbol", "", f"a {given.kind} needs one", "name the instrument")
    if given.kind == "split" and given.ratio <= 0:
        refused(row, "ratio", given.ratio, "is not above 0", "give new units for an old one, 2 for 2:1")
    if given.kind not in SIDES:
        return
    if given.quantity == 0 or (given.quantity < 0 and given.kind in TRADES):
        refused(row, "quantity", given.quantity, "is not above 0", "the kind says which way it goes")
    if given.price <= 0:
        refused(row, "price", given.price, "is missing or not above 0", "give what a unit cost")
