"""What ends in the middle of being taken: it leaves nothing that nobody sent, and what was left is found by others."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from core.errors import StorageUnavailable
from core.model import Facts
from core.settings.stores import Retention
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.insert import insert_in_turn
from storage.clickhouse.migrate import migrate
from storage.clickhouse.pushed import insert_samples
from storage.clickhouse.reported import insert_reported
from storage.clickhouse.spool import Spool
from storage.clickhouse.spools import adopt, claim
from storage.clickhouse.writer import Writer
from storage.state.portfolios import list_portfolios
from storage.state.series import list_series
from storage.stores import Stores
from storage.turns import turn
from tests.ingest.test_door import NOW, ONE_OF_EACH, at
from tests.support.funded import Send, count, sender
from tests.support.servers import ClickHouseServer
from tests.support.times import MIDNIGHT


@pytest.mark.parametrize("is_full", [True, False])
def test_rows_that_cannot_wait_leave_no_portfolio_and_no_instrument(
    funded: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_full: bool
) -> None:
    monkeypatch.setattr("storage.clickhouse.writer.RETRY_SECONDS", (600,))
    spool = Spool(tmp_path / "small.sqlite", 10 if is_full else 2**20)
    writer = Writer(partial(insert_in_turn, funded.clickhouse, funded.settings), spool)
    writer.keep(Facts("runs", ("ts",), ([1],)), None, StorageUnavailable("away"))
    if not is_full:
        spool.close()
    before = list_portfolios(funded.state), list_series(funded.state, "own")
    send = sender(replace(funded, writer=writer))
    row = {"portfolio": "gamma", "ts": at(NOW), "nav": 5.0, "currency": "CHF"}
    assert send("nav", [row], "?create=true").status_code == 503
    assert send("prices", [ONE_OF_EACH["prices"]]).status_code == 503
    assert (list_portfolios(funded.state), list_series(funded.state, "own")) == before
    spool.close()


def waiting(id: str, status: str, ts: int, version: int) -> Facts:
    """An order as it waits in the spool."""
    names = ("portfolio", "order_id", "ts", "placed", "instrument", "side", "quantity", "order_type", "limit_price",
             "decision_price", "status")  # fmt: skip
    values = ("alpha", id, ts * 10**6, ts * 10**6, "ACME", "buy", 1.0, "market", None, None, status)
    columns = ("origin", *names, "version")
    return Facts("orders", columns, tuple([value] for value in ("own", *values, version)), f"token {version}")


def test_rows_that_waited_are_stored_in_turn(funded: Stores, send: Send) -> None:
    send("orders", [ONE_OF_EACH["orders"]])
    funded.writer.keep(waiting("o2", "new", NOW, 1), None)
    flushing = threading.Thread(target=funded.writer.flush)
    with turn(funded.settings.data_dir, "orders"):
        flushing.start()
        flushing.join(2)
        assert flushing.is_alive() and count(funded, "orders") == 1
    flushing.join(60)
    assert count(funded, "orders") == 2


def test_a_later_state_of_an_order_that_waited_counts_though_an_earlier_one_was_written_meanwhile(
    funded: Stores,
) -> None:
    insert_reported(funded.clickhouse, waiting("o3", "accepted", NOW, 9_000), "API")
    insert_reported(funded.clickhouse, waiting("o3", "filled", NOW + 5, 1_000), "API")
    insert_reported(funded.clickhouse, waiting("o3", "new", NOW - 5, 9_500), "API")
    sql = "SELECT status FROM orders FINAL WHERE order_id = 'o3'"
    assert funded.clickhouse.rows(sql) == [("filled",)]


def test_rows_that_a_killed_server_took_for_known_are_stored(
    clickhouse_server: ClickHouseServer, database: str
) -> None:
    client = ClickHouse(clickhouse_server.url, database)
    migrate(client)
    series, ts = np.arange(10, dtype=np.uint64), np.full(10, MIDNIGHT)
    for _ in range(2):
        insert_samples(client, series, ts, np.ones(10), Retention())
        assert client.rows("SELECT count() FROM samples") == [(10,)]
        client.command("ALTER TABLE samples DELETE WHERE 1 SETTINGS mutations_sync = 2")
    client.close()


def test_a_damaged_spool_does_not_keep_others_from_being_taken_over(tmp_path: Path) -> None:
    first, second, third = (claim(tmp_path) for _ in range(3))
    second.path.write_bytes(b"no database, by no means" * 1_000)
    left = Spool(third.path, 2**20)
    left.append(Facts("runs", ("ts",), ([1],), "a"))
    left.append(Facts("runs", ("ts",), ([2, 3],), "b"))
    oldest = left.oldest()
    assert oldest is not None
    left.refuse(oldest.batch, "of no table", oldest.id)
    left.close()
    second.release()
    third.release()
    own = Spool(first.path, 2**20)
    assert adopt(tmp_path, first, own, 2**20) == 1
    assert (own.stats().rows, own.stats().refused_rows) == (2, 1)
    assert [*tmp_path.glob("spool-2.sqlite.damaged-*")]
    assert adopt(tmp_path, first, own, 2**20) == 0 and own.stats().refused_rows == 1
    own.close()
