"""Positions and cash built from a portfolio's trades and transactions, beside which reported ones are set.

The book begins empty where a trade or transaction is there before the first report. Else it begins with what that
report holds, as any roll-forward does: what came before was never sent. Cash that was told before the first trade is
what it begins with, too. Money in and out is what transactions tell (deposit, withdrawal); a portfolio that tells none
has the flows of its values. Amounts are in their own currencies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analytics.book_course import units
from analytics.lots import Method
from analytics.transactions import Kind, Transaction
from core.clock import DAY_SECONDS
from core.currency import CASH
from core.errors import BookRefused
from core.format import first_of
from portfolio.given import said_of
from portfolio.reports import covers
from storage.clickhouse.reads.book import Position, cash_told, positions_at
from storage.clickhouse.reads.booked import Booked, booked
from storage.state.series import Series

if TYPE_CHECKING:
    from portfolio.fund import Fund
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores

Floats = NDArray[np.float64]
Seconds = NDArray[np.int64]
LAST_MICROSECOND = 0.999_999
"""What happened within an end's second is before that end."""
FIRST_REPORT = "the first report"
NO_COST = 1.0
"""Stands for what came in at a price that nobody told: quantities need none."""
MONEY: Mapping[str, tuple[Kind, Kind]] = {
    "fee": ("interest", "fee"), "tax": ("interest", "fee"), "interest": ("interest", "fee"),
    "deposit": ("deposit", "deposit"), "withdrawal": ("withdrawal", "withdrawal"),
}  # fmt: skip
"""Transactions of money alone, as the ledger calls those that came and those that went. Of a deposit and a withdrawal
the name says which way it went, whatever the sign."""


NO_MONEY = "no deposit was told, nor cash to begin with"


@dataclass(frozen=True, eq=False)
class Built:
    """What a portfolio's trades and transactions come to at the end of each of its days."""

    portfolio: Portfolio
    ends: Seconds
    """(n,)."""
    symbols: tuple[str, ...]
    """(m,)."""
    quantities: Floats
    """(n, m)."""
    costs: Floats
    """(n, m): what one cost on average, fees in it, in its currency; NaN where none is held or nobody told.
    Those of days with both sides are right where it was built with `is_costed`."""
    currencies: tuple[str, ...]
    """(m,): of the instruments."""
    cash: Mapping[str, Floats]
    """(n,), by currency."""
    flows: Mapping[str, Floats]
    """(n,), by currency: money in (+) and out (−) within each day, and before the first one."""
    transfers: Floats
    """(n, m): units that came (+) and went (−) without money within each day."""
    begins: np.datetime64 | None
    """Day of the report that it begins with; None: it begins with nothing."""
    problem: str = ""
    """Why nothing could be built; then there are no symbols and no cash."""
    no_money: str = ""
    """Why its money is not known; empty: it is. Without, cash is what trades alone cost."""

    @property
    def has_money(self) -> bool:
        """Return whether its money is known."""
        return not self.no_money

    def at(self, day: int) -> dict[str, float]:
        """Return the quantities at the end of a day, by place, of what is held."""
        held = zip(self.symbols, self.quantities[day].tolist(), strict=True)
        return {symbol: quantity for symbol, quantity in held if quantity}


@dataclass(slots=True)
class _Rows:
    """Transactions as the ledger takes them, and what each came from."""

    own: str
    """The portfolio's currency, which the ledger calls ""."""
    about: Mapping[str, Series]
    given: list[Transaction] = field(default_factory=list)
    of: list[str] = field(default_factory=list)
    """What a person calls each row."""
    uncosted: set[str] = field(default_factory=set)
    """Instruments that came in at a cost that nobody told."""
    traded_in: dict[str, str] = field(default_factory=dict)
    """Currency of each instrument."""

    def add(
        self, of: str, kind: Kind, seconds: float, currency: str, *, symbol: str = "", quantity: float = 0.0,
        price: float = 0.0, amount: float = 0.0, fees: float = 0.0, ratio: float = 1.0,
    ) -> None:  # fmt: skip
        """Add one row."""
        told = "" if currency == self.own else currency
        if kind in ("buy", "sell", "transfer"):
            self.traded_in.setdefault(symbol, told)
        self.of.append(of)
        self.given.append(
            Transaction(seconds, kind, symbol, quantity, price, amount, fees, told, 1.0, ratio, self.multiplier(symbol))
        )

    def multiplier(self, symbol: str) -> float:
        """Return what one of an instrument is worth at a price of 1."""
        known = self.about.get(symbol)
        return known.multiplier if known else 1.0

    def transfer(self, of: str, seconds: float, currency: str, symbol: str, quantity: float, price: float) -> None:
        """Add what came or went without money; a price that is none is not known.

        A future came as if it was bought: nobody owns its notional, which built cash pays and has back by its price.
        """
        if not quantity:
            return
        known = self.about.get(symbol)
        if not 0 < price < math.inf:
            self.uncosted.add(symbol)
            price = NO_COST
        elif known is not None and known.is_settled_daily:
            kind: Kind = "buy" if quantity > 0 else "sell"
            self.add(of, kind, seconds, currency, symbol=symbol, quantity=abs(quantity), price=price)
            return
        self.add(of, "transfer", seconds, currency, symbol=symbol, quantity=quantity, price=price)


