"""How Fundwatch answers: several processes add up, a dead one's numbers expire, FLUSHALL loses nothing."""

from __future__ import annotations

import pytest

from collectors.requests import RequestsCollector
from core.errors import SourceUnavailable
from core.model import Reading, labels
from core.tables import rows_of
from core.web import spec
from core.web.spec import RouteRequests
from core.web.tally import Tally
from storage.live.redis import Live
from storage.live.requests import DEAD_SECONDS, ToldRequests

NOW = 1_000_000.0


def value(reading: Reading, metric: str, **pairs: str) -> float | None:
    return next(
        (each.value for each in reading.samples if each.metric == metric and each.labels == labels(**pairs)), None
    )


def rows(reading: Reading) -> dict[str, RouteRequests]:
    return {row.route: row for row in rows_of({each.name: each for each in reading.tables}, RouteRequests)}


def test_two_processes_add_up_over_the_last_minute(live: Live) -> None:
    collector = RequestsCollector(ToldRequests(live).of_all)
    processes = [(Tally(), ToldRequests(live)) for _ in range(2)]

    def after(seconds: float, answers: int, status: int = 200) -> Reading:
        for tally, told in processes:
            for _ in range(answers):
                tally.answered("/a", "GET", status, 0.02, NOW + seconds)
            told.tell(tally.told(NOW + seconds))
        return collector.collect(NOW + seconds)

    assert after(0, 40).tables[0].rows == ()  # nobody knows when those came
    reading = after(5, 10)
    assert value(reading, spec.RATE, route="/a") == 4.0
    assert (rows(reading)["/a"].count, value(reading, spec.PROCESSES)) == (20, 2.0)
    live.client.flushdb()
    reading = after(10, 10, status=503)
    assert (rows(reading)["/a"].count, rows(reading)["/a"].server_errors) == (40, 20)
    assert value(reading, spec.SERVER_ERROR_RATIO, route="/a") == 0.5
    p95 = value(reading, spec.SECONDS, route="/a", quantile="0.95")
    assert p95 is not None and 0.02 <= p95 <= 0.024
    reading = after(66, 0)
    assert rows(reading)["/a"].count == 20
    assert after(71, 0).tables[0].rows == ()


def test_a_dead_process_is_no_process_and_a_new_one_counts_from_its_start(live: Live) -> None:
    collector = RequestsCollector(ToldRequests(live).of_all)
    dead, told = Tally(), ToldRequests(live)
    dead.answered("/a", "GET", 200, 0.01, NOW)
    told.tell(dead.told(NOW))
    collector.collect(NOW)
    later = NOW + DEAD_SECONDS + 1
    new = Tally()
    for _ in range(3):
        new.answered("/a", "GET", 200, 0.01, later)
    ToldRequests(live).tell(new.told(later))
    reading = collector.collect(later)
    assert value(reading, spec.PROCESSES) == 1.0
    assert rows(reading)["/a"].count == 3
    assert live.client.hlen(live.key("requests")) == 1


def test_without_redis_the_source_is_unavailable() -> None:
    away = Live("redis://127.0.0.1:1/0")
    with pytest.raises(SourceUnavailable, match="Redis does not answer"):
        RequestsCollector(ToldRequests(away).of_all).collect(NOW)
