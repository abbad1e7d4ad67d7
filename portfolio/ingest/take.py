"""The one way in of rows, whoever brings them: parsed, checked and stored as a whole, or refused with every reason.

A batch that is taken is durable when this returns: in ClickHouse, or in this process's spool on the disk.
"""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.errors import StorageError, StorageUnavailable
from core.ingest.kinds import KINDS, Kind
from portfolio.imports.within import SHARED
from portfolio.ingest.batch import ANOTHER_ORDER, Batch, once, rows_of, told_moment, typed_columns
from portfolio.ingest.body import columns_of
from portfolio.ingest.contradicted import told_contradictions
from portfolio.ingest.doubted import doubts_of, sentences
from portfolio.ingest.faults import Faults, refused
from portfolio.ingest.instruments import market_values, take_instruments, tell_priced, told_of
from portfolio.ingest.raw import Raw
from portfolio.ingest.request import Asked, Ingested
from portfolio.ingest.said import Said, said_by, said_by_samples, said_of_instruments
from portfolio.ingest.samples import checked_samples, take_samples
from portfolio.ingest.whose import Whose, create, uncreate, whose
from storage.clickhouse.order_states import NEVER_CHANGES
from storage.clickhouse.reported import Decision, decide, write
from storage.clickhouse.reported_tables import facts_of
from storage.clickhouse.standing import first_known
from storage.state.portfolios import OWN
from storage.state.series import list_series
from storage.turns import turn

if TYPE_CHECKING:
    from storage.stores import Stores

Orders = Mapping[tuple[str, str], int]
"""Known orders by portfolio and id, and when each was placed (microseconds)."""


def take_content(stores: Stores, asked: Asked, content: bytes, written: str) -> Ingested:
    """Take a batch written as JSON, NDJSON, CSV or ARROW (portfolio/ingest/body.py).

    Raises TooLarge and what `take_rows` raises.
    """
    return take_rows(stores, asked, columns_of(content, written, asked.kind, stores.settings.ingest.most_rows))


def take_rows(stores: Stores, asked: Asked, raw: Raw) -> Ingested:
    """Take rows whole. Raises RowsRefused with what is wrong; StorageUnavailable when nothing is known to be kept:
    sending them again is harmless.
    """  # fmt: skip
    faults = Faults(raw.first)
    columns = _columns(stores, asked, raw, faults)
    if asked.kind.name == "samples":
        return take_samples(stores, asked, columns, faults)
    if asked.kind.name == "instruments":
        taken = take_instruments(stores, asked, columns, faults)
        stores.live.bump("portfolio")
        return taken
    rows, owners, priced = _meant(stores, asked, columns, faults)
    batch = once(rows, faults, last_counts=asked.last_counts)
    doubts = doubts_of(stores, asked.kind.name, batch)
    taken, orders = _stored(stores, asked, batch, owners, priced, faults, raw.rows)
    stores.live.bump("portfolio")
    if not taken.is_waiting and (taken.added or taken.restated):
        taken = replace(taken, told=(*taken.told, *told_contradictions(stores, batch, orders, faults)))
    if asked.kind.name == "nav":
        taken = replace(taken, names=tuple(pc.unique(batch.table["portfolio"]).to_pylist()))
    if taken.added == 0 and not taken.restated:
        return taken  # it was told when it came first
    return replace(taken, told=(*taken.told, *sentences(doubts)), doubts=doubts)


def check_rows(stores: Stores, asked: Asked, raw: Raw) -> Said:
    """Return what rows say, every one of them, without storing any.

    Raises RowsRefused where `take_rows` would, StorageUnavailable where nobody knows.
    """
    faults = Faults(raw.first)
    columns = _columns(stores, asked, raw, faults)
    if asked.kind.name == "samples":
        stores.clickhouse.ping()
        return said_by_samples(checked_samples(stores, columns, faults), faults)
    if asked.kind.name == "instruments":
        told_of(stores, asked, columns, faults)
        return said_of_instruments(columns)
    rows, _, _ = _meant(stores, asked, columns, faults)
    batch = once(rows, faults, last_counts=asked.last_counts)
    decided = _decided(stores, asked, batch, faults, int(stores.clock.now() * 1_000))
    if decided.failed is not None:
        raise decided.failed
    return said_by(rows)


