"""Checks of services: against real servers and processes, against servers that behave badly, and over time."""

from __future__ import annotations

import http.server
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from collectors import http as http_kind
from collectors import tcp as tcp_kind
from collectors.network_peers import PeerProbe
from collectors.nginx import NginxProbe
from collectors.process_watch import ProcessProbe
from collectors.scrape import ScrapeProbe
from collectors.service import Found, ServiceCollector, act, make_service
from collectors.systemd import SystemdProbe
from core.errors import SourceUnavailable, StorageUnavailable
from core.model import Reading, Status
from core.watch.http import HttpSource
from core.watch.nginx import NginxSource
from core.watch.peer import PeerSource
from core.watch.process import ProcessSource
from core.watch.scrape import ScrapeSource
from core.watch.systemd import SystemdSource
from core.watch.tcp import TcpSource
from storage.stores import Stores
from tests.support.bad_servers import BEHAVIOURS, assert_survives
from tests.support.tls_server import CERTIFICATE, TlsServer

SHORT = {"timeout_seconds": 0.5, "retries": 0}
Answers = dict[str, tuple[int, dict[str, str], bytes]]


class Site:
    """A real HTTP server whose answers a test gives by path."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, str]]] = []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                return

            def do_GET(self) -> None:
                site.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                status, headers, body = site.answers.get(self.path, (404, {}, b"no"))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site({"/": (200, {}, b"all good"), "/json": (200, {}, b'{"checks": [{"state": "up"}], "n": 3}')})
    yield made
    made.close()


def of_http(url: str, **given: Any) -> ServiceCollector:
    source = HttpSource(name="web", url=SecretStr(url), **{**SHORT, **given})
    return ServiceCollector(source, partial(http_kind.probe, source))


def of_tcp(port: int, **given: Any) -> ServiceCollector:
    source = TcpSource(name="web", host="127.0.0.1", port=port, **{**SHORT, **given})
    return ServiceCollector(source, partial(tcp_kind.probe, source))


def of_scrape(url: str, **given: Any) -> ServiceCollector:
    source = ScrapeSource(name="oms", url=SecretStr(url), **{**SHORT, **given})
    return ServiceCollector(source, ScrapeProbe(source))


def of_nginx(url: str, **given: Any) -> ServiceCollector:
    source = NginxSource(name="front", url=SecretStr(url), **{**SHORT, **given})
    return ServiceCollector(source, NginxProbe(source))


def told(collector: ServiceCollector, now: float | None = None) -> tuple[Status, str]:
    part = collector.collect(time.time() if now is None else now).components[0]
    return part.status, part.why


def values(reading: Reading) -> dict[str, float]:
    return {sample.metric: sample.value for sample in reading.samples}


class Raising:
    """A service's collector as the others are: what it finds down it raises."""

    def __init__(self, collector: ServiceCollector) -> None:
        self.name, self.interval_seconds = collector.name, collector.interval_seconds
        self.timeout_seconds = collector.timeout_seconds
        self._collector = collector

    def collect(self, now: float) -> Reading:
        reading = self._collector.collect(now)
        if reading.components[0].status is Status.DOWN:
            assert reading.is_up is False
            raise SourceUnavailable(reading.components[0].why)
        return reading


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
@pytest.mark.parametrize(
    ("make", "drip"), [(of_http, b"H"), (of_scrape, b"H"), (of_nginx, b"H")], ids=["http", "scrape", "nginx"]
)
def test_a_server_that_behaves_badly_is_outlived_and_told_apart(
    make: Callable[[str], ServiceCollector], drip: bytes, behaviour: str
) -> None:
    said = assert_survives(lambda host, port: Raising(make(f"http://{host}:{port}/")), behaviour, drip)
    words = {
        "refuses": "nothing listens at",
        "silent": "no answer from",
        "garbage": "not HTTP",
        "drip": "no answer from",
        "hangs_up": "closed the connection",
    }
    assert words[behaviour] in said or (behaviour == "hangs_up" and "not HTTP" in said)


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_port_whose_greeting_does_not_come_is_outlived(behaviour: str) -> None:
    assert_survives(lambda host, port: Raising(of_tcp(port, expects="220 ready")), behaviour)


