"""Watching a name: against a real server by UDP and TCP, and against servers that behave badly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import dns.rcode
import pytest
from pydantic import ValidationError

from collectors.kinds.dns.collector import DnsProbe, make
from collectors.kinds.service import ServiceCollector
from core.kinds.dns.source import DnsSource
from core.kinds.dns.spec import Answer
from core.kinds.registry import Watch
from core.model import Reading, Status
from core.tables import rows_of
from storage.stores import Stores
from tests.collectors.services import Raising, told, values
from tests.support.bad_servers import BEHAVIOURS, assert_survives
from tests.support.dns_server import TTL, DnsServer

NAME = "orders.fund.example"
ZONE = {
    (NAME, "A"): ["10.0.0.4", "10.0.0.5"],
    (NAME, "AAAA"): ["fd00::4"],
    (NAME, "TXT"): ['"v=spf1 -all"'],
    ("fund.example", "MX"): ["10 mail.fund.example."],
    ("api.fund.example", "CNAME"): [f"{NAME}."],
    ("many.fund.example", "A"): [f"10.1.{n // 250}.{n % 250}" for n in range(200)],
    ("4.0.0.10.in-addr.arpa", "PTR"): [f"{NAME}."],
}


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with DnsServer(ZONE) as started:
        yield started


def source(server: DnsServer, **given: Any) -> DnsSource:
    return DnsSource.model_validate(
        {"name": "web", "domain": NAME, "server": server.host, "port": server.port, "retries": 0,
         "timeout_seconds": 2, **given}
    )  # fmt: skip


def of_dns(server: DnsServer, **given: Any) -> ServiceCollector:
    made = source(server, **given)
    return ServiceCollector(made, DnsProbe(made))


def answers(reading: Reading) -> list[Answer]:
    return rows_of({table.name: table for table in reading.tables}, Answer)


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_a_name_is_answered_with_its_records_and_how_long_they_may_be_kept(server: DnsServer, protocol: str) -> None:
    reading = of_dns(server, protocol=protocol, domain="api.fund.example").collect(time.time())
    assert reading.components[0].status is Status.OK
    assert reading.components[0].why.startswith("10.0.0.4, 10.0.0.5 in ")
    assert reading.is_up is True
    found = values(reading)
    assert (found["dns_answers"], found["dns_ttl_seconds"]) == (2, TTL)
    assert found["dns_response_seconds"] > 0
    rows = [(row.domain, row.record, row.value, row.ttl_seconds, row.is_asked) for row in answers(reading)]
    assert rows == [
        ("api.fund.example", "CNAME", NAME, 2 * TTL, False),
        (NAME, "A", "10.0.0.4", TTL, True),
        (NAME, "A", "10.0.0.5", TTL, True),
    ]
    assert {(row.server, row.protocol) for row in answers(reading)} == {(f"127.0.0.1:{server.port}", protocol)}
    assert server.asked == [("api.fund.example", protocol)]


def test_an_answer_that_was_cut_is_asked_for_again_by_tcp(server: DnsServer) -> None:
    reading = of_dns(server, domain="many.fund.example").collect(time.time())
    assert values(reading)["dns_answers"] == 200
    assert server.asked == [("many.fund.example", "udp"), ("many.fund.example", "tcp")]
    assert answers(reading)[0].protocol == "tcp"
    assert len(answers(reading)) == 50


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"expects": ["10.0.0.5", "10.0.0.4"]}, Status.OK),
        ({"expects": ["10.0.0.4"]}, Status.DOWN),
        ({"record": "AAAA", "expects": ["FD00:0:0::4"]}, Status.OK),
        ({"record": "TXT", "expects": ["v=spf1 -all"]}, Status.OK),
        ({"record": "MX", "domain": "fund.example", "expects": ["10 MAIL.fund.example"]}, Status.OK),
        ({"record": "MX", "domain": "fund.example", "expects": ["20 mail.fund.example."]}, Status.DOWN),
        ({"record": "PTR", "domain": "10.0.0.4", "expects": [NAME]}, Status.OK),
        ({"record": "CNAME", "domain": "api.fund.example", "expects": [NAME]}, Status.OK),
    ],
)
def test_answers_are_held_against_those_expected_as_a_set(
    server: DnsServer, given: dict[str, Any], status: Status
) -> None:
    assert told(of_dns(server, **given))[0] is status


def test_each_way_to_fail_has_its_sentence(server: DnsServer) -> None:
    at = f"127.0.0.1:{server.port}"
    wrong = of_dns(server, expects=["10.0.0.9"])
    assert told(wrong) == (Status.DOWN, f"A {NAME} is 10.0.0.4, 10.0.0.5, expected 10.0.0.9")
    assert values(wrong.collect(time.time()))["dns_ttl_seconds"] == TTL, "what was measured is kept"
    missing = of_dns(server, domain="gone.fund.example")
    assert told(missing)[1] == f"{at} says that there is no such name (NXDOMAIN): A gone.fund.example"
    assert told(of_dns(server, record="NS"))[1] == f"{at} knows {NAME}, and no NS record of it"
    server.fails = dns.rcode.SERVFAIL
    assert told(of_dns(server))[1] == f"{at} could not find it out (SERVFAIL): A {NAME}"
    server.fails = dns.rcode.REFUSED
    assert told(of_dns(server))[1] == f"{at} refuses to answer us (REFUSED): A {NAME}"
    server.fails, server.is_silent = None, True
    assert told(of_dns(server, timeout_seconds=0.3))[1] == f"no answer from {at} (UDP) within 0.3 s"
    assert told(of_dns(server, timeout_seconds=0.3, protocol="tcp"))[1] == f"{at} closed the connection"


def test_another_answer_is_a_warning_for_an_hour_unless_that_is_usual(server: DnsServer) -> None:
    now = time.time()
    watched, usual = of_dns(server), of_dns(server, may_change=True)
    assert told(watched, now)[0] is told(usual, now)[0] is Status.OK
    server.records[NAME, "A"] = ["10.0.0.5", "10.0.0.4"]
    assert told(watched, now + 30)[0] is Status.OK, "the order of answers says nothing"
    server.records[NAME, "A"] = ["10.0.0.9"]
    assert told(watched, now + 60) == (
        Status.WARNING, "changed just now: was 10.0.0.4, 10.0.0.5, is 10.0.0.9"
    )  # fmt: skip
    assert told(usual, now + 60)[0] is Status.OK
    reading = watched.collect(now + 1_860)
    assert reading.components[0].why == "changed 30 min ago: was 10.0.0.4, 10.0.0.5, is 10.0.0.9"
    assert values(reading)["dns_unchanged_seconds"] == pytest.approx(1_800, abs=1)
    assert told(watched, now + 3_700)[0] is Status.OK


def test_a_change_while_nobody_watched_is_found_by_the_newest_reading(server: DnsServer, stores: Stores) -> None:
    watch = Watch(dns=(source(server),))
    watching = replace(stores, settings=stores.settings.model_copy(update={"watch": watch}))

    class Context:
        stores = watching
        settings = watching.settings

    now = watching.clock.now()
    reading = make(Context(), source(server)).collect(now)  # type: ignore[arg-type]
    watching.live.put_reading("dns:web", "host-1", now, 30, reading)
    server.records[NAME, "A"] = ["10.0.0.9"]
    again = make(Context(), source(server)).collect(now + 30)  # type: ignore[arg-type]
    assert again.components[0].why == "changed just now: was 10.0.0.4, 10.0.0.5, is 10.0.0.9"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"server": "ns.fund.example"}, "must be an address such as 10.0.0.2"),
        ({"expects": ["10.0.0"]}, "expects: 10.0.0 is no A record"),
        ({"domain": "a..b"}, "domain: a..b is no name"),
        ({"record": "MX", "expects": ["mail.fund.example"]}, "is no MX record"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_the_field(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        DnsSource.model_validate({"name": "web", "domain": NAME, **given})


SAID = {
    "refuses": "nothing listens at",
    "silent": "no answer from",
    "garbage": "127.0.0.1",
    "drip": "no answer from",
    "hangs_up": "closed the connection",
}


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_server_that_behaves_badly_is_outlived_and_told_apart(behaviour: str) -> None:
    def watching(host: str, port: int) -> Raising:
        made = DnsSource(
            name="web", domain=NAME, server=host, port=port, protocol="tcp", retries=0, timeout_seconds=0.5
        )
        return Raising(ServiceCollector(made, DnsProbe(made)))

    said = assert_survives(watching, behaviour, drip=b"\x7f")
    assert SAID[behaviour] in said
