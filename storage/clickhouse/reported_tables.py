"""THE tables of what portfolios report: keys, content, and types of their columns; a batch of one as rows that wait."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.model import Facts
from storage.clickhouse.order_states import LIFE, NOT_KNOWN

if TYPE_CHECKING:
    import pyarrow as pa

OWN = "own"
MICROSECONDS = 1_000_000
TEXTS = frozenset(
    {
        *(
            "portfolio",
            "order_id",
            "trade_id",
            "transaction_id",
            "instrument",
            "side",
            "order_type",
            "status",
            "currency",
        ),
        *("reject_reason", "broker", "strategy", "venue", "action", "benchmark"),
    }
)
"""Columns that are text; the others are times or numbers."""
ZERO = frozenset({"accrued", "fees"})
"""Numbers that are 0 where nobody told them; others are no number."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A table of rows that replace themselves. Times are int64 ticks of its resolution since 1970."""

    table: str
    keys: tuple[str, ...]
    """Beside the origin; the first one says whose row it is."""
    content: tuple[str, ...]
    per_second: int = 1
    moments: tuple[str, ...] = ("ts",)
    remembered: tuple[str, ...] = ()
    """Numbers kept with a row beside what was told: they make it no other one."""

    @property
    def has_id(self) -> bool:
        """Whether rows are told apart by an id and not by their time."""
        return "ts" not in self.keys

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that a batch has."""
        return (*self.keys, *self.content, *self.remembered)


REPORTED: Mapping[str, Reported] = {
    each.table: each
    for each in (
        Reported("nav", ("portfolio", "ts"), ("nav", "flow")),
        Reported(
            "positions",
            ("portfolio", "ts", "instrument"),
            ("quantity", "price", "market_value", "average_cost", "currency", "accrued"),
            remembered=("multiplier",),
        ),
        Reported("cash", ("portfolio", "ts", "currency"), ("amount",)),
        Reported(
            "orders",
            ("portfolio", "order_id"),
            (
                *("ts", "placed", "instrument", "side", "quantity", "order_type", "limit_price", "decision_price"),
                *("arrival_price", "status", *LIFE, "reject_reason", "broker", "strategy"),
            ),
            MICROSECONDS,
            ("ts", "placed", *LIFE),
        ),
        Reported(
            "trades",
            ("portfolio", "trade_id"),
            ("ts", "order_id", "instrument", "side", "quantity", "price", "commission", "fees", "currency", "venue"),
            MICROSECONDS,
        ),
        Reported(
            "transactions",
            ("portfolio", "transaction_id"),
            ("ts", "action", "instrument", "quantity", "amount", "split_ratio", "currency"),
            MICROSECONDS,
        ),
        Reported("prices", ("instrument", "ts"), ("price",)),
        Reported("benchmark_weights", ("benchmark", "ts", "instrument"), ("weight",)),
    )
}
"""By table."""


def facts_of(of: Reported, batch: pa.Table, version: int) -> Facts:
    """Return a batch as rows that can wait in the spool."""
    count = batch.num_rows
    data = tuple(batch[name].to_pylist() for name in of.columns)
    return Facts(
        of.table, ("origin", *of.columns, "version"), ([OWN] * count, *data, [version] * count), uuid.uuid4().hex
    )


def table_of(facts: Facts) -> pa.Table:
    """Return rows that waited as the batch that they were."""
    import pyarrow as pa

    of = REPORTED[facts.table]
    columns = {}
    for name in of.columns:
        kind = pa.int64() if name in of.moments else pa.string() if name in TEXTS else pa.float64()
        # A batch may have waited since a time when the table had fewer columns.
        known = name in facts.columns
        values = facts.data[facts.columns.index(name)] if known else [_nothing_told(of, name)] * len(facts)
        columns[name] = pa.array(values, kind)
    return pa.table(columns)


def _nothing_told(of: Reported, name: str) -> int | float | str:
    if name in of.moments:
        return NOT_KNOWN
    if name in TEXTS:
        return ""
    return 0.0 if name in ZERO else math.nan


def of_own_portfolios(facts: Facts) -> bool:
    """Return whether rows are what own portfolios report, and not of the sample fund or its replay."""
    return facts.table in REPORTED and len(facts) > 0 and facts.data[facts.columns.index("origin")][0] == OWN