def test_what_an_address_answers_is_judged_by_status_text_and_json(site: Site) -> None:
    assert told(of_http(site.url + "/"))[0] is Status.OK
    where = f"127.0.0.1:{site.port}"
    assert told(of_http(site.url + "/gone")) == (Status.DOWN, f"{where} answers 404 Not Found, and 200-299 is good")
    assert told(of_http(site.url + "/gone", statuses="200,404"))[0] is Status.OK
    assert told(of_http(site.url + "/", contains="bad"))[1] == f"the answer of {where} lacks “bad”"
    assert told(of_http(site.url + "/", lacks="good"))[1] == f"the answer of {where} has “good” in it"
    path = {"json_path": "$.checks[0].state"}
    assert told(of_http(site.url + "/json", **path, json_equals="up"))[0] is Status.OK
    assert told(of_http(site.url + "/json", json_path="n", json_equals="3"))[0] is Status.OK
    assert "is up, and should be down" in told(of_http(site.url + "/json", **path, json_equals="down"))[1]
    assert "has no checks[7].state" in told(of_http(site.url + "/json", json_path="checks[7].state"))[1]
    assert "not JSON" in told(of_http(site.url + "/", **path))[1]


def test_redirects_are_followed_and_secrets_stay_with_the_server_they_are_for(site: Site) -> None:
    other = Site({"/end": (200, {}, b"there")})
    site.answers["/start"] = (302, {"Location": f"{other.url}/end"}, b"")
    site.answers["/loop"] = (302, {"Location": "/loop"}, b"")
    headers = {"X-Key": SecretStr("secret")}
    assert told(of_http(site.url + "/start", headers=headers))[0] is Status.OK
    assert site.asked[0][1]["x-key"] == "secret"
    assert "x-key" not in other.asked[0][1]
    assert "redirects more than 2 times" in told(of_http(site.url + "/loop", redirects=2))[1]
    other.close()


def test_tls_is_verified_and_a_certificate_that_ends_soon_is_told() -> None:
    with TlsServer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as server:
        url = f"https://localhost:{server.port}/"
        assert "is not trusted" in told(of_http(url))[1]
        reading = of_http(url, ca_file=str(CERTIFICATE)).collect(time.time())
        assert reading.components[0].status is Status.OK
        left = values(reading)["http_certificate_seconds"]
        soon = of_http(url, ca_file=str(CERTIFICATE), certificate_warning_days=left / 86_400 + 1)
        status, why = told(soon)
        assert status is Status.WARNING
        assert why.startswith("its certificate ends in")
        assert "speaks TLS" in told(of_http(f"http://localhost:{server.port}/"))[1]


def test_https_to_a_server_without_tls_says_so(site: Site) -> None:
    assert "speaks no TLS" in told(of_http(f"https://127.0.0.1:{site.port}/"))[1]


def test_a_service_is_down_after_its_retries_and_every_change_is_a_row() -> None:
    is_up = True

    def probe(_deadline: object, _now: float) -> Found:
        if not is_up:
            raise SourceUnavailable("nothing listens at 10.0.0.1:80 (connection refused)")
        return Found("200 OK in 3 ms", 0.003)

    source = HttpSource(name="web", url=SecretStr("http://10.0.0.1/"), retries=2)
    collector = ServiceCollector(source, probe)
    assert collector.collect(0.0).is_up is True
    is_up = False
    first, second, third = (collector.collect(float(30 * n)) for n in (1, 2, 3))
    assert [each.components[0].status for each in (first, second, third)] == [
        Status.WARNING, Status.WARNING, Status.DOWN,
    ]  # fmt: skip
    assert [each.is_up for each in (first, second, third)] == [True, True, False]
    assert first.components[0].why.startswith("1 of 3 tries failed: nothing listens")
    assert [each.facts for each in (second,)] == [[]]
    changes = [facts.data[2:5] for each in (first, third) for facts in each.facts]
    assert changes == [(["pending"], ["up"], [30.0]), (["down"], ["pending"], [60.0])]
    is_up = True
    back = collector.collect(120.0)
    assert back.is_up is True
    assert back.facts[0].data[4] == [30.0]


