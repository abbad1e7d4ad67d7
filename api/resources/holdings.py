"""What a portfolio holds, ordered and traded: the rows as they are stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from pydantic import Field, model_validator

from api.models import Answered, Number, Page, Time, age, at
from api.operation import Ask, Operation
from api.parameters import Listed, rfc3339
from api.portfolios import ID, portfolio_of
from api.problem import Refused
from storage.clickhouse.reads.holdings import (
    CASH,
    MICROSECONDS,
    ORDERS,
    POSITIONS,
    TRADES,
    TRANSACTIONS,
    Held,
    newest_held,
    read_held,
)
from storage.state.series import list_series

TAG = "Portfolios"
MONEY = ("market_value", "average_cost", "accrued", "commission", "fees", "amount")
OF_ROW = "currency"
"""Unit of money that is in the currency of its row, which the field of this name tells."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Position(Answered):
    """What was held of an instrument at a time; CASH is money."""

    ts: Time
    instrument: str
    quantity: Number
    price: Number
    market_value: Number
    average_cost: Number
    currency: str = Field(description="Of price, value, cost and accrued.")
    accrued: Number


class Cash(Answered):
    """What a portfolio held in a currency at a time."""

    ts: Time
    currency: str
    amount: Number


class Order(Answered):
    """An order, as its newest state is. What nobody told is null or an empty text."""

    ts: Time
    order_id: str
    instrument: str
    side: str
    quantity: Number
    order_type: str
    currency: str = Field(description="Of its prices: that of the instrument; empty where nobody told it.")
    limit_price: Number
    decision_price: Number
    arrival_price: Number
    status: str
    decided_at: Time | None
    submitted_at: Time | None
    acknowledged_at: Time | None
    first_filled_at: Time | None
    last_filled_at: Time | None
    ended_at: Time | None
    reject_reason: str
    broker: str
    strategy: str


class Trade(Answered):
    """A fill."""

    ts: Time
    trade_id: str
    order_id: str
    instrument: str
    side: str
    quantity: Number
    price: Number
    commission: Number
    fees: Number
    currency: str = Field(description="Of price, commission and fees.")
    venue: str


class Transaction(Answered):
    """What changed holdings beside trades."""

    ts: Time
    transaction_id: str
    action: str
    instrument: str
    quantity: Number
    amount: Number
    split_ratio: Number
    currency: str = Field(description="Of the amount.")


class OfHoldings(Listed):
    """Over which time."""

    start: str = Field("", alias="from", max_length=40, description="Beginning, RFC 3339; the first when left out.")
    end: str = Field("", alias="to", max_length=40, description="End, RFC 3339; the newest when left out.")

    @model_validator(mode="after")
    def _are_times(self) -> Self:
        for name, text in (("from", self.start), ("to", self.end)):
            if text and rfc3339(text) is None:
                raise ValueError(f"{name} is no time with its zone: write 2026-01-31T09:30:00Z")
        return self

    def seconds(self) -> tuple[int, int]:
        """Return first and last second."""
        first, last = rfc3339(self.start), rfc3339(self.end)
        return int(first.timestamp()) if first else 0, int(last.timestamp()) if last else 2**32 - 1


def _reader(held: Held, model: Any) -> Callable[[Ask[OfHoldings]], Any]:
    """Return what answers with rows of a table."""
    names = ("ts", held.id, *held.columns)
    money = [name for name in held.columns if name.endswith("price") or name in MONEY]

    def answer(ask: Ask[OfHoldings]) -> Any:
        portfolio, after = portfolio_of(ask), ask.begins.after
        if after is not None and not (len(after) == 2 and isinstance(after[0], int) and isinstance(after[1], str)):
            raise Refused(422, "cursor is none of this list.", field="cursor", fix="Leave it out.")
        key = (int(after[0]), str(after[1])) if after else None
        clickhouse, (start, end) = ask.stores.clickhouse, ask.query.seconds()
        limit = ask.query.limit
        rows = read_held(clickhouse, held, portfolio.origin, portfolio.id, start, end, key, limit + 1)
        part = rows[:limit]
        of_orders = _currencies(ask, portfolio.origin) if held is ORDERS else None
        items = [
            model(**_told(dict(zip(names, row, strict=True)), held, portfolio.currency, of_orders)) for row in part
        ]
        newest = newest_held(clickhouse, held, portfolio.origin, portfolio.id)
        units = {"quantity": "count", **dict.fromkeys(money, OF_ROW)}
        following = ask.begins.next((int(str(part[-1][0])), str(part[-1][1]))) if len(rows) > limit else None
        return Page[model](
            items=items, next=following, units=units, as_of=at(newest), age_seconds=age(newest, ask.now),
            source=held.table,
        )  # fmt: skip

    return answer


def _currencies(ask: Ask[OfHoldings], origin: str) -> dict[str, str]:
    """Return the currency of each instrument that is known."""
    return {each.symbol: each.currency for each in list_series(ask.stores.state, origin)}


def _told(
    row: dict[str, Any], held: Held, own: str, of_orders: Mapping[str, str] | None
) -> dict[str, Any]:  # fmt: skip
    """Return a row with its currency and its times as they are told, as finely as they are kept.

    own: the portfolio's currency, which rows are in that tell none. of_orders: that of each instrument, of orders.
    """
    row["currency"] = row.get("currency") or own if of_orders is None else of_orders.get(row["instrument"], "")
    for name in ("ts", *held.moments):
        at = EPOCH + timedelta(microseconds=int(row[name]) * (MICROSECONDS // held.per_second))
        row[name] = at if row[name] or name == "ts" else None
    return row


def _operation(held: Held, model: Any, summary: str) -> Operation:
    return Operation(
        path=f"/portfolios/{{id}}/{held.table}", summary=summary, answer=_reader(held, model), model=Page[model],
        query=OfHoldings, tag=TAG, parts=ID,
    )  # fmt: skip


OPERATIONS = (
    _operation(POSITIONS, Position, "Positions, oldest first."),
    _operation(CASH, Cash, "Money by currency, oldest first."),
    _operation(ORDERS, Order, "Orders in their newest state, oldest first."),
    _operation(TRADES, Trade, "Trades, oldest first."),
    _operation(TRANSACTIONS, Transaction, "Dividends, fees, splits and transfers, oldest first."),
)
