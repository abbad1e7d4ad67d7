"""What portfolios reported of holdings and orders, in parts: each begins after the key that the one before ended on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.clickhouse.client import ClickHouse
from storage.clickhouse.order_states import LIFE


@dataclass(frozen=True, slots=True)
class Held:
    """A table of what a portfolio holds or did. Its rows are ordered by time, then by `id`."""

    table: str
    id: str
    """The column that tells rows of one time apart."""
    columns: tuple[str, ...]
    """Those that are read after time and id."""
    per_second: int = 1
    """Ticks of its times."""
    moments: tuple[str, ...] = ()
    """Of the columns those that are times, as ticks; 0: not known."""

    @property
    def ticks(self) -> str:
        """What makes a tick of a time."""
        return "toUnixTimestamp" if self.per_second == 1 else "toUnixTimestamp64Micro"

    def read(self, name: str) -> str:
        """Return the expression that reads a column of the table `h`; an order of no told type is one at market."""
        if name == "order_type":
            return "if(h.order_type = '', 'market', h.order_type)"
        return f"toInt64({self.ticks}(h.{name}))" if name in self.moments else f"h.{name}"


MICROSECONDS = 1_000_000
POSITIONS = Held(
    "positions", "instrument", ("quantity", "price", "market_value", "average_cost", "currency", "accrued")
)
CASH = Held("cash", "currency", ("amount",))
ORDERS = Held(
    "orders",
    "order_id",
    (
        *("instrument", "side", "quantity", "order_type", "limit_price", "decision_price", "arrival_price", "status"),
        *(*LIFE, "reject_reason", "broker", "strategy"),
    ),
    MICROSECONDS,
    LIFE,
)
TRADES = Held(
    "trades",
    "trade_id",
    ("order_id", "instrument", "side", "quantity", "price", "commission", "fees", "currency", "venue"),
    MICROSECONDS,
)
TRANSACTIONS = Held(
    "transactions",
    "transaction_id",
    ("action", "instrument", "quantity", "amount", "split_ratio", "currency"),
    MICROSECONDS,
)


def read_held(
    clickhouse: ClickHouse,
    held: Held,
    origin: str,
    portfolio: str,
    start: int,
    end: int,
    after: tuple[int, str] | None,
    limit: int,
) -> list[tuple[object, ...]]:
    """Return rows from `start` to `end` (epoch seconds, both included) after a key: time, id, then the columns.

    Times are ticks of the table since 1970. Raises StorageUnavailable or StorageRejected.
    """
    names: Sequence[str] = held.columns
    # A row's newest version counts: FINAL. Its order is that of its time, not of the table's key.
    sql = f"""
        SELECT {held.ticks}(h.ts) AS at, h.{held.id} AS id, {", ".join(map(held.read, names))}
        FROM {held.table} AS h FINAL
        WHERE h.origin = {{origin:String}} AND h.portfolio = {{portfolio:String}}
            AND h.ts >= toDateTime({{start:UInt32}}) AND h.ts < toDateTime({{end:UInt32}}) + 1
            AND (at, id) > ({{after_ts:Int64}}, {{after_id:String}})
        ORDER BY at, id LIMIT {{limit:UInt32}}
    """
    after_ts, after_id = after or (-1, "")
    parameters = {
        "origin": origin, "portfolio": portfolio, "start": max(start, 0), "end": min(end, 2**32 - 2),
        "after_ts": after_ts, "after_id": after_id, "limit": limit,
    }  # fmt: skip
    return clickhouse.rows(sql, parameters, kind=f"portfolio {held.table}")


def newest_held(clickhouse: ClickHouse, held: Held, origin: str, portfolio: str) -> float | None:
    """Return the time of the newest row (epoch seconds); None without any. Raises StorageUnavailable."""
    sql = f"""
        SELECT {held.ticks}(max(h.ts)), count() FROM {held.table} AS h
        WHERE h.origin = {{origin:String}} AND h.portfolio = {{portfolio:String}}
    """
    ((newest, many),) = clickhouse.rows(sql, {"origin": origin, "portfolio": portfolio}, kind=f"portfolio {held.table}")
    return newest / held.per_second if many else None