def test_upside_down_a_closed_port_is_fine_and_an_open_one_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        status, why = told(of_tcp(port, upside_down=True))
        assert status is Status.DOWN
        assert why.startswith("answers and should not: connected in")
    status, why = told(of_tcp(port, upside_down=True))
    assert status is Status.OK
    assert "as it should be" in why


def test_a_pause_is_what_was_last_done_and_outlives_a_restart(stores: Stores) -> None:
    from storage.actions import DONE, finish_action, request_action

    source = TcpSource(name="gate", host="127.0.0.1", port=1, retries=0)

    context = SimpleNamespace(stores=stores)

    def made() -> ServiceCollector:
        return make_service(context, source, partial(tcp_kind.probe, source))  # type: ignore[arg-type]

    def do(action: str) -> None:
        number = request_action(stores.state, 1.0, source.collector, action, "")
        finish_action(stores.state, 2.0, number, DONE, act(source, action, "").sentence)

    collector = made()
    assert told(collector)[0] is Status.DOWN
    do("pause")
    assert told(collector) == (Status.NOT_CONFIGURED, "paused by hand")
    reading = made().collect(time.time())
    assert reading.is_up is None
    assert not values(reading)
    do("resume")
    assert told(collector)[0] is Status.DOWN


def test_since_outlives_a_restart(stores: Stores) -> None:
    from storage.reads.flips import newest_flip

    source = TcpSource(name="gate", host="127.0.0.1", port=1, retries=0)
    probe = partial(tcp_kind.probe, source)
    first = ServiceCollector(source, probe).collect(1_790_000_000.0)
    stores.clickhouse.insert(first.facts[0])
    again = ServiceCollector(source, probe, newest=lambda: newest_flip(stores.clickhouse, source.collector))
    reading = again.collect(1_790_000_600.0)
    assert reading.facts == []
    about = next(table for table in reading.tables if table.name == "about")
    assert dict(zip(about.columns, about.rows[0], strict=True))["since"] == 1_790_000_000.0


def test_a_process_is_found_by_each_of_its_marks_and_missed_when_it_ends(tmp_path: Path) -> None:
    pidfile = tmp_path / "job.pid"
    mark = f"fundwatch-test-{time.time_ns()}"
    program = "import time; print(flush=True); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", program, mark], stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline()
    pidfile.write_text(f"{child.pid}\n")

    def of(**given: Any) -> ServiceCollector:
        source = ProcessSource(name="job", retries=0, **given)
        return ServiceCollector(source, ProcessProbe(source))

    try:
        by_command, by_file = of(command=mark), of(pidfile=str(pidfile))
        reading = by_command.collect(time.time())
        assert reading.components[0].why.startswith(f"pid {child.pid}, up under a minute")
        assert values(reading)["process_resident_bytes"] > 1_000_000
        assert told(by_file)[0] is Status.OK
        assert told(of(command=mark, at_least=2))[1] == f"1 of at least 2 processes run with command {mark}"
        assert told(of(command=mark, memory_warning_bytes=1_000))[0] is Status.WARNING
    finally:
        child.kill()
        child.communicate()
    assert told(by_command) == (Status.DOWN, f"no process runs with command {mark}")
    assert "it ended without cleaning up" in told(by_file)[1]
    assert told(of(pidfile=str(tmp_path / "none")))[1] == f"there is no pid file {tmp_path / 'none'}"
    with pytest.raises(ValidationError, match="needs one of process, command, pidfile"):
        ProcessSource(name="job")


