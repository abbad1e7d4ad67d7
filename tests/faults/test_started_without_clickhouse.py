"""What starts while a ClickHouse server is away does so all the same, says it, and is whole when it is back."""

from __future__ import annotations

import contextlib
import http.client
import sys
import time
from collections.abc import Callable
from pathlib import Path

from core.errors import StorageError
from core.machine.spec import SYSTEM
from core.settings.model import Settings
from storage.clickhouse.client import ClickHouse
from storage.live.embedded import Valkey
from storage.live.redis import Live
from storage.state.database import State
from storage.state.imports import TAKEN, Import, start_import
from storage.stores import open_stores, pauses
from tests.support.product import Product
from tests.support.servers import ClickHouseServer

LONGEST_SECONDS = 240.0
"""On a machine that has much else to do."""


def status(port: int, path: str) -> int:
    """Return the status of an answer; 0 where there is none."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", path)
        return connection.getresponse().status
    return 0


def wait_for(port: int, path: str, wanted: int, product: Product) -> None:
    ends = time.monotonic() + LONGEST_SECONDS
    while (found := status(port, path)) != wanted:
        assert product.process is not None and product.process.poll() is None, product.output()
        assert time.monotonic() < ends, f"{path}: {found}"
        time.sleep(0.5)


def wait_until(is_so: Callable[[], bool], product: Product) -> None:
    ends = time.monotonic() + LONGEST_SECONDS
    while not is_so():
        assert product.process is not None and product.process.poll() is None, product.output()
        assert time.monotonic() < ends
        time.sleep(0.2)


def test_a_web_worker_starts_without_clickhouse_and_comes_up_with_it(tmp_path: Path) -> None:
    clickhouse, valkey = ClickHouseServer(tmp_path / "server"), Valkey(tmp_path / "valkey")
    valkey.start()
    gunicorn = str(Path(sys.executable).parent / "gunicorn")
    product = Product(
        tmp_path / "data", gunicorn, "app:create_server()", load_sample="false", clickhouse_url=clickhouse.url,
        redis_url=valkey.url,
    )  # fmt: skip
    try:
        with product:
            product.launch()
            wait_for(product.port, "/readyz", 503, product)
            assert status(product.port, "/healthz") == 503
            assert status(product.port, "/pipeline") == 200, "pages open, and say what is away"
            clickhouse.start()
            wait_for(product.port, "/readyz", 200, product)
            # While the tables are made, an answer may take longer than a health check waits.
            wait_for(product.port, "/healthz", 200, product)
            client = ClickHouse(clickhouse.url)
            assert client.rows("SELECT count() FROM trades") == [(0,)], "its tables were made"
            client.close()
    finally:
        clickhouse.kill()
        valkey.stop()


def test_collectors_start_without_clickhouse_and_store_what_they_read_when_it_comes(tmp_path: Path) -> None:
    clickhouse, valkey = ClickHouseServer(tmp_path / "server"), Valkey(tmp_path / "valkey")
    valkey.start()
    product = Product(
        tmp_path / "data", sys.executable, "-m", "collectors", clickhouse_url=clickhouse.url, redis_url=valkey.url
    )
    try:
        with product:
            product.launch()
            live = Live(valkey.url, "fundwatch")
            wait_until(lambda: live.reading(SYSTEM, "host-1") is not None, product)
            live.close()
            clickhouse.start()
            client = ClickHouse(clickhouse.url)
            wait_until(lambda: _samples(client) > 0, product)
            client.close()
            code, _ = product.stop()
            assert code == 0 and "started without ClickHouse, which is waited for" in product.output()
    finally:
        clickhouse.kill()
        valkey.stop()


def _samples(client: ClickHouse) -> int:
    with contextlib.suppress(StorageError):
        return int(client.rows("SELECT count() FROM samples")[0][0])
    return 0


def test_what_is_missing_is_told_when_clickhouse_comes_later(tmp_path: Path) -> None:
    """An import that is remembered and of which ClickHouse, when it is there at last, has no value."""
    clickhouse, valkey = ClickHouseServer(tmp_path / "server"), Valkey(tmp_path / "valkey")
    valkey.start()
    settings = Settings(data_dir=tmp_path / "data", machine="m", clickhouse_url=clickhouse.url, redis_url=valkey.url)
    settings.data_dir.mkdir()
    state = State(settings.state_dsn)
    state.migrate()
    start_import(state, Import(time.time(), "nav.csv", "", 40, TAKEN, kind="nav", added=40))
    state.close()
    try:
        with contextlib.closing(open_stores(settings, may_wait=True)) as stores:
            assert list(stores.told) == []
            clickhouse.start()
            ends = time.monotonic() + LONGEST_SECONDS
            while not stores.told:
                assert time.monotonic() < ends
                time.sleep(0.1)
            assert "1 import brought 40 rows: they are missing" in stores.told[0]
    finally:
        clickhouse.kill()
        valkey.stop()


def test_storage_that_stays_away_is_asked_ever_less_often() -> None:
    waits = [seconds for seconds, _ in zip(pauses(), range(6), strict=False)]
    assert waits == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
