"""Rows of other databases are taken in once, in batches, past wrong ones: of a real PostgreSQL, a real ClickHouse."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from collectors.pull import Puller, make
from collectors.runtime.registry import build_runner, enabled
from core.clock import SystemClock
from core.errors import SettingsError, SourceRejected, SourceUnavailable
from core.model import Reading, Status
from core.settings.load import load_settings
from core.settings.pull import Pull
from storage.clickhouse.client import ClickHouse
from storage.state.portfolios import Portfolio, put_portfolios
from storage.state.pulled import read_pull, refused_of
from storage.stores import Stores
from tests.support.postgres_servers import PostgresServer
from tests.support.servers import ClickHouseServer

QUERY = (
    "SELECT id, 'alpha' AS portfolio, exec AS trade_id, at AS ts, symbol AS instrument, side, quantity, price "
    "FROM public.fills"
)
BASE = int(time.time()) - 3_600
TABLE = (
    "DROP TABLE IF EXISTS public.fills",
    "CREATE TABLE public.fills (id bigint, exec text, at timestamptz, symbol text, side text, quantity numeric, "
    "price float8)",
)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as started:
        yield started


@pytest.fixture
def fund(stores: Stores, server: PostgresServer) -> Stores:
    server.do(*TABLE)
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha")])
    return replace(stores, clock=SystemClock())


def add(server: PostgresServer, first: int, last: int, **given: str) -> None:
    cells = {"id": "n", "exec": "'t' || n", "side": "'buy'", "quantity": "n", "price": "100.5", **given}
    at = f"to_timestamp({BASE}) + n * interval '1 millisecond'"
    server.do(
        "INSERT INTO public.fills SELECT {id}, {exec}, {at}, 'ACME', {side}, {quantity}, {price} "
        "FROM generate_series({first}, {last}) n".format(first=first, last=last, at=at, **cells)
    )


def puller(stores: Stores, url: str, **given: Any) -> Puller:
    settings = {"name": "fills", "kind": "trades", "query": QUERY, "mark": "id", "batch_rows": 100, **given}
    return make(stores, Pull(url=SecretStr(url), **settings))


def look(stores: Stores, url: str, **given: Any) -> Reading:
    """Return the reading of one look, by a puller that knows nothing of another one."""
    return puller(stores, url, **given).take_in(stores.clock.now())


def trades(stores: Stores) -> list[int]:
    stores.writer.flush()
    found = stores.clickhouse.rows("SELECT toInt64(quantity) FROM trades FINAL WHERE origin = 'own' ORDER BY quantity")
    return [quantity for (quantity,) in found]


def test_what_is_new_is_taken_once_and_in_batches(fund: Stores, server: PostgresServer) -> None:
    url = server.url()
    assert look(fund, url).components[0].status is Status.OK
    add(server, 1, 250)
    told = look(fund, url).components[0]
    assert (told.status, told.why) == (Status.OK, "250 rows read now, 250 in all")
    assert trades(fund) == [*range(1, 251)]
    assert read_pull(fund.state, "pull-fills").mark == "250"
    assert look(fund, url).components[0].why == "0 rows read now, 250 in all"
    add(server, 251, 253)
    look(fund, url)
    assert trades(fund) == [*range(1, 254)]


def test_rows_of_one_mark_are_never_parted(fund: Stores, server: PostgresServer) -> None:
    add(server, 1, 60, id="1")
    add(server, 61, 120, id="2")
    look(fund, server.url())
    assert trades(fund) == [*range(1, 121)]
    add(server, 121, 300, id="3")
    with pytest.raises(SourceRejected, match="more than 100 rows have the mark 3: raise batch_rows"):
        look(fund, server.url())
    look(fund, server.url(), batch_rows=200)
    assert trades(fund) == [*range(1, 301)]


def test_a_time_is_a_mark_and_what_comes_late_is_read_again(fund: Stores, server: PostgresServer) -> None:
    query = QUERY.replace("SELECT id", "SELECT at AS seen")
    given = {"query": query, "mark": "seen", "again": 60}
    add(server, 100, 110)
    look(fund, server.url(), **given)
    add(server, 1, 3)  # they are older than what was read
    look(fund, server.url(), **{**given, "again": 0})
    assert trades(fund) == [*range(100, 111)]
    look(fund, server.url(), **given)
    assert trades(fund) == [1, 2, 3, *range(100, 111)], "each once, although some were read twice"


def test_a_row_that_is_wrong_holds_up_no_other_and_is_kept_with_the_reason(
    fund: Stores, server: PostgresServer
) -> None:
    add(server, 1, 120)
    add(server, 121, 122, side="'buuy'")
    add(server, 123, 240, price="-1")
    add(server, 241, 250)
    told = look(fund, server.url()).components[0]
    assert told.status is Status.WARNING and told.why.startswith("120 rows refused, the last ")
    assert trades(fund) == [*range(1, 121), *range(241, 251)]
    kept = refused_of(fund.state, "pull-fills")
    assert len(kept) == 120
    assert sum("buuy" in each.content and each.reason.startswith("side: ") for each in kept) == 2
    assert sum(each.reason.startswith("price: ") for each in kept) == 118
    look(fund, server.url(), again=200)
    assert len(refused_of(fund.state, "pull-fills")) == read_pull(fund.state, "pull-fills").refused == 120


def test_what_is_wrong_with_all_rows_takes_none_and_loses_none(fund: Stores, server: PostgresServer) -> None:
    add(server, 1, 5)
    with pytest.raises(SourceRejected, match="trades have no such column"):
        look(fund, server.url(), query=QUERY.replace("AS instrument", "AS ticker"))
    with pytest.raises(SourceRejected, match="refuses the query"):
        look(fund, server.url(), query=QUERY.replace("public.fills", "public.nothing"))
    with pytest.raises(SourceRejected, match="whole number, or a time"):
        look(fund, server.url(), mark="price")
    with pytest.raises(SourceUnavailable):
        look(fund, "postgresql://a:b@127.0.0.1:9/x")
    assert trades(fund) == [] and read_pull(fund.state, "pull-fills").mark == ""
    look(fund, server.url())
    assert trades(fund) == [1, 2, 3, 4, 5]


def test_rows_wait_durably_while_clickhouse_is_away_and_the_mark_moves_then(
    fund: Stores, server: PostgresServer
) -> None:
    add(server, 1, 5)
    fund.writer._retry_at = time.monotonic() + 60  # as after a ClickHouse that did not answer
    look(fund, server.url())
    assert read_pull(fund.state, "pull-fills").mark == "5"
    assert fund.clickhouse.rows("SELECT count() FROM trades WHERE origin = 'own'") == [(0,)]
    fund.writer._retry_at = 0.0
    assert trades(fund) == [1, 2, 3, 4, 5]


def test_a_clickhouse_is_asked_in_the_same_way(fund: Stores, clickhouse_server: ClickHouseServer) -> None:
    with closing(ClickHouse(clickhouse_server.url, "oms")) as client:
        client.create_database()
        client.command(
            "CREATE TABLE oms.fills (id UInt64, exec String, at DateTime, quantity Float64) "
            "ENGINE = MergeTree ORDER BY id"
        )
        client.command(
            f"INSERT INTO oms.fills SELECT number + 1, concat('t', toString(number + 1)), {BASE} + number, number + 1 "
            "FROM numbers(250)"
        )
    query = (
        "SELECT id, 'alpha' AS portfolio, exec AS trade_id, toUnixTimestamp(at) AS ts, 'ACME' AS instrument, "
        "'buy' AS side, quantity, 10.0 AS price FROM oms.fills"
    )
    url = clickhouse_server.url
    assert look(fund, url, query=query).components[0].why == "250 rows read now, 250 in all"
    assert look(fund, url, query=query).components[0].why == "0 rows read now, 250 in all"
    assert trades(fund) == [*range(1, 251)]


def test_the_settings_switch_it_on_and_say_what_is_wrong(fund: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    given = '{"name": "fills", "kind": "trades", "url": "postgresql://a:secret@h/x", "query": "SELECT 1", "mark": "id"}'
    monkeypatch.setenv("FUNDWATCH_PULL", f"[{given}]")
    settings = load_settings()
    assert "pull-fills" in enabled(settings)
    runner = build_runner(
        replace(fund, settings=fund.settings.model_copy(update={"pull": settings.pull})), ["pull-fills"]
    )
    assert list(runner.names) == ["pull-fills"]
    for wrong, told in (
        (given.replace("trades", "fills"), "pull[0].kind"),
        (given.replace('"mark"', '"marc"'), "pull[0].marc"),
        (given.replace("SELECT 1", "DELETE FROM x"), "must begin with SELECT or WITH"),
        (f"{given}, {given}", "two pulls are named fills"),
    ):
        monkeypatch.setenv("FUNDWATCH_PULL", f"[{wrong}]")
        with pytest.raises(SettingsError) as error:
            load_settings()
        assert told in str(error.value) and "secret" not in str(error.value)
