"""Watching a ClickHouse: the engine inside this process and one behind HTTP, in good health and in trouble."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pydantic import SecretStr

from collectors.kinds.clickhouse.answers import Answers
from collectors.kinds.clickhouse.collector import ClickHouseCollector, act
from collectors.kinds.clickhouse.judge import Judge, Measured
from collectors.kinds.clickhouse.samples import Numbers
from core.checks import Check
from core.errors import SourceError, SourceRejected, SourceUnavailable
from core.kinds.clickhouse import spec
from core.kinds.clickhouse.source import ClickHouseSource, OwnEngine
from core.kinds.clickhouse.spec import Actions, Checks, MutationTarget
from core.kinds.clickhouse.tables import (
    About,
    DetachedParts,
    Disk,
    FailedQuery,
    Mutation,
    Pool,
    QueryPattern,
    Refused,
    Replica,
    RunningQuery,
    ServerError,
    SlowQuery,
    StoredColumn,
    StoredTable,
)
from core.model import Reading, Status
from core.rates import CounterDeltas
from core.tables import R, Row, rows_of
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import migrate
from tests.collectors.readings import check
from tests.support.bad_servers import BEHAVIOURS, SAID_OF_HTTP, assert_survives
from tests.support.clickhouse_troubles import (
    detached_part,
    endless_query,
    failing_dictionary,
    failing_mutation,
    many_parts,
)
from tests.support.servers import ClickHouseServer
from tests.support.tls_server import TlsServer

LONG_ENOUGH_SECONDS = 10.0
ABSENT_IN_TESTS = {"asynchronous", "log_failed", "log_slow", "log_top"}
"""What a real server has and the engine behind HTTP has not."""
READINGS_FOR_ALL = 6
"""Slow questions are spread over the readings."""


def server(url: str, timeout: float = LONG_ENOUGH_SECONDS, **given: Any) -> ClickHouseSource:
    return ClickHouseSource(name="main", url=SecretStr(url), timeout_seconds=timeout, **given)


@dataclass
class Watched:
    source: ClickHouseSource | OwnEngine
    client: ClickHouse

    @property
    def url(self) -> str:
        return self.client.url


@pytest.fixture(params=["embedded", "http"])
def watched(request: pytest.FixtureRequest, clickhouse_url: str, database: str) -> Iterator[Watched]:
    """A ClickHouse with a database of ours, watched each way."""
    own = OwnEngine(name="own", url=clickhouse_url, database=database, timeout_seconds=LONG_ENOUGH_SECONDS)
    is_embedded = request.param == "embedded"
    url = clickhouse_url if is_embedded else request.getfixturevalue("clickhouse_server").url
    client = ClickHouse(url, database)
    migrate(client)
    yield Watched(own if is_embedded else server(url), client)
    client.command(f"DROP DATABASE {database}")
    client.close()


def readings(collector: ClickHouseCollector, count: int = READINGS_FOR_ALL) -> Reading:
    for _ in range(count - 1):
        collector.collect(time.time())
    return collector.collect(time.time())


def rows(reading: Reading, row: type[R]) -> list[R]:
    return rows_of({table.name: table for table in reading.tables}, row)


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_server_that_behaves_badly_is_outlived_and_told_apart(behaviour: str) -> None:
    said = assert_survives(
        lambda host, port: ClickHouseCollector(server(f"http://{host}:{port}", timeout=0.5)), behaviour, drip=b"H"
    )
    assert SAID_OF_HTTP[behaviour] in said


def test_all_that_can_be_told_of_a_healthy_one_is_told(watched: Watched) -> None:
    columns = "(t DateTime, a UInt64) ENGINE = MergeTree ORDER BY a TTL t + toIntervalDay(3)"
    watched.client.command(f"CREATE TABLE ticks {columns} SETTINGS min_bytes_for_wide_part = 0")
    collector = ClickHouseCollector(watched.source)
    collector.collect(time.time())
    watched.client.command("INSERT INTO ticks SELECT now(), number FROM numbers(5000)")
    reading = readings(collector)
    table = next(row for row in rows(reading, StoredTable) if row.table == "ticks")
    assert (table.rows, table.parts, table.partitions, table.ttl) == (5000, 1, 1, "t + toIntervalDay(3)")
    assert table.uncompressed_bytes > table.compressed_bytes > 0
    sizes = {row.name: row.compressed_bytes for row in rows(reading, StoredColumn) if row.table == "ticks"}
    assert sizes["a"] > sizes["t"] > 0
    assert abs(table.last_write - time.time()) < 60
    assert {row.question for row in rows(reading, Refused)} <= ABSENT_IN_TESTS
    about = rows(reading, About)[0]
    assert about.product.startswith("ClickHouse 2") and about.parts_throw == 3000
    assert (rows(reading, Disk)[0].total_space or 0) > 0 and rows(reading, Pool)
    values = {sample.metric: sample.value for sample in reading.samples}
    assert values[spec.QUERIES_RATE] > 0 and values[spec.UPTIME] >= 0
    assert 0 < values[spec.MEMORY_USED_RATIO] < 1
    assert reading.components[0].status in (Status.OK, Status.WARNING)
    assert all(dict(sample.labels)["instance"] == watched.source.name for sample in reading.samples)


def test_rates_are_differences_and_an_event_seen_first_counts_from_zero(watched: Watched) -> None:
    ticks = iter(range(0, 1_000, 10))
    collector = ClickHouseCollector(watched.source, monotonic=lambda: float(next(ticks)))
    collector.collect(time.time())
    watched.client.command("CREATE TABLE counted (a UInt64) ENGINE = MergeTree ORDER BY a")
    watched.client.command("INSERT INTO counted SELECT number FROM numbers(3000)")
    reading = collector.collect(time.time())
    rate = next(each.value for each in reading.samples if each.metric == spec.INSERTED_ROWS_RATE)
    assert 3000 / 40 <= rate <= 3000 / 20


def test_trouble_is_told_in_words(watched: Watched) -> None:
    many_parts(watched.client, 310)
    failing_mutation(watched.client)
    failing_dictionary(watched.client)
    detached_part(watched.client)
    time.sleep(0.3)
    reading = readings(ClickHouseCollector(watched.source))
    database = watched.client.database
    why = reading.components[0].why
    assert reading.components[0].status is Status.WARNING
    assert f"310 parts in a partition of {database}.splintered" in why
    assert f"a mutation of {database}.stuck fails" in why
    assert "the third row is bad" in rows(reading, Mutation)[0].latest_fail_reason
    assert f"dictionary {database}.rates failed" in why
    assert [row.reason for row in rows(reading, DetachedParts) if row.database == database] == [""]
    assert check(reading, Checks.DETACHED)["status"] is Status.OK, "detached by hand is no trouble"


def test_a_query_that_runs_long_is_seen_and_ended(watched: Watched) -> None:
    with endless_query(watched.url, watched.client.database) as said:
        reading = ClickHouseCollector(watched.source).collect(time.time())
        running = next(row for row in rows(reading, RunningQuery) if "numbers(?)" in row.query)
        assert running.elapsed > 0 and running.user == "default"
        done = act(watched.source, Actions.KILL_QUERY, running.query_id)
        assert running.query_id in done.sentence and "ended within" in done.sentence
        assert "numbers(?)" in done.sentence, "what was killed is kept, not its number alone"
    assert "cancelled" in said[0]
    with pytest.raises(SourceRejected, match="is no longer running"):
        act(watched.source, Actions.KILL_QUERY, running.query_id)


def test_a_failing_mutation_is_ended(watched: Watched) -> None:
    failing_mutation(watched.client)
    reading = readings(ClickHouseCollector(watched.source))
    mutation = next(row for row in rows(reading, Mutation) if row.database == watched.client.database)
    target = str(MutationTarget(mutation.mutation_id, mutation.database, "stuck"))
    assert target == f"{mutation.mutation_id} {mutation.database}.stuck"
    assert "ended" in act(watched.source, Actions.KILL_MUTATION, target).sentence
    with pytest.raises(SourceRejected, match="is no longer running"):
        act(watched.source, Actions.KILL_MUTATION, target)
    with pytest.raises(SourceRejected, match="knows no action"):
        act(watched.source, "drop_everything", "")


def test_the_query_log_of_a_server_is_summed_up_by_pattern(clickhouse_server: ClickHouseServer) -> None:
    client = ClickHouse(clickhouse_server.url, "logs")
    client.create_database()
    # The engine of the tests keeps no query log, but has one with the same columns that stays empty.
    client.command("CREATE TABLE logs.query_log AS system.user_query_log ENGINE = Memory")
    client.command(
        """INSERT INTO logs.query_log (type, event_date, event_time, query_duration_ms, read_rows, memory_usage, query,
               normalized_query_hash, is_initial_query, user, query_id, exception_code, exception)
           SELECT if(number % 10 = 0, 'ExceptionWhileProcessing', 'QueryFinish'), today(), now() - 5, number * 10,
               number, 1000 * number, 'SELECT ' || toString(number) || if(number < 90, ' FROM ticks', ' FROM nav'),
               number < 90, 1, 'desk', toString(number), if(number % 10 = 0, 241, 0),
               if(number % 10 = 0, 'Memory limit exceeded', '')
           FROM numbers(100)"""
    )
    reading = readings(ClickHouseCollector(server(clickhouse_server.url, query_log="logs.query_log")))
    top = rows(reading, QueryPattern)
    assert [(row.pattern, row.calls, row.failed) for row in top] == [
        ("SELECT ? FROM ticks", 90, 9), ("SELECT ? FROM nav", 10, 1),
    ]  # fmt: skip
    assert top[0].seconds == pytest.approx(40.05) and top[0].share == pytest.approx(40.05 / 49.5)
    assert top[0].memory_bytes == 89_000 and top[0].error == "Memory limit exceeded"
    slow = rows(reading, SlowQuery)
    assert slow[0].seconds == 0.99 and slow[0].query_id == "99" and slow[0].user == "desk"
    assert {row.code for row in rows(reading, FailedQuery)} == {241}
    client.close()


def test_our_own_log_stands_in_where_the_engine_keeps_none(clickhouse: ClickHouse) -> None:
    with pytest.raises(Exception, match="nowhere"):
        clickhouse.rows("SELECT * FROM nowhere", kind="portfolio read")
    facts = clickhouse.query_log.drain()
    assert facts is not None
    clickhouse.insert(facts)
    own = OwnEngine(name="own", url=clickhouse.url, database=clickhouse.database, timeout_seconds=LONG_ENOUGH_SECONDS)
    counted = "SELECT name, value FROM system.errors ORDER BY name"
    before = clickhouse.rows(counted)
    reading = readings(ClickHouseCollector(own))
    assert clickhouse.rows(counted) == before, "what we ask is no error there"
    found = next(row for row in rows(reading, QueryPattern) if row.pattern == "portfolio read")
    assert (found.calls, found.failed) == (1, 1) and "nowhere" in found.error
    assert rows(reading, FailedQuery)[0].query == "portfolio read"


def test_a_server_that_restarts_gives_no_step_and_the_connection_is_made_anew(
    clickhouse_server: ClickHouseServer,
) -> None:
    collector = ClickHouseCollector(server(clickhouse_server.url))
    readings(collector, 3)
    clickhouse_server.kill()
    with pytest.raises(SourceUnavailable, match="nothing listens"):
        collector.collect(time.time())
    clickhouse_server.start()
    reading = collector.collect(time.time())
    assert not [each for each in reading.samples if each.metric == spec.QUERIES_RATE and each.value < 0]
    assert reading.components[0].status is Status.OK


CANNED: dict[str, tuple[int, dict[str, str], bytes]] = {
    "password": (403, {"X-ClickHouse-Exception-Code": "516"}, b"Code: 516. DB::Exception: desk: Authentication failed"),
    "native": (400, {}, b"Port 9000 is for clickhouse-client program\r\nYou must use port 8123 for HTTP.\r\n"),
    "old": (200, {}, b'{"meta":[{"name":"version","type":"String"},{"name":"uptime_seconds","type":"UInt32"},'
            b'{"name":"host","type":"String"},{"name":"user","type":"String"}],"data":[["21.3.1.1",5,"h","desk"]]}'),
    "other": (404, {}, b"<html>nginx</html>"),
    "crowded": (500, {}, b"Code: 202. DB::Exception: Too many simultaneous queries"),
    "address": (403, {}, b"Code: 195. DB::Exception: User desk is not allowed to connect from this address"),
}  # fmt: skip
SAID = {
    "password": (SourceRejected, "refuses the user desk: wrong name or password"),
    "native": (SourceRejected, "native protocol: the HTTP port is needed"),
    "old": (SourceRejected, "ClickHouse 21.3.1.1 is too old: 22.8 or newer is needed"),
    "other": (SourceUnavailable, "something that is not ClickHouse"),
    "crowded": (SourceUnavailable, "rejects new queries: too many are running at once"),
    "address": (SourceRejected, "does not accept our user from this machine's address"),
}


@pytest.mark.parametrize("kind", CANNED)
def test_each_way_of_being_turned_away_is_said_plainly(kind: str) -> None:
    error, words = SAID[kind]
    with Canned(CANNED[kind], ping=kind not in ("native", "other")) as port:
        collector = ClickHouseCollector(server(f"http://desk:secret@127.0.0.1:{port}"))
        with pytest.raises(SourceError, match=words) as raised:
            collector.collect(time.time())
    assert isinstance(raised.value, error) and "secret" not in str(raised.value)


def test_tls_where_none_was_told_and_none_where_it_was() -> None:
    with Canned(CANNED["old"]) as port, pytest.raises(SourceRejected, match="speaks no TLS"):
        ClickHouseCollector(server(f"https://127.0.0.1:{port}")).collect(time.time())
    with TlsServer(b"") as tls:
        with pytest.raises(SourceRejected, match="speaks TLS"):
            ClickHouseCollector(server(f"http://127.0.0.1:{tls.port}")).collect(time.time())
        with pytest.raises(SourceRejected, match=r"certificate of .* is not trusted"):
            ClickHouseCollector(server(f"https://127.0.0.1:{tls.port}")).collect(time.time())


def test_a_user_who_may_set_nothing_is_asked_without_limits() -> None:
    refusal = (500, {}, b"Code: 164. DB::Exception: Cannot modify 'max_threads' setting in readonly mode")
    with Canned(CANNED["old"], refuses_settings=refusal) as port:
        collector = ClickHouseCollector(server(f"http://127.0.0.1:{port}"))
        with pytest.raises(SourceRejected, match="too old"):
            collector.collect(time.time())


class Canned:
    """An HTTP server that answers the same to every query."""

    def __init__(self, answer: Any, *, ping: bool = True, refuses_settings: Any = None) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send((200, {}, b"Ok.\n") if ping else answer)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self._send(refuses_settings if refuses_settings and "max_threads" in self.path else answer)

            def _send(self, given: Any) -> None:
                status, headers, body = given
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> int:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self._server.server_port

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def judged(judge: Judge, row: type[Row], *found: Any, monotonic: float = 0.0) -> dict[str, Check]:
    """Return the checks by name, when the one question that has an answer is answered with the rows `found`."""
    measured = Measured(Answers({row: found}), Numbers(), CounterDeltas(), None, 0.001)
    return {each.name: each for each in judge.checks(measured, monotonic)}


def query(elapsed: float, text: str = "SELECT 1") -> RunningQuery:
    return RunningQuery("1", "desk", elapsed, 0, 0, "", text)


def test_a_long_query_is_told_from_ten_minutes_on_until_below_five() -> None:
    judge = Judge()
    states = [
        judged(judge, RunningQuery, query(elapsed))[Checks.QUERIES].status for elapsed in (599, 601, 400, 299, 400)
    ]
    assert states == [Status.OK, Status.WARNING, Status.WARNING, Status.OK, Status.OK]
    why = judged(judge, RunningQuery, query(720, "SELECT\n x"))[Checks.QUERIES].why
    assert why == "a query of desk has run for 12 min (SELECT x)"


def test_errors_are_told_for_a_minute_but_not_those_of_wrong_questions() -> None:
    judge = Judge()
    memory = ServerError("MEMORY_LIMIT_EXCEEDED", 241, 5, 0.0, "")
    typo = ServerError("SYNTAX_ERROR", 62, 5, 0.0, "")
    first = judged(judge, ServerError, memory, typo)[Checks.ERRORS]
    assert first.status is Status.OK, "what was before we looked"
    more = replace(memory, count=7)
    told = judged(judge, ServerError, more, replace(typo, count=9), monotonic=5.0)[Checks.ERRORS]
    assert (told.status, told.why) == (Status.WARNING, "2 MEMORY_LIMIT_EXCEEDED in the last minute")
    assert judged(judge, ServerError, more, typo, monotonic=70.0)[Checks.ERRORS].status is Status.OK


def test_replicas_inserts_and_disks_are_judged() -> None:
    replica = Replica("fund", "ticks", False, 420.0, 0, 0, 0, 0, 1, 1, "")
    assert judged(Judge(), Replica, replica)[Checks.REPLICATION].why == "fund.ticks is 7 min behind its replicas"
    readonly = judged(Judge(), Replica, replace(replica, is_readonly=True))[Checks.REPLICATION]
    assert readonly.status is Status.CRITICAL and "fund.ticks" in readonly.why
    disk = Disk("default", "/", free_space=10 * 2**30, total_space=1000 * 2**30)
    assert judged(Judge(), Disk, disk)[Checks.DISKS].status is Status.CRITICAL
    store = replace(disk, total_space=2**64 - 1)
    assert Checks.DISKS not in judged(Judge(), Disk, store), "an object store has no size"
    fullest = StoredTable("fund", "ticks", "MergeTree", 0, 0, 0, 0, 1_200, 1, 1_200, 0.0, "")
    parts = judged(Judge(), StoredTable, fullest)[Checks.PARTS]
    assert parts.status is Status.CRITICAL
    assert "inserts are delayed from 1\u202f000, rejected from 3\u202f000" in parts.why
