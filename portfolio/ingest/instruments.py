"""What is told of instruments, which is decided and not measured: rows of the state database."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.currency import pair_of
from core.format import first_of
from portfolio.ingest.faults import Faults
from portfolio.ingest.request import Asked, Ingested
from portfolio.series.rates import usual_day_count
from storage.state.changes import OF_SERIES, Change
from storage.state.portfolios import OWN
from storage.state.series import DayCount, Series, list_series, put_series

if TYPE_CHECKING:
    from storage.stores import Stores


def take_instruments(stores: Stores, asked: Asked, columns: Mapping[str, Any], faults: Faults) -> Ingested:
    """Put what is told of instruments. Raises RowsRefused, StorageUnavailable."""
    found = told_of(stores, asked, columns, faults)
    if found.changed:
        put_series(stores.state, found.changed, _change(stores.clock.now(), asked.who, found.changed))
    rows, changed, restated = len(columns["symbol"]), len(found.changed), found.restated
    return Ingested(asked.kind.name, rows, changed - restated, rows - changed, restated)


@dataclass(frozen=True, slots=True)
class Told:
    """Instruments of which something is told that was not known, and of how many of them something else was."""

    changed: list[Series]
    restated: int


def told_of(stores: Stores, asked: Asked, columns: Mapping[str, Any], faults: Faults) -> Told:
    """Return what is told of instruments. Raises RowsRefused, StorageUnavailable."""
    made = each_once(columns, faults, last_counts=asked.last_counts)
    known = {each.symbol: each for each in list_series(stores.state, OWN, [*made])}
    changed = [each for _, each in made.values() if known.get(each.symbol) != each]
    restated = [each for each in changed if each.symbol in known]
    if restated and asked.refuses_conflicts:
        for each in restated:
            told = "says something else than what is known of it"
            faults.add(made[each.symbol][0] + 1, "symbol", each.symbol, told, "leave it out, or on_conflict=restate")
        faults.check()
    return Told(changed, len(restated))


def each_once(
    columns: Mapping[str, Any], faults: Faults, rows: Sequence[int] = (), *, last_counts: bool = False
) -> dict[str, tuple[int, Series]]:
    """Return each instrument that is told of by its symbol, and the place of its row.

    rows: which row of the batch each is, from 0, where it is not its place; last_counts: of a symbol the last row.
    Raises RowsRefused for what cannot be, and rows of one symbol that say different things.
    """
    made: dict[str, tuple[int, Series]] = {}
    lists = {name: cells.to_pylist() for name, cells in columns.items()}
    for at in range(len(lists["symbol"])):
        place = int(rows[at]) if len(rows) else at
        row = {name: values[at] for name, values in lists.items()}
        series = _series(row, place, faults)
        if series is None:
            continue
        if last_counts:
            made[series.symbol] = place, series
            continue
        first, before = made.setdefault(series.symbol, (place, series))
        if first != place and before != series:
            told = f"says something else than row {faults.row(first)} of this symbol"
            faults.add(place + 1, "symbol", series.symbol, told, "send each once")
    faults.check()
    return made


def market_values(stores: Stores, columns: Mapping[str, Any]) -> dict[str, pa.Array]:
    """Return what positions are worth: as told, else quantity × price × the instrument's multiplier.

    Beside it that multiplier: nan where the value was told.
    """
    known = {each.symbol: each.multiplier for each in list_series(stores.state, OWN) if each.multiplier != 1}
    held = columns["instrument"].to_pylist() if known else ()
    times = pa.array([known.get(each, 1.0) for each in held] or np.ones(len(columns["quantity"])), pa.float64())
    worth = pc.multiply(pc.multiply(columns["quantity"], columns["price"]), times)
    told = columns["market_value"]
    return {
        "market_value": pc.coalesce(told, worth),
        "multiplier": pc.if_else(pc.is_valid(told), pa.scalar(math.nan), times),
    }  # fmt: skip


def tell_priced(stores: Stores, currencies: Mapping[str, str]) -> None:
    """Make known the instruments that nothing is known of, by symbol with the currency of their prices."""
    if not currencies:
        return
    known = {each.symbol: each for each in list_series(stores.state, OWN)}
    new = []
    for symbol, currency in currencies.items():
        pair = pair_of(symbol)
        if symbol not in known:
            of_pair = pair is not None and currency in ("", pair.quote)
            new.append(
                Series(OWN, symbol, symbol, "fx", pair.quote)
                if of_pair and pair is not None
                else Series(OWN, symbol, symbol, "price", currency)
            )
    if new:
        put_series(stores.state, new)


def _series(row: Mapping[str, Any], place: int, faults: Faults) -> Series | None:
    kind, currency = row["kind"], row["currency"] or ""
    pair = pair_of(row["symbol"])
    if kind == "fx" and pair is not None:
        currency = currency or pair.quote
    day_count: DayCount | Literal[""] = row["day_count"] or (usual_day_count(currency) if kind == "rate" else "")
    told = {name: row[name] or "" for name in ("note", "asset_class", "sector", "industry", "country")}
    tags = ",".join(each.strip() for each in (row["tags"] or "").split(",") if each.strip())
    try:
        return Series(
            OWN, row["symbol"], row["name"] or row["symbol"], kind, currency, day_count, **told, tags=tags,
            multiplier=row["multiplier"], daily_volume=row["daily_volume"],
        )  # fmt: skip
    except ValueError as error:
        field, _, said = str(error).partition(" ")
        faults.add(place + 1, field, row.get(field, ""), "cannot be", said)
        return None


def _change(now: float, who: str, changed: list[Series]) -> Change:
    symbols = first_of([each.symbol for each in changed])
    return Change(now, who, changed[0].symbol, OF_SERIES, f"told of {symbols}")