def _columns(stores: Stores, asked: Asked, raw: Raw, faults: Faults) -> Mapping[str, Any]:
    """Return the cells of rows in their types. Raises RowsRefused."""
    kind = asked.kind
    if asked.limits is not None and kind.name in ("prices", "fx", "instruments", "benchmark_weights"):
        raise refused(SHARED, "ask somebody who may see every portfolio")
    columns = typed_columns(kind, raw, faults, stores.clock.now())
    faults_before_meaning(columns, faults, kind)
    return columns


def _meant(
    stores: Stores, asked: Asked, columns: Mapping[str, Any], faults: Faults
) -> tuple[Batch, Whose, Mapping[str, str]]:  # fmt: skip
    """Return all rows of a table, whose they are, and the instruments that they price. Raises RowsRefused."""
    kind = asked.kind
    owners = Whose(pa.nulls(0))
    if kind.is_of_portfolios:
        owners = whose(stores, asked, columns, faults)
        columns = {**columns, "portfolio": owners.ids}
    if kind.name == "positions":
        columns = {**columns, **market_values(stores, columns)}
    priced = _priced(stores, kind, columns, faults)
    return rows_of(kind, columns, faults), owners, priced


def faults_before_meaning(columns: Mapping[str, Any], faults: Faults, kind: Kind) -> None:
    """Raise RowsRefused where cells are wrong: what rows mean together is asked of right ones."""
    if len(faults) or len(columns) < len(kind.columns):
        faults.check()


def _stored(
    stores: Stores, asked: Asked, batch: Batch, owners: Whose, priced: Mapping[str, str], faults: Faults, rows: int
) -> tuple[Ingested, Orders]:  # fmt: skip
    """Store rows, and return what came of them and which orders they name that are known."""
    version = int(stores.clock.now() * 1_000)
    away = StorageUnavailable("ClickHouse did not answer a moment ago") if stores.writer.is_away else None
    # Who has to wait anyway does not wait for those that ask whether ClickHouse answers by now.
    with contextlib.nullcontext() if away else turn(stores.settings.data_dir, batch.of.table):
        decided = Decided(failed=away) if away else _decided(stores, asked, batch, faults, version)
        decision, failed = decided.decision, decided.failed
        if failed is not None and asked.refuses_conflicts:
            raise failed
        if failed is not None:
            stores.writer.check_room()
        created = create(stores, owners.missing, asked.who)
        tried: float | None = None
        try:
            if decision is not None:
                tried = time.time()
                failed = _written(stores, asked, batch, decision)
            if failed is not None:
                error = None if failed is away else failed
                stores.writer.keep(facts_of(batch.of, batch.table, version), tried, error)
        except StorageError:
            if tried is None:
                uncreate(stores, created, asked.who)
            raise
    tell_priced(stores, priced)
    if decision is None or failed is not None:
        return Ingested(asked.kind.name, rows, None, None, is_waiting=True, created=created), {}
    same, other, following, late = (
        int(each.sum()) for each in (decision.is_same, decision.is_other, decision.is_next, decision.is_late)
    )
    is_order = batch.of.table == "orders"
    taken = Ingested(
        asked.kind.name,
        rows,
        added=batch.table.num_rows - same - other - following - late,
        already_there=same + batch.repeated,
        restated=other,
        updated=following if is_order else None,
        older=late + batch.passed if is_order else None,
        created=created,
    )
    return taken, decided.orders


@dataclass(frozen=True, slots=True)
class Decided:
    """What each row of a batch is, or why ClickHouse does not say."""

    decision: Decision | None = None
    orders: Orders = field(default_factory=dict)
    failed: StorageUnavailable | None = None


def _decided(stores: Stores, asked: Asked, batch: Batch, faults: Faults, version: int) -> Decided:
    """Return what each row is. Raises RowsRefused for what cannot follow."""
    try:
        decision = decide(stores.clickhouse, batch.of, batch.table, version)
        return Decided(decision, _check_decision(stores, asked, batch, decision, faults))
    except StorageUnavailable as error:
        return Decided(failed=error)


def _written(stores: Stores, asked: Asked, batch: Batch, decision: Decision) -> StorageUnavailable | None:
    """Store rows; return why it is not known whether they are stored."""
    source = asked.source or (f"API: {asked.who}" if asked.who else "API")
    try:
        write(stores.clickhouse, batch.of, decision, source)
    except StorageUnavailable as error:
        if asked.refuses_conflicts:
            raise
        return error
    return None


