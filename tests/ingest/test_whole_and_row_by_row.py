"""A batch read and checked whole is what its rows are one by one: the same is refused in the same words, and the same
rows are stored; so it is with samples that several programs send at once and one after the other.
"""

from __future__ import annotations

import threading
import uuid
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import RowsRefused, StorageRejected, StorageUnavailable
from core.ingest.kinds import KINDS, Kind
from portfolio.ingest.batch import batch_of, typed_columns
from portfolio.ingest.body import JSON, NDJSON, columns_of
from portfolio.ingest.faults import Faults
from portfolio.ingest.samples import checked_samples
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.pushing import Outcome, Push, Pushing
from storage.clickhouse.series import SeriesKey
from storage.stores import Stores
from tests.ingest.test_columns_and_cells import COLUMNS, NOW, said
from tests.support.funded import count
from tests.support.times import MIDNIGHT

Told = tuple[int, str, str, str, str]
ID = st.sampled_from(["a", "b", "c d", " e ", "", "é", "x" * 129, "a\tb"])
GOOD: dict[str, dict[str, Any]] = {
    "trades": {"portfolio": "alpha", "trade_id": "", "ts": 1_700_000_000.5, "instrument": "ACME", "side": "buy",
               "quantity": 2, "price": 10.5},
    "samples": {"ts": 1_700_000_000, "metric": "app_value", "value": 1.5},
}  # fmt: skip
"""What a row has at least; each gets an id of its own."""
CELLS: dict[str, st.SearchStrategy[Any]] = {
    "portfolio": ID, "instrument": ID, "order_id": st.none() | ID, "venue": st.none() | ID,
    "side": st.sampled_from(["buy", "SELL", " buy", "hold", "", 1]),
    "currency": st.sampled_from([None, "EUR", "eur", "XXX", 7]),
    "quantity": st.sampled_from([1, 2.5, "3", "x", 0, -1, None, 1e16, True]),
    "price": st.sampled_from([1, 2.5, "3", "1,5", 0, 2**63]),
    "commission": st.sampled_from([None, 0.5, -1, "0.25", []]),
    "metric": st.sampled_from(["a_total", "b:c", "9a", "a b", "", None, 5, "x" * 201]),
    "value": st.sampled_from([0, -1.5, 1e300, "7", None, "nan"]),
    "host": st.none() | ID,
    "labels": st.none() | st.dictionaries(
        st.sampled_from(["a", "b", "0", "x y"]),
        st.sampled_from(["", "1", "},{", "é", "u\n", '"', 1, 1.0, None, ["c"], {"d": "},{"}]), max_size=3,
    ) | st.sampled_from(["{}", '{"a":"1"}', "},{", 4, ["a"]]),
    "ts": st.sampled_from([1_700_000_000, 1_700_000_000.25, "2024-01-05T10:00:00Z", "2024-01-05", "2024-01-05T10:00:00",
                           -5, 9e11, None, True, "soon"]),
}  # fmt: skip


@st.composite
def batches(draw: st.DrawFn, kind: str) -> list[dict[str, Any]]:
    """Draw rows that are mostly right, and often of the same columns."""
    may = [column.name for column in KINDS[kind].columns if column.name in CELLS]
    shared = draw(st.lists(st.sampled_from(may), unique=True, max_size=4))
    apart = draw(st.booleans())
    rows = []
    for number in range(draw(st.integers(1, 12))):
        names = draw(st.lists(st.sampled_from(may), unique=True, max_size=2)) if apart else shared
        row = {**GOOD[kind], **{name: draw(CELLS[name]) for name in names}}
        rows.append(row | ({"trade_id": f"t{number}"} if kind == "trades" else {}))
    return rows


def taken(kind: Kind, body: bytes, written: str = JSON) -> tuple[list[Told], list[Any]]:
    """Return what is told of a body, and the rows that come of it where nothing is."""
    faults = Faults()
    try:
        raw = columns_of(body, written, kind, 1_000)
        columns = typed_columns(kind, raw, faults, NOW)
        faults.check()
        if kind.name == "samples":
            keys = zip(columns["host"].to_pylist(), columns["metric"].to_pylist(), strict=True)
            found = zip(keys, columns["labels"].to_pylist(), strict=True)
            times_and_values = zip(*(columns[name].to_pylist() for name in ("ts", "value")), strict=True)
            return [], list(zip(found, times_and_values, strict=True))
        return [], batch_of(kind, columns, faults).table.to_pylist()
    except RowsRefused as error:
        return [(each.row, each.field, each.value, each.reason, each.fix) for each in error.faults], []


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("written", [JSON, NDJSON])
@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_rows_together_and_each_by_itself(kind: str, written: str, data: st.DataObject) -> None:
    rows = data.draw(batches(kind))
    every = dict.fromkeys(name for row in rows for name in row)
    together = b"\n".join(map(orjson.dumps, rows)) if written == NDJSON else orjson.dumps(rows)
    told, stored = taken(KINDS[kind], together, written)
    apart: list[Told] = []
    each_stored = []
    for number, row in enumerate(rows):
        # Alone it has the columns of the others too, so that the same is missing.
        wrong, found = taken(KINDS[kind], orjson.dumps([{name: row.get(name) for name in every}]))
        apart += [(number + 1, *each[1:]) for each in wrong]
        each_stored += found
    assert sorted(told) == sorted(apart)
    if not apart:
        assert repr(stored) == repr(each_stored)


@given(
    name=st.sampled_from([name for name, each in COLUMNS.items() if each.sort == "text"]),
    texts=st.lists(st.text(min_size=1, max_size=3) | ID, min_size=1, max_size=20),
)
@settings(deadline=None, max_examples=300)
def test_plain_texts_are_those_of_which_nothing_would_be_told(name: str, texts: list[str]) -> None:
    column = COLUMNS[name]
    # Where one is not there each is looked at.
    assert said(column, texts) == said(column, [*texts, None])[:-1]
    begin = len(texts) // 2
    assert said(column, pa.array(["a b", *texts], pa.string())[begin + 1 :]) == said(column, texts[begin:])


