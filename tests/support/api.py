"""The API over real stores: a client, and something of everything that it tells of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flask import Flask, Request
from flask.testing import FlaskClient

import api
from access.viewer import Viewer
from core.alerts.matchers import read_matchers
from core.alerts.silence import Silence, Window
from core.clock import SystemClock
from core.kinds.heartbeat.source import HeartbeatSource
from core.kinds.http.source import HttpSource
from core.kinds.registry import Watch
from core.model import Component, Facts, Reading, Sample, Status, labels
from core.pipeline.health import SCORE
from core.pipeline.spec import CollectorRuns
from core.roles import Role
from core.tables import table_of
from dashboard.factory import create_app
from storage.state.events import Event, add_event
from storage.state.portfolios import Portfolio, put_portfolios
from storage.state.series import Blend, put_blend
from storage.state.silences import add_silence, add_window
from storage.stores import Stores
from tests.support import machine
from tests.support.alerting import STORM, Alerting
from tests.support.frame import DEMO

DAY = 86_400
READER = Viewer("ana", Role.VIEWER)
ADMIN = Viewer("root", Role.ADMIN)
LIMITED = Viewer("lee", Role.VIEWER, portfolios=frozenset({"beta"}))


def server_of(stores: Stores, who: Callable[[], Viewer | None]) -> Flask:
    """Return the application with the API; everybody who asks is `who` returns, None: nobody has signed in."""

    def find(_request: Request) -> Viewer | None:
        return who()

    server: Flask = create_app(stores, pages=(DEMO,), find_viewer=find, mounts=[api.install]).server
    return server


def client_of(stores: Stores, viewer: Viewer | None = READER) -> FlaskClient:
    """Return a client of it."""
    return server_of(stores, lambda: viewer).test_client()


def watching(stores: Stores) -> Stores:
    """Return the stores with a watched web service and a job, by the machine's clock."""
    watch = Watch(
        http=(HttpSource(name="orders", url="http://127.0.0.1:9"),),
        heartbeat=(HeartbeatSource(name="nightly", token="t" * 24, period_seconds=60.0),),
    )
    settings = stores.settings.model_copy(update={"watch": watch})
    return replace(stores, settings=settings, clock=SystemClock())


def put_daily(stores: Stores, portfolio: str, values: list[float], *, end: int, origin: str = "own") -> None:
    """Store a value a day, the last on the day of `end` (epoch seconds)."""
    first = end // DAY * DAY - (len(values) - 1) * DAY
    days = [first + n * DAY for n in range(len(values))]
    flows = [0.0] * len(values)
    columns = ("origin", "portfolio", "ts", "nav", "flow", "version")
    data = ([origin] * len(days), [portfolio] * len(days), days, values, flows, [1] * len(days))
    stores.clickhouse.insert(Facts("nav", columns, data))
    stores.live.bump("portfolio")


def put_trades(stores: Stores, portfolio: str, numbers: range, *, at: int) -> None:
    """Store trades, a second apart, the first at `at`."""
    many = len(numbers)
    columns = (
        "origin", "portfolio", "trade_id", "order_id", "ts", "instrument", "side", "quantity", "price", "commission",
        "version",
    )  # fmt: skip
    data = (
        ["own"] * many, [portfolio] * many, [f"t{n:05}" for n in numbers], [f"o{n:05}" for n in numbers],
        [(at + n) * 1_000_000 for n in numbers],
        ["ACME"] * many, ["buy"] * many, [10.0] * many, [100.25] * many, [0.5] * many,
        [1] * many,
    )  # fmt: skip
    stores.clickhouse.insert(Facts("trades", columns, data))


def collector_row(name: str, now: float) -> CollectorRuns:
    """Return the row of a collector that runs well."""
    return CollectorRuns(
        name, "", "", "ok", "every 5 s", 5.0, 3.0, now - 3, "ok", now - 3, now + 2, 0.02, [0.02], 0.01, 0, "closed",
        None, 0, 0, 90, "",
    )  # fmt: skip


