"""A large file of rows is taken part by part: whole or not at all, counted, once, however often it is cut off."""

from __future__ import annotations

import gzip
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from core import format
from core.errors import ImportRejected
from core.ingest.kinds import KINDS
from portfolio.imports.inbox import Inbox, make
from portfolio.ingest.body import CSV, NDJSON, columns_of
from portfolio.ingest.files import RowsTaken, take_large_file
from portfolio.ingest.large import LARGE_BYTES, LARGE_PACKED_BYTES
from portfolio.ingest.parts import PART_BYTES, parts
from storage.stores import Stores
from tests.ingest.conftest import count
from tests.ingest.test_door import trade, written

ROWS = 1_000
TRADES = KINDS["trades"]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for how in (CSV, NDJSON):
        monkeypatch.setitem(PART_BYTES, how, 20_000)


def file_of(folder: Path, rows: list[dict[str, Any]], how: str = "csv") -> Path:
    path = folder / f"big.{how}"
    body = written(rows, how.partition(".")[0])[0]
    path.write_bytes(gzip.compress(body) if how.endswith("gz") else body)
    return path


def begin(stores: Stores, path: Path) -> Generator[str, None, RowsTaken]:
    return take_large_file(stores, path.name, TRADES, "ana", lambda: path.open("rb"))


def taken(stores: Stores, path: Path) -> tuple[RowsTaken, list[str]]:
    told, work = [], begin(stores, path)
    while True:
        try:
            told.append(next(work))
        except StopIteration as ended:
            return ended.value, told


@pytest.mark.parametrize("how", ["csv", "ndjson", "csv.gz"])
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
    assert [each.first for each in found] == [sum(e.raw.rows for e in found[:at]) for at in range(len(found))]
    for name, cells in whole.columns.items():
        assert [cell for each in found for cell in each.raw.columns[name].to_pylist()] == cells.to_pylist()


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
