"""Batches made to hurt: small ones that would take much memory or time, and values that no column has.

Each that is to end at once is so large that it would not end in a day if the work grew with its square.
"""

from __future__ import annotations

import gzip
import io
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest

from core.errors import Fault, RowsRefused
from core.ingest.kinds import KINDS
from portfolio.imports.packed import MOST_PARTS
from portfolio.ingest.batch import batch_of, typed_columns
from portfolio.ingest.body import ARROW, CSV, JSON, NDJSON, columns_of, unpacked
from portfolio.ingest.faults import Faults, shown
from portfolio.ingest.header import columns_in
from portfolio.ingest.raw import TooLarge
from portfolio.ingest.shared_texts import places_of
from tests.ingest.test_door import ONE_OF_EACH

MOST_ROWS = 200_000
NOW = time.time()


def taken(kind: str, content: bytes, written: str) -> Mapping[str, Any]:
    """Return the columns of a batch. Raises RowsRefused, TooLarge."""
    faults = Faults()
    columns = typed_columns(KINDS[kind], columns_of(content, written, KINDS[kind], MOST_ROWS), faults, NOW)
    faults.check()
    return columns


def told(kind: str, content: bytes, written: str = JSON) -> list[Fault]:
    """Return what is wrong with a batch."""
    with pytest.raises(RowsRefused) as refused:
        taken(kind, content, written)
    return list(refused.value.faults)


def arrow(**columns: pa.Array) -> bytes:
    """Return an Arrow stream."""
    table = pa.table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()


def repeated(kind: str, rows: int, **other: pa.Array) -> bytes:
    """Return rows of a kind as Arrow, all alike but for some columns."""
    row = {name: value for name, value in ONE_OF_EACH[kind].items() if name not in other}
    return arrow(**{name: pa.array([value] * rows) for name, value in row.items()}, **other)


LONG = "x" * 1_000_000


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_a_long_text_that_all_cells_share_is_not_made_for_each(kind: pa.DataType) -> None:
    codes = pa.array(np.zeros(MOST_ROWS, dtype=np.int8))
    shared = pa.DictionaryArray.from_arrays(codes, pa.array([LONG, "y"]).cast(kind))
    first = told("trades", repeated("trades", MOST_ROWS, instrument=shared), ARROW)[0]
    assert (first.row, first.field, first.reason) == (1, "instrument", "has more than 64 characters")


def test_a_view_that_all_cells_share_is_not_made_for_each() -> None:
    one = pa.array([LONG]).cast(pa.string_view())
    views = np.frombuffer(one.buffers()[1], dtype=np.uint8)[:16].tobytes() * MOST_ROWS
    shared = pa.Array.from_buffers(pa.string_view(), MOST_ROWS, [None, pa.py_buffer(views), *one.buffers()[2:]])
    faults = Faults()
    typed_columns(KINDS["prices"], _raw(instrument=shared), faults, NOW)
    with pytest.raises(RowsRefused) as refused:
        faults.check()
    assert {each.reason for each in refused.value.faults if each.field == "instrument"} == {
        "has more than 64 characters"
    }


def _raw(**columns: Any) -> Any:
    from portfolio.ingest.raw import Raw

    return Raw(len(next(iter(columns.values()))), columns)


def test_a_dictionary_of_what_is_right_is_taken() -> None:
    codes = pa.array([0, 1, None, 0], pa.int8())
    sides = pa.DictionaryArray.from_arrays(codes.fill_null(1), pa.array([" buy ", "SELL"]))
    labels = pa.DictionaryArray.from_arrays(codes, pa.array(['{"a":"b"}', '{"c":"d"}']))
    assert taken("trades", repeated("trades", 4, side=sides), ARROW)["side"].to_pylist() == [
        "buy", "sell", "sell", "buy",
    ]  # fmt: skip
    found = taken("samples", repeated("samples", 4, labels=labels), ARROW)["labels"].to_pylist()
    assert found == [(("a", "b"),), (("c", "d"),), (), (("a", "b"),)]


@pytest.mark.parametrize(
    ("written", "content"),
    [
        (JSON, b"[" + b"[]," * 1_000_000),
        (JSON, b"[" + b"1.5," * 10_000_000),
        (NDJSON, b"{\n" * 1_000_000),
        (NDJSON, b"\n" * 1_000_000),
        (CSV, b"nav\n" + b'"\n' * 1_000_001),
    ],
)
def test_what_is_too_much_is_not_parsed(written: str, content: bytes) -> None:
    with pytest.raises(TooLarge, match="rows at most, and this one"):  # parsed, it would be told as no JSON
        taken("nav", content, written)


