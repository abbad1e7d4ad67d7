"""Watching a gateway of Interactive Brokers: a player of its protocol, well and in every trouble, and bad servers."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime
from functools import partial

import pytest
from pydantic import ValidationError

from collectors.judging.market_hours import market
from collectors.kinds.ib.collector import IbCollector
from collectors.kinds.ib.judge import reset_until
from core.errors import SourceRejected, SourceUnavailable
from core.kinds.ib import spec
from core.kinds.ib.source import IbSource
from core.model import Component, Reading, Status
from core.tables import R, rows_of
from tests.collectors import readings
from tests.collectors.readings import Time
from tests.support.bad_servers import BEHAVIOURS, assert_survives
from tests.support.ib_player import Gateway
from tests.support.servers import BUSY_SECONDS
from tests.support.tls_server import TlsServer

TIMEOUT_SECONDS = 0.5
OPEN = datetime.fromisoformat("2026-11-20T16:00:00+00:00").timestamp()
RESET = datetime.fromisoformat("2026-11-20T05:30:00+00:00").timestamp()
WINDOWS = IbSource(name="x").reset_windows
value = partial(readings.value, instance="live")


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    market("XNYS", OPEN)
    with Gateway() as playing:
        yield playing


def at(host: str, port: int, clock: Time | None = None, **settings: object) -> IbCollector:
    values = {"name": "live", "host": host, "port": port, "timeout_seconds": TIMEOUT_SECONDS, **settings}
    return IbCollector(IbSource.model_validate(values), clock or time.monotonic)


def watching(gateway: Gateway, clock: Time | None = None, **settings: object) -> IbCollector:
    return at(gateway.host, gateway.port, clock, **{"timeout_seconds": 2, **settings})


def rows(reading: Reading, row: type[R]) -> list[R]:
    return rows_of({table.name: table for table in reading.tables}, row)


def said(collector: IbCollector, now: float = OPEN) -> Component:
    return collector.collect(now).components[0]


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_server_that_behaves_badly_is_outlived_and_told_apart(behaviour: str) -> None:
    words = {
        "refuses": "nothing listens at",
        "silent": "it waits for its login, or its API is switched off",
        "garbage": "not Interactive Brokers' API",
        "drip": "did not answer the API's greeting",
        "hangs_up": "closed the connection at the API's greeting: our address may not be trusted",
    }
    assert words[behaviour] in (_dripped() if behaviour == "drip" else assert_survives(at, behaviour))


def _dripped() -> str:
    """Drip the body of a message: a length of 12,336 bytes, and then a byte at a time."""
    with _Dripping() as gateway:
        collector = at(gateway.host, gateway.port)
        began = time.monotonic()
        with pytest.raises(SourceUnavailable) as error:
            collector.collect(OPEN)
        assert time.monotonic() - began < TIMEOUT_SECONDS + BUSY_SECONDS
    return str(error.value)


class _Dripping(Gateway):
    def serve(self, connection: object) -> None:
        connection.sendall(b"\x00\x00\x30\x30")  # type: ignore[attr-defined]
        while not self.is_over:
            time.sleep(0.05)
            connection.sendall(b"0")  # type: ignore[attr-defined]


def test_a_gateway_that_is_ready_is_read_over_one_kept_connection(gateway: Gateway, clock: Time) -> None:
    collector = watching(gateway, clock)
    first = collector.collect(OPEN)
    why = first.components[0].why
    assert first.components[0].status is Status.OK, why
    assert "ready, live: U1234567, U7654321" in why and "3 of 3 connected" in why
    assert value(first, "ib_ready") == value(first, "ib_connected") == value(first, "ib_farm_up", farm="usfarm") == 1
    assert (value(first, "ib_round_trip_seconds") or 0) < 1
    assert abs(value(first, "ib_clock_skew_seconds") or 9) < 2
    assert value(first, "ib_open_orders") == 2
    orders = {order.symbol: order for order in rows(first, spec.Order)}
    assert (orders["AAPL"].quantity, orders["AAPL"].limit, orders["AAPL"].status) == (100, 187.5, "PreSubmitted")
    assert orders["MSFT"].limit is None
    assert [account.net_liquidation for account in rows(first, spec.Account)] == [1_250_000.5] * 2
    gateway.script.orders = []
    clock.seconds += 10
    second = collector.collect(OPEN + 10)
    assert value(second, "ib_open_orders") == 2
    assert value(second, "ib_requests_per_second") == pytest.approx(0.1)
    clock.seconds += spec.ORDERS_SECONDS
    assert value(collector.collect(OPEN + 70), "ib_open_orders") == 0
    assert gateway.connections == 1
    assert [asked[0] for asked in gateway.script.asked] == ["71", "62", "49", "16", "49", "49", "16"]


def test_a_gateway_that_waits_for_its_login_is_not_ready(gateway: Gateway) -> None:
    gateway.script.is_logged_in = False
    collector = watching(gateway, timeout_seconds=0.3)
    reading = collector.collect(OPEN)
    assert (reading.is_up, reading.components[0].status) == (False, Status.DOWN)
    assert "shook hands (version 178) but sent no next order id and accounts: it waits for its login" in (
        reading.components[0].why
    )
    assert value(reading, "ib_ready") == 0
    assert said(collector, RESET).status is Status.WARNING
    assert gateway.connections == 1
    collector.collect(OPEN)
    gateway.script.is_logged_in = True
    assert said(collector).status is Status.OK
    assert gateway.connections == 2
    gateway.script.is_deaf = True
    gateway.hang_up()
    with pytest.raises(SourceUnavailable, match="waits for its login, or its API is switched off"):
        collector.collect(OPEN)


def test_the_nightly_reset_is_told_and_weighs_less_in_its_hours(gateway: Gateway, clock: Time) -> None:
    collector = watching(gateway, clock)
    collector.collect(OPEN)
    gateway.tell(1100, "Connectivity between IB and Trader Workstation has been lost.")
    collector.collect(OPEN)
    clock.seconds += 34
    lost = collector.collect(OPEN)
    assert lost.components[0].status is Status.CRITICAL
    assert "the gateway has lost Interactive Brokers for 34 s (code 1100)" in lost.components[0].why
    assert (value(lost, "ib_ready"), value(lost, "ib_connected"), lost.is_up) == (1, 0, True)
    night = said(collector, RESET)
    assert night.status is Status.WARNING
    assert "(Interactive Brokers resets its servers until 01:45 New York)" in night.why
    gateway.tell(
        1102, "Connectivity between IB and Trader Workstation has been restored - data maintained. All data farms are "
        "connected: usfarm; eufarm; ushmds; secdefnj."
    )  # fmt: skip
    back = collector.collect(OPEN + 120)
    assert back.components[0].status is Status.OK
    assert {farm.farm: farm.kind for farm in rows(back, spec.Farm)}["eufarm"] == "market data"
    gateway.tell(1101, "Connectivity between IB and TWS has been restored- data lost.")
    assert "programs must subscribe anew" in said(collector, OPEN + 120).why
    collector.collect(OPEN + 200)
    assert [asked[0] for asked in gateway.script.asked].count("62") == 2  # the account summary, anew
    gateway.stop()
    with pytest.raises(SourceUnavailable, match=r"resets its servers until 01:45 New York"):
        collector.collect(RESET)


def test_a_broken_farm_is_critical_when_it_lasts_and_the_market_is_open(gateway: Gateway, clock: Time) -> None:
    collector = watching(gateway, clock)
    collector.collect(OPEN)
    gateway.tell(2103, "Market data farm connection is broken:usfarm")
    reading = collector.collect(OPEN)
    assert reading.components[0].status is Status.WARNING
    assert value(reading, "ib_farm_up", farm="usfarm") == 0
    clock.seconds += 61
    broken = said(collector)
    assert (broken.status, broken.why) == (Status.CRITICAL, "market data farm usfarm broken for 61 s")
    saturday = OPEN + 86_400
    assert said(collector, saturday).status is Status.WARNING
    gateway.tell(2108, "Market data farm connection is inactive but should be available upon demand.usfarm")
    assert {farm.farm: farm.state for farm in rows(collector.collect(OPEN), spec.Farm)}["usfarm"] == "inactive"
    gateway.tell(2104, "Market data farm connection is OK:usfarm")
    assert said(collector).status is Status.OK


def test_errors_pacing_wrong_account_slow_answers_and_a_wrong_clock_are_told(gateway: Gateway) -> None:
    collector = watching(gateway, expects="paper")
    assert said(collector).why == "logged in to a live account (U1234567, U7654321), not to a paper one"
    collector = watching(gateway, client_id=9_301)
    collector.collect(OPEN)
    gateway.tell(100, "Max rate of messages per second has been exceeded")
    assert "requests come too fast: Max rate of messages per second" in said(collector).why
    gateway.tell(10_197, "No market data during competing live session")
    told = said(collector, OPEN + 61)
    assert "1 error in the last minute, newest: No market data during competing live session (code 10197)" in told.why
    gateway.script.delay_seconds, gateway.script.skew_seconds = 1.1, -30
    collector.collect(OPEN + 200)
    slow = said(collector, OPEN + 200)
    assert slow.status is Status.WARNING
    assert "answers take 1.1 s or more, twice in a row" in slow.why and re.search(
        r"clock differs from ours by −(29|30) s", slow.why
    )


def test_a_gateway_that_drops_or_hangs_is_left_and_found_again(gateway: Gateway, clock: Time) -> None:
    collector = watching(gateway, clock)
    collector.collect(OPEN)
    for _ in range(3):
        gateway.hang_up()
        clock.seconds += 60
        dropped = collector.collect(OPEN)
    assert dropped.components[0].status is Status.WARNING
    assert "we had to connect anew 3 times within 10 min" in dropped.components[0].why
    assert rows(dropped, spec.About)[0].reconnections_today == 3
    clock.seconds += 700
    gateway.script.hangs = True
    began = time.monotonic()
    with pytest.raises(SourceUnavailable, match="is logged in, but did not answer within 2 s: it hangs"):
        collector.collect(OPEN)
    assert time.monotonic() - began < 2 + BUSY_SECONDS
    gateway.script.hangs = False
    assert said(collector).status is Status.OK


def test_each_refusal_has_a_sentence_of_its_own(gateway: Gateway) -> None:
    gateway.script.refuses_with = (326, "Unable to connect as the client id is already in use.")
    with pytest.raises(SourceUnavailable, match=r"client id 9300 is in use .* choose a different client_id"):
        watching(gateway).collect(OPEN)
    gateway.script.refuses_with = (503, "The TWS is out of date and must be upgraded.")
    with pytest.raises(SourceRejected, match="too old: The TWS is out of date"):
        watching(gateway).collect(OPEN)
    gateway.script.refuses_with, gateway.script.version = None, 76
    with pytest.raises(SourceRejected, match="too old: its API has version 76, 157 is needed"):
        watching(gateway).collect(OPEN)
    with (
        TlsServer(b"") as secured,
        pytest.raises(SourceRejected, match="speaks TLS, and we were told that it does not"),
    ):
        at("127.0.0.1", secured.port).collect(OPEN)
    with pytest.raises(SourceUnavailable, match="no TLS"):
        watching(gateway, tls=True, timeout_seconds=0.5).collect(OPEN)


def test_reset_windows_are_of_their_zone_and_may_pass_midnight() -> None:
    def until(moment: str) -> str:
        return reset_until(WINDOWS, datetime.fromisoformat(moment).timestamp())

    assert until("2026-11-20T00:14:59-05:00") == ""
    assert until("2026-11-20T00:15:00-05:00") == "01:45 New York"
    assert until("2026-07-20T00:15:00-04:00") == "01:45 New York"
    assert until("2026-11-20T23:30:00-05:00") == until("2026-11-21T02:59:00-05:00") == "03:00 New York"
    assert until("2026-11-21T03:00:00-05:00") == until("2026-11-19T23:30:00-05:00") == ""
    for wrong in ("0:15-1:45 America/New_York", "00:15-01:45 Mars/Base", "25:00-26:00 UTC"):
        with pytest.raises(ValidationError, match="is no reset window"):
            IbSource(name="x", reset_windows=(wrong,))
