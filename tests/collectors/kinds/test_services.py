"""Checks of HTTP addresses and TCP ports, against servers that behave badly; and of any service over time."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import pytest
from pydantic import SecretStr

from collectors.kinds.service import Found, ServiceCollector, act, make_service
from collectors.kinds.tcp import collector as tcp_kind
from core.errors import SourceUnavailable, StorageUnavailable
from core.kinds.http.source import HttpSource
from core.kinds.service_spec import About, Actions
from core.kinds.tcp.source import TcpSource
from core.model import Status
from core.tables import rows_of
from storage.clickhouse.reads.state_changes import ComponentId, StateChange
from storage.stores import Stores
from tests.collectors.services import Raising, Site, of_http, of_nginx, of_scrape, of_tcp, told, values
from tests.support.bad_servers import BEHAVIOURS, SAID_OF_HTTP, assert_survives
from tests.support.times import MIDNIGHT
from tests.support.tls_server import CERTIFICATE, TlsServer


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
@pytest.mark.parametrize(
    ("make", "drip"), [(of_http, b"H"), (of_scrape, b"H"), (of_nginx, b"H")], ids=["http", "scrape", "nginx"]
)
def test_a_server_that_behaves_badly_is_outlived_and_told_apart(
    make: Callable[[str], ServiceCollector], drip: bytes, behaviour: str
) -> None:
    said = assert_survives(lambda host, port: Raising(make(f"http://{host}:{port}/")), behaviour, drip)
    assert SAID_OF_HTTP[behaviour] in said or (behaviour == "hangs_up" and "not HTTP" in said)


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_port_whose_greeting_does_not_come_is_outlived(behaviour: str) -> None:
    assert_survives(lambda host, port: Raising(of_tcp(port, expects="220 ready")), behaviour)


def test_what_an_address_answers_is_judged_by_status_text_and_json(site: Site) -> None:
    assert told(of_http(site.url + "/"))[0] is Status.OK
    where = f"127.0.0.1:{site.port}"
    assert told(of_http(site.url + "/gone")) == (Status.DOWN, f"{where} answers 404 Not Found, expected 200-299")
    assert told(of_http(site.url + "/gone", statuses="200,404"))[0] is Status.OK
    assert told(of_http(site.url + "/", contains="bad"))[1] == f"the answer of {where} does not contain “bad”"
    assert told(of_http(site.url + "/", lacks="good"))[1] == f"the answer of {where} contains “good”"
    path = {"json_path": "$.checks[0].state"}
    assert told(of_http(site.url + "/json", **path, json_equals="up"))[0] is Status.OK
    assert told(of_http(site.url + "/json", json_path="n", json_equals="3"))[0] is Status.OK
    assert "is up, expected down" in told(of_http(site.url + "/json", **path, json_equals="down"))[1]
    assert "has no checks[7].state" in told(of_http(site.url + "/json", json_path="checks[7].state"))[1]
    assert "not JSON" in told(of_http(site.url + "/", **path))[1]


def test_a_wrong_answer_is_down_and_its_status_is_measured_without_its_time(site: Site) -> None:
    for path, given, status in (("/gone", {}, 404.0), ("/", {"contains": "bad"}, 200.0)):
        reading = of_http(site.url + path, **given).collect(time.time())
        values = {sample.metric: sample.value for sample in reading.samples}
        assert (reading.components[0].status, reading.is_up) == (Status.DOWN, False)
        assert values["http_status_code"] == status
        assert "http_response_seconds" not in values  # a quick error is no quick service


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
        assert why.startswith("its certificate expires in")
        assert "speaks TLS" in told(of_http(f"http://localhost:{server.port}/"))[1]


def test_https_to_a_server_without_tls_says_so(site: Site) -> None:
    assert "speaks no TLS" in told(of_http(f"https://127.0.0.1:{site.port}/"))[1]


def test_a_service_is_down_after_its_retries() -> None:
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
    is_up = True
    back = collector.collect(120.0)
    assert back.is_up is True
    assert back.components[0].status is Status.OK


def test_upside_down_a_closed_port_is_fine_and_an_open_one_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        status, why = told(of_tcp(port, upside_down=True))
        assert status is Status.DOWN
        assert why.startswith("answers and should not: connected in")
    status, why = told(of_tcp(port, upside_down=True))
    assert status is Status.OK
    assert "as expected" in why


def test_a_pause_is_what_was_last_done_and_outlives_a_restart(stores: Stores) -> None:
    from storage.state.actions import DONE, finish_action, request_action

    source = TcpSource(name="gate", host="127.0.0.1", port=1, retries=0)

    context = SimpleNamespace(stores=stores)

    def made() -> ServiceCollector:
        return make_service(context, source, partial(tcp_kind.probe, source))  # type: ignore[arg-type]

    def do(action: str) -> None:
        number = request_action(stores.state, 1.0, source.collector, action, "", "local")
        finish_action(stores.state, 2.0, number, DONE, act(source, action, "").sentence)

    collector = made()
    assert told(collector)[0] is Status.DOWN
    do(Actions.PAUSE)
    assert told(collector) == (Status.NOT_CONFIGURED, "paused by hand")
    reading = made().collect(time.time())
    assert reading.is_up is None
    assert not values(reading)
    do(Actions.RESUME)
    assert told(collector)[0] is Status.DOWN


def test_since_outlives_a_restart_and_a_time_without_readings() -> None:
    source = TcpSource(name="gate", host="127.0.0.1", port=1, retries=3)
    id = ComponentId("", source.collector)
    states = ((Status.OK, 0.0), (Status.DOWN, 60.0), (Status.UNKNOWN, 90.0))
    past = [StateChange(MIDNIGHT + ts, id, state, None, 0.0, "") for state, ts in states]
    again = ServiceCollector(source, partial(tcp_kind.probe, source), history=lambda: past)
    reading = again.collect(MIDNIGHT + 600)
    assert reading.components[0].status is Status.DOWN, "what was down stays down without new retries"
    (about,) = rows_of({table.name: table for table in reading.tables}, About)
    assert about.since == MIDNIGHT + 60


def test_a_state_database_that_is_away_leaves_a_pause_as_it_was() -> None:
    def away() -> None:
        raise StorageUnavailable("away")

    context = SimpleNamespace(stores=SimpleNamespace(state=SimpleNamespace(begin=away, reading=away), clickhouse=None))
    source = TcpSource(name="gate", host="127.0.0.1", port=1, retries=0)
    collector = make_service(context, source, partial(tcp_kind.probe, source))  # type: ignore[arg-type]
    collector._history = lambda: ()
    assert told(collector)[0] is Status.DOWN