UNIT = """LoadState={load}
ActiveState={state}
SubState={detail}
Result={result}
ExecMainStatus={code}
NRestarts={restarts}
MemoryCurrent=1048576
MemoryMax=18446744073709551615
ActiveEnterTimestampMonotonic=1000000
"""


def test_a_unit_is_told_by_what_systemctl_shows(tmp_path: Path) -> None:
    shown, command = tmp_path / "shown", tmp_path / "systemctl"
    command.write_text(f"#!/bin/sh\ncat {shown}\n")
    command.chmod(0o755)
    source = SystemdSource(name="oms", unit="oms.service", retries=0)
    collector = ServiceCollector(source, SystemdProbe(source, str(command)))

    def show(state: str, detail: str, load: str = "loaded", result: str = "success", code: int = 0, n: int = 0) -> str:
        shown.write_text(UNIT.format(load=load, state=state, detail=detail, result=result, code=code, restarts=n))
        status, why = told(collector)
        return f"{status}: {why}"

    assert show("active", "running").startswith("ok: active (running) for")
    assert show("active", "running", n=1).startswith("warning: restarted 1 times in 10 min")
    assert show("active", "running", n=5).startswith("critical: restarted 5 times")
    assert show("activating", "auto-restart", n=5).startswith(
        "critical: restarted 5 times in 10 min; oms.service is act"
    )
    failed = show("failed", "failed", result="exit-code", code=203)
    assert failed == "down: oms.service is failed (failed): result exit-code, exit status 203"
    assert show("inactive", "dead", load="not-found") == "down: the unit oms.service does not exist on this machine"
    nowhere = ServiceCollector(source, SystemdProbe(source, str(tmp_path / "none")))
    assert told(nowhere)[1] == "this machine has no systemd (there is no systemctl)"
    command.write_text("#!/bin/sh\necho 'System has not been booted with systemd as init system' >&2; exit 1\n")
    assert told(collector)[1] == "this machine was not started by systemd: it knows no units"
    command.write_text("#!/bin/sh\nexec sleep 30\n")
    hung = source.model_copy(update={"timeout_seconds": 0.3})
    assert told(ServiceCollector(hung, SystemdProbe(hung, str(command))))[1] == "systemctl gave no answer within 0.3 s"


def nginx_page(requests: int, accepts: int = 100, handled: int = 100) -> tuple[int, dict[str, str], bytes]:
    page = (
        f"Active connections: 9 \nserver accepts handled requests\n {accepts} {handled} {requests} \n"
        "Reading: 1 Writing: 2 Waiting: 6 \n"
    )
    return 200, {}, page.encode()


def test_nginx_counters_become_rates_and_a_restart_gives_no_step(site: Site) -> None:
    site.answers["/status"] = nginx_page(1_000)
    collector = of_nginx(site.url + "/status", connections_limit=10)
    first = collector.collect(time.time())
    assert first.components[0].status is Status.WARNING
    assert first.components[0].why == "9 of 10 connections"
    assert "nginx_requests_per_second" not in values(first)
    site.answers["/status"] = nginx_page(1_600, 110, 108)
    second = collector.collect(time.time())
    assert values(second)["nginx_requests_per_second"] > 0
    assert "connections/s dropped" in second.components[0].why
    site.answers["/status"] = nginx_page(3, 1, 1)
    assert "nginx_requests_per_second" not in values(collector.collect(time.time()))
    assert "is stub_status at this path?" in told(of_nginx(site.url + "/nothing"))[1]
    assert "not stub_status" in told(of_nginx(site.url + "/json"))[1]
    site.answers["/closed"] = (403, {}, b"")
    assert "does not let us see stub_status (403)" in told(of_nginx(site.url + "/closed"))[1]


