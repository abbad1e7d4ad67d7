"""Starting and stopping the product: clean, quick, and told in one line when it cannot."""

from __future__ import annotations

import json
import re
import signal
import socket
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import requests

from core.settings.model import Settings
from storage.live.redis import Live
from storage.stores import running_valkey_url
from tests.support.product import Product, gone


@pytest.mark.parametrize(("number", "whole_group"), [(signal.SIGTERM, False), (signal.SIGINT, True)])
def test_a_signal_stops_everything_within_five_seconds(tmp_path: Path, number: int, whole_group: bool) -> None:
    with Product(tmp_path / "data") as product:
        product.start()
        family = product.family()
        assert len(family) == 3, "gunicorn's master, its worker, Valkey"
        code, seconds = product.stop(number, whole_group=whole_group)
        assert (code, seconds < 5) == (0, True)
        assert gone(family)
        assert f"Fundwatch is at http://127.0.0.1:{product.port}\n" in product.output()


def test_after_kill_9_nothing_is_left_running_and_it_starts_again(tmp_path: Path) -> None:
    with Product(tmp_path / "data") as product:
        product.start()
        family = product.family()
        for member in family[:2]:
            member.kill()
        assert gone(family), "Valkey ends with its parent"
        product.start()
        assert product.stop()[0] == 0


def test_a_port_in_use_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken, Product(tmp_path / "data") as product:
        taken.bind(("127.0.0.1", product.port))
        taken.listen()
        assert product.launch().wait(30) == 2
        (line,) = product.output().splitlines()
        assert f"FUNDWATCH_PORT={product.port}" in line and "choose another port" in line


def test_a_folder_in_use_is_told_in_one_line_and_its_owner_goes_on(tmp_path: Path) -> None:
    with Product(tmp_path / "data") as first, Product(tmp_path / "data") as second:
        first.start()
        assert second.launch().wait(30) == 2
        (line,) = second.output().splitlines()
        assert f"FUNDWATCH_DATA_DIR={tmp_path / 'data'}" in line and "another running Fundwatch" in line
        assert urllib.request.urlopen(f"http://127.0.0.1:{first.port}/healthz").status == 200


def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with Product(tmp_path / "file" / "data") as product:
        assert product.launch().wait(30) == 2
        (line,) = product.output().splitlines()
        assert "FUNDWATCH_DATA_DIR" in line and "choose a folder" in line


def test_a_store_that_does_not_answer_stops_the_start_with_its_reason(tmp_path: Path) -> None:
    with Product(tmp_path / "data", state_url="postgresql+psycopg://nobody@127.0.0.1:9/none") as product:
        assert product.launch().wait(60) == 2
        assert "127.0.0.1" in product.output().splitlines()[-1]


def test_flushing_redis_loses_nothing(tmp_path: Path) -> None:
    with Product(tmp_path / "data", intervals__system_seconds="1") as product:
        product.start()
        live = Live(running_valkey_url(Settings(data_dir=product.folder)))
        before = wait_for_reading(live, 0)
        live.client.flushall()
        after = wait_for_reading(live, before[0])
        assert after[1] >= before[1] - 3, "a complete reading again (a series may come and go)"


def wait_for_reading(live: Live, newer_than: float) -> tuple[float, int]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        reading = live.reading("system", "host-1")
        if reading is not None and reading.ts > newer_than:
            return reading.ts, len(reading.samples)
        time.sleep(0.05)
    raise AssertionError("no reading came")


def test_a_file_is_imported_beside_the_running_program(tmp_path: Path) -> None:
    good, bad = tmp_path / "nav.csv", tmp_path / "bad.csv"
    good.write_text("date,portfolio,nav,flow\n2026-01-02,alpha,100,0\n2026-01-05,alpha,101,0\n")
    bad.write_text("date,portfolio,nav,flow\n2026-01-02,alpha,many,0\n")
    with Product(tmp_path / "data", intervals__inbox_seconds="0.5") as product:
        product.start()
        for file, code, told in ((good, 0, "2 rows"), (bad, 1, "line 2")):
            command = Product(product.folder, sys.executable, "-m", "collectors", "import", str(file))
            command.environment |= {"FUNDWATCH_INTERVALS__INBOX_SECONDS": "5"}
            assert command.launch().wait(60) == code
            assert told in command.output()


def test_the_two_process_shape_collects_and_serves(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    urls = {
        "clickhouse_url": request.getfixturevalue("clickhouse_server").url,
        "redis_url": request.getfixturevalue("valkey").url,
        "clickhouse_database": "two_processes",
    }
    web = Product(tmp_path / "web", str(Path(sys.executable).parent / "gunicorn"), "app:create_server()", **urls)
    collector = Product(tmp_path / "collector", sys.executable, "-m", "collectors", **urls)
    with web, collector:
        web.start()
        collector.launch()
        live = Live(urls["redis_url"], "two_processes")
        assert wait_for_reading(live, 0)[1] > 50
        health = json.load(urllib.request.urlopen(f"http://127.0.0.1:{web.port}/healthz"))
        assert health["status"] == "alive"
        assert collector.stop()[0] == 0
        assert web.stop()[0] == 0
    assert not (tmp_path / "web" / "clickhouse").exists()


def test_from_the_first_start_to_a_signed_in_page_in_two_steps(tmp_path: Path) -> None:
    with Product(tmp_path / "data", load_sample="false", sign_in="required") as product:
        product.start()
        product.stop()
        (link,) = re.findall(r"http://\S+/sign-in/link\?key=\S+", product.output())
        product.start()  # the link of a start goes on working at the next one
        browser = requests.Session()
        key, password = link.split("key=")[1], "violet kettle 81 moor"
        url = f"http://127.0.0.1:{product.port}"
        assert "/sign-in" in browser.get(f"{url}/portfolio").url
        chosen = {"key": key, "password": password, "again": password}
        assert browser.post(f"{url}/sign-in/link", data=chosen).url == f"{url}/overview"
        command = Product(product.folder, sys.executable, "-m", "dashboard.users", "list")
        process = command.launch()
        assert process.wait() == 0 and "admin  every portfolio  password" in command.output()