def fill(stores: Stores) -> None:
    """Store a little of everything: a machine, a service, a fund of two parts, prices, trades, orders, positions."""
    now = stores.clock.now()
    machine.show(stores, now)
    own = Reading(
        samples=[Sample("pipeline_spool_rows", 0.0), Sample("process_threads", float("nan"))],
        components=[Component("spool", Status.OK, "nothing waiting on disk", 0.0, "ratio")],
        tables=[table_of(CollectorRuns, [collector_row("system", now)])],
    )
    stores.live.put_reading("pipeline", stores.settings.machine, now, 5.0, own)
    stores.writer.put(stores.settings.machine, now - 60, [Sample(SCORE, 90.0)])
    web = Reading(
        samples=[Sample("http_up", 1.0, labels(instance="orders"))],
        components=[Component("HTTP orders", Status.WARNING, "slow: 2 s", 2.0, "seconds")],
    )
    stores.live.put_reading("http:orders", stores.settings.machine, now - 1, 5.0, web)
    for dataset in ("system", "pipeline", "http", "http:orders"):
        stores.live.bump(dataset)
    put_portfolios(
        stores.state,
        [
            Portfolio("own", "fund", "Fund", currency="EUR"),
            Portfolio("own", "alpha", "Alpha", parent="fund", currency="EUR", benchmark="INDEX", management_fee="1"),
            Portfolio("own", "beta", "Beta", parent="fund", currency="EUR"),
        ],
    )
    blend = Blend("own", "60/40", "60/40", (("INDEX", 60.0), ("CASH", 40.0)))
    put_blend(stores.state, blend)
    end = int(now)
    put_daily(stores, "alpha", [100 + (n * 37 % 19) - 0.01 * n for n in range(400)], end=end)
    put_daily(stores, "beta", [200 + (n * 23 % 17) for n in range(40)], end=end)
    days = [end // DAY * DAY - (399 - n) * DAY for n in range(400)]
    prices = ["own"] * 400, ["INDEX"] * 400, days, [50 + (n * 31 % 23) for n in range(400)], [1] * 400
    stores.clickhouse.insert(Facts("prices", ("origin", "instrument", "ts", "price", "version"), prices))
    made_of = ["own"], ["INDEX"], [days[0]], ["INDEX"], [1.0], [1]
    columns = ("origin", "benchmark", "ts", "instrument", "weight", "version")
    stores.clickhouse.insert(Facts("benchmark_weights", columns, made_of))
    put_trades(stores, "alpha", range(12), at=end - 100)
    held = (["own"] * 2, ["alpha"] * 2, [end - 60] * 2, ["ACME", "CASH"], [10.0, 50.0], [100.0, 1.0], [1000.0, 50.0])
    columns = ("origin", "portfolio", "ts", "instrument", "quantity", "price", "market_value", "version")
    stores.clickhouse.insert(Facts("positions", columns, (*held, [1] * 2)))
    columns = (
        "origin", "portfolio", "order_id", "ts", "instrument", "side", "quantity", "order_type", "limit_price",
        "decision_price", "status", "version",
    )  # fmt: skip
    ordered = (
        ["own"], ["alpha"], ["o1"], [(end - 120) * 1_000_000], ["ACME"], ["buy"], [10.0], ["limit"], [None], [99.5],
        ["filled"], [1],
    )  # fmt: skip
    stores.clickhouse.insert(Facts("orders", columns, ordered))
    stores.writer.put(stores.settings.machine, now - 30, machine.samples(now - 30))
    stores.writer.put(stores.settings.machine, now - 15, machine.samples(now - 15))
    stores.writer.flush()
    stores.live.bump("portfolio")
    Alerting(stores).finds(STORM)
    quiet = read_matchers('host="a"')
    add_silence(stores.state, Silence(quiet, now - 10, now + 3_600, "new disks", "ana", now))
    add_window(stores.state, Window("disks", quiet, now - 10, now + 3_600, "new disks", "ana", now))
    with stores.state.begin() as connection:
        add_event(connection, Event(now - 30, None, "Gateway 4.2", tags=("deploy",), portfolio="own:alpha", who="ana"))


class Standing:
    """A clock that stands."""

    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now
