"""Files of rows go the way that programs' rows go: named for their kind, whole, refused in the same words."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from core.errors import ImportRejected
from core.ingest.kinds import KINDS
from portfolio.imports.inbox import make
from portfolio.ingest.files import kind_in, take_rows_file
from storage.stores import Stores
from tests.ingest.conftest import Send, count
from tests.ingest.test_door import trade, written


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
    assert "row 1, side: is none that there is (hold); give one of buy, sell" in problems
