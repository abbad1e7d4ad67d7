"""One instance of every kind of source, well; and one of every kind at each server that behaves badly."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.bad_servers import BadServer
from tests.support.celery_workers import CeleryWorker
from tests.support.dns_server import DnsServer
from tests.support.ib_player import Gateway
from tests.support.iqfeed_player import IqConnect, Script
from tests.support.kafka_servers import Tansu, commit, create, produce
from tests.support.postgres_servers import PostgresServer
from tests.support.rabbitmq_api import RabbitmqApi
from tests.support.redis_servers import RedisServer
from tests.support.servers import ROOT, ClickHouseServer, free_port, wait_for_http

Instances = dict[str, list[dict[str, Any]]]
"""Instances by kind, as the group `watch` of the settings takes them."""

INTERVAL_SECONDS, TIMEOUT_SECONDS = 5.0, 2.0
EXPORTER_SERIES = 500
NGINX = "Active connections: 3 \nserver accepts handled requests\n 16 16 31 \nReading: 0 Writing: 1 Waiting: 2 \n"
OFF = dict.fromkeys(("level1_port", "lookup_port", "level2_port", "derivative_port"), 0)


def well(stack: contextlib.ExitStack, folder: Path) -> Instances:
    """Start what every kind watches and return an instance of each; `stack` ends it all."""
    folder.mkdir(parents=True, exist_ok=True)
    redis = stack.enter_context(RedisServer(folder / "redis"))
    clickhouse = ClickHouseServer(folder / "clickhouse")
    clickhouse.start()
    stack.callback(clickhouse.kill)
    postgres = stack.enter_context(PostgresServer())
    postgres.do("CREATE TABLE ticks (ts timestamptz)", "INSERT INTO ticks VALUES (now() + interval '1 hour')")
    kafka = stack.enter_context(Tansu(folder / "kafka"))
    create(kafka.bootstrap, orders=3)
    produce(kafka.bootstrap, "orders", 50)
    commit(kafka.bootstrap, "risk", "orders", 50)
    stack.enter_context(CeleryWorker(redis.url, folder))
    rabbitmq = stack.enter_context(RabbitmqApi())
    feed = stack.enter_context(IqConnect(Script(period_seconds=1.0)))
    gateway = stack.enter_context(Gateway())
    names = stack.enter_context(DnsServer({("orders.fund.example", "A"): ["10.0.0.4"]}))
    web = _web(stack)
    found: Instances = {
        "redis": [{"url": redis.url}],
        "clickhouse": [{"url": clickhouse.url}],
        "postgresql": [{"url": postgres.url()}],
        "kafka": [{"bootstrap": kafka.bootstrap}],
        "celery": [{"broker": redis.url}],
        "rabbitmq": [{"url": rabbitmq.url}],
        "iqfeed": [{**feed.settings}],
        "ib": [{"port": gateway.port}],
        "http": [{"url": f"{web}/health"}],
        "tcp": [{"host": "127.0.0.1", "port": redis.port}],
        "dns": [{"domain": "orders.fund.example", "server": names.host, "port": names.port}],
        "process": [{"command": f"valkey-server.*{redis.port}"}],
        "nginx": [{"url": f"{web}/nginx"}],
        "scrape": [{"url": f"{web}/metrics"}],
        "peer": [{"host": "127.0.0.1", "port": redis.port}],
        "freshness": [{"url": postgres.url(), "table": "public.ticks"}],
        "heartbeat": [{"token": "a-token-of-a-job-1"}],
    }
    return _named(found, [["main"]] * len(found))


def unreachable(bad: Sequence[BadServer]) -> Instances:
    """Return an instance of every kind at each bad server; of what has no address, one that is not there."""
    found: Instances = {
        "redis": [{"url": f"redis://{_at(each)}"} for each in bad],
        "clickhouse": [{"url": f"http://{_at(each)}"} for each in bad],
        "postgresql": [{"url": f"postgresql://monitor@{_at(each)}/postgres"} for each in bad],
        "kafka": [{"bootstrap": _at(each)} for each in bad],
        "celery": [{"broker": f"redis://{_at(each)}"} for each in bad],
        "rabbitmq": [{"url": f"http://guest:guest@{_at(each)}"} for each in bad],
        "iqfeed": [{"admin_port": each.port, **OFF} for each in bad],
        "ib": [{"port": each.port} for each in bad],
        "http": [{"url": f"http://{_at(each)}"} for each in bad],
        "tcp": [{"host": each.host, "port": each.port, "expects": "220"} for each in bad],
        "dns": [{"domain": "x.example", "server": each.host, "port": each.port, "protocol": "tcp"} for each in bad],
        "nginx": [{"url": f"http://{_at(each)}/nginx"} for each in bad],
        "scrape": [{"url": f"http://{_at(each)}/metrics"} for each in bad],
        "freshness": [{"url": f"postgresql://monitor@{_at(each)}/postgres", "table": "public.ticks"} for each in bad],
        "process": [{"command": "no such program runs here"}],
        "systemd": [{"unit": "no-such-unit.service"}],
    }
    behaviours = [each.behaviour.replace("_", "-") for each in bad]
    return _named(found, [behaviours if len(each) == len(bad) else ["missing"] for each in found.values()])


def _named(found: Instances, names: Sequence[Sequence[str]]) -> Instances:
    return {
        kind: [
            {"name": name, "interval_seconds": INTERVAL_SECONDS, "timeout_seconds": TIMEOUT_SECONDS, **each}
            for name, each in zip(named, instances, strict=True)
        ]
        for (kind, instances), named in zip(found.items(), names, strict=True)
    }


def _at(server: BadServer) -> str:
    return f"{server.host}:{server.port}"


def _web(stack: contextlib.ExitStack) -> str:
    """Return the address of a page, a page of Nginx and an exporter of 500 series, served by a process of its own."""
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.all_sources", str(port)], cwd=ROOT)
    stack.callback(server.wait)
    stack.callback(server.kill)
    wait_for_http(port, "/health")
    return f"http://127.0.0.1:{port}"


class _Pages(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        now = time.time()
        pages = {
            "/nginx": NGINX,
            "/metrics": "".join(f'jobs_total{{worker="{n}"}} {now + n}\n' for n in range(EXPORTER_SERIES)),
        }
        body = pages.get(self.path, "fine\n").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _Pages).serve_forever()
