"""ClickHouse away while programs send: what is acknowledged waits on the disk and is there once afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.settings.model import Settings
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import migrate
from storage.clickhouse.spool import Spool
from storage.clickhouse.spools import adopt, claim
from storage.live.redis import Live
from storage.state.database import State
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.conftest import assembled
from tests.ingest.test_door import ONE_OF_EACH, trade
from tests.support.funded import count, sender
from tests.support.servers import ClickHouseServer


@pytest.fixture
def outside(
    settings: Settings, clickhouse_server: ClickHouseServer, database: str, live: Live, state: State, tmp_path: Path
) -> Iterator[Stores]:
    """Stores with a ClickHouse that may be killed."""
    client = ClickHouse(clickhouse_server.url, database)
    migrate(client)
    with assembled(settings, client, live, state, tmp_path) as stores:
        put_portfolios(state, [Portfolio("own", "alpha", "Alpha", currency="EUR")])
        yield replace(stores, clock=SystemClock())
    client.close()


def replay(stores: Stores) -> None:
    """Let the writer send what waits."""
    until = time.monotonic() + 60
    while stores.writer.stats().spooled_batches and time.monotonic() < until:
        stores.writer.flush()
        time.sleep(0.05)


def test_rows_sent_while_clickhouse_is_away_are_there_once(
    outside: Stores, clickhouse_server: ClickHouseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.clickhouse.writer.RETRY_SECONDS", (0.2,))
    send = sender(outside)
    assert send("trades", [trade(1), trade(2)]).json["added"] == 2
    sample = ONE_OF_EACH["samples"]
    assert send("samples", [sample]).json["added"] == 1
    clickhouse_server.kill()
    for _ in range(2):  # a program that had no answer sends it again
        answer = send("trades", [trade(2, price=99), trade(3)])
        assert (answer.status_code, answer.json["is_waiting"], answer.json["added"]) == (200, True, None)
        assert send("samples", [sample, {**sample, "value": 3, "labels": {}}]).json["is_waiting"]
        assert send("nav", [ONE_OF_EACH["nav"]]).json["is_waiting"]
        assert send("fx", [ONE_OF_EACH["fx"]]).json["is_waiting"]
    assert send("trades", [trade(4)], "?on_conflict=refuse").status_code == 503
    clickhouse_server.start()
    read_too_early = outside.live.version("portfolio")
    replay(outside)
    assert outside.live.version("portfolio") != read_too_early
    found = outside.clickhouse.rows("SELECT trade_id, price FROM trades FINAL ORDER BY trade_id")
    assert found == [("t00001", 10.5), ("t00002", 99.0), ("t00003", 10.5)]
    assert outside.clickhouse.rows("SELECT key, is_taken FROM restatements FINAL") == [("t00002", 1)]
    assert count(outside, "samples") == 2
    assert outside.clickhouse.rows("SELECT sum(points) FROM samples_1h") == [(2,)]
    assert (count(outside, "nav"), count(outside, "prices")) == (1, 1)


def test_what_is_promised_is_not_dropped_for_others(tmp_path: Path) -> None:
    from core.model import Facts

    spool = Spool(tmp_path / "spool.sqlite", 20_000)
    noise = Facts("samples", ("series", "ts", "value"), ([*range(2_000)], [*range(2_000)], [0.5] * 2_000))
    spool.append(replace(noise, token="promise"), is_promised=True)
    for _ in range(10):
        spool.append(noise)
    oldest = spool.oldest()
    assert oldest is not None and oldest.batch.token == "promise"
    assert spool.stats().dropped_rows > 0
    spool.close()


def test_a_process_takes_over_what_an_ended_one_left(tmp_path: Path) -> None:
    from core.model import Facts

    first, second = claim(tmp_path), claim(tmp_path)
    assert (first.path.name, second.path.name) == ("spool.sqlite", "spool-2.sqlite")
    left = Spool(second.path, 2**20)
    left.append(Facts("runs", ("ts",), ([1],), "a"), 5.0)
    left.append(Facts("runs", ("ts",), ([2],), "b"), is_promised=True)
    own = Spool(first.path, 2**20)
    assert adopt(tmp_path, first, own, 2**20) == 0, "it is at work still"
    left.close()
    second.release()
    assert adopt(tmp_path, first, own, 2**20) == 2
    oldest = own.oldest()
    assert oldest is not None and (oldest.batch.token, oldest.tried) == ("a", 5.0)
    own.remove(oldest.id)
    following = own.oldest()
    assert following is not None and own.is_promised(following.id)
    assert claim(tmp_path).path.name == "spool-2.sqlite"
    own.close()
