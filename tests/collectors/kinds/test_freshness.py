"""Freshness of data: on the real engines, against market hours, and with servers that behave badly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr, ValidationError

from collectors.judging.market_hours import Market, market
from collectors.kinds.freshness.collector import FreshnessCollector, gaps_of, rows_per_minute
from collectors.kinds.freshness.queries import ClickHouseQuestions, Minute, PostgresqlQuestions
from core.errors import SourceRejected
from core.kinds.freshness.source import FreshnessSource
from core.kinds.freshness.spec import Gap
from core.model import Component, Status
from storage.clickhouse.client import ClickHouse
from tests.support.bad_servers import BEHAVIOURS, assert_survives
from tests.support.servers import ClickHouseServer


def feed(url: str = "own", **given: Any) -> FreshnessSource:
    return FreshnessSource(name="ticks", url=SecretStr(url), **{"table": "ticks", "timeout_seconds": 0.5, **given})


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


class Told:
    """A database whose answers a test gives."""

    def __init__(self, newest: float | None, minutes: list[Minute] | None = None) -> None:
        self._newest, self._minutes = newest, minutes or []

    def minutes(self, _deadline: object) -> list[Minute]:
        return self._minutes

    def newest(self, _deadline: object, _after: float | None) -> float | None:
        return self._newest

    def symbols(self, _deadline: object, _since: float) -> list[tuple[str, float]]:
        return [("AAPL", self._newest or 0.0)]

    def close(self) -> None:
        return


def judged(source: FreshnessSource, newest: float | None, now: float) -> Component:
    return FreshnessCollector(source, Told(newest)).collect(now).components[0]


def test_only_open_hours_make_data_old() -> None:
    source = feed(calendar="XNYS")
    close = at("2026-11-20 21:00")  # Friday, 16:00 in New York
    assert judged(source, close - 5, at("2026-11-22 12:00")).status is Status.OK
    assert judged(source, close - 5, at("2026-11-23 14:30:30")).status is Status.OK
    monday = judged(source, close - 5, at("2026-11-23 14:31:40"))
    assert monday.status is Status.WARNING
    assert monday.why == "newest row of ticks is 105 s of open market old"
    assert judged(source, close - 5, at("2026-11-23 14:40")).status is Status.CRITICAL
    # A feed that died ten minutes before the close has missed data all weekend long.
    assert judged(source, close - 600, at("2026-11-22 12:00")).status is Status.CRITICAL
    assert judged(feed(), close, close + 301).why == "newest row of ticks is 5 min old"
    assert judged(feed(), None, close) == Component(
        "Freshness ticks", Status.CRITICAL, "ticks has no row", reasons=("ticks has no row",)
    )


def test_market_hours_know_holidays_short_days_breaks_and_summer_time() -> None:
    new_york = market("XNYS", at("2026-11-21 12:00"))
    assert not new_york.is_open(at("2026-11-26 15:00"))  # Thanksgiving
    assert new_york.is_open(at("2026-11-27 17:59")) and not new_york.is_open(at("2026-11-27 18:01"))
    assert new_york.is_open(at("2026-07-01 13:31"))
    assert new_york.next_open(at("2026-11-21 12:00")) == at("2026-11-23 14:30")
    assert new_york.open_seconds(at("2026-11-25 12:00"), at("2026-11-28 12:00")) == (6.5 + 3.5) * 3_600
    assert market("24/7").open_seconds(0, 100) == 100
    with pytest.raises(SourceRejected, match="XFOO is no market that we know"):
        market("XFOO")


def test_gaps_and_rates_are_of_open_whole_minutes() -> None:
    now = 100 * 60.0 + 30
    minutes = [Minute(n * 60.0, 10, n * 60.0 + 59) for n in (90, 91, 95, 96, 97, 98, 99)]
    always = Market("24/7")
    assert gaps_of(minutes, always, now) == [Gap(92 * 60.0, 180.0)]
    assert rows_per_minute(minutes, now) == 10.0
    closed = Market("X", opens=[0.0, 93.5 * 60], closes=[60.0, 200 * 60.0])
    assert gaps_of(minutes, closed, now) == [Gap(92 * 60.0, 90.0)]
    quiet = feed(rows_per_minute=20, gap_seconds=120)
    why = FreshnessCollector(quiet, Told(0, minutes)).collect(now).components[0].why
    assert why == "10 rows a minute, and at least 20 are expected; 1 gap in the last hour, the longest 3 min"


def test_a_table_of_the_own_clickhouse(clickhouse: ClickHouse) -> None:
    clickhouse.command("CREATE TABLE ticks (ts DateTime64(3), symbol String) ENGINE = MergeTree ORDER BY ts")
    source = feed(symbol="symbol", timeout_seconds=5, critical_seconds=300)
    collector = FreshnessCollector(source, ClickHouseQuestions(source, lambda sql: clickhouse.rows(sql)))
    assert collector.collect(time.time()).components[0].why == "ticks has no row"
    clickhouse.command("INSERT INTO ticks VALUES (now64() - 86400, 'AAPL'), (now64() - 2, 'MSFT')")
    reading = FreshnessCollector(source, ClickHouseQuestions(source, lambda sql: clickhouse.rows(sql))).collect(
        time.time()
    )
    values = {sample.metric: sample.value for sample in reading.samples}
    assert 1 <= values["freshness_age_seconds"] < 30
    assert reading.components[0].why.startswith("no news of AAPL for over 1 d")
    missing = feed(table="nothing", timeout_seconds=5)
    with pytest.raises(SourceRejected, match=r"we cannot read it: .*nothing"):
        FreshnessCollector(missing, ClickHouseQuestions(missing, lambda sql: clickhouse.rows(sql))).collect(time.time())


def test_a_table_of_a_clickhouse_server(clickhouse_server: ClickHouseServer) -> None:
    client = ClickHouse(clickhouse_server.url, "default")
    client.command("CREATE TABLE ticks (ts DateTime, symbol String) ENGINE = MergeTree ORDER BY ts")
    client.command("INSERT INTO ticks SELECT now() - number - 1, 'AAPL' FROM numbers(900)")
    client.close()
    source = feed(clickhouse_server.url, table="default.ticks", symbol="symbol", timeout_seconds=10)
    reading = FreshnessCollector(source, ClickHouseQuestions(source, list)).collect(time.time())
    values = {sample.metric: sample.value for sample in reading.samples}
    assert 0 <= values["freshness_age_seconds"] < 60
    assert 55 <= values["freshness_rows_per_minute"] <= 60, "fewer by what passes until it is counted"
    assert reading.components[0].status in (Status.OK, Status.WARNING)
    missing = feed(clickhouse_server.url, table="default.nothing", timeout_seconds=10)
    with pytest.raises(SourceRejected, match=r"we cannot read it: .*nothing"):
        FreshnessCollector(missing, ClickHouseQuestions(missing, list)).collect(time.time())


@pytest.fixture
def ticks(postgres_url: str) -> Iterator[str]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS public.ticks")
        connection.execute("CREATE TABLE public.ticks (ts timestamptz, symbol text)")
        yield postgres_url
        connection.execute("DROP TABLE IF EXISTS public.ticks")


def test_a_table_of_a_postgresql(ticks: str) -> None:
    source = feed(ticks, symbol="symbol", timeout_seconds=5)
    collector = FreshnessCollector(source, PostgresqlQuestions(source))
    assert collector.collect(time.time()).components[0].why == "ticks has no row"
    with psycopg.connect(ticks, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO public.ticks SELECT now() - make_interval(secs => n), 'MSFT' FROM generate_series(3, 900) n"
        )
        reading = collector.collect(time.time())
        values = {sample.metric: sample.value for sample in reading.samples}
        assert 2 <= values["freshness_age_seconds"] < 30
        assert 55 <= values["freshness_rows_per_minute"] <= 60, "fewer by what passes until it is counted"
        assert reading.components[0].status is Status.OK
        connection.execute("DELETE FROM public.ticks WHERE ts > now() - interval '400 seconds'")
    gone = collector.collect(time.time())
    assert gone.components[0].status is Status.CRITICAL
    missing = feed(ticks, table="nothing", timeout_seconds=5)
    with pytest.raises(SourceRejected, match=r'no such table or column: relation "public\.nothing" does not exist'):
        FreshnessCollector(missing, PostgresqlQuestions(missing)).collect(time.time())


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
@pytest.mark.parametrize(
    ("scheme", "questions", "drip"),
    [("http", lambda source: ClickHouseQuestions(source, list), b"H"), ("postgresql", PostgresqlQuestions, b"S")],
    ids=["clickhouse", "postgresql"],
)
def test_a_server_that_behaves_badly_is_outlived(scheme: str, questions: Any, drip: bytes, behaviour: str) -> None:
    def made(host: str, port: int) -> FreshnessCollector:
        source = feed(f"{scheme}://u:p@{host}:{port}/x")
        return FreshnessCollector(source, questions(source))

    assert_survives(made, behaviour, drip)


def test_names_that_are_no_names_never_reach_a_database() -> None:
    for wrong in ({"table": "ticks; DROP TABLE nav"}, {"column": "ts) --"}, {"symbol": "a b"}):
        with pytest.raises(ValidationError):
            feed(**wrong)
