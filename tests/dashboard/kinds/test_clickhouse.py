"""The ClickHouse section of the database tab: trouble first, the query behind each figure, a slow query killed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from collectors.kinds.clickhouse.collector import ClickHouseCollector
from collectors.runtime.actions import do_next
from collectors.runtime.publisher import Publisher
from collectors.runtime.registry import source_of
from core.clock import FakeClock
from core.kinds.clickhouse.spec import Actions
from core.kinds.clickhouse.tables import RunningQuery
from core.kinds.registry import Watch
from core.model import SourceId
from core.settings.collectors import Sources
from core.tables import rows_of
from dashboard.sources.actions import SWITCHED_OFF, ask
from dashboard.sources.section import Section
from dashboard.tabs.database import DATABASE, TAB
from dashboard.views.serialize import plain
from dashboard.views.tab import Choices
from storage.clickhouse.client import ClickHouse
from storage.state.actions import recent_actions
from storage.stores import Stores
from tests.support import views
from tests.support.application import create_app
from tests.support.clickhouse_troubles import endless_query, failing_mutation, many_parts
from tests.support.views import OPERATOR

NOW = float(int(time.time()))
built, shown = partial(views.built, TAB), partial(views.slot_text, "database")
READINGS_FOR_ALL = 6
ALLOWED = {section.kind: section.actions for section in DATABASE.sections}


@pytest.fixture
def watching(stores: Stores, clickhouse_url: str) -> Iterator[Stores]:
    """The stores, watching their own engine, and a server that is not there."""
    gone = {"clickhouse": [{"name": "spare", "url": "http://127.0.0.1:1"}]}
    chosen = {
        "clickhouse_url": clickhouse_url,
        "clickhouse_database": stores.clickhouse.database,
        "watch": Watch.model_validate(gone),
        "sources": Sources(own=True),
        "actions_enabled": True,
    }
    yield replace(stores, settings=stores.settings.model_copy(update=chosen), clock=FakeClock(NOW))


def read(stores: Stores, at: float = NOW) -> None:
    """Publish readings of our own engine, and a failure of the server."""
    publisher = Publisher(stores.settings.machine, stores.writer, stores.live)
    source = source_of(stores.settings, SourceId("clickhouse", "own")).model_copy(update={"timeout_seconds": 10.0})
    collector = ClickHouseCollector(source)  # type: ignore[arg-type]
    for _ in range(READINGS_FOR_ALL):
        reading = collector.collect(at)
    publisher.succeeded(SourceId("clickhouse", "own"), at, 5, reading)
    publisher.failed(SourceId("clickhouse", "spare"), at, 5, "nothing listens at 127.0.0.1:1 (connection refused)")
    stores.writer.flush()


def fetched(stores: Stores, table: str, **choices: str) -> str:
    """Return a table as the page fetches it when it comes into view."""
    client = create_app(stores, pages=(TAB,)).server.test_client()
    answer = client.get(f"/database/table/clickhouse/{table}?{Choices.of(choices).query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def test_trouble_is_read_first_in_the_line_the_cards_and_the_tables(watching: Stores) -> None:
    many_parts(watching.clickhouse, 310)
    failing_mutation(watching.clickhouse)
    time.sleep(0.3)
    read(watching)
    view = built(watching)
    line = shown(view, "verdict")
    assert line.index("ClickHouse spare : nothing listens at 127.0.0.1:1") < line.index("ClickHouse own : 310 parts")
    cards = shown(view, "cards")
    assert "ClickHouse spare" in cards and "ClickHouse own" not in cards, "what is watched comes first"
    assert "ClickHouse own" in shown(view, "own"), "Fundwatch's own is folded behind it"
    alone = shown(built(watching, instance="clickhouse:own"), "cards")
    assert "Parts in a partition" in alone and "310" in alone and "Mutations" in alone
    assert "the third row is bad" in fetched(watching, "mutations", instance="clickhouse:own")
    assert "splintered" in fetched(watching, "tables", instance="clickhouse:own")
    assert "splintered" not in fetched(watching, "tables", instance="clickhouse:spare")
    own = built(watching, instance="clickhouse:own")
    assert own.figures["database-clickhouse-memory-graph"]["data"], "a chart has its line"


def test_a_source_that_is_gone_shows_no_figure_of_the_past_as_present(watching: Stores) -> None:
    read(watching)
    view = built(watching, instance="clickhouse:spare")
    assert "Not available" not in shown(view, "clickhouse-running-table")
    assert "–" in shown(view, "cards") and "0" not in shown(view, "cards").replace("127.0.0.1", "")


@pytest.mark.parametrize("way", ["embedded", "http"])
def test_a_slow_query_is_killed_from_the_tab(way: str, watching: Stores, request: pytest.FixtureRequest) -> None:
    stores, name, url = watching, "own", watching.clickhouse.url
    if way == "http":
        name, url = "main", request.getfixturevalue("clickhouse_server").url
        servers = {"clickhouse": [{"name": name, "url": url, "timeout_seconds": 10}]}
        stores = replace(stores, settings=stores.settings.model_copy(update={"watch": Watch.model_validate(servers)}))
        ClickHouse(url, stores.clickhouse.database).create_database()
    source = source_of(stores.settings, SourceId("clickhouse", name))
    with endless_query(url, stores.clickhouse.database) as said:
        reading = ClickHouseCollector(source).collect(NOW)  # type: ignore[arg-type]
        Publisher("host-1", stores.writer, stores.live).succeeded(source.id, NOW, 5, reading)
        page = str(plain(built(stores, instance=source.collector).slots["database-clickhouse-running-table"]))
        assert "numbers(?)" in page and "KILL QUERY WHERE query_id" in page
        running = rows_of({table.name: table for table in reading.tables}, RunningQuery)
        query = next(row.query_id for row in running if "numbers(?)" in row.query)
        wanted = {"source": source.collector, "action": Actions.KILL_QUERY, "target": query}
        assert "Asked for" in ask(stores, ALLOWED, OPERATOR, wanted)
        assert do_next(stores)
        done = recent_actions(stores.state, ("clickhouse",))[0]
        assert done.status == "done" and "ended within" in done.result
    assert "cancelled" in said[0]
    assert "ended within" in shown(built(stores), "actions-table")


def test_what_is_not_allowed_is_not_asked_for(watching: Stores) -> None:
    off = replace(watching, settings=watching.settings.model_copy(update={"actions_enabled": False}))
    wanted = {"source": "clickhouse:own", "action": Actions.KILL_QUERY, "target": "1"}
    assert ask(off, ALLOWED, OPERATOR, wanted) == SWITCHED_OFF
    assert "There is no action drop" in ask(watching, ALLOWED, OPERATOR, wanted | {"action": "drop"})


def test_every_table_names_the_query_behind_it() -> None:
    section: Section = next(each for each in DATABASE.sections if each.kind == "clickhouse")
    for each in section.tables:
        assert "SELECT" in each.definition and "system." in each.definition, each.id
    for chart in section.charts:
        assert "Source" in chart.definition or "system." in chart.definition or "GET /ping" in chart.definition, (
            chart.id
        )


def test_a_section_of_which_nothing_is_chosen_is_folded_away(watching: Stores) -> None:
    read(watching)
    lists = {
        "clickhouse": watching.settings.watch.of("clickhouse"),
        "postgresql": [{"name": "main", "url": "postgresql://a@b/c"}],
    }
    settings = watching.settings.model_copy(update={"watch": Watch.model_validate(lists)})
    both = replace(watching, settings=settings)
    for chosen, off in (("clickhouse:spare", {"postgresql"}), ("postgresql:main", {"clickhouse"}), ("all", set())):
        slots = plain(built(both, instance=chosen).slots)
        assert {id for id in slots if "fw-section-off" in str(slots[id])} == {
            f"database-{kind}-section-table" for kind in off
        }
