"""A fund that is safe: a machine, a feed, a broker, an engine and two portfolios, and all of them can get worse."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from alerting.readiness.evaluator import Engine, Evaluator, readiness_states
from core.alerts.spec import ALERTS, FIRING, FiringAlert
from core.checks import Check
from core.clock import FakeClock
from core.kinds.ib.source import IbSource
from core.kinds.ib.spec import READY, ROUND_TRIP_SECONDS
from core.kinds.iqfeed.source import IqfeedSource
from core.kinds.iqfeed.spec import About
from core.kinds.registry import Watch
from core.model import Component, Reading, Sample, Status, labels
from core.settings.channels import Channels
from core.settings.limits import SetLimits
from core.settings.readiness import Readiness as Rules
from core.tables import table_of
from status.readiness import Readiness, readiness_of
from storage.state.alerts import KeptMessage, MessageStatus, add_messages
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.support import machine
from tests.support.api import put_daily

QUICK = Rules(steady_seconds=5)
"""For tests that are not about how long it takes to be safe again."""
NO_OTHERS = SetLimits()
FEED = {"connection": "connected", "login": "logged in as desk", "updates": "last update 1 s ago"}
BROKER = {"link": "connected to Interactive Brokers", "accounts": "live: U1"}


def safe_stores(
    stores: Stores, rules: Rules = QUICK, *, watch: Watch | None = None, limits: SetLimits = NO_OTHERS
) -> Stores:
    """Return stores with a feed, a broker and a channel set up, two portfolios, and a clock that tests move."""
    watched = watch or Watch(
        iqfeed=(IqfeedSource(name="main", host="127.0.0.1"),), ib=(IbSource(name="main", host="127.0.0.1"),)
    )
    channels = Channels.model_validate({"webhook": [{"name": "desk", "url": "http://127.0.0.1:9/"}]})
    changes: dict[str, Any] = {"watch": watched, "channels": channels, "readiness": rules, "limits": limits}
    found = replace(stores, settings=stores.settings.model_copy(update=changes), clock=FakeClock(time.time()))
    fund = Portfolio("own", "fund", "Fund", frequency="D", calendar="7-day")
    parts = [replace(fund, id=id, name=id.title(), parent="fund") for id in ("alpha", "beta")]
    put_portfolios(found.state, [fund, *parts])
    for each in parts:
        put_values(found, each.id, [100.0 + at for at in range(10)])
    return found


def put_values(stores: Stores, portfolio: str, values: list[float]) -> None:
    """Store a value a day, the last of today."""
    put_daily(stores, portfolio, values, end=int(stores.clock.now()))


class Fund:
    """What collectors, the engine and the channel say, and whoever looks whether it is safe."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.is_active = True
        self.has_ticked = True
        self.tick_age_seconds = 0.2
        self.problem = ""
        self.firing: list[FiringAlert] = []
        self.feed: dict[str, str] = {}
        """What is wrong with the feed, by check; also of the broker, the machine and the market."""
        self.broker: dict[str, str] = {}
        self.market_is_open = True
        self.round_trip_seconds = 0.02
        self.ahead_seconds = 0.0
        """How far the clock of whoever tells of alerts is ahead."""
        self.silent: set[str] = set()
        """What collectors tell nothing any more."""
        self.disk_used = 0.5
        self.clock_offset: float | None = 0.002
        self.clock_is_asked = True
        self.proven_ago: float | None = 60.0
        self.looks_at: Evaluator = self.started()

    def started(self) -> Evaluator:
        """Return whoever looks, as a process that has just started has him."""
        engine = Engine(
            lambda: self.is_active, lambda: self.has_ticked, lambda: self.tick_age_seconds, lambda: self.problem
        )
        self.states = readiness_states(self.stores)
        self.looks_at = Evaluator(self.stores, engine, self.states)
        self.proven = False
        self._due: dict[str, float] = {}
        return self.looks_at

    def goes_on(self, seconds: int = 1, until: Callable[[], bool] = lambda: False) -> int:
        """Let so many seconds go by, a look in each, or until something is so; return how many went by."""
        for gone in range(1, seconds + 1):
            clock = self.stores.clock
            assert isinstance(clock, FakeClock)
            clock.advance(1.0)
            self.tell()
            for probe in self.looks_at.probes:
                if clock.monotonic() >= self._due.get(probe.name, 0.0):
                    self._due[probe.name] = clock.monotonic() + probe.every_seconds
                    probe.step()
            if clock.monotonic() >= self._due.get("writer", 0.0):
                self._due["writer"] = clock.monotonic() + self.stores.settings.writer.flush_seconds
                self.stores.writer.flush()
            self.states.look()
            self.looks_at.step()
            if until():
                return gone
        return seconds

    @property
    def now(self) -> Readiness:
        return readiness_of(self.stores, self.stores.clock.now())

    @property
    def is_safe(self) -> bool:
        return self.now.whole.is_safe

    def why(self, portfolio: str = "") -> list[str]:
        answer = self.now.of(portfolio)
        assert not answer.is_safe
        return answer.reasons

    def becomes_safe(self, seconds: int = 60) -> int:
        """Let time go by until it is safe, and return how many seconds that took."""
        gone = self.goes_on(seconds, lambda: self.is_safe)
        assert self.is_safe, self.now.whole.reasons
        return gone

    def ahead(self, seconds: float) -> None:
        """Let whoever tells of alerts have a clock that is so far ahead."""
        self.ahead_seconds = seconds

    def tell(self) -> None:
        """Put the newest readings, as collectors and the engine do."""
        if not self.proven:
            self._deliver()
        for name, put in (
            ("system", self._system), ("alerts", self._alerts), ("iqfeed", self._feed), ("ib", self._broker),
        ):  # fmt: skip
            if name not in self.silent:
                put()

    def _put(self, collector: str, interval_seconds: float, reading: Reading, ahead: float = 0.0) -> None:
        now = self.stores.clock.now() + ahead
        self.stores.live.put_reading(collector, self.stores.settings.machine, now, interval_seconds, reading)

    def _system(self) -> None:
        read = machine.reading(self.stores.clock.now(), self.disk_used)
        told = [] if self.clock_is_asked else ["system_clock_synchronised"]
        samples = [each for each in read.samples if each.metric not in ("system_clock_offset_seconds", *told)]
        if self.clock_offset is not None and self.clock_is_asked:
            samples.append(Sample("system_clock_offset_seconds", self.clock_offset))
        self._put("system", 5.0, replace(read, samples=samples))

    def _alerts(self) -> None:
        urgent = sum(each.severity == "urgent" for each in self.firing)
        samples = [Sample(FIRING, float(urgent), labels(severity="urgent"))]
        told = Reading(samples, tables=[table_of(FiringAlert, self.firing)])
        self._put(ALERTS, 5.0, told, self.ahead_seconds)

    def _feed(self) -> None:
        status = Status.CRITICAL if self.feed else Status.OK
        checks = [
            Check(name, status if name in self.feed else Status.OK, self.feed.get(name, fine))
            for name, fine in FEED.items()
        ]
        opens = None if self.market_is_open else self.stores.clock.now() + 3_600
        about = About("", "", "", "", "", "", 0, 0, 0, 0.0, 0.0, "XNYS", self.market_is_open, opens)
        part = Component("IQFeed main", status, "; ".join(self.feed.values()) or "fine")
        self._put(
            "iqfeed:main", 5.0, Reading(components=[part], tables=[table_of(Check, checks), table_of(About, [about])])
        )

    def _broker(self) -> None:
        status = Status.WARNING if self.broker else Status.OK
        checks = [
            Check(name, status if name in self.broker else Status.OK, self.broker.get(name, fine))
            for name, fine in BROKER.items()
        ]
        values = {READY: 0.0 if "login" in self.broker else 1.0, ROUND_TRIP_SECONDS: self.round_trip_seconds}
        samples = [Sample(metric, value, labels(instance="main")) for metric, value in values.items()]
        part = Component("Interactive Brokers main", status, "; ".join(self.broker.values()) or "fine")
        self._put("ib:main", 5.0, Reading(samples, [part], [table_of(Check, checks)]))

    def _deliver(self) -> None:
        """Let the channel have delivered something a while ago."""
        self.proven = True
        if self.proven_ago is None:
            return
        at = self.stores.clock.now() - self.proven_ago
        message = KeptMessage(0, int(at * 1e3) % 2**31, "desk", "test", MessageStatus.SENT, at, at, "{}", done_at=at)
        with self.stores.state.begin() as connection:
            add_messages(connection, [message])


def alert(title: str, severity: str = "urgent", **of: str) -> FiringAlert:
    """Return an alert that fires, with these labels."""
    return FiringAlert(
        f"{title}{of}", title.lower(), title, severity, "trading", orjson.dumps(of).decode(), "firing", 0.0, 1.0, title,
        "", 1, "", False,
    )  # fmt: skip
