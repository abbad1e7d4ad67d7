"""The cache tab: what it says of sources that are well, in trouble, gone or not configured; and its actions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from collectors.kinds.redis.collector import RedisCollector
from collectors.runtime.actions import do_next
from collectors.runtime.publisher import Publisher
from core.clock import FakeClock
from core.format import axis_scale
from core.kinds.redis.source import RedisSource
from core.kinds.registry import Watch
from core.model import Component, Reading, SourceId, Status
from core.settings.collectors import Sources
from core.settings.model import Settings
from dashboard.sources.actions import NOT_ALLOWED, SWITCHED_OFF, ask
from dashboard.tabs.cache import CACHE, TAB
from dashboard.views.serialize import plain
from storage.state.actions import recent_actions
from storage.stores import Stores
from tests.support import views
from tests.support.redis_servers import RedisServer
from tests.support.views import OPERATOR

NOW = float(int(time.time()))
ALLOWED = {section.kind: section.actions for section in CACHE.sections}
built, shown = partial(views.built, TAB), partial(views.slot_text, "cache")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("server"), maxmemory="64mb") as started:
        yield started


@pytest.fixture
def watched(stores: Stores, server: RedisServer) -> Stores:
    """The stores, watching two servers: main is there, spare is not."""
    instances = [{"name": "main", "url": server.url}, {"name": "spare", "url": "redis://127.0.0.1:1"}]
    return _with(stores, watch=Watch.model_validate({"redis": instances}))


def _with(stores: Stores, **settings: Any) -> Stores:
    chosen = stores.settings.model_copy(update={"sources": Sources(own=False), **settings})
    return replace(stores, settings=chosen, clock=FakeClock(NOW))


def read(stores: Stores, server: RedisServer, at: float = NOW) -> Publisher:
    """Publish readings of main, and a failure of spare."""
    publisher = Publisher(stores.settings.machine, stores.writer, stores.live)
    source = RedisSource(name="main", url=SecretStr(server.url), timeout_seconds=5)
    publisher.succeeded(SourceId("redis", "main"), at, 5, RedisCollector(source).collect(at))
    publisher.failed(SourceId("redis", "spare"), at, 5, "nothing listens at 127.0.0.1:1 (connection refused)")
    stores.writer.flush()
    return publisher


def test_the_worst_comes_first_in_the_line_and_among_the_cards(watched: Stores, server: RedisServer) -> None:
    read(watched, server)
    view = built(watched)
    assert "Redis spare : nothing listens at 127.0.0.1:1 (connection refused)." in shown(view, "verdict")
    assert "1 fine" in shown(view, "verdict")
    cards = shown(view, "cards")
    assert cards.index("Redis spare") < cards.index("Redis main")


def test_of_several_the_line_tells_the_gravest_and_of_one_everything(watched: Stores, server: RedisServer) -> None:
    reasons = ("one", "two", "three; with a semicolon", "four", "five")
    told = Component("Redis spare", Status.CRITICAL, "; ".join(reasons), reasons=reasons)
    read(watched, server).succeeded(SourceId("redis", "spare"), NOW, 5, Reading(components=(told,)))
    assert "one; two; three; with a semicolon; 2 more." in shown(built(watched), "verdict")
    assert "semicolon; four; five." in shown(built(watched, instance="redis:spare"), "verdict")


def test_one_instance_alone_shows_what_it_consists_of(watched: Stores, server: RedisServer) -> None:
    with server.client() as client:
        client.set("k", "x")
    read(watched, server)
    view = built(watched, instance="redis:main")
    for title in ("Memory", "Hit rate", "PING", "Clients", "Persistence", "Replication"):
        assert title in shown(view, "cards")
    line = shown(view, "verdict")
    assert line.index("Redis main") < line.index("In trouble elsewhere: Redis spare"), "it is about the one shown"
    assert "nothing listens" not in line
    assert "db0" in shown(view, "redis-databases-table")
    assert "info" in shown(view, "redis-commands-table")
    assert len(view.figures["cache-redis-memory-graph"]["data"]) == 1


def test_a_source_that_went_keeps_its_last_tables_with_their_age(watched: Stores, server: RedisServer) -> None:
    publisher = read(watched, server, NOW - 60)
    publisher.failed(SourceId("redis", "main"), NOW, 5, "no answer within 2 s")
    view = built(watched, instance="redis:main")
    assert "no answer within 2 s" in shown(view, "verdict")
    for past in ("primary", "no look-ups now", "up "):
        assert past not in shown(view, "cards"), "a card claims nothing of what is not known"
    assert "info" in shown(view, "redis-commands-table")
    assert view.as_of["cache-redis-commands"] == NOW - 60
    assert view.as_of["cache-redis-memory"] == NOW
    watched.writer.flush()
    rows = watched.clickhouse.rows(
        "SELECT value FROM samples JOIN series USING series WHERE metric = 'redis_up' "
        "AND labels['instance'] = 'main' ORDER BY ts"
    )
    assert [value for (value,) in rows] == [1.0, 0.0]


def test_an_old_reading_is_unknown_never_fine(watched: Stores, server: RedisServer) -> None:
    read(watched, server, NOW - 60)
    view = built(watched, instance="redis:main")
    assert "status unknown: newest reading is 1 min old" in shown(view, "verdict")
    assert "unknown" in shown(view, "cards")


def test_what_is_not_configured_is_folded_with_the_lines_that_switch_it_on(stores: Stores) -> None:
    view = built(_with(stores))
    assert "Nothing is watched here yet" in shown(view, "verdict")
    folded = views.laid_out(TAB, _with(stores))
    assert "Not configured: Redis" in folded and "watch:\n  redis:\n    - {name: main" in folded


def test_an_action_goes_from_the_page_to_the_server_and_is_remembered(watched: Stores, server: RedisServer) -> None:
    allowed = _with(watched, watch=watched.settings.watch, actions_enabled=True)
    read(allowed, server)
    with server.client() as victim:
        number = victim.client_id()
        request = {"source": "redis:main", "action": "kill_client", "target": str(number)}
        assert ask(allowed, ALLOWED, OPERATOR, request) == "Asked for: kill client on Redis main."
        assert do_next(allowed) and not do_next(allowed)
        with server.client() as other:
            assert str(number) not in {each["id"] for each in other.client_list()}
    assert f"client {number} disconnected" in shown(built(allowed), "actions-table")


@pytest.mark.parametrize(
    "request_",
    [
        {"source": "redis:main", "action": "flushall", "target": ""},
        {"source": "redis:unknown", "action": "reset_slowlog", "target": ""},
        {"source": "postgresql:main", "action": "reset_slowlog", "target": ""},
        {"source": "redis:main", "action": "kill_client", "target": "1" * 501},
        {"source": ["redis:main"], "action": {}, "target": None},
        "reset_slowlog",
        None,
    ],
)
def test_nothing_else_can_be_asked_for(watched: Stores, request_: Any) -> None:
    allowed = _with(watched, watch=watched.settings.watch, actions_enabled=True)
    assert not ask(allowed, ALLOWED, OPERATOR, request_).startswith("Asked for")
    assert recent_actions(allowed.state, ("redis", "postgresql")) == []


def test_actions_are_off_until_the_settings_allow_them(watched: Stores, server: RedisServer) -> None:
    assert Settings().actions_enabled is False
    request = {"source": "redis:main", "action": "reset_slowlog", "target": ""}
    assert ask(watched, ALLOWED, OPERATOR, request) == SWITCHED_OFF
    with server.client() as client:
        client.set("k", "x")
    read(watched, server)
    button = _buttons(plain(built(watched).slots["cache-redis-databases-table"]))[0]
    assert button["aria-disabled"] == "true" and "data-act" not in button and button["title"] == NOT_ALLOWED


def _buttons(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [found for part in value for found in _buttons(part)]
    if not isinstance(value, dict):
        return []
    props = value.get("props", {})
    mine = [props] if "fw-act" in str(props.get("className", "")) else []
    return mine + _buttons(props.get("children"))


def test_units_follow_the_highest_value() -> None:
    assert axis_scale("bytes", 3 * 2**20) == (2.0**20, "MiB")
    assert axis_scale("seconds", 0.0004) == (1e-6, "µs")
    assert axis_scale("ratio", 0.5) == (0.01, "%")
    assert axis_scale("/s", 0.0) == (1.0, "/s")
    assert axis_scale("seconds", 0.0) == (1.0, "s")  # not microseconds of nothing


def test_a_failure_of_redis_itself_leaves_the_page_standing(watched: Stores, tmp_path: Path) -> None:
    from storage.live.redis import Live

    away = replace(watched, live=Live(f"unix://{tmp_path}/none.sock"))
    assert "no reading yet" in shown(built(away), "verdict")
