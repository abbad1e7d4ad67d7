"""The product under clients that stall, send too much, or come in crowds: it answers others and does not grow."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psutil

from benchmarks.callbacks import refresh_body
from tests.support.product import Product

PATIENCE_SECONDS = 8
"""Less than a request may take to arrive."""
REFRESH = "/_dash-update-component"
STALLS = (
    b"",
    b"GET /portfolio HTT",
    b"POST /_dash-update-component HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{",
    b"POST /import/look HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf",
)
TABS = ("portfolio", "system", "database", "cache", "pipeline", "services")
CROWD, ROUNDS = 24, 4
MOST_THREADS = 110
"""Web threads, collectors, and what ClickHouse keeps for as many statements as may run at once."""
MIB = 2**20


def worker_of(product: Product) -> psutil.Process:
    return max(product.family(), key=lambda process: process.memory_info().rss)


def test_two_hundred_half_open_connections_keep_no_reader_out(tmp_path: Path) -> None:
    with ExitStack() as stack:
        product = stack.enter_context(Product(tmp_path / "data", load_sample="false")).start()
        for stall in STALLS * 50:
            client = stack.enter_context(socket.create_connection(("127.0.0.1", product.port)))
            client.sendall(stall)
        for path in ("/portfolio", "/system", "/healthz"):
            url = f"http://127.0.0.1:{product.port}{path}"
            assert urllib.request.urlopen(url, timeout=PATIENCE_SECONDS).status == 200
        assert product.stop()[0] == 0


def test_bodies_above_the_limit_are_refused_and_leave_no_memory(tmp_path: Path) -> None:
    with Product(tmp_path / "data", load_sample="false") as product:
        product.start()
        before = worker_of(product).memory_info().rss
        for path in (REFRESH, "/portfolios/rename", "/healthz", "/nowhere"):
            for _ in range(2):
                assert refused_status(f"http://127.0.0.1:{product.port}{path}", b"x" * 64 * MIB) == 413
        assert worker_of(product).memory_info().rss - before < 60 * MIB


def refused_status(url: str, body: bytes) -> int:
    try:
        return int(urllib.request.urlopen(urllib.request.Request(url, body), timeout=30).status)
    except urllib.error.HTTPError as error:
        return error.code


def test_many_open_pages_need_no_more_threads_and_descriptors(tmp_path: Path) -> None:
    with Product(tmp_path / "data", intervals__system_seconds="1") as product:
        product.start()
        base = f"http://127.0.0.1:{product.port}"
        dependencies = json.load(urllib.request.urlopen(f"{base}/_dash-dependencies"))

        def open_page(number: int) -> int:
            choices = {"window": ("15m", "1h", "6h", "24h")[number // len(TABS) % 4]}
            body = refresh_body(dependencies, TABS[number % len(TABS)], None, choices)
            asked = urllib.request.Request(f"{base}{REFRESH}", body, {"Sec-Fetch-Site": "same-origin"})
            with urllib.request.urlopen(asked, timeout=60) as answer:
                shown = json.load(answer)["response"]
            figures = next(iter(shown.values()))["data"]["figures"].values()
            for figure in (figure for figure in figures if "lazy" in figure):
                urllib.request.urlopen(f"{base}{figure['lazy']}", timeout=60).read()
            return 1

        worker = worker_of(product)
        grown: list[tuple[int, int]] = []
        with ThreadPoolExecutor(CROWD) as crowd:
            for _ in range(ROUNDS):
                assert sum(crowd.map(open_page, range(CROWD * 2))) == CROWD * 2
                grown.append((worker.num_threads(), worker.num_fds()))
        threads, descriptors = grown[-1]
        assert threads <= MOST_THREADS, grown
        assert descriptors <= 4 * MOST_THREADS + 100, grown  # ClickHouse opens three for each of its threads
        assert threads <= grown[0][0] + 10, grown
        assert product.stop()[0] == 0
