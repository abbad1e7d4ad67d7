"""IQFeed and Interactive Brokers on the pipeline tab: what a person reads when they are well, in trouble, gone."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from collectors.judging.market_hours import market
from collectors.kinds.freshness.collector import FreshnessCollector
from collectors.kinds.freshness.queries import Minute
from collectors.kinds.heartbeat.collector import HeartbeatCollector
from collectors.kinds.ib.collector import IbCollector
from collectors.kinds.iqfeed.collector import IqfeedCollector
from collectors.runtime.publisher import Publisher
from core.clock import FakeClock
from core.kinds.registry import Watch
from core.model import SourceId
from core.settings.collectors import Sources
from core.settings.model import Settings
from dashboard.tabs.pipeline import TAB
from storage.state.pings import Ping
from storage.stores import Stores
from tests.support import views
from tests.support.application import create_app
from tests.support.ib_player import Gateway
from tests.support.iqfeed_player import Fields, IqConnect

NOW = float(int(time.time()))
built, shown = partial(views.built, TAB), partial(views.slot_text, "pipeline-sources")


@pytest.fixture
def feed() -> Iterator[IqConnect]:
    with IqConnect() as playing:
        yield playing


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as playing:
        yield playing


@pytest.fixture
def watched(stores: Stores, feed: IqConnect, gateway: Gateway) -> Stores:
    """The stores, watching one of each in a market that never closes."""
    lists = {
        "iqfeed": [{"name": "ticks", "calendar": "24/7", "timeout_seconds": 3, **feed.settings}],
        "ib": [{"name": "live", "port": gateway.port, "calendar": "24/7", "reset_windows": []}],
    }
    chosen = {"watch": Watch.model_validate(lists), "sources": Sources(own=False)}
    return replace(stores, settings=stores.settings.model_copy(update=chosen), clock=FakeClock(NOW))


@pytest.fixture
def collectors(watched: Stores) -> list[Any]:
    return [IqfeedCollector(watched.settings.watch.iqfeed[0]), IbCollector(watched.settings.watch.ib[0])]


def read(stores: Stores, collectors: list[Any], at: float = NOW) -> Publisher:
    publisher = Publisher(stores.settings.machine, stores.writer, stores.live)
    for collector in collectors:
        publisher.succeeded(SourceId.parse(collector.name), at, collector.interval_seconds, collector.collect(at))
    stores.writer.flush()
    return publisher


def fetched(stores: Stores, name: str) -> str:
    """Return the text of a table that is fetched when it comes into view."""
    answer = create_app(stores, (TAB,)).server.test_client().get(f"/pipeline-sources/table/{name.replace('-', '/', 1)}")
    assert answer.status_code == 200
    return " ".join(re.sub("<[^>]+>", " ", html.unescape(answer.text)).split())


def test_what_is_well_is_told_with_its_figures(watched: Stores, collectors: list[Any], feed: IqConnect) -> None:
    read(watched, collectors, NOW - 5)
    feed.script.stats.total_received += 500
    time.sleep(0.1)
    read(watched, collectors)
    view = built(watched)
    assert "All 2 fine" in shown(view, "verdict")
    assert "IQFeed ticks" in shown(view, "cards") and "ready, live: U1234567" in shown(view, "cards")
    assert "ticks Level 1 120" in fetched(watched, "iqfeed-clients")
    assert "derivative" in fetched(watched, "iqfeed-ports-list")
    assert "120 of 500 symbols (24.0 %)" in shown(view, "iqfeed-checks-table")
    assert "usfarm market data ok" in shown(view, "ib-farms-table")
    assert "AAPL STK BUY 100" in fetched(watched, "ib-orders")
    assert "1 250 000" in fetched(watched, "ib-accounts")
    assert "Interactive Brokers" in shown(view, "ib-section-table")
    for chart in ("iqfeed-traffic", "iqfeed-ports", "ib-round-trip", "ib-link", "ib-orders-open"):
        assert any(line.get("y") for line in view.figures[f"pipeline-sources-{chart}-graph"]["data"]), chart


def test_trouble_is_the_verdict_and_the_worst_check_stands_first(
    watched: Stores, collectors: list[Any], feed: IqConnect, gateway: Gateway
) -> None:
    read(watched, collectors, NOW - 5)
    feed.script.stats = Fields(update_age="240", symbols="490")
    gateway.tell(1100, "Connectivity between IB and Trader Workstation has been lost.")
    gateway.tell(2103, "Market data farm connection is broken:usfarm")
    time.sleep(0.2)
    read(watched, collectors)
    view = built(watched)
    verdict = shown(view, "verdict")
    assert "no update for 4 min (24/7 is open)" in verdict and "490 of 500 symbols" in verdict
    assert "the gateway has lost Interactive Brokers for" in verdict
    assert shown(view, "ib-checks-table").index("link") < shown(view, "ib-checks-table").index("accounts")
    assert "1100 error Connectivity between IB" in fetched(watched, "ib-coded")


def test_what_is_gone_keeps_its_tables_and_claims_nothing(watched: Stores, collectors: list[Any]) -> None:
    read(watched, collectors, NOW - 10)
    time.sleep(0.2)
    publisher = read(watched, collectors, NOW - 5)
    publisher.failed(SourceId("iqfeed", "ticks"), NOW, 5, "nothing listens at 127.0.0.1:9300 (connection refused)")
    publisher.failed(SourceId("ib", "live"), NOW, 10, "127.0.0.1:4001 closed the connection")
    view = built(watched)
    assert "nothing listens at 127.0.0.1:9300" in shown(view, "verdict")
    assert "Status unknown: no recent reading." in shown(view, "iqfeed-checks-table")
    assert "ticks Level 1" in fetched(watched, "iqfeed-clients")
    assert "–" in shown(view, "cards")


def test_what_is_not_configured_is_folded_with_the_lines_that_switch_it_on(stores: Stores) -> None:
    folded = views.laid_out(TAB, stores)
    assert "Not configured: IQFeed, Interactive Brokers" in folded
    assert "{name: live, host: 127.0.0.1, port: 4001}" in folded
    Settings(watch=Watch.model_validate({"ib": [{"name": "live", "port": 4001}], "iqfeed": [{"name": "main"}]}))


class Rowless:
    """A table whose rows stopped ten minutes ago."""

    def minutes(self, _deadline: object) -> list[Minute]:
        return [Minute(NOW // 60 * 60 - 600, 30, NOW - 600)]

    def newest(self, _deadline: object, _after: float | None) -> float | None:
        return NOW - 600

    def symbols(self, _deadline: object, _since: float) -> list[tuple[str, float]]:
        return [("AAPL", NOW - 7_200)]

    def close(self) -> None:
        return


def test_a_table_that_is_late_and_a_job_that_is_short_of_rows(stores: Stores) -> None:
    lists = {
        "freshness": [{"name": "us-ticks", "table": "market.ticks", "symbol": "symbol", "rows_per_minute": 20}],
        "heartbeat": [{"name": "bars", "token": "a-token-of-a-job", "expected_rows": 4_000}],
    }
    chosen = {"watch": Watch.model_validate(lists), "sources": Sources(own=False)}
    stores = replace(stores, settings=stores.settings.model_copy(update=chosen), clock=FakeClock(NOW))
    pings = [Ping(NOW - 30, "success", rows=50, expected=90), Ping(NOW - 90, "start"), Ping(NOW - 900, "fail")]
    read(stores, [
        FreshnessCollector(stores.settings.watch.freshness[0], Rowless()),
        HeartbeatCollector(stores.settings.watch.heartbeat[0], lambda: pings),
    ])  # fmt: skip
    view = built(stores)
    assert "newest row of market.ticks is 10 min old" in shown(view, "verdict")
    assert "critical us-ticks" in shown(view, "freshness-feeds-table")
    assert "24/7 open" in shown(view, "freshness-feeds-table") and "0 of 20" in shown(view, "freshness-feeds-table")
    assert "us-ticks" in shown(view, "freshness-gaps-table")
    assert "us-ticks AAPL 2 h" in shown(view, "freshness-symbols-table")
    assert "the last success brought 50 of 90 rows" in shown(view, "verdict")
    assert "50 of 90" in shown(view, "heartbeat-jobs-table") and "1 of 2" in shown(view, "heartbeat-jobs-table")
    assert shown(view, "heartbeat-runs-table").count("bars") == 2


def test_a_weekend_is_no_trouble(watched: Stores, collectors: list[Any], feed: IqConnect) -> None:
    source = watched.settings.watch.iqfeed[0].model_copy(update={"calendar": "XNYS"})
    today = datetime.fromtimestamp(NOW, UTC).replace(hour=16, minute=0, second=0)
    saturday = (today - timedelta(days=(today.weekday() + 2) % 7)).timestamp()
    market("XNYS", saturday)
    feed.script.stats.update_age = "90000"
    time.sleep(0.1)
    component = IqfeedCollector(source).collect(saturday).components[0]
    assert component.status.value == "ok" and "market closed, XNYS opens in" in component.why
