"""Positions, cash, cost and P&L built from transactions.

Fees of a trade are part of what its units cost or brought. A transfer of instruments comes in and goes out at its price
as money from or to investors: what its units gained until then is realised. Everything that the fund is worth is then
money put in, gains realised and not, income, costs, and what rates did to cash: these add up exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from analytics.lots import METHODS, Closed, Lot, Lots, Method
from analytics.transactions import SIDES, Transaction, check, refused
from core.clock import DAY_SECONDS


@dataclass(frozen=True, slots=True)
class Position:
    """An instrument that is held, or was. Local currency, and base currency at the rates of the time."""

    symbol: str
    currency: str
    multiplier: float
    lots: tuple[Lot, ...]
    realised: float
    realised_base: float
    income: float
    """Dividends."""
    income_base: float

    @property
    def quantity(self) -> float:
        """Return the units held, short ones below 0."""
        return sum((lot.quantity for lot in self.lots), 0.0)

    @property
    def cost(self) -> float:
        """Return what they cost, fees in it; of shorts what they brought, below 0."""
        return sum((lot.quantity * lot.cost for lot in self.lots), 0.0)

    @property
    def cost_base(self) -> float:
        """Return the cost in base currency at the rates of the time."""
        return sum((lot.quantity * lot.cost_base for lot in self.lots), 0.0)

    @property
    def average_cost(self) -> float:
        """Return the price at which the units came, fees in it; NaN when none is held."""
        return self.cost / self.quantity / self.multiplier if self.lots else float("nan")

    def held_days(self, now_seconds: float) -> float:
        """Return how long units were held, their mean by quantity; NaN when none is."""
        if not self.lots:
            return float("nan")
        opened = sum(lot.quantity * lot.opened_seconds for lot in self.lots) / self.quantity
        return (now_seconds - opened) / DAY_SECONDS


@dataclass(frozen=True, slots=True)
class Book:
    """What transactions came to."""

    positions: Mapping[str, Position]
    """By symbol, those that were closed among them."""
    cash: Mapping[str, float]
    """By currency, "" the base one; below 0 what is owed."""
    cash_base: Mapping[str, float]
    """The same at the rates of the time of each movement."""
    flow_base: float
    """Money and instruments that came in, less what went out."""
    interest_base: float
    costs_base: float
    """Fees that are of no trade."""
    fees_base: float
    """Fees of trades: they are in costs and gains of positions already."""
    closed: tuple[Closed, ...]
    """Each lot or part of one that a trade closed, in order: what round trips are made of."""


@dataclass(frozen=True, slots=True)
class Valued:
    """A position at a price."""

    symbol: str
    quantity: float
    price: float
    value: float
    value_base: float
    unrealised: float
    unrealised_base: float


@dataclass(frozen=True, slots=True)
class Valuation:
    """A book at prices and rates, in base currency; `gain` is NAV less flows."""

    positions: tuple[Valued, ...]
    cash: float
    nav: float
    realised: float
    unrealised: float
    income: float
    interest: float
    costs: float
    cash_currency_gain: float
    """What rates did to cash while it lay there."""
    flow: float

    @property
    def gain(self) -> float:
        """Return what was made: the parts add up to NAV less what was put in."""
        gained = self.realised + self.unrealised + self.income + self.interest
        return gained - self.costs + self.cash_currency_gain


def build(transactions: Sequence[Transaction], method: Method = "fifo") -> Book:
    """Return the book after all transactions, which are in order of time.

    A split, dividend or fee of an instrument that is not held is taken as it is. Raises BookRefused that names the row,
    the field and the fix, and ValueError for an unknown method.
    """
    check(transactions)
    ledger = Ledger(method)
    for row, given in enumerate(transactions, 1):
        ledger.take(row, given)
    return ledger.book()


def value(book: Book, prices: Mapping[str, float], rates: Mapping[str, float]) -> Valuation:
    """Return the book at prices by symbol and rates by currency (base for a unit; the base currency needs none).

    Raises BookRefused that names the symbol whose price, or the currency whose rate, is missing or not above 0.
    """
    positions = book.positions.values()
    valued = tuple(_valued(each, prices, rates) for each in positions if each.lots)
    cash = sum((amount * rate_of(currency, rates) for currency, amount in book.cash.items() if amount), 0.0)
    return Valuation(
        positions=valued,
        cash=cash,
        nav=cash + sum(each.value_base for each in valued),
        realised=sum((each.realised_base for each in positions), 0.0),
        unrealised=sum((each.unrealised_base for each in valued), 0.0),
        income=sum((each.income_base for each in positions), 0.0),
        interest=book.interest_base,
        costs=book.costs_base,
        cash_currency_gain=cash - sum(book.cash_base.values()),
        flow=book.flow_base,
    )


def rate_of(currency: str, rates: Mapping[str, float]) -> float:
    """Return base currency for a unit. Raises BookRefused when it is missing or not above 0."""
    if not currency:
        return 1.0
    rate = rates.get(currency, float("nan"))
    if not 0.0 < rate < float("inf"):
        refused(0, "rate", currency, "has no rate above 0", "give base currency for a unit of it")
    return rate


@dataclass(slots=True)
class Account:
    """The position of one instrument while the book is built."""

    currency: str
    multiplier: float
    lots: Lots
    realised: float = 0.0
    realised_base: float = 0.0
    income: float = 0.0
    income_base: float = 0.0

    def position(self, symbol: str) -> Position:
        """Return it as it is now."""
        return Position(
            symbol,
            self.currency,
            self.multiplier,
            tuple(self.lots.open),
            self.realised,
            self.realised_base,
            self.income,
            self.income_base,
        )


@dataclass(slots=True)
class Ledger:
    """A book while it is built: takes one transaction after the other."""

    method: Method
    accounts: dict[str, Account] = field(default_factory=dict)
    cash: dict[str, float] = field(default_factory=dict)
    cash_base: dict[str, float] = field(default_factory=dict)
    closed: list[Closed] = field(default_factory=list)
    flow_base: float = 0.0
    interest_base: float = 0.0
    costs_base: float = 0.0
    fees_base: float = 0.0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method: {self.method!r} is not one of {', '.join(METHODS)}")

    def take(self, row: int, given: Transaction) -> None:
        """Book one checked transaction."""
        if given.kind in SIDES:
            self._trade(row, given)
        elif given.kind == "split":
            if given.symbol in self.accounts:
                self.accounts[given.symbol].lots.split(given.ratio)
        elif given.kind == "dividend":
            self._dividend(row, given)
        else:
            self._money(given)

    def book(self) -> Book:
        """Return what it came to until now."""
        return Book(
            {symbol: account.position(symbol) for symbol, account in self.accounts.items()},
            dict(self.cash),
            dict(self.cash_base),
            self.flow_base,
            self.interest_base,
            self.costs_base,
            self.fees_base,
            tuple(self.closed),
        )

    def _trade(self, row: int, given: Transaction) -> None:
        account = self._account(row, given)
        quantity = SIDES[given.kind] * given.quantity
        side = 1.0 if quantity > 0 else -1.0
        # Who buys pays the fees on top, who sells gets them less.
        unit = given.price * given.multiplier + side * given.fees / abs(quantity)
        time = given.time_seconds
        new = Lot(quantity, unit, unit * given.rate, time, time, given.order)
        closed = account.lots.take(new, given.symbol, row)
        account.realised += sum(each.profit for each in closed)
        account.realised_base += sum(each.profit_base for each in closed)
        self.fees_base += given.fees * given.rate
        if given.kind == "transfer":
            self.flow_base += quantity * unit * given.rate - given.fees * given.rate
            self._pay(given, -given.fees)
        else:
            self.closed.extend(closed)
            self._pay(given, -quantity * unit)

    def _dividend(self, row: int, given: Transaction) -> None:
        account = self._account(row, given)
        account.income += given.amount
        account.income_base += given.amount * given.rate
        self._pay(given, given.amount)

    def _money(self, given: Transaction) -> None:
        amount = -given.amount if given.kind in ("fee", "withdrawal") else given.amount
        self._pay(given, amount)
        base = amount * given.rate
        if given.kind == "fee":
            self.costs_base -= base
        elif given.kind == "interest":
            self.interest_base += base
        else:
            self.flow_base += base

    def _pay(self, given: Transaction, amount: float) -> None:
        self.cash[given.currency] = self.cash.get(given.currency, 0.0) + amount
        self.cash_base[given.currency] = self.cash_base.get(given.currency, 0.0) + amount * given.rate

    def _account(self, row: int, given: Transaction) -> Account:
        known = self.accounts.get(given.symbol)
        if known is None:
            known = Account(given.currency, given.multiplier, Lots(self.method))
            self.accounts[given.symbol] = known
        if known.currency != given.currency:
            held = known.currency or "the base currency"
            refused(row, "currency", given.currency, f"{given.symbol} is held in {held}", "give it in that one")
        if known.multiplier != given.multiplier and given.kind != "dividend":
            refused(row, "multiplier", given.multiplier, f"{given.symbol} has {known.multiplier:g}", "give that one")
        return known


def _valued(position: Position, prices: Mapping[str, float], rates: Mapping[str, float]) -> Valued:
    price = prices.get(position.symbol, float("nan"))
    if not 0.0 < price < float("inf"):
        refused(0, "price", position.symbol, "is held and has no price above 0", "give its price of that day")
    quantity, rate = position.quantity, rate_of(position.currency, rates)
    worth = quantity * price * position.multiplier
    return Valued(
        position.symbol,
        quantity,
        price,
        worth,
        worth * rate,
        worth - position.cost,
        worth * rate - position.cost_base,
    )
