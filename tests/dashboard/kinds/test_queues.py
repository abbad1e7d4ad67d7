"""Celery and RabbitMQ on the pipeline tab: what it says of real readings in trouble, and of what is gone."""

from __future__ import annotations

import html
import re
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from collectors.kinds.celery.collector import CeleryCollector
from collectors.kinds.celery.listener import Answer
from collectors.kinds.rabbitmq.collector import RabbitmqCollector
from collectors.runtime.publisher import Publisher
from core.clock import FakeClock
from core.kinds.registry import Watch
from core.model import SourceId
from core.settings.collectors import Sources
from dashboard.tabs.pipeline import TAB
from storage.stores import Stores
from tests.support import views
from tests.support.application import create_app
from tests.support.rabbitmq_api import NODE, QUEUE, RabbitmqApi
from tests.support.redis_servers import RedisServer

NOW = float(int(time.time()))
built, shown = partial(views.built, TAB), partial(views.slot_text, "pipeline-sources")


def watching(stores: Stores, **watched: list[dict[str, Any]]) -> Stores:
    chosen = {"sources": Sources(own=False), "watch": Watch.model_validate(watched)}
    return replace(stores, settings=stores.settings.model_copy(update=chosen), clock=FakeClock(NOW))


def about(stores: Stores, kind: str, table: str = "about") -> str:
    """Return the text of the table that says what the instances of a kind are, or of another one that is fetched."""
    answer = create_app(stores, (TAB,)).server.test_client().get(f"/pipeline-sources/table/{kind}/{table}")
    assert answer.status_code == 200
    return " ".join(re.sub("<[^>]+>", " ", html.unescape(answer.text)).split())


@pytest.fixture
def publisher(stores: Stores) -> Publisher:
    return Publisher(stores.settings.machine, stores.writer, stores.live)


@pytest.fixture
def heard(stores: Stores, publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stores:
    """The stores with a reading of Celery: its queue and events are real, its worker answers from here."""
    with RedisServer(tmp_path / "server") as server:
        watched = watching(stores, celery=[{"name": "main", "broker": server.url}])
        collector = CeleryCollector(watched.settings.watch.celery[0])
        monkeypatch.setattr(collector.listener, "listen", lambda: None)
        known = {"registered": ["bars.load", "bars.check [rate_limit=1/s]"]}
        answers: dict[str, Any] = known | {
            "stats": {"pool": {"implementation": "celery.concurrency.prefork:TaskPool", "max-concurrency": 4}}
        }
        monkeypatch.setattr(
            collector.listener, "answers", lambda question: {"w1@a": Answer(NOW, answers.get(question, []))}
        )
        collector.listener.since = collector.listener.asked = time.monotonic() - 60
        collector.listener.changed.set()
        collector.heard.take({"type": "worker-heartbeat", "hostname": "w1@a", "active": 2, "processed": 9}, NOW)
        for number in range(4):
            begun = {"type": "task-received", "uuid": str(number), "name": "bars.load", "timestamp": 1.0}
            failed = {"type": "task-failed", "uuid": str(number), "timestamp": 2.0, "exception": "ValueError('<b>')"}
            collector.heard.take([begun, failed], NOW)
        begun = {"type": "task-received", "uuid": "9", "name": "bars.check", "timestamp": 1.0, "hostname": "w1@a"}
        done = {"type": "task-succeeded", "uuid": "9", "timestamp": 2.0, "runtime": 0.04, "hostname": "w1@a"}
        collector.heard.take([begun, done], NOW)
        with server.client() as client:
            client.lpush("celery", '{"headers": {"id": "a"}}', '{"headers": {"id": "b"}}')
        publisher.succeeded(SourceId("celery", "main"), NOW, 5, collector.collect(NOW))
        watched.writer.flush()
    return watched


def test_failing_tasks_and_their_exceptions_are_read_on_the_page(heard: Stores) -> None:
    view = built(heard)
    assert "Celery main : 4 of 5 tasks failed in 10 min (bars.load 4)" in shown(view, "verdict")
    assert "ValueError('<b>')" in shown(view, "celery-problems-table")
    assert "100.0 %" in shown(view, "celery-tasks-table")
    assert "w1@a online" in shown(view, "celery-workers-table") and "prefork" in shown(view, "celery-workers-table")
    for title in ("Celery workers", "Celery queues", "Celery failures", "Celery runtime"):
        assert title in shown(view, "cards")
    assert view.figures["pipeline-sources-celery-queued-graph"]["data"]
    assert "Broker Redis" in about(heard, "celery")


def test_tasks_that_are_known_and_those_that_succeeded_have_tables_of_their_own(heard: Stores) -> None:
    known = about(heard, "celery", "registered")
    assert "bars.check 1" in known and "bars.load 1" in known and "rate_limit" not in known
    done = about(heard, "celery", "succeeded")
    assert "bars.check 40 ms w1@a" in done
    assert "bars.load" not in done, "those all failed"


def test_an_alarm_of_rabbitmq_stands_in_the_verdict_and_its_node_comes_first(
    stores: Stores, publisher: Publisher
) -> None:
    with RabbitmqApi() as api:
        api.nodes = [dict(NODE), {**NODE, "name": "rabbit@b", "mem_alarm": True}]
        api.queues = [{**QUEUE, "messages_ready": 9, "consumers": 0}]
        watched = watching(stores, rabbitmq=[{"name": "main", "url": api.url}])
        reading = RabbitmqCollector(watched.settings.watch.rabbitmq[0]).collect(NOW)
        publisher.succeeded(SourceId("rabbitmq", "main"), NOW, 10, reading)
    watched.writer.flush()
    view = built(watched)
    assert "RabbitMQ main : memory alarm on rabbit@b: publishers are blocked" in shown(view, "verdict")
    nodes = shown(view, "rabbitmq-nodes-table")
    assert nodes.index("rabbit@b") < nodes.index("rabbit@a")
    assert "orders" in shown(view, "rabbitmq-queues-table")
    assert "Node that answers rabbit@a" in about(watched, "rabbitmq")


def test_what_is_gone_is_down_with_its_reason_and_keeps_its_tables(heard: Stores, publisher: Publisher) -> None:
    publisher.failed(SourceId("celery", "main"), NOW, 5, "nothing listens at 10.0.0.9:6379 (connection refused)")
    view = built(heard)
    assert "nothing listens at 10.0.0.9:6379" in shown(view, "verdict")
    assert "w1@a" in shown(view, "celery-workers-table")


def test_neither_is_shown_until_it_is_configured(stores: Stores) -> None:
    folded = views.laid_out(TAB, watching(stores))
    assert "Celery" in folded and "RabbitMQ" in folded and "http://monitor:password@10.0.0.9:15672" in folded
