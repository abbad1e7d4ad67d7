"""Watching an IQFeed: against a player of its protocol, well and in every trouble, and against bad servers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from collectors.judging.market_hours import market
from collectors.kinds.iqfeed.collector import IqfeedCollector
from collectors.kinds.iqfeed.lines import ConnectionState, Stats
from core.errors import SourceRejected, SourceUnavailable
from core.kinds.iqfeed import spec
from core.kinds.iqfeed.source import IqfeedSource
from core.model import Component, Reading, Status
from core.tables import R, rows_of
from tests.collectors.readings import Time, value
from tests.support.bad_servers import BEHAVIOURS, assert_survives
from tests.support.iqfeed_player import Client, DataPort, Fields, IqConnect
from tests.support.servers import BUSY_SECONDS
from tests.support.tls_server import TlsServer

TIMEOUT_SECONDS = 0.5
OPEN = datetime.fromisoformat("2026-11-20T16:00:00+00:00").timestamp()
CLOSED = datetime.fromisoformat("2026-11-21T16:00:00+00:00").timestamp()


@pytest.fixture
def feed() -> Iterator[IqConnect]:
    market("XNYS", OPEN)
    market("XNYS", CLOSED)
    with IqConnect() as playing:
        yield playing


@pytest.fixture
def clock() -> Time:
    return Time()


def watching(feed: IqConnect, clock: Callable[[], float] = time.monotonic, **settings: object) -> IqfeedCollector:
    values = {"name": "main", "timeout_seconds": TIMEOUT_SECONDS, **feed.settings, **settings}
    return IqfeedCollector(IqfeedSource.model_validate(values), clock)


def lone(host: str, port: int, **settings: object) -> IqfeedCollector:
    off = dict.fromkeys(("level1_port", "lookup_port", "level2_port", "derivative_port"), 0)
    values = {"name": "main", "host": host, "admin_port": port, "timeout_seconds": TIMEOUT_SECONDS, **off, **settings}
    return IqfeedCollector(IqfeedSource.model_validate(values))


def fresh(feed: IqConnect) -> None:
    """Wait until what a test changed has been said to whoever listens."""
    rounds, ends = feed.admin.rounds, time.monotonic() + (0.2 if feed.script.is_silent else 1.0)
    while feed.admin.rounds < rounds + 2 and feed.admin.is_heard and time.monotonic() < ends:
        time.sleep(0.01)


def rows(reading: Reading, row: type[R]) -> list[R]:
    return rows_of({table.name: table for table in reading.tables}, row)


def said(collector: IqfeedCollector, feed: IqConnect, now: float = OPEN) -> Component:
    fresh(feed)
    return collector.collect(now).components[0]


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_server_that_behaves_badly_is_outlived_and_told_apart(behaviour: str) -> None:
    words = {
        "refuses": "nothing listens at",
        "silent": "no answer from",
        "garbage": "not IQFeed's admin port",
        "drip": "no answer from",
        "hangs_up": "closed the connection",
    }
    assert words[behaviour] in assert_survives(lone, behaviour, drip=b"S")


def test_a_feed_that_is_well_is_read_over_one_kept_connection(feed: IqConnect, clock: Time) -> None:
    collector = watching(feed, clock)
    first = collector.collect(OPEN)
    assert first.components[0].status is Status.OK, first.components[0].why
    assert "120 symbols" in first.components[0].why
    assert value(first, "iqfeed_symbols_used_ratio") == pytest.approx(0.24)
    assert value(first, "iqfeed_receive_bytes_per_second") is None
    assert {port.name: port.why for port in rows(first, spec.Port)} == dict.fromkeys(
        ("Level 1", "lookup", "Level 2", "derivative"), ""
    )
    feed.script.stats.total_received += 50
    clock.seconds += 5
    fresh(feed)
    second = collector.collect(OPEN + 5)
    assert value(second, "iqfeed_receive_bytes_per_second") == pytest.approx(50 * 1_024 / 5)
    assert {each.name: each.type for each in rows(second, spec.Client)} == {
        "ticks": "Level 1",
        "fundwatch": "admin",
    }
    assert feed.admin.connections == 1 and feed.level1.connections == 1
    feed.script.stats.total_received, feed.script.stats.started = 10.0, "Nov 20 10:31AM"  # IQConnect was started anew
    clock.seconds += 5
    fresh(feed)
    assert value(collector.collect(OPEN + 10), "iqfeed_receive_bytes_per_second") is None


def test_a_lost_feed_is_critical_after_ten_seconds(feed: IqConnect, clock: Time) -> None:
    collector = watching(feed, clock)
    collector.collect(OPEN)
    feed.script.stats = Fields(status="Not Connected", started="", market_time="", attempts="3")
    feed.admin.say("S,SERVER DISCONNECTED")
    assert said(collector, feed).status is Status.WARNING
    clock.seconds += 12
    lost = said(collector, feed)
    assert lost.status is Status.CRITICAL
    assert "not connected to DTN's servers for 12 s, 3 attempts to reconnect" in lost.why
    feed.script.stats = Fields()
    fresh(feed)
    back = collector.collect(OPEN)
    assert back.components[0].status is Status.OK
    assert [each.event for each in rows(back, spec.Event)] == ["server disconnected"]


def test_updates_are_expected_only_while_the_market_is_open(feed: IqConnect) -> None:
    collector = watching(feed)
    collector.collect(OPEN)
    feed.script.stats.update_age = "20"
    late = said(collector, feed)
    assert (late.status, late.why) == (Status.WARNING, "no update for 20 s (XNYS is open)")
    feed.script.stats.update_age = "240"
    assert said(collector, feed).status is Status.CRITICAL
    opening = datetime.fromisoformat("2026-11-20T14:30:05+00:00").timestamp()
    assert said(collector, feed, opening).status is Status.OK  # nothing since yesterday, open for five seconds
    closed = said(collector, feed, CLOSED)
    assert closed.status is Status.OK and "market closed, XNYS opens in 1 d 22 h" in closed.why


def test_symbols_flapping_slow_clients_and_a_lost_login_are_told(feed: IqConnect, clock: Time) -> None:
    collector = watching(feed, clock)
    collector.collect(OPEN)
    feed.script.stats.symbols = "480"
    assert "480 of 500 symbols (96.0 %)" in said(collector, feed).why
    feed.admin.say("S,SYMBOL LIMIT REACHED,NVDA")
    assert "1 symbol refused" in said(collector, feed).why
    feed.script.stats = Fields()
    for count in ("3", "4", "5"):
        feed.script.stats.reconnections = count
        clock.seconds += 60
        flapping = said(collector, feed, OPEN + 100)
    assert (flapping.status, flapping.why) == (Status.WARNING, "reconnected 3 times within 10 min")
    clock.seconds += 700
    feed.script.clients[0] = Client(queued="2048")
    assert said(collector, feed, OPEN + 100).status is Status.OK
    clock.seconds += 31
    slow = said(collector, feed, OPEN + 100)
    assert slow.status is Status.WARNING and "ticks (2.00 MiB queued for 31 s)" in slow.why
    feed.script.clients, feed.script.stats = [], Fields(login="")
    nobody = said(collector, feed, OPEN + 100)
    assert nobody.status is Status.CRITICAL and "nobody is logged in" in nobody.why


def test_the_admin_port_alone_proves_nothing(feed: IqConnect) -> None:
    feed.level1.stop()
    lost = watching(feed).collect(OPEN).components[0]
    assert lost.status is Status.CRITICAL
    assert f"Level 1 port: nothing listens at 127.0.0.1:{feed.level1.port}" in lost.why
    with DataPort(is_level1=True, connected=False) as unfed:
        assert "Level 1 port: says server disconnected" in said(watching(feed, level1_port=unfed.port), feed).why
    with DataPort(is_silent=True) as hung:
        began = time.monotonic()
        slow = watching(feed, level1_port=0, lookup_port=hung.port).collect(OPEN).components[0]
        assert time.monotonic() - began < TIMEOUT_SECONDS + BUSY_SECONDS
    assert slow.status is Status.WARNING and f"lookup port: no answer from 127.0.0.1:{hung.port}" in slow.why


def test_malformed_lines_are_counted_and_change_nothing_else(feed: IqConnect) -> None:
    collector = watching(feed)
    collector.collect(OPEN)
    feed.admin.say("S,STATS,66.112.148.225,60005,five hundred,,,,,,,,Connected,,,,,,,,,")
    feed.admin.say("S,CLIENTSTATS,1,2")
    feed.admin.say("\x00\xff\xfe")
    fresh(feed)
    told = collector.collect(OPEN)
    assert told.components[0].status is Status.WARNING
    assert told.components[0].why == "3 malformed lines in the last minute"
    assert value(told, "iqfeed_symbols") == 120
    feed.script.malformed = "S,STATS,,,"
    with pytest.raises(SourceUnavailable, match=r"sends malformed lines only"):
        watching(feed).collect(OPEN)


def test_a_feed_that_falls_silent_keeps_its_client_for_a_while_and_a_closed_one_is_opened_anew(feed: IqConnect) -> None:
    collector = watching(feed)
    collector.collect(OPEN)
    feed.script.is_silent = True
    fresh(feed)
    with pytest.raises(SourceUnavailable):
        collector.collect(OPEN), collector.collect(OPEN)  # what had come already may fill one reading
    with pytest.raises(SourceUnavailable, match=r"is silent: no S,STATS for 0.5 s, one a second is due"):
        collector.collect(OPEN)
    assert feed.admin.connections == 1
    feed.script.is_silent = False
    assert said(collector, feed).status is Status.OK
    assert feed.admin.connections == 1
    feed.admin.hang_up()
    fresh(feed)
    assert said(collector, feed).status is Status.OK
    assert feed.admin.connections == 2
    feed.admin.stop()
    with pytest.raises(SourceUnavailable, match="nothing listens at"):
        collector.collect(OPEN)


def test_each_refusal_has_a_sentence_of_its_own(feed: IqConnect) -> None:
    with pytest.raises(SourceRejected, match="is the Level 1 port: the admin port is needed, 9300"):
        lone("127.0.0.1", feed.level1.port).collect(OPEN)
    with pytest.raises(SourceRejected, match="speaks IQFeed but sends no statistics"):
        lone("127.0.0.1", feed.others["lookup"].port).collect(OPEN)
    feed.script.protocol = "5.1"
    with pytest.raises(SourceRejected, match=r"too old: it speaks protocol 5\.1, we 6\.2"):
        watching(feed).collect(OPEN)
    feed.script.refusal = "!INVALID PROTOCOL!"
    with pytest.raises(SourceRejected, match=r"refuses protocol 6\.2: INVALID PROTOCOL"):
        watching(feed).collect(OPEN)
    feed.script.refusal, feed.script.protocol = "", "6.2"
    with (
        TlsServer(b"") as secured,
        pytest.raises(SourceRejected, match="speaks TLS, and we were told that it does not"),
    ):
        lone("127.0.0.1", secured.port).collect(OPEN)


def test_fields_are_taken_by_their_number() -> None:
    line = "S,STATS,1.2.3.4,60005,500,120,3,7,2,1,Nov 20 08:01AM,Nov 20 10:30AM,Connected,6.2.0.25,487654,1,2,3,4,5,6,"
    stats = Stats.parse(line.split(","))
    assert (stats.server, stats.max_symbols, stats.symbols, stats.clients) == ("1.2.3.4:60005", 500, 120, 3)
    assert (stats.update_age_seconds, stats.reconnections, stats.attempts) == (7, 2, 1)
    assert (stats.received_bytes, stats.received_bytes_per_second) == (1_024, 2_048)
    assert (stats.sent_bytes, stats.sent_bytes_per_second) == (4_096, 5_120)
    for broken in (line.replace(",7,", ",nan,"), line.replace("Connected", "Perhaps"), line[:80], "S", ""):
        assert not ConnectionState().take(broken.encode(), 0.0), broken
