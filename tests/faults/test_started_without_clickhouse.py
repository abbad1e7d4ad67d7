"""Web workers that start while a ClickHouse server is away answer honestly, and are whole when it is back."""

from __future__ import annotations

import contextlib
import http.client
import sys
import time
from pathlib import Path

from storage.clickhouse.client import ClickHouse
from storage.live.embedded import Valkey
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
            assert status(product.port, "/healthz") == 200
            client = ClickHouse(clickhouse.url)
            assert client.rows("SELECT count() FROM trades") == [(0,)], "its tables were made"
            client.close()
    finally:
        clickhouse.kill()
        valkey.stop()
