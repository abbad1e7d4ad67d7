"""Files of rows go the way that programs' rows go: named for their kind, whole, refused in the same words."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pyarrow as pa
import pytest

from core.errors import ImportRejected
from core.ingest.kinds import KINDS
from portfolio.imports.inbox import make
from portfolio.ingest.files import row_kind, take_rows_file
from portfolio.ingest.header import columns_in, peeked, what_it_seems
from portfolio.ingest.names import kind_in
from storage.stores import Stores
from tests.ingest.test_door import trade, written
from tests.support.funded import Send, count


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("trades.csv", "trades"),
        ("Fills.TRADES.csv.gz", "trades"),
        ("a.b.samples.arrow.zst", "samples"),
        ("nav.csv", None),
        ("prices.csv", None),
        ("my trades.csv", None),
        ("trades.xlsx", None),
    ],
)
def test_a_name_says_the_kind(name: str, kind: str | None) -> None:
    found = kind_in(name)
    assert (found.name if found else None) == kind


def test_a_file_and_a_request_are_refused_in_the_same_words(funded: Stores, send: Send) -> None:
    body, _ = written([trade(1), trade(2, price=-3)], "csv")
    told = send("trades", body, kind_of="text/csv").json["rows"][0]
    with pytest.raises(ImportRejected) as refused:
        take_rows_file(funded, "trades.csv", body, KINDS["trades"], "ana")
    assert f"row 2, price: {told['reason']} (-3); {told['fix']}" in str(refused.value)
    assert count(funded, "trades") == 0


def test_a_mark_names_the_file(funded: Stores, send: Send) -> None:
    send("trades", [trade(1)])
    take_rows_file(funded, "late.trades.csv", written([trade(1, price=11)], "csv")[0], KINDS["trades"], "ana")
    assert funded.clickhouse.rows("SELECT source FROM restatements FINAL") == [("late.trades.csv",)]


def test_the_inbox_takes_rows_by_the_name_of_the_file(funded: Stores) -> None:
    folder = funded.settings.data_dir / "inbox"
    folder.mkdir(parents=True)
    good, _ = written([trade(1), trade(2)], "csv")
    (folder / "fills.trades.csv.gz").write_bytes(gzip.compress(good))
    (folder / "trades.csv").write_bytes(good.replace(b"buy", b"hold"))
    inbox, now = make(funded), funded.clock.now()
    inbox.take_in(now)
    inbox.take_in(now + 10)
    assert count(funded, "trades") == 2
    told = next(Path(folder / "done").glob("*.taken.txt")).read_text()
    assert "2 rows of trades taken: 2 new" in told
    problems = next(Path(folder / "refused").glob("*.problems.txt")).read_text()
    assert "2 rows, side: is none that there is (hold); give one of buy, sell: rows 1, 2" in problems


def test_a_file_is_told_each_kind_of_mistake_once_and_what_a_file_can_do_about_it(funded: Stores) -> None:
    lost = written([{**trade(number), "portfolio": "zeta"} for number in range(10)], "csv")[0]
    with pytest.raises(ImportRejected) as refused:
        take_rows_file(funded, "trades.csv", lost, KINDS["trades"], "ana")
    (mistake,) = refused.value.mistakes
    assert "10 rows, portfolio: there is no such portfolio (zeta); " in str(mistake)
    assert "add zeta on Portfolios, or send its NAV first: rows 1, 2, 3 and 7 more" in str(mistake)
    assert "create=true" not in str(refused.value)
    wrong = written([trade(1, price=-3), trade(2), trade(3, price=-4), trade(4, side="hold")], "csv")[0]
    with pytest.raises(ImportRejected) as refused:
        take_rows_file(funded, "trades.csv", wrong, KINDS["trades"], "ana")
    prices, side = map(str, refused.value.mistakes)
    assert prices.startswith("2 rows, price: ") and prices.endswith(": rows 1 (-3), 3 (-4)")
    assert side.startswith("row 4, side: ")


EXAMPLES: dict[str, dict[str, object]] = {
    "positions": {"portfolio": "alpha", "ts": 1, "instrument": "A", "quantity": 1, "price": 1},
    "cash": {"portfolio": "alpha", "ts": 1, "currency": "EUR", "amount": 1},
    "instruments": {"symbol": "A", "sector": "Energy"},
    "orders": {"portfolio": "alpha", "order_id": "O", "ts": 1, "instrument": "A", "side": "buy", "quantity": 1,
               "status": "new"},
    "trades": {"portfolio": "alpha", "trade_id": "T", "ts": 1, "instrument": "A", "side": "buy", "quantity": 1,
               "price": 1, "order_id": "O", "fees": 0},
    "transactions": {"portfolio": "alpha", "transaction_id": "X", "ts": 1, "action": "fee", "amount": -1},
    "fx": {"base": "EUR", "quote": "USD", "ts": 1, "rate": 1.1},
    "samples": {"ts": 1, "metric": "x_total", "value": 1},
}  # fmt: skip


@pytest.mark.parametrize("kind", EXAMPLES)
@pytest.mark.parametrize("how", ["csv", "json", "ndjson", "arrow", "parquet", "csv.gz", "csv.zst"])
def test_a_file_of_any_name_is_of_the_kind_whose_columns_it_has(kind: str, how: str) -> None:
    body, _ = written([EXAMPLES[kind]] * 2, how.partition(".")[0])
    packed = {"gz": gzip.compress, "zst": lambda each: pa.compress(each, "zstd", asbytes=True)}
    content = packed[how[4:]](body) if "." in how else body
    name = f"export 17.{how}"
    found = row_kind(name, peeked(name, io.BytesIO(content)))
    assert found is not None and found.name == kind


@pytest.mark.parametrize(
    "header",
    ["date,portfolio,nav,flow", "portfolio,ts,nav", "instrument,ts,price,currency", "date,alpha,beta", "", "\0\1",
     "date,close,volume", "symbol,date,close", "base,quote"],
)  # fmt: skip
def test_files_of_values_and_prices_stay_what_they_are(header: str) -> None:
    assert row_kind("export.csv", f"{header}\n1,2,3\n".encode()) is None
    assert what_it_seems(columns_in("export.csv", f"{header}\n1,2,3\n".encode())) == []


def test_a_file_that_is_nearly_rows_is_told_what_it_lacks(funded: Stores) -> None:
    folder = funded.settings.data_dir / "inbox"
    folder.mkdir(parents=True)
    good, _ = written([trade(1)], "csv")
    (folder / "broker export.csv").write_bytes(good)
    (folder / "other export.csv").write_bytes(good.replace(b"trade_id", b"tradeid"))
    inbox, now = make(funded), funded.clock.now()
    inbox.take_in(now)
    inbox.take_in(now + 10)
    assert count(funded, "trades") == 1
    problems = next(Path(folder / "refused").glob("*.problems.txt")).read_text()
    assert "it seems to be rows of trades" in problems
    assert "it lacks the column trade_id" in problems
    assert "it has a column tradeid, which trades have not: did you mean trade_id?" in problems
