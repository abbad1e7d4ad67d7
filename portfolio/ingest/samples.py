"""Samples that programs send: each of a series, which has one value a second."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.catalogue import catalogue
from core.clock import DAY_SECONDS
from core.errors import StorageUnavailable
from core.format import count, noun
from portfolio.ingest.faults import Faults
from portfolio.ingest.moments import told_time
from portfolio.ingest.request import Asked, Ingested
from storage.clickhouse.pushed import Before, waiting
from storage.clickhouse.pushing import Outcome, Push, names_of
from storage.clickhouse.series import SeriesKey, series_id

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from storage.stores import Stores

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)


def take_samples(stores: Stores, asked: Asked, columns: Mapping[str, Any], faults: Faults) -> Ingested:
    """Store samples. Raises RowsRefused; StorageUnavailable when neither ClickHouse nor the spool takes them."""
    sent = checked_samples(stores, columns, faults)
    numbers, ts, values, names = sent.series, sent.ts, sent.values, sent.names
    rows = len(ts)
    keep = once_a_second(numbers, ts, values, faults)
    faults.check()
    repeated = rows - len(keep)
    numbers, ts, values = numbers[keep], ts[keep], values[keep]
    told = _told_old(stores, ts)
    away = StorageUnavailable("ClickHouse did not answer a moment ago")

    def refuse_other(before: Before) -> None:
        _check_other(before.is_other(values), before, values, keep, faults)

    push = Push(numbers, ts, values, names, refuse_other if asked.refuses_conflicts else None)
    now = stores.clock.now()
    came = (
        Outcome(None, None, away)
        if stores.writer.is_away
        else stores.pushing.push(stores.clickhouse, stores.settings, push, now)
    )
    if came.failed is not None and asked.refuses_conflicts:
        raise came.failed
    if came.before is None:
        stores.writer.keep(names_of(names, int(now)), None, came.failed if came.tried is not None else None)
        stores.writer.keep(waiting(numbers, ts, values), came.tried)
        if told:
            told = (*told, "Those are left out whose minute or hour has points already.")
        return Ingested(asked.kind.name, rows, None, None, is_waiting=True, told=told)
    told = (*told, *_told_left_out(came.before.is_other(values), came.before))
    there = int(came.before.there.sum())
    return Ingested(asked.kind.name, rows, len(ts) - there, there + repeated, told=told)


@dataclass(frozen=True, slots=True)
class Sent:
    """Samples that are right by themselves, by column."""

    series: NDArray[np.uint64]
    ts: NDArray[np.int64]
    values: NDArray[np.float64]
    names: Mapping[SeriesKey, int]
    """The number of each series."""


def checked_samples(stores: Stores, columns: Mapping[str, Any], faults: Faults) -> Sent:
    """Return samples by column. Raises RowsRefused for names and times that cannot be."""
    _check_metrics(columns["metric"], faults)
    _check_kept(stores, columns["ts"], faults)
    faults.check()
    numbers, names = _series(columns)
    moments, values = (columns[name].to_numpy(zero_copy_only=False) for name in ("ts", "value"))
    return Sent(numbers, moments, values, names)


def _check_other(
    other: NDArray[np.bool_], before: Before, values: NDArray[np.float64], keep: NDArray[np.intp], faults: Faults
) -> None:
    """Raise RowsRefused for samples of which there is another value."""
    for at in np.flatnonzero(other).tolist():
        reason = f"is {before.values[at]:g} already in this second"
        faults.add(int(keep[at]) + 1, "value", f"{values[at]:g}", reason, "leave it out: nothing replaces a sample")
    faults.check()


def _told_left_out(other: NDArray[np.bool_], before: Before) -> Iterator[str]:
    """Yield of which samples nothing is stored although they may say something new."""
    if other.any():
        left = count(int(other.sum()), "sample")
        yield f"{left} left out: the series has another value in that second, and nothing replaces a sample."
    rolled = int((before.there & before.is_rolled).sum())
    if rolled:
        yield f"{count(rolled, 'old sample')} left out: the series has points in that minute or hour already."


def _check_metrics(metrics: pa.Array, faults: Faults) -> None:
    own = catalogue()
    for name in pc.unique(metrics).to_pylist():
        wrong = ("is no name of a metric", "use letters, digits, _ and :") if not _METRIC.fullmatch(name) else None
        if name in own:
            wrong = "is what Fundwatch measures itself", "put the name of your program before it"
        if wrong:
            at = np.flatnonzero(pc.equal(metrics, name).to_numpy(zero_copy_only=False)).tolist()
            faults.add_many(at, "metric", lambda place, name=name: name, *wrong)  # type: ignore[misc]


def _check_kept(stores: Stores, moments: pa.Array, faults: Faults) -> None:
    """Note samples that no table keeps any more."""
    days = stores.settings.retention.hour_days
    ts = pc.fill_null(moments, 2**31).to_numpy(zero_copy_only=False)
    gone = np.flatnonzero((ts < stores.clock.now() - days * DAY_SECONDS) & (ts >= 0))
    reason = f"is older than what is kept, {count(days, 'day')}"
    faults.add_many(gone.tolist(), "ts", lambda at: told_time(int(ts[at]), 1), reason, "leave it out")


def _told_old(stores: Stores, ts: NDArray[np.int64]) -> tuple[str, ...]:
    """Return what becomes of samples that are older than those kept as they were sent."""
    days = stores.settings.retention.raw_days
    old = int((ts < stores.clock.now() - days * DAY_SECONDS).sum())
    if not old:
        return ()
    told = f"{count(old, 'sample')} {noun(old, 'is', 'are')} older than {count(days, 'day')}"
    return (f"{told}: kept in the rollups of minutes and hours alone.",)


def _series(columns: Mapping[str, Any]) -> tuple[NDArray[np.uint64], dict[SeriesKey, int]]:
    """Return the number of each sample's series, and every series by what it is."""
    hosts, metrics = pc.fill_null(columns["host"], "").dictionary_encode(), columns["metric"].dictionary_encode()
    labels = columns["labels"]
    codes = hosts.indices.to_numpy().astype(np.int64) * len(metrics.dictionary) + metrics.indices.to_numpy()
    first, of = _firsts(codes * len(labels.values) + labels.codes)
    at = pa.array(first)
    said = [labels.values[code] for code in labels.codes[first].tolist()]
    keys = list(zip(hosts.take(at).to_pylist(), metrics.take(at).to_pylist(), said, strict=True))
    numbers = np.array([series_id(*key) for key in keys], dtype=np.uint64)
    return numbers[of], dict(zip(keys, numbers.tolist(), strict=True))


