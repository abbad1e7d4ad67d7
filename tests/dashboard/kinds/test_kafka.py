"""Kafka in the pipeline tab: a cluster with a group that has stopped, and one that is out of reach."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from collectors.kinds.kafka.collector import KafkaCollector
from collectors.runtime.publisher import Publisher
from core.clock import FakeClock
from core.kinds.kafka.source import KafkaSource
from core.kinds.registry import Watch
from core.model import SourceId
from core.settings.collectors import Sources
from dashboard.kinds.kafka.section import SECTION
from dashboard.sources.shown import Shown
from dashboard.tabs.pipeline import TAB
from dashboard.views.span import Span
from status.instances import instances
from storage.clickhouse.reads.sources import SourceSeries
from storage.stores import Stores
from tests.support import views
from tests.support.kafka_servers import Tansu, commit, create, produce

NOW = float(int(time.time()))
built, shown = partial(views.built, TAB), partial(views.slot_text, "pipeline-sources")
STEP_SECONDS, STEPS = 15.0, 10


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tansu]:
    with Tansu(tmp_path_factory.mktemp("broker")) as started:
        create(started.bootstrap, ticks=2, orders__DLQ=1)
        produce(started.bootstrap, "ticks", 100)
        commit(started.bootstrap, "booker", "ticks", 100)
        commit(started.bootstrap, "risk", "ticks", 40)
        yield started


@pytest.fixture
def watched(stores: Stores, broker: Tansu) -> Stores:
    """The stores, watching two clusters over 150 s: main is there, with a group that has stopped; spare is not."""
    instances = [{"name": "main", "bootstrap": broker.bootstrap}, {"name": "spare", "bootstrap": "127.0.0.1:1"}]
    settings = stores.settings.model_copy(
        update={"sources": Sources(own=False), "watch": Watch.model_validate({"kafka": instances})}
    )
    watching = replace(stores, settings=settings, clock=FakeClock(NOW))
    clock = [0.0]
    collector = KafkaCollector(KafkaSource(name="main", bootstrap=broker.bootstrap), lambda: clock[0])
    publisher = Publisher(settings.machine, stores.writer, stores.live)
    for step in range(STEPS + 1):
        clock[0] = step * STEP_SECONDS
        at = NOW - (STEPS - step) * STEP_SECONDS
        publisher.succeeded(SourceId("kafka", "main"), at, 5, collector.collect(at))
    publisher.failed(SourceId("kafka", "spare"), NOW, 5, "nothing listens at 127.0.0.1:1 (connection refused)")
    stores.writer.flush()
    return watching


def table(stores: Stores, name: str) -> str:
    """Return the words of a table, which the page fetches when it comes into view."""
    found = instances(stores, "kafka")
    shown = Shown("pipeline-sources", ("kafka",), found, found, SourceSeries(0, 1), Span(0, 1, False), (), True)
    return views.text(SECTION.draw(shown, name))


def test_the_line_names_the_group_the_partition_and_how_far_it_is_behind(watched: Stores) -> None:
    view = built(watched)
    verdict = shown(view, "verdict")
    assert "Kafka spare : nothing listens at 127.0.0.1:1" in verdict
    assert "Kafka main : group risk has stopped: nobody reads ticks[0], 60 messages (2 min or more) behind" in verdict
    groups = table(watched, "groups")
    assert groups.index("risk") < groups.index("booker") and "stopped" in groups
    assert "To end" in groups, "nobody reads for it: it may be moved"
    assert "ticks" in table(watched, "topics") and "dead letters" in table(watched, "topics")
    assert "controller" in table(watched, "brokers")
    lags = table(watched, "lags")
    assert lags.index("risk") < lags.index("booker")
    late = view.figures["pipeline-sources-kafka-late-graph"]
    assert [trace["name"] for trace in late["data"] if trace.get("name")] == ["main booker", "main risk"]


def test_of_a_cluster_that_was_never_read_no_table_says_that_it_has_nothing(watched: Stores) -> None:
    alone = Watch.model_validate({"kafka": [{"name": "spare", "bootstrap": "127.0.0.1:1"}]})
    never_read = replace(watched, settings=watched.settings.model_copy(update={"watch": alone}))
    assert {table(never_read, name) for name in ("groups", "lags", "topics", "brokers")} == {"No reading yet."}


def test_one_cluster_alone_shows_what_it_consists_of(watched: Stores, broker: Tansu) -> None:
    alone = Watch.model_validate({"kafka": [{"name": "main", "bootstrap": broker.bootstrap}]})
    view = built(replace(watched, settings=watched.settings.model_copy(update={"watch": alone})))
    cards = shown(view, "cards")
    for title in ("Furthest behind", "Lag", "Brokers", "Partitions in trouble", "Dead letters", "Metadata"):
        assert title in cards


def test_how_it_is_switched_on_is_shown_where_it_is_not(stores: Stores) -> None:
    told = views.laid_out(TAB, stores)
    assert "bootstrap: '10.0.0.9:9092,10.0.0.10:9092'" in told