def test_an_exporters_metrics_become_ours_with_counters_as_rates() -> None:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

    registry = CollectorRegistry()
    orders = Counter("orders", "Orders sent", ["venue", "instance"], registry=registry)
    positions = Gauge("open_positions", "Open positions", registry=registry)
    acks = Histogram("ack_seconds", "Time to the acknowledgement", registry=registry)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    try:
        collector = of_scrape(f"http://127.0.0.1:{server.server_port}/metrics")
        orders.labels("cme", "engine-1").inc(5)
        positions.set(17)
        acks.observe(0.5)
        first = collector.collect(time.time())
        assert first.components[0].status is Status.OK
        assert values(first)["open_positions"] == 17
        assert "orders_per_second" not in values(first)
        orders.labels("cme", "engine-1").inc(9)
        acks.observe(1.0)
        acks.observe(2.0)
        second = collector.collect(time.time())
        rate = next(sample for sample in second.samples if sample.metric == "orders_per_second")
        assert rate.value > 0
        assert rate.labels == (("exported_instance", "engine-1"), ("instance", "oms"), ("venue", "cme"))
        assert values(second)["ack_seconds_mean"] == 1.5
        assert not [sample for sample in second.samples if "bucket" in sample.metric or "created" in sample.metric]
        few = of_scrape(f"http://127.0.0.1:{server.server_port}/metrics", series_limit=2)
        status, why = told(few)
        assert status is Status.WARNING
        assert why == "2 series above the limit of 2 are left out"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(2)


def test_an_exporter_that_refuses_or_serves_something_else_is_told_apart(site: Site) -> None:
    site.answers |= {"/401": (401, {}, b""), "/text": (200, {}, b"<html>hello {</html>\n"), "/empty": (200, {}, b"")}
    assert "refuses us (401)" in told(of_scrape(site.url + "/401"))[1]
    assert "answers 404: are the metrics at this path?" in told(of_scrape(site.url + "/nope"))[1]
    assert "not metrics in Prometheus' format" in told(of_scrape(site.url + "/text"))[1]
    assert "without a single metric" in told(of_scrape(site.url + "/empty"))[1]
    told(of_scrape(site.url + "/text", token=SecretStr("t0ken")))
    assert site.asked[-1][1]["authorization"] == "Bearer t0ken"


def test_an_exporter_never_overwrites_what_we_measure_ourselves(site: Site) -> None:
    site.answers["/metrics"] = (200, {}, b"# TYPE redis_up gauge\nredis_up 1\n")
    source = ScrapeSource(name="main", url=SecretStr(site.url + "/metrics"))
    reading = ServiceCollector(source, ScrapeProbe(source, frozenset({"redis"}))).collect(time.time())
    assert values(reading)["exported_redis_up"] == 1
    assert "redis_up" not in values(reading)


def test_a_peer_that_refuses_is_reachable_and_one_that_is_lost_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        port = server.getsockname()[1]
        source = PeerSource(name="ny4", host="127.0.0.1", port=port, retries=0)
        collector = ServiceCollector(source, PeerProbe(source))
        reading = collector.collect(time.time())
        assert reading.components[0].status is Status.OK
        assert 0 < values(reading)["peer_response_seconds"] < 0.5
        assert values(reading)["peer_loss_ratio"] == 0
    status, why = told(collector)
    assert status is Status.WARNING
    assert why == f"nobody listens at port {port}"

    def lost(*_: object) -> None:
        raise SourceUnavailable("no answer from 10.0.0.1:443 within 1.7 s")

    monkeypatch.setattr("collectors.network_peers.connect", lost)
    reading = collector.collect(time.time())
    assert reading.is_up is False
    assert reading.components[0].why.startswith("3 of 3 connections lost: no answer from")


def test_a_state_database_that_is_away_leaves_a_pause_as_it_was() -> None:
    def away() -> None:
        raise StorageUnavailable("away")

    context = SimpleNamespace(stores=SimpleNamespace(state=SimpleNamespace(begin=away), clickhouse=None))
    source = TcpSource(name="gate", host="127.0.0.1", port=1, retries=0)
    collector = make_service(context, source, partial(tcp_kind.probe, source))  # type: ignore[arg-type]
    collector._newest = lambda: None
    assert told(collector)[0] is Status.DOWN