def test_a_batch_of_as_many_rows_as_allowed_is_taken() -> None:
    row = {**ONE_OF_EACH["samples"], "labels": {f"l{n}": "v" for n in range(10)}, "host": None}
    content = b"[" + b",".join([orjson.dumps(row)] * MOST_ROWS) + b"]"
    assert len(taken("samples", content, JSON)["ts"]) == MOST_ROWS
    lines = b"portfolio,ts,nav\r\n" + b"alpha,2026-01-05T10:00:00Z,1\r\n" * MOST_ROWS
    assert len(taken("nav", lines, CSV)["ts"]) == MOST_ROWS


@pytest.mark.parametrize("field", ["nav", "ts"])
@pytest.mark.parametrize("cell", ["1" * 4_000_000 + "x", "1." + "1" * 4_000_000 + "x"])
def test_a_long_number_that_is_none_ends(field: str, cell: str) -> None:
    (fault,) = told("nav", orjson.dumps([{**ONE_OF_EACH["nav"], field: cell}]))
    assert (fault.field, fault.reason) == (field, "has more than 1,000 characters")


def test_many_unknown_names_in_many_rows_end() -> None:
    wide = orjson.dumps({f"n{number}": 1 for number in range(MOST_ROWS)})
    content = b"[" + wide + b",{}" * (MOST_ROWS - 1) + b"]"
    with pytest.raises(RowsRefused) as refused:
        taken("nav", content, JSON)
    assert (len(refused.value.faults), refused.value.more) == (100, MOST_ROWS - 100)


def test_a_gzip_of_many_small_members_ends() -> None:
    packed = gzip.compress(b"") * 1_000_000
    with pytest.raises(RowsRefused, match=f"more than {MOST_PARTS:,} parts"):
        unpacked(io.BytesIO(packed), "gzip", 1_000_000)


def test_every_value_of_a_dictionary_has_its_places() -> None:
    values = np.random.default_rng(7).integers(0, 50, 1_000).tolist()
    codes = pa.array([None if value == 3 else str(value) for value in values]).dictionary_encode()
    found = places_of(codes)
    for value, places in zip(codes.dictionary.to_pylist(), found, strict=True):
        assert places.tolist() == [at for at, each in enumerate(values) if str(each) == value]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("kind", ["nav", "trades"])
@pytest.mark.parametrize(("moment", "reason"), [(2**62, "lies in the future"), (-(2**62), "lies before 1970")])
def test_a_moment_beyond_the_calendar_is_told(unit: str, kind: str, moment: int, reason: str) -> None:
    moments = pa.array([moment, 0], pa.timestamp(unit, "UTC"))
    first = told(kind, repeated(kind, 2, ts=moments), ARROW)[0]
    assert (first.row, first.field, first.reason) == (1, "ts", reason)


def test_a_moment_is_the_same_in_every_unit() -> None:
    second = int(NOW) - 3_600
    for unit, each in {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}.items():
        finest = second * each + (each - 1)  # the last moment of that second
        moments = pa.array([finest, second * each], pa.timestamp(unit, "UTC"))
        assert taken("nav", repeated("nav", 2, ts=moments), ARROW)["ts"].to_pylist() == [second, second]
        micros = finest * 1_000_000 // each
        assert taken("trades", repeated("trades", 2, ts=moments), ARROW)["ts"][0].as_py() == micros


ODD = [
    pa.array([[1]]), pa.array([{"a": {"b": 1}}]), pa.array([b"x"]), pa.array([True]),
    pa.array(["x"]).cast(pa.string_view()), pa.array([10**60], pa.decimal256(70, 0)),
    pa.RunEndEncodedArray.from_arrays(pa.array([1], pa.int32()), pa.array(["x"])),
    pa.array([1], pa.duration("s")), pa.array([1], pa.time64("us")), pa.array([["x"]], pa.list_view(pa.string())),
    pa.array([2**62], pa.date64()), pa.array([2**31 - 1], pa.date32()), pa.array([float("nan")], pa.float16()),
    pa.DictionaryArray.from_arrays(pa.array([0]), pa.array([[1]])), pa.array(["2026-01-05"]).dictionary_encode(),
]  # fmt: skip