def _check_decision(stores: Stores, asked: Asked, batch: Batch, decision: Decision, faults: Faults) -> Orders:
    """Return which orders rows name that are known. Raises RowsRefused for what cannot follow what stands there."""
    table = batch.table
    if decision.is_backward.any():
        for at in np.flatnonzero(decision.is_backward).tolist():
            was = decision.stored(at)
            other = next((name for name in NEVER_CHANGES if table[name][at].as_py() != was[name]), "")
            if other:
                reason = f"the order is {_of_order(other, was[other])} since {told_moment(batch, was['ts'])}"
                batch.fault(faults, [at], other, lambda at, name=other: table[name][at].as_py(), reason, ANOTHER_ORDER)
                continue
            reason = f"goes back: the order is {was['status']} since {told_moment(batch, was['ts'])}"
            batch.fault(faults, [at], "status", lambda at: table["status"][at].as_py(), reason, "leave it out")
    if asked.refuses_conflicts and decision.is_other.any():
        key = batch.of.keys[-1]
        for at in np.flatnonzero(decision.is_other).tolist():
            was, now = decision.stored(at), table.slice(at, 1).to_pylist()[0]
            name = next(each for each in batch.of.content if each != "placed" and not _is_one(was[each], now[each]))
            reason = f"is {was[name]} already for this {key}"
            batch.fault(faults, [at], name, lambda at, name=name: table[name][at].as_py(), reason,
                        "leave it out, or send on_conflict=restate")  # fmt: skip
    orders = _check_orders(stores, batch, decision, faults) if batch.of.table == "trades" else {}
    faults.check()
    return orders


def _of_order(name: str, value: str) -> str:
    return f"a {value}" if name == "side" else f"of {value}"


def _is_one(a: Any, b: Any) -> bool:
    return bool(a == b or (a != a and b != b))


def _check_orders(stores: Stores, batch: Batch, decision: Decision, faults: Faults) -> Orders:
    """Return the known orders of fills, where there are any to store; note those that come before their orders."""
    table, is_stored = batch.table, decision.is_stored
    named = np.flatnonzero(pc.not_equal(table["order_id"], "").to_numpy().astype(bool))
    if not len(named) or not is_stored.any():
        return {}
    pairs = table.select(["portfolio", "order_id"]).take(named)
    placed = first_known(stores.clickhouse, pairs)
    if not placed:
        return {}
    keys = zip(pairs["portfolio"].to_pylist(), pairs["order_id"].to_pylist(), strict=True)
    ts = table["ts"].to_numpy()
    for at, key in zip(named.tolist(), keys, strict=True):
        if is_stored[at] and ts[at] < placed.get(key, 0):
            reason = f"is before its order, which is of {told_moment(batch, placed[key])}"
            batch.fault(faults, [at], "ts", lambda at: told_moment(batch, ts[at]), reason, "send when it was filled")
    return placed


def _priced(stores: Stores, kind: Kind, columns: Mapping[str, Any], faults: Faults) -> Mapping[str, str]:
    """Return the instruments that prices are of, with their currency where it is told; none of another kind.

    A currency that is not the instrument's is noted in `faults`, and prices of what is a rate.
    """
    if kind.name == "fx":
        pairs = pc.unique(pc.binary_join_element_wise(columns["base"], columns["quote"], "")).to_pylist()
        return {each: each[3:] for each in pairs}
    if kind.name != "prices":
        return {}
    known = {each.symbol: each for each in list_series(stores.state, OWN)}
    told: dict[str, str] = {}
    names, currencies = columns["instrument"].to_pylist(), columns["currency"].to_pylist()
    places: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    for place, pair in enumerate(zip(names, currencies, strict=True)):
        places[pair].append(place)
    for (name, currency), at in places.items():
        series = known.get(name)
        should = (series.currency if series else "") or told.get(name, "")
        if series is not None and series.kind == "rate":
            reason = "is a rate and has no price"
            faults.add_many(at, "instrument", lambda place: names[place], reason, "send prices under another symbol")
        if currency and should and currency != should:
            reason = f"is not the currency of {name}, which is {should}"
            faults.add_many(at, "currency", lambda place: currencies[place], reason, "send it in that one")
        told[name] = should or currency or ""
    return told


def kind_of(name: str) -> Kind | None:
    """Return a kind by its name."""
    return KINDS.get(name)
