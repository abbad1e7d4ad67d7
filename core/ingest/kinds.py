"""THE kinds of rows that Fundwatch takes in, a model each, which API, files and documents share.

Times are kept by the microsecond for orders, trades and transactions and by the second for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, get_args

from pydantic import Field

from core.currency import CURRENCIES
from core.ingest.columns import Code, Column, Key, Moment, Row, Unit, columns_of

TIME = {"format": "date-time", "examples": ["2026-01-31T09:30:00Z"]}
STATUSES: Mapping[str, int] = {
    "new": 0, "accepted": 1, "partially_filled": 2, "filled": 3, "cancelled": 3, "rejected": 3, "expired": 3,
}  # fmt: skip
"""What an order may be, and how far it has come. Of the last ones none becomes another."""
FINAL = 3
FIRST = ("new", "accepted")
"""An order is in these before it is filled: the time of a later state does not say since when there is the order."""

AssetClass = Literal["equity", "fund", "bond", "future", "option", "fx", "commodity", "crypto", "cash", "other"]
ASSET_CLASSES: tuple[str, ...] = get_args(AssetClass)

Portfolio = Annotated[
    str, Field(min_length=1, max_length=64, description="Id, name or former name of the portfolio."), Key()
]
Second = Annotated[str | float, Field(json_schema_extra=TIME, description="When it was so."), Moment(), Key()]
Microsecond = Annotated[str | float, Field(json_schema_extra=TIME), Moment("microsecond")]
OnceKnown = Annotated[str | float | None, Field(json_schema_extra=TIME), Moment("microsecond")]
Symbol = Annotated[str, Field(min_length=1, max_length=64, description="Symbol of the instrument.")]
Id = Annotated[str, Field(min_length=1, max_length=128)]
Name = Annotated[str | None, Field(max_length=64)]
Side = Annotated[Literal["buy", "sell"], Field(description="Whether it is bought or sold.")]
Traded = Annotated[float, Field(gt=0, description="How many, whichever the side.", allow_inf_nan=False), Unit("count")]
Price = Annotated[float, Field(gt=0, allow_inf_nan=False)]
MaybePrice = Annotated[float | None, Field(gt=0, allow_inf_nan=False)]
Money = Unit("currency")
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$"), Code()]
KeptCurrency = Annotated[str, Field(pattern=r"^[A-Z]{3}$"), Code(CURRENCIES)]


class NavRow(Row):
    """What a portfolio is worth."""

    portfolio: Portfolio
    ts: Second
    nav: Annotated[float, Field(ge=0, allow_inf_nan=False, description="Net asset value."), Money]
    flow: Annotated[
        float, Field(allow_inf_nan=False, description="Money in (+, from the start of the day) or out (−, at its end)"),
        Money,
    ] = 0.0  # fmt: skip
    currency: Annotated[
        str | None, Field(pattern=r"^[A-Z]{3}$", description="The portfolio's; a new portfolio gets it."), Code()
    ] = None  # fmt: skip


class PositionRow(Row):
    """What a portfolio holds of an instrument. 0 says that it holds none any more."""

    portfolio: Portfolio
    ts: Second
    instrument: Annotated[Symbol, Key()]
    quantity: Annotated[float, Field(allow_inf_nan=False, description="How many; below 0: sold short."), Unit("count")]
    price: Annotated[Price, Field(description="Of one."), Money]
    market_value: Annotated[
        float | None, Field(allow_inf_nan=False, description="quantity × price × multiplier when left out."), Money
    ] = None  # fmt: skip
    average_cost: Annotated[MaybePrice, Field(description="What one cost, on average."), Money] = None
    currency: Annotated[
        str | None,
        Field(pattern=r"^[A-Z]{3}$", description="Of price, value, cost and accrued; the portfolio's when left out."),
        Code(),
    ] = None  # fmt: skip
    accrued: Annotated[
        float, Field(allow_inf_nan=False, description="Interest owed on it, beside its market value."), Money
    ] = 0.0  # fmt: skip


class CashRow(Row):
    """Money that a portfolio holds in a currency."""

    portfolio: Portfolio
    ts: Second
    currency: Annotated[Currency, Field(description="Of the money."), Key()]
    amount: Annotated[float, Field(allow_inf_nan=False, description="How much; below 0: owed."), Unit("currency")]


class InstrumentRow(Row):
    """What an instrument is."""

    symbol: Annotated[Symbol, Key()]
    name: Annotated[str | None, Field(max_length=120, description="The symbol when left out.")] = None
    kind: Annotated[
        Literal["price", "total_return", "rate", "fx"],
        Field(description="price: without dividends; total_return: with them; rate: percent a year; fx: a pair."),
    ] = "price"  # fmt: skip
    currency: Annotated[
        str | None, Field(pattern=r"^[A-Z]{3}$", description="Of its prices, or that a rate is paid on."), Code()
    ] = None  # fmt: skip
    day_count: Annotated[
        Literal["act/360", "act/365", "act/act", "30/360"] | None, Field(description="Of a rate, and of nothing else.")
    ] = None  # fmt: skip
    note: Annotated[str | None, Field(max_length=500, description="Anything worth knowing.")] = None
    asset_class: Annotated[
        AssetClass | None,
        Field(description="What it is."),
    ] = None  # fmt: skip
    sector: Annotated[Name, Field(description="Of its business, such as Energy.")] = None
    industry: Annotated[Name, Field(description="Narrower than the sector.")] = None
    country: Annotated[
        str | None, Field(pattern=r"^[A-Z]{2}$", max_length=2, description="Of its risk: ISO 3166, such as US.")
    ] = None  # fmt: skip
    multiplier: Annotated[
        float, Field(gt=0, allow_inf_nan=False, description="Worth of one at a price of 1: 50 of an E-mini future."),
        Unit("count"),
    ] = 1.0  # fmt: skip
    tags: Annotated[str | None, Field(max_length=200, description="Strategies it belongs to, with commas between.")] = (
        None
    )
    daily_volume: Annotated[
        float | None, Field(gt=0, allow_inf_nan=False, description="How many trade in a day on average (ADV)."),
        Unit("count"),
    ] = None  # fmt: skip


class OrderRow(Row):
    """An order in one of its states. A later state replaces an earlier one; what it leaves out stays as it was told."""

    portfolio: Portfolio
    order_id: Annotated[Id, Field(description="Unique in the portfolio."), Key()]
    ts: Annotated[Microsecond, Field(description="When it came into this state.")]
    instrument: Symbol
    side: Side
    quantity: Traded
    status: Annotated[
        Literal["new", "accepted", "partially_filled", "filled", "cancelled", "rejected", "expired"],
        Field(description="Its state; it only goes forward, and the last four are final."),
    ]  # fmt: skip
    order_type: Annotated[
        Literal["market", "limit", "stop", "stop_limit", "market_on_close", "limit_on_close", "other"] | None,
        Field(description="Of which type it is; market where no state tells."),
    ] = None  # fmt: skip
    limit_price: Annotated[MaybePrice, Field(description="Its limit."), Money] = None
    decision_price: Annotated[MaybePrice, Field(description="Price when it was decided on."), Money] = None
    arrival_price: Annotated[MaybePrice, Field(description="Middle of the market when it was submitted."), Money] = None
    decided_at: Annotated[OnceKnown, Field(description="When it was decided on.")] = None
    submitted_at: Annotated[OnceKnown, Field(description="When it was sent; ts of status new when left out.")] = None
    acknowledged_at: Annotated[
        OnceKnown, Field(description="When the broker took it; ts of status accepted when left out.")
    ] = None  # fmt: skip
    first_filled_at: Annotated[
        OnceKnown, Field(description="When its first fill was; ts of status partially_filled when left out.")
    ] = None  # fmt: skip
    last_filled_at: Annotated[
        OnceKnown, Field(description="When its last fill was; ts of status filled when left out.")
    ] = None  # fmt: skip
    ended_at: Annotated[
        OnceKnown, Field(description="When it ended unfilled; ts of cancelled, rejected, expired when left out.")
    ] = None  # fmt: skip
    reject_reason: Annotated[str | None, Field(max_length=200, description="Why it was rejected or cancelled.")] = None
    broker: Annotated[Name, Field(description="Who it was sent to.")] = None
    strategy: Annotated[Name, Field(description="What it was for; the portfolio when left out.")] = None


class TradeRow(Row):
    """A fill."""

    portfolio: Portfolio
    trade_id: Annotated[Id, Field(description="Unique in the portfolio."), Key()]
    ts: Annotated[Microsecond, Field(description="When it was filled; not before its order, where that is known.")]
    instrument: Symbol
    side: Side
    quantity: Traded
    price: Annotated[Price, Field(description="Of one."), Money]
    order_id: Annotated[str | None, Field(max_length=128, description="Of which order; left out: of none known.")] = (
        None
    )
    commission: Annotated[
        float, Field(allow_inf_nan=False, description="What it cost beside the price; below 0: a rebate."), Money
    ] = 0.0  # fmt: skip
    fees: Annotated[
        float, Field(allow_inf_nan=False, description="Of exchange, clearing and state, beside the commission."), Money
    ] = 0.0  # fmt: skip
    currency: Annotated[
        str | None,
        Field(pattern=r"^[A-Z]{3}$", description="Of price, commission and fees; the portfolio's when left out."),
        Code(),
    ] = None  # fmt: skip
    venue: Annotated[Name, Field(description="Where it was filled.")] = None


class TransactionRow(Row):
    """What changes holdings beside trades."""

    portfolio: Portfolio
    transaction_id: Annotated[Id, Field(description="Unique in the portfolio."), Key()]
    ts: Annotated[Microsecond, Field(description="When it took effect.")]
    action: Annotated[
        Literal["dividend", "interest", "fee", "tax", "split", "deposit", "withdrawal", "transfer"],
        Field(description="What happened. transfer: of holdings in (+) or out (−), without money."),
    ]  # fmt: skip
    instrument: Annotated[
        str | None, Field(max_length=64, description="Of which; needed for dividend, split and transfer.")
    ] = None  # fmt: skip
    quantity: Annotated[
        float | None, Field(allow_inf_nan=False, description="How many, of a transfer."), Unit("count")
    ] = None  # fmt: skip
    amount: Annotated[
        float | None,
        Field(allow_inf_nan=False, description="Money that came (+) or went (−); of a transfer: what it had cost."),
        Money,
    ] = None  # fmt: skip
    split_ratio: Annotated[
        float | None, Field(gt=0, allow_inf_nan=False, description="New ones for an old one, of a split: 4, or 0.1."),
        Unit("ratio"),
    ] = None  # fmt: skip
    currency: Annotated[
        str | None, Field(pattern=r"^[A-Z]{3}$", description="Of the amount; the portfolio's when left out."), Code()
    ] = None  # fmt: skip


class PriceRow(Row):
    """What an instrument costs."""

    instrument: Annotated[Symbol, Key()]
    ts: Second
    price: Annotated[Price, Field(description="Of one."), Money]
    currency: Annotated[
        str | None, Field(pattern=r"^[A-Z]{3}$", description="The instrument's; a new instrument gets it."), Code()
    ] = None  # fmt: skip


class FxRow(Row):
    """What one unit of a currency costs in another one. It is kept as the price of the pair: EURUSD."""

    base: Annotated[KeptCurrency, Field(description="What is bought."), Key()]
    quote: Annotated[KeptCurrency, Field(description="What it is paid with."), Key()]
    ts: Second
    rate: Annotated[float, Field(gt=0, allow_inf_nan=False, description="quote for one base."), Unit("quote per base")]


class BenchmarkWeightRow(Row):
    """What share of a benchmark one of its constituents has, from the end of a day on; a day tells all of them."""

    benchmark: Annotated[
        str,
        Field(min_length=1, max_length=64, description="Symbol of the benchmark, or id of a blend."),
        Key(),
    ]
    ts: Second
    instrument: Annotated[Symbol, Key()]
    weight: Annotated[
        float, Field(ge=-10, le=10, allow_inf_nan=False, description="Share, such as 0.05 for 5 %."), Unit("ratio")
    ]  # fmt: skip


class SampleRow(Row):
    """One number that was measured."""

    ts: Second
    metric: Annotated[
        str,
        Field(max_length=200, pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$", description="Name with its unit as suffix."),
        Key(),
    ]  # fmt: skip
    value: Annotated[float, Field(allow_inf_nan=False, description="In the unit of the metric."), Unit("as named")]
    labels: Annotated[dict[str, str], Field(description="Which one of several; in CSV as JSON."), Key()] = Field(
        default_factory=dict
    )
    host: Annotated[str | None, Field(max_length=253, description="Machine that it is of, if it is of one."), Key()] = (
        None
    )


@dataclass(frozen=True)
class Kind:
    """A kind of rows: its model, and what a token must be for."""

    name: str
    model: type[Row]
    scope: str

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Every column, in the order of the model."""
        return columns_of(self.model)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Columns that say which rows are the same thing, told twice."""
        return tuple(each.name for each in self.columns if each.is_key)

    @property
    def is_of_portfolios(self) -> bool:
        """Whether each row belongs to a portfolio."""
        return "portfolio" in self.keys


TRADES = "ingest:trades"
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("nav", NavRow, "ingest:nav"),
        Kind("positions", PositionRow, TRADES),
        Kind("cash", CashRow, TRADES),
        Kind("instruments", InstrumentRow, TRADES),
        Kind("orders", OrderRow, TRADES),
        Kind("trades", TradeRow, TRADES),
        Kind("transactions", TransactionRow, TRADES),
        Kind("prices", PriceRow, TRADES),
        Kind("fx", FxRow, TRADES),
        Kind("benchmark_weights", BenchmarkWeightRow, TRADES),
        Kind("samples", SampleRow, "ingest:samples"),
    )
}