@pytest.mark.parametrize("field", ["ts", "nav", "portfolio", "currency"])
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd.type))
def test_a_column_of_any_type_is_taken_or_told(odd: pa.Array, field: str) -> None:
    try:
        taken("nav", repeated("nav", 1, **{field: odd}), ARROW)
    except RowsRefused as refused:
        assert refused.faults[0].field in (field, "")


def test_what_an_object_or_a_list_holds_is_not_told() -> None:
    deep = b"[" * 1_000 + b"]" * 1_000
    row = orjson.dumps(ONE_OF_EACH["nav"])[:-1]
    (fault,) = told("nav", b"[" + row + b',"currency":' + deep + b"}]")
    assert (fault.field, fault.value, fault.reason) == ("currency", "a list", "is no text")
    assert shown({"a": 1}) == "an object"


@pytest.mark.parametrize("cell", [["ab", "cd"], [["a", "b"]], 0, False, [], "[]", {"a": ["b"]}])
def test_labels_are_an_object_of_texts_and_nothing_that_looks_like_one(cell: Any) -> None:
    (fault,) = told("samples", orjson.dumps([{**ONE_OF_EACH["samples"], "labels": cell}]))
    assert fault.field == "labels"


def test_labels_of_arrow_are_maps() -> None:
    map_type = pa.map_(pa.string(), pa.string())
    right = repeated("samples", 2, labels=pa.array([[("b", "2"), ("a", "1")], []], map_type))
    assert taken("samples", right, ARROW)["labels"].to_pylist() == [(("a", "1"), ("b", "2")), ()]
    twice = repeated("samples", 1, labels=pa.array([[("a", "1"), ("a", "2")]], map_type))
    assert told("samples", twice, ARROW)[0].reason == "has a label twice"
    listed = repeated("samples", 1, labels=pa.array([["ab", "cd"]]))
    assert told("samples", listed, ARROW)[0].reason == "is no object of texts"


def test_a_position_worth_more_than_a_page_could_show_is_refused() -> None:
    faults = Faults()
    rows = [{**ONE_OF_EACH["positions"], "quantity": 1e10, "price": 1e10}, ONE_OF_EACH["positions"]]
    with pytest.raises(RowsRefused) as refused:
        batch_of(KINDS["positions"], taken("positions", orjson.dumps(rows), JSON), faults)
    (fault,) = refused.value.faults
    assert (fault.row, fault.field, fault.reason) == (1, "market_value", "is too large: quantity × price × multiplier")


@pytest.mark.parametrize(
    ("kind", "field"),
    [("positions", "quantity"), ("nav", "nav"), ("nav", "flow"), ("trades", "price"), ("orders", "limit_price"),
     ("cash", "amount"), ("prices", "price"), ("fx", "rate"), ("instruments", "multiplier")],
)  # fmt: skip
def test_a_number_that_no_page_could_show_is_refused(kind: str, field: str) -> None:
    for number in (1e308, 1.01e15):
        rows = [ONE_OF_EACH[kind], {**ONE_OF_EACH[kind], field: number}]
        (fault,) = told(kind, orjson.dumps(rows), JSON)
        assert (fault.row, fault.field, fault.reason) == (2, field, "is too large")
        assert "1e+15" in fault.fix
    assert len(taken(kind, orjson.dumps([{**ONE_OF_EACH[kind], field: 1e15}]), JSON)[field]) == 1


def test_samples_may_be_of_anything() -> None:
    row = {**ONE_OF_EACH["samples"], "value": 1e300}
    assert taken("samples", orjson.dumps([row]), JSON)["value"].to_pylist() == [1e300]


@pytest.mark.parametrize("between", [";", "\t"])
def test_columns_of_a_csv_may_be_apart_by_semicolons_or_tabs(between: str) -> None:
    plain = b"portfolio,ts,instrument,quantity,price\nalpha,2026-01-05T00:00:00Z,ACME,10,2.5\n"
    assert taken("positions", plain.replace(b",", between.encode()), CSV) == taken("positions", plain, CSV)
    assert columns_in("a.csv", plain.replace(b",", between.encode())) == columns_in("a.csv", plain)


def test_a_decimal_comma_is_told() -> None:
    rows = b"portfolio;ts;instrument;quantity;price\nalpha;2026-01-05T00:00:00Z;ACME;10;2,5\n"
    (fault,) = told("positions", rows, CSV)
    assert (fault.field, fault.value, fault.reason) == (
        "price",
        "2,5",
        "is no number: decimals are written with a point",
    )