def _firsts(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each code stands first, and of each place which of these codes it has."""
    found = pa.array(codes).dictionary_encode()
    of = found.indices.to_numpy().astype(np.int64)
    first = np.zeros(len(found.dictionary), dtype=np.int64)
    first[of[::-1]] = np.arange(len(of))[::-1]
    return first, of


def once_a_second(
    numbers: NDArray[np.uint64], ts: NDArray[np.int64], values: NDArray[np.float64], faults: Faults, rows: Any = None
) -> Any:  # fmt: skip
    """Return the places of the samples that count: one a series and second. Others at that second are a fault.

    rows: which row of the batch each is, from 0, where it is not its place.
    """
    which = np.arange(len(ts)) if rows is None else rows
    order = np.lexsort((np.arange(len(ts)), ts, numbers))
    again = (numbers[order][1:] == numbers[order][:-1]) & (ts[order][1:] == ts[order][:-1])
    if not again.any():
        return np.arange(len(ts))
    is_first = np.concatenate([[True], ~again])
    first = order[np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))]
    for place in np.flatnonzero(~is_first & (values[order] != values[first])).tolist():
        at, before = int(order[place]), int(first[place])
        reason = f"is another value of the series in the second of row {faults.row(which[before])}"
        faults.add(int(which[at]) + 1, "value", f"{values[at]:g}", reason, "send one value a second")
    return np.sort(order[is_first])
