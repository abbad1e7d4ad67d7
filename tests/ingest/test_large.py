"""A large file of rows is taken part by part: whole or not at all, counted, once, however often it is cut off."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import format
from core.errors import ImportRejected, RowsRefused
from core.ingest.kinds import KINDS
from portfolio.imports.inbox import Inbox, make
from portfolio.ingest import parts as parts_of
from portfolio.ingest.body import ARROW, CSV, JSON, NDJSON, columns_of
from portfolio.ingest.files import RowsTaken, take_large_file
from portfolio.ingest.large import LARGE_BYTES, LARGE_PACKED_BYTES
from portfolio.ingest.parts import PART_BYTES, parts
from portfolio.ingest.raw import Raw, TooLarge
from storage.clickhouse.reported_tables import REPORTED
from storage.state.series import list_series
from storage.stores import Stores
from tests.ingest.test_door import NOW, ONE_OF_EACH, at, trade, written
from tests.support.funded import Send, count

ROWS = 1_000
TRADES = KINDS["trades"]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for how in (CSV, JSON, NDJSON):
        monkeypatch.setitem(PART_BYTES, how, 20_000)
    monkeypatch.setattr(parts_of, "ROWS_AT_ONCE", 150)


def file_of(folder: Path, rows: list[dict[str, Any]], how: str = "csv") -> Path:
    path = folder / f"big.{how}"
    body = written(rows, how.partition(".")[0])[0]
    path.write_bytes(gzip.compress(body) if how.endswith("gz") else body)
    return path


def begin(stores: Stores, path: Path, kind: str = "trades") -> Generator[str, None, RowsTaken]:
    return take_large_file(stores, path.name, KINDS[kind], "ana", lambda: path.open("rb"))


def taken(stores: Stores, path: Path, kind: str = "trades") -> tuple[RowsTaken, list[str]]:
    told, work = [], begin(stores, path, kind)
    while True:
        try:
            told.append(next(work))
        except StopIteration as ended:
            return ended.value, told


@pytest.mark.parametrize("how", ["csv", "ndjson", "json", "arrow", "parquet", "csv.gz"])
def test_every_row_of_every_part_is_stored_once(funded: Stores, tmp_path: Path, how: str) -> None:
    path = file_of(tmp_path, [trade(at) for at in range(ROWS)], how)
    found, told = taken(funded, path)
    assert (found.rows, found.taken.added, count(funded, "trades")) == (ROWS, ROWS, ROWS)
    assert len(told) > 4 and told[-1] == f"{format.count(ROWS, 'row')} of trades stored"
    again, _ = taken(funded, path)
    assert (again.taken.added, again.taken.already_there, count(funded, "trades")) == (0, ROWS, ROWS)


def test_one_wrong_row_refuses_all_and_is_named_by_its_place_in_the_file(funded: Stores, tmp_path: Path) -> None:
    rows = [trade(at) for at in range(ROWS)]
    rows[777] = trade(777, price=-3)
    rows[990] = trade(990, side="hold")
    with pytest.raises(ImportRejected) as refused:
        taken(funded, file_of(tmp_path, rows))
    assert "row 778, price" in str(refused.value) and "row 991, side" in str(refused.value)
    assert count(funded, "trades") == 0


def test_a_line_that_is_none_is_named_by_its_place_in_the_file(funded: Stores, tmp_path: Path) -> None:
    path = file_of(tmp_path, [trade(at) for at in range(ROWS)])
    lines = path.read_bytes().split(b"\r\n")
    lines[901] += b",too many"
    path.write_bytes(b"\r\n".join(lines))
    with pytest.raises(ImportRejected, match="row 901, the row has"):
        taken(funded, path)
    assert count(funded, "trades") == 0


@pytest.mark.parametrize(("price", "fits"), [(10, True), (11, False)])
def test_rows_of_one_key_in_different_parts_must_say_the_same(
    funded: Stores, tmp_path: Path, price: float, fits: bool
) -> None:
    rows = [trade(at, price=10) for at in range(ROWS)]
    rows.append(trade(3, price=price))
    path = file_of(tmp_path, rows)
    if fits:
        found, _ = taken(funded, path)
        assert (found.taken.added, found.taken.already_there) == (ROWS, 1)
        return
    with pytest.raises(ImportRejected, match=r"row 1001, trade_id: says something else than row 4 of the same"):
        taken(funded, path)
    assert count(funded, "trades") == 0


def test_a_crash_in_the_middle_is_made_good_by_taking_it_again(funded: Stores, tmp_path: Path) -> None:
    path = file_of(tmp_path, [trade(at) for at in range(ROWS)])
    work = begin(funded, path)
    while "stored" not in next(work):
        pass
    del work
    assert 0 < count(funded, "trades") < ROWS
    found, _ = taken(funded, path)
    assert found.taken.added is not None and 0 < found.taken.added < ROWS
    assert count(funded, "trades") == ROWS


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_parts_hold_the_rows_of_the_whole_even_with_ends_of_lines_in_cells(
    tmp_path: Path, end: bytes, mark: bytes
) -> None:
    rows = [b'alpha,T-%d,1700000000,"A, ""B""\n%s",buy,1,2' % (at, b"x" * (at % 97)) for at in range(ROWS)]
    content = mark + end.join([b"portfolio,trade_id,ts,instrument,side,quantity,price", *rows]) + end
    path = tmp_path / "big.csv"
    path.write_bytes(content)
    whole = columns_of(content, CSV, TRADES, 10 * ROWS)
    with path.open("rb") as stream:
        found = [*parts(stream, CSV, "", TRADES)]
    assert len(found) > 3
    assert [each.first for each in found] == [sum(e.rows for e in found[:at]) for at in range(len(found))]
    for name, cells in whole.columns.items():
        assert [cell for each in found for cell in each.columns[name].to_pylist()] == cells.to_pylist()


TEXTS = st.text('"\\{}[],: aä\n', max_size=12)


def found_in(content: bytes, how: str, kind: str = "samples") -> list[Raw]:
    return [*parts(io.BytesIO(content), how, "", KINDS[kind])]


@given(st.lists(st.dictionaries(st.sampled_from(["metric", "labels", "host"]),
                                TEXTS | st.dictionaries(TEXTS, TEXTS))),
       st.sampled_from([b"", b" ", b"\n"]))  # fmt: skip
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parts_of_a_list_hold_its_rows_whatever_its_texts_hold(rows: list[dict[str, Any]], blank: bytes) -> None:
    rows = [{"value": at, **row} for at, row in enumerate([*rows, {}] * 9)]
    content = b"[" + (blank + b"," + blank).join(map(orjson.dumps, rows)) + b"]" + blank
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PART_BYTES, JSON, 40)
        patch.setattr(parts_of, "LONGEST_ROW_BYTES", 100_000)
        found = found_in(content, JSON)
    assert len(found) > 1 and sum(each.rows for each in found) == len(rows)
    for name in ("value", "metric", "labels", "host"):
        cells = [cell for each in found for cell in each.columns.get(name, [None] * each.rows)]
        assert cells == [row.get(name) for row in rows]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text[:-1], "is no JSON"),
        (lambda text: text[:-1] + b",]", "comma"),
        (lambda text: text + b"[]", "is no JSON"),
        (lambda text: text.replace(b"},{", b"},,{", 1), "is no JSON"),
        (lambda text: text.replace(b"},{", b"}],[{", 1), "is no JSON"),
        (lambda text: text.replace(b'"n9', b'n9"', 1), "is no JSON"),
        (lambda text: b"{}" + text, "is no list"),
    ],
)
def test_a_large_list_that_is_none_is_refused(change: Callable[[bytes], bytes], reason: str) -> None:
    content = orjson.dumps([{"metric": f"n{at}", "value": at, "ts": 1} for at in range(ROWS)])
    with pytest.raises(RowsRefused, match=reason):
        found_in(change(content), JSON)


@pytest.mark.parametrize("form", ["stream", "file"])
def test_parts_of_arrow_hold_its_rows_with_dictionaries_that_change(form: str) -> None:
    names = [f"metric_{at}" for at in range(ROWS)]
    batches = [
        pa.record_batch({
            "metric": pa.array(names[at : at + 300]).dictionary_encode(), "value": pa.array(range(at, at + 300)),
        })
        for at in range(0, 900, 300)
    ]  # fmt: skip
    sink = pa.BufferOutputStream()
    made = pa.ipc.new_stream if form == "stream" else pa.ipc.new_file
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=form == "file")
    batches = batches if form == "stream" else [batches[0].slice(0, 300)] * 3
    with made(sink, batches[0].schema, options=options) as writer:
        for each in batches:
            writer.write_batch(each)
    content = sink.getvalue().to_pybytes()
    found = found_in(content, ARROW)
    assert [each.rows for each in found] == [150] * 6
    for name in ("metric", "value"):
        wanted = [cell for each in batches for cell in each.column(name).to_pylist()]
        assert [cell for each in found for cell in each.columns[name].to_pylist()] == wanted
    with pytest.raises(RowsRefused, match="no Arrow"):
        found_in(content[: len(content) * 2 // 3], ARROW)


def test_a_record_batch_that_is_too_long_is_refused_before_it_is_read() -> None:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, pa.schema({"value": pa.float64()})) as writer:
        writer.write_batch(pa.record_batch({"value": np.zeros(9_000_000)}))
    with pytest.raises(TooLarge, match="write smaller ones"):
        found_in(sink.getvalue().to_pybytes()[:2_000], ARROW)


EACH: dict[str, Callable[[int], dict[str, Any]]] = {
    "orders": lambda at: {**ONE_OF_EACH["orders"], "order_id": f"o{at}"},
    "instruments": lambda at: {"symbol": f"S{at}", "name": f"Name {at}"},
    "samples": lambda at: {**ONE_OF_EACH["samples"], "labels": {"n": str(at)}},
    "positions": lambda at: {**ONE_OF_EACH["positions"], "instrument": f"I{at}"},
    "cash": lambda at: {**ONE_OF_EACH["cash"], "ts": NOW + at},
    "transactions": lambda at: {**ONE_OF_EACH["transactions"], "transaction_id": f"t{at}"},
    "fx": lambda at: {**ONE_OF_EACH["fx"], "ts": NOW - at},
    "benchmark_weights": lambda at: {**ONE_OF_EACH["benchmark_weights"], "instrument": f"I{at}", "weight": 1 / ROWS},
}
SAID = {
    "orders": ("quantity", 77),
    "instruments": ("note", "another"),
    "samples": ("value", 77),
    "positions": ("price", 77),
    "cash": ("amount", 77),
    "transactions": ("amount", 77),
    "fx": ("rate", 77),
    "benchmark_weights": ("weight", 0.1),
}


@pytest.mark.parametrize("kind", EACH)
def test_every_kind_is_taken_in_parts_whole_or_not_at_all(funded: Stores, tmp_path: Path, kind: str) -> None:
    rows = [EACH[kind](at) for at in range(ROWS)]
    column, value = SAID[kind]
    wrong = file_of(tmp_path, [*rows, {**rows[3], column: value}], "json")
    with pytest.raises(ImportRejected, match=r"row 1001, .* row 4"):
        taken(funded, wrong, kind)
    name = "kind" if kind == "instruments" else column
    late = file_of(tmp_path, [*rows[:-1], {**rows[-1], name: "?"}], "json")
    with pytest.raises(ImportRejected, match=f"row 1000, {name}"):
        taken(funded, late, kind)
    assert stored(funded, kind) == 0
    right = file_of(tmp_path, [*rows, rows[3]], "json")
    for added in (ROWS, 0):
        found, told = taken(funded, right, kind)
        assert (found.rows, found.taken.added, found.taken.already_there) == (ROWS + 1, added, ROWS + 1 - added)
        assert stored(funded, kind) == ROWS
    assert len(told) > 4


def stored(stores: Stores, kind: str) -> int:
    """Return how many rows there are of a kind."""
    if kind == "instruments":
        return len(list_series(stores.state, "own"))
    return count(stores, {"fx": "prices"}.get(kind, kind))


def order(id: str, second: int, status: str, **more: Any) -> dict[str, Any]:
    return {**ONE_OF_EACH["orders"], "order_id": id, "ts": at(NOW - 900 + second), "status": status, **more}


def with_rows_between(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    """Return rows that lie in different parts of a file."""
    return [each for row in rows for each in (row, *(EACH["orders"](f"{row['ts']}-{at}") for at in range(300)))]


def test_an_order_that_goes_back_in_another_part_refuses_the_file(funded: Stores, tmp_path: Path) -> None:
    rows = with_rows_between(order("X", 10, "filled"), order("X", 20, "accepted"))
    with pytest.raises(ImportRejected, match=r"row 302, status: goes back: the order is filled in row 1"):
        taken(funded, file_of(tmp_path, rows, "json"), "orders")
    other = with_rows_between(order("X", 10, "new"), order("X", 20, "filled", instrument="OTHER"))
    with pytest.raises(ImportRejected, match=r"row 302, instrument: is ACME in row 1"):
        taken(funded, file_of(tmp_path, other, "json"), "orders")
    assert count(funded, "orders") == 0


@pytest.mark.parametrize("newest_first", [False, True])
def test_states_of_an_order_in_several_parts_come_to_what_one_batch_comes_to(
    funded: Stores, send: Send, tmp_path: Path, newest_first: bool
) -> None:
    states = [
        order("X", 10, "new", broker="B0", decision_price=9), order("X", 10, "accepted", broker="B1"),
        order("X", 20, "partially_filled", quantity=3), order("X", 20, "partially_filled", quantity=3),
        order("X", 30, "filled", quantity=3),
    ]  # fmt: skip
    assert send("orders", [{**each, "order_id": "Y"} for each in states]).status_code == 200
    states = states[::-1] if newest_first else states
    path = file_of(tmp_path, with_rows_between(*states), "json")
    for _ in range(2):  # and once more after it was cut off
        taken(funded, path, "orders")
        names = ", ".join(name for name in REPORTED["orders"].content)
        found = funded.clickhouse.rows(f"SELECT {names} FROM orders FINAL WHERE order_id IN ('X', 'Y')")
        assert len(found) == 2 and repr(found[0]) == repr(found[1])


def test_an_order_whose_course_leads_to_and_fro_must_be_sorted(funded: Stores, tmp_path: Path) -> None:
    rows = with_rows_between(order("X", 10, "new"), order("X", 30, "filled"), order("X", 20, "accepted", broker="B"))
    with pytest.raises(ImportRejected, match="sort a large file by ts"):
        taken(funded, file_of(tmp_path, rows, "json"), "orders")
    found, _ = taken(funded, file_of(tmp_path, sorted(rows, key=lambda row: str(row["ts"])), "json"), "orders")
    assert found.taken.added == 901


def test_weights_of_a_day_that_lie_in_several_parts_are_added_up(funded: Stores, tmp_path: Path) -> None:
    rows = [{**EACH["benchmark_weights"](at), "weight": 0.004} for at in range(ROWS)]
    with pytest.raises(ImportRejected, match=r"row 1, weight: comes to 4 with the others"):
        taken(funded, file_of(tmp_path, rows), "benchmark_weights")
    assert count(funded, "benchmark_weights") == 0


def inbox_with(stores: Stores, name: str, content: bytes) -> tuple[Inbox, Path]:
    folder = stores.settings.data_dir / "inbox"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return make(stores), folder


def large(rows: int, size: int) -> bytes:
    """Return trades of so many bytes at least: order ids are long."""
    long = "o" * 100
    return written([trade(at, order_id=long) for at in range(max(rows, size // 140))], "csv")[0]


def test_the_inbox_takes_a_large_file_over_several_looks(funded: Stores) -> None:
    content = large(ROWS, LARGE_BYTES + 1_000)
    inbox, folder = inbox_with(funded, "broker export.csv", content)
    inbox.interval_seconds = 0.05
    now = funded.clock.now()
    inbox.take_in(now)
    told = inbox.take_in(now + 1)
    assert "taking broker export.csv" in told.components[0].why and "rows of trades checked" in told.components[0].why
    anew = make(funded)  # as after a crash: it knows of nothing
    anew.interval_seconds = 0.05
    for look in range(2, 400):
        if [*(folder / "done").glob("*.taken.txt")]:
            break
        anew.take_in(now + look)
    rows = content.count(b"\n") - 1
    assert (
        f"{format.count(rows, 'row')} of trades taken: {rows:,} new"
        in next((folder / "done").glob("*.taken.txt")).read_text()
    )
    assert count(funded, "trades") == rows


def test_a_packed_file_whose_end_is_missing_waits_and_is_refused_in_the_end(funded: Stores) -> None:
    packed = gzip.compress(large(ROWS, 12 * LARGE_PACKED_BYTES), 0)
    inbox, folder = inbox_with(funded, "fills.trades.csv.gz", packed[:-100])
    now = funded.clock.now()
    inbox.take_in(now)
    for look in range(1, 40):
        told = inbox.take_in(now + 10 * look)
        if "no whole gzip" in told.components[0].why:
            break
    assert "no whole gzip" in told.components[0].why
    for look in range(1, 40):
        inbox.take_in(now + 700 + look)
    assert "no whole gzip" in next((folder / "refused").glob("*.problems.txt")).read_text()
    assert count(funded, "trades") == 0