def push_of(of: list[tuple[int, int, float]]) -> Push:
    """Return samples of (series, second, value), of each series and second the first."""
    once = {(series, second): value for series, second, value in reversed(of)}
    series = np.array([each[0] for each in once], dtype=np.uint64)
    ts = MIDNIGHT + np.array([each[1] for each in once], dtype=np.int64)
    names: dict[SeriesKey, int] = {("", f"m{number}", ()): number for number in series.tolist()}
    return Push(series, ts, np.array([*once.values()], dtype=np.float64), names)


def sent_at_once(stores: Stores, clickhouse: ClickHouse, pushes: list[Push]) -> list[Outcome | StorageRejected]:
    """Return what came of samples that are sent while somebody else stores, in the order of the pushes."""
    pushing, came = Pushing(), dict[int, Outcome | StorageRejected]()

    def push(at: int) -> None:
        try:
            came[at] = pushing.push(clickhouse, stores.settings, pushes[at], MIDNIGHT)
        except StorageRejected as error:
            came[at] = error

    threads = [threading.Thread(target=push, args=(at,)) for at in range(len(pushes))]
    with pushing._storing:
        for number, each in enumerate(threads, 1):
            each.start()
            while len(pushing._waiting) < number:
                pass
    for each in threads:
        each.join(60)
    return [came[at] for at in range(len(pushes))]


SAMPLES = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 5), st.sampled_from([0.0, 1.5, -2.0])), min_size=1, max_size=8
)


@given(sent=st.lists(SAMPLES, min_size=2, max_size=4), offset=st.integers(0, 2))
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_samples_sent_at_once_are_those_sent_one_after_the_other(
    funded: Stores, sent: list[list[tuple[int, int, float]]], offset: int
) -> None:
    own = int(uuid.uuid4()) % 2**40 * 8  # series that no example before has
    pushes = [
        push_of([(own + series, second + 10 * offset * number, value) for series, second, value in each])
        for number, each in enumerate(sent)
    ]
    outcomes = sent_at_once(funded, funded.clickhouse, pushes)
    wanted: dict[tuple[int, int], float] = {}
    new = 0
    for push, came in zip(pushes, outcomes, strict=True):
        assert isinstance(came, Outcome) and came.before is not None
        new += int((~came.before.there).sum())
        for key, value in zip(zip(push.series.tolist(), push.ts.tolist(), strict=True), push.values, strict=True):
            wanted.setdefault(key, float(value))
    sql = f"SELECT series, toUnixTimestamp(ts), value FROM samples WHERE series BETWEEN {own} AND {own + 7}"
    rows = funded.clickhouse.rows(sql)
    keys = [(int(series), int(ts)) for series, ts, _ in rows]
    assert (len(rows), new) == (len(wanted), len(wanted))
    # Of several values of a second one counts, whoever was first.
    assert set(keys) == set(wanted)
    sql = f"SELECT count(DISTINCT series) FROM series WHERE series BETWEEN {own} AND {own + 7}"
    assert funded.clickhouse.rows(sql)[0][0] == len({series for series, _ in wanted})


class Failing(ClickHouse):
    """Fails to insert, with all or with samples that one of them cannot take."""

    error: Exception | None = None

    def insert_arrow(self, table: str, rows: pa.Table, token: str) -> None:
        """Insert, or raise."""
        if self.error is not None and 666.0 in rows["value"].to_pylist():
            raise self.error
        super().insert_arrow(table, rows, token)


def test_who_cannot_be_stored_does_not_hold_up_those_beside_him(
    funded: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushes = [push_of([(number, 0, 666.0 if number == 2 else 1.0)]) for number in (1, 2, 3)]
    monkeypatch.setattr(funded.clickhouse, "__class__", Failing)
    monkeypatch.setattr(Failing, "error", StorageRejected("of no use"))
    one, two, three = sent_at_once(funded, funded.clickhouse, pushes)
    assert isinstance(one, Outcome) and isinstance(two, StorageRejected) and isinstance(three, Outcome)
    assert count(funded, "samples") == 2
    # Of what nobody knows each is told so, and sent again nothing is there twice.
    monkeypatch.setattr(Failing, "error", StorageUnavailable("gone"))
    again = sent_at_once(funded, funded.clickhouse, pushes)
    assert all(isinstance(each, Outcome) and each.failed is not None and each.tried for each in again)
    monkeypatch.setattr(Failing, "error", None)
    last = sent_at_once(funded, funded.clickhouse, pushes)
    assert all(isinstance(each, Outcome) and each.before is not None for each in last)
    assert count(funded, "samples") == 3


def test_series_of_samples_are_the_same_in_any_order(funded: Stores) -> None:
    rows = [{**GOOD["samples"], "value": n, "labels": {"n": str(n % 7)}, "host": f"h{n % 3}"} for n in range(60)]
    numbers: list[dict[float, int]] = []
    for some in (rows, rows[::-1]):
        columns = typed_columns(
            KINDS["samples"], columns_of(orjson.dumps(some), JSON, KINDS["samples"], 99), Faults(), NOW
        )
        columns = {**columns, "ts": pa.array(np.full(60, MIDNIGHT))}
        sent = checked_samples(funded, columns, Faults())
        numbers.append(dict(zip(sent.values.tolist(), sent.series.tolist(), strict=True)))
        assert len(sent.names) == 21 and set(sent.names.values()) == set(sent.series.tolist())
    assert numbers[0] == numbers[1]
