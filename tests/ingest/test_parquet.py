"""Parquet files of rows: taken a few rows at a time, whole or not at all; what they may not hold is named."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import ImportRejected, RowsRefused
from core.ingest.kinds import KINDS
from portfolio.imports.inbox import make
from portfolio.imports.whole import what_is_missing_at
from portfolio.ingest import parquet as of_parquet
from portfolio.ingest.body import PARQUET
from portfolio.ingest.files import check_rows_file, take_rows_file
from portfolio.ingest.header import columns_in, peeked
from portfolio.ingest.parts import ROWS_AT_ONCE, parts
from portfolio.ingest.raw import TooLarge
from storage.stores import Stores
from tests.ingest.test_door import NOW, trade, written
from tests.support.funded import count

TRADES, SAMPLES = KINDS["trades"], KINDS["samples"]


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, **options)
    return sink.getvalue()


def found_in(content: bytes, packing: str = "", kind: Any = TRADES) -> list[Any]:
    return [*parts(io.BytesIO(content), PARQUET, packing, kind)]


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd"])
@pytest.mark.parametrize("version", ["1.0", "2.6"])
def test_a_file_of_the_inbox_is_taken_by_its_columns_whatever_it_is_called(
    funded: Stores, compression: str, version: str
) -> None:
    folder = funded.settings.data_dir / "inbox"
    folder.mkdir(parents=True)
    times = pa.array([datetime.fromtimestamp(NOW + at, UTC) for at in range(300)], pa.timestamp("ms", "UTC"))
    content = parquet(
        {"portfolio": ["alpha"] * 300, "trade_id": [f"T{at}" for at in range(300)], "ts": times,
         "instrument": pa.array(["ACME", "XYZ"] * 150).dictionary_encode(), "side": ["buy"] * 300,
         "quantity": pa.array(range(1, 301), pa.int32()), "price": pa.array([10.5] * 300, pa.float32())},
        compression=compression, version=version, row_group_size=70,
    )  # fmt: skip
    (folder / "fills of today.parquet").write_bytes(content)
    inbox, now = make(funded), funded.clock.now()
    inbox.take_in(now - 10)
    inbox.take_in(now)
    inbox.take_in(now + 10)
    told = next(Path(folder / "done").glob("*.taken.txt")).read_text()
    assert "300 rows of trades taken: 300 new" in told
    rows = funded.clickhouse.rows("SELECT sum(quantity), max(toUnixTimestamp(ts)), uniq(instrument) FROM trades FINAL")
    assert rows == [(45_150, NOW + 299, 2)]


def test_labels_of_samples_are_objects_or_their_text(funded: Stores) -> None:
    for labels in (pa.array([{"a": "1"}, {"a": "2"}]), pa.array([[("a", "1")], [("a", "2")]],
                   pa.map_(pa.string(), pa.string())), pa.array(['{"a": "1"}', '{"a": "2"}'])):  # fmt: skip
        content = parquet({"ts": [NOW, NOW], "metric": ["x_total"] * 2, "value": [1.0, 2.0], "labels": labels})
        assert check_rows_file(funded, "a.samples.parquet", content, SAMPLES, None) == 2


def test_a_column_that_is_unknown_nested_or_there_twice_is_named(funded: Stores) -> None:
    body, _ = written([trade(1), trade(2)], "parquet")
    table = pq.read_table(io.BytesIO(body))
    at = table.schema.get_field_index("price")
    nested = table.set_column(at, "price", pa.array([[1.0], [2.0]]))
    twice = pa.Table.from_arrays([*table.columns, table.column(0)], [*table.schema.names, "portfolio"])
    for wrong, told in [
        (table.append_column("prise", pa.array([1, 2])), "prise: trades have no such column; did you mean price?"),
        (nested, "price: is nested"),
        (twice, "a column is there twice"),
    ]:
        sink = io.BytesIO()
        pq.write_table(wrong, sink)
        with pytest.raises(ImportRejected) as refused:
            take_rows_file(funded, "a.trades.parquet", sink.getvalue(), TRADES, "ana")
        assert told in str(refused.value)
    assert count(funded, "trades") == 0


def test_one_wrong_row_refuses_all_and_is_named(funded: Stores) -> None:
    rows = [trade(at) for at in range(200)]
    rows[150] = trade(150, side="hold")
    with pytest.raises(ImportRejected, match="row 151, side"):
        take_rows_file(funded, "a.trades.parquet", written(rows, "parquet")[0], TRADES, "ana")
    assert count(funded, "trades") == 0


def test_what_is_no_whole_parquet_is_refused_in_plain_words() -> None:
    body, _ = written([trade(at) for at in range(500)], "parquet")
    middle = len(body) // 3
    for content in (b"", b"PAR1", body[:-20], b"PAR1" + b"\0" * 40 + b"PAR1",
                    body[:middle] + b"\xff" * 40 + body[middle + 40 :]):  # fmt: skip
        with pytest.raises(RowsRefused):
            found_in(content)
        assert columns_in("a.parquet", peeked("a.parquet", io.BytesIO(content))) is not None
    with pytest.raises(RowsRefused, match="packed within itself"):
        found_in(body, "gzip")
    with pytest.raises(RowsRefused, match="there are no rows"):
        found_in(parquet({"trade_id": pa.array([], pa.string())}))
    assert what_is_missing_at("a.parquet", body[-64:]) == ""
    assert "end is missing" in what_is_missing_at("a.parquet", body[-64:-1])


def test_one_long_text_that_every_row_means_is_told_and_not_spread(funded: Stores) -> None:
    rows = 20_000
    content = parquet({
        **{name: [cell] * rows for name, cell in trade(0).items() if name not in ("trade_id", "venue")},
        "trade_id": [f"T{at}" for at in range(rows)],
        "venue": pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["x" * 1_000_000])),
    })  # fmt: skip
    before = pa.default_memory_pool().max_memory()
    with pytest.raises(ImportRejected, match="venue"):
        take_rows_file(funded, "a.trades.parquet", content, TRADES, "ana")
    assert pa.default_memory_pool().max_memory() - before < 500_000_000, "spread it would be 20 GB"


def test_memory_is_that_of_a_part_however_many_rows_there_are() -> None:
    # A page of texts and a part: no more of four times as many rows.
    assert _most_bytes(48 * ROWS_AT_ONCE) < 1.2 * _most_bytes(12 * ROWS_AT_ONCE)


def _most_bytes(rows: int) -> int:
    """Return how much of Arrow's memory reading so many rows of one row group takes."""
    numbers = np.arange(rows)
    content = parquet({"trade_id": numbers.astype(str), "quantity": numbers * 1.0, "price": numbers * 0.5})
    before, most, read = pa.total_allocated_bytes(), 0, 0
    for part in parts(io.BytesIO(content), PARQUET, "", TRADES):
        assert part.first == read
        read += part.rows
        most = max(most, pa.total_allocated_bytes() - before)
    assert read == rows
    return most


def test_a_row_group_that_says_it_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_parquet, "MOST_GROUP_BYTES", 1_000)
    with pytest.raises(TooLarge, match="row_group_size"):
        found_in(written([trade(at) for at in range(500)], "parquet")[0])
