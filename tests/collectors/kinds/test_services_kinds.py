"""Checks of processes, units, nginx, exporters and peers: what each tells, and what it says when it cannot."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from collectors.kinds.peer.collector import PeerProbe
from collectors.kinds.process.collector import ProcessProbe
from collectors.kinds.scrape.collector import ScrapeProbe
from collectors.kinds.service import ServiceCollector
from collectors.kinds.systemd.collector import SystemdProbe
from core.errors import SourceUnavailable
from core.kinds.peer.source import PeerSource
from core.kinds.process.source import ProcessSource
from core.kinds.scrape.source import ScrapeSource
from core.kinds.systemd.source import SystemdSource
from core.model import Status
from tests.collectors.services import Site, of_nginx, of_scrape, told, values


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
        assert reading.components[0].why.startswith(f"pid {child.pid}, up ")
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
    assert show("active", "running", n=1).startswith("warning: restarted 1 time in 10 min")
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
    assert told(ServiceCollector(hung, SystemdProbe(hung, str(command))))[1] == "no answer from systemctl within 0.3 s"


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
        assert why == "2 series left out, above the limit of 2"
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
    assert why == f"nothing listens at port {port}"

    def lost(*_: object) -> None:
        raise SourceUnavailable("no answer from 10.0.0.1:443 within 1.7 s")

    monkeypatch.setattr("collectors.kinds.peer.collector.connect", lost)
    reading = collector.collect(time.time())
    assert reading.is_up is False
    assert reading.components[0].why.startswith("3 of 3 connections lost: no answer from")