def built(
    stores: Stores, portfolio: Portfolio, whole: Fund, about: Mapping[str, Series], reports: Seconds, ends: Seconds,
    method: Method = "average", is_costed: bool = False,
) -> Built:  # fmt: skip
    """Return what a portfolio's own trades and transactions come to at `ends` (epoch seconds, one a day, oldest first).

    reports: when it told its positions, none where it never did. is_costed: whether what positions cost is wanted, else
    trades of a day count together, which costs less work. A book that cannot be built says why. Raises
    StorageUnavailable or StorageRejected.
    """
    found = booked(stores.clickhouse, portfolio.origin, portfolio.id, ends.tolist(), by_run=is_costed)
    rows = _Rows(portfolio.currency, about)
    begins = _opening(stores, portfolio, rows, reports, found, int(ends[-1]))
    for each in found:
        if begins is None or each.seconds > begins + LAST_MICROSECOND:
            _add(rows, each)
    since = _cash(stores, portfolio, rows, found, begins)
    if not any(each.action in ("deposit", "withdrawal") for each in found):
        _flows(rows, portfolio, whole, since if since is not None else begins, int(ends[-1]))
    order = sorted(range(len(rows.given)), key=lambda at: rows.given[at].time_seconds)
    given = [rows.given[at] for at in order]
    symbols = sorted({each.symbol for each in given if each.symbol})
    currencies = sorted({each.currency for each in given if each.currency})
    opened = None if begins is None else np.datetime64(begins // DAY_SECONDS, "D")
    try:
        course = units(given, ends + LAST_MICROSECOND, symbols, currencies, method)
    except BookRefused as error:
        fault = error.fault
        what = f"{rows.of[order[fault.row - 1]]}: " if fault.row else ""
        none = np.zeros((len(ends), 0))
        why = f"{what}{fault.field} {fault.value or 'nothing'} {fault.reason}"
        return Built(portfolio, ends, (), none, none, (), {}, {}, none, opened, why)
    is_known = np.array([symbol not in rows.uncosted for symbol in symbols], dtype=np.bool_)
    with np.errstate(divide="ignore", invalid="ignore"):
        costs = np.where(is_known & (course.quantity != 0), course.cost / course.quantity / course.multiplier, np.nan)
    moved = {each.currency for each in given if each.kind != "split"}
    cash = {
        name or portfolio.currency: course.cash[:, at] for at, name in enumerate(("", *currencies)) if name in moved
    }
    told_in = tuple(each or portfolio.currency for each in course.currency_of)
    # What a future gained since it came or went at a price that nobody told is in nobody's cash.
    futures = {symbol for symbol, each in about.items() if each.is_settled_daily}
    lost = sorted(futures & rows.uncosted)
    no_money = f"{first_of(lost)} came or went at a price that nobody told" if lost else ""
    if not any(each.kind in ("deposit", "withdrawal") for each in given):
        no_money = NO_MONEY
    flows, transfers = _moved(given, ends, symbols, portfolio.currency)
    return Built(
        portfolio, ends, tuple(symbols), course.quantity, costs, told_in, cash, flows, transfers, opened,
        no_money=no_money,
    )  # fmt: skip


def _moved(
    given: Sequence[Transaction], ends: Seconds, symbols: Sequence[str], own: str
) -> tuple[dict[str, Floats], Floats]:
    """Return the money by currency, and the units of each instrument, that came and went within each day."""
    flows: dict[str, Floats] = {}
    transfers = np.zeros((len(ends), len(symbols)))
    for each in given:
        if each.kind not in ("deposit", "withdrawal", "transfer") or each.time_seconds > ends[-1] + LAST_MICROSECOND:
            continue
        day = int(np.searchsorted(ends + LAST_MICROSECOND, each.time_seconds))
        if each.kind == "transfer":
            transfers[day, symbols.index(each.symbol)] += each.quantity
        else:
            amounts = flows.setdefault(each.currency or own, np.zeros(len(ends)))
            amounts[day] += each.amount if each.kind == "deposit" else -each.amount
    return flows, transfers


def _opening(
    stores: Stores, portfolio: Portfolio, rows: _Rows, reports: Seconds, found: Sequence[Booked], until: int
) -> int | None:
    """Add what the first report holds, where nothing is booked before it; return the end of that report's time."""
    if not len(reports):
        return None
    first = int(reports[0])
    begins = covers(first)
    if begins > until or (found and found[0].seconds <= begins + LAST_MICROSECOND):
        return None
    told = positions_at(stores.clickhouse, portfolio.origin, [(portfolio.id, first)])
    for each in told[portfolio.id, first]:
        if each.instrument != CASH:
            currency, price = each.currency or portfolio.currency, _cost(each, rows.about.get(each.instrument))
            rows.transfer(FIRST_REPORT, begins, currency, each.instrument, each.quantity, price)
    return begins


def _cash(
    stores: Stores, portfolio: Portfolio, rows: _Rows, found: Sequence[Booked], begins: int | None
) -> int | None:  # fmt: skip
    """Add the cash told last up to the first report, else before the day of the first trade.

    Return until when it tells; None: nobody told any.
    """
    if begins is None and (not found or found[0].action in ("deposit", "withdrawal")):
        return None
    before = begins + 1 if begins is not None else int(found[0].seconds) // DAY_SECONDS * DAY_SECONDS
    told = cash_told(stores.clickhouse, portfolio.origin, [portfolio.id], before)
    if not told:
        return None
    at = covers(max(at for _, _, at, _ in told))
    for _, currency, _, amount in told:
        action = "deposit" if amount > 0 else "withdrawal"
        _money(rows, FIRST_REPORT, action, at, currency or portfolio.currency, amount)
    return at


def _cost(each: Position, about: Series | None) -> float:
    # What a future gained until its report is in the cash that was told.
    is_settled = about is not None and about.is_settled_daily
    return each.average_cost if each.average_cost > 0 and not is_settled else each.price


def _add(rows: _Rows, each: Booked) -> None:
    currency = each.currency or rows.own
    match each.action:
        case "buy" | "sell":
            rows.add(
                f"trade {each.id}", "buy" if each.action == "buy" else "sell", each.seconds, currency,
                symbol=each.instrument, quantity=each.quantity, price=each.price, fees=each.costs,
            )  # fmt: skip
        case "split":
            rows.add(each.id, "split", each.seconds, rows.own, symbol=each.instrument, ratio=each.ratio)
        case "transfer":
            of_one = abs(each.amount) / (abs(each.quantity) * rows.multiplier(each.instrument))
            rows.transfer(f"transaction {each.id}", each.seconds, currency, each.instrument, each.quantity, of_one)
        case "dividend" if rows.traded_in.get(each.instrument) == ("" if currency == rows.own else currency):
            rows.add(each.id, "dividend", each.seconds, currency, symbol=each.instrument, amount=each.amount)
        case "dividend":  # in another currency than it is traded in: money all the same
            _money(rows, each.id, "interest", each.seconds, currency, each.amount)
        case _:
            _money(rows, f"transaction {each.id}", each.action, each.seconds, currency, each.amount)


def _money(rows: _Rows, of: str, action: str, seconds: float, currency: str, amount: float) -> None:
    if not amount or math.isnan(amount):
        return
    came, went = MONEY[action]
    rows.add(of, came if amount > 0 else went, seconds, currency, amount=abs(amount))


def _flows(rows: _Rows, portfolio: Portfolio, whole: Fund, begins: int | None, until: int) -> None:
    """Add the money in and out that the portfolio's own values tell, after the beginning."""
    if portfolio.id not in whole.rows:
        return
    nav = whole.history(portfolio.id, said_of(portfolio)).nav
    for day, flow in zip(nav.dates.astype(np.int64).tolist(), nav.flow.tolist(), strict=True):
        at = day * DAY_SECONDS
        if at <= until and (begins is None or at > begins):
            _money(
                rows, "a flow of its values", "deposit" if flow > 0 else "withdrawal", at, portfolio.currency, flow
            )  # fmt: skip
