"""IQFeed: DTN's IQConnect, by what its admin port says of itself, its clients and its connection.

One admin connection is kept: IQConnect ends when its last client leaves, so a probe that comes and goes could stop
the feed. It costs IQConnect one client, which it sends one line a second and one for each client; and a minute four
short connections, one to each other port, which ask for the protocol, read the answer and leave.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from collectors.base import Context, gauges
from collectors.judging.checks import Check, checks_table, summed
from collectors.judging.market_hours import Market, market_soon
from collectors.kinds.iqfeed.judge import Judge, Port
from collectors.kinds.iqfeed.lines import GREETING, PROTOCOL, Heard, Stats, is_too_old
from collectors.net.reach import GRACE_SECONDS, Address, Deadline, Wire, connect, explained, garbage
from core.errors import SourceError, SourceRejected, SourceUnavailable
from core.format import count
from core.kinds.iqfeed.source import IqfeedSource
from core.model import Reading, Sample, Table
from core.rates import Rates

__all__ = ["IqfeedCollector", "make"]

DRAIN_SECONDS = 0.03
"""How long lines that have come already are read, after the statistics that were waited for."""
PROBE_SECONDS, LEAST_PROBE_SECONDS = 1.0, 0.1
PROBE_LINES = 200
SILENT_READINGS = 3
"""Readings without a line after which the connection is opened anew: not at once, we may be the last client."""
TABLE_ROWS = 100


def make(context: Context, source: IqfeedSource) -> IqfeedCollector:
    """Return the collector of one IQConnect."""
    return IqfeedCollector(source)


class IqfeedCollector:
    """Listens to one IQConnect over one kept connection."""

    def __init__(self, source: IqfeedSource, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.name = source.collector
        self.interval_seconds = source.interval_seconds
        self.timeout_seconds = source.timeout_seconds + GRACE_SECONDS
        self._source = source
        self._monotonic = monotonic
        self._address = Address(source.host, source.admin_port)
        self._wire: Wire | None = None
        self._heard = Heard()
        self._silent = 0
        self._judge = Judge()
        self._rates = Rates()
        self._ports: dict[str, Port] = {}
        self._ports_due: dict[str, float] = {}

    def collect(self, now: float) -> Reading:
        """Return the reading at `now`. A kept connection that was closed meanwhile is opened anew once."""
        deadline = Deadline(self._source.timeout_seconds)
        was_kept = self._wire is not None
        malformed = self._heard.malformed_count if was_kept else 0
        try:
            self._listen(deadline, now)
        except SourceUnavailable:
            if not was_kept or self._wire is not None:
                raise
            malformed = 0
            self._listen(deadline, now)
        return self._reading(deadline, self._heard.malformed_count - malformed, now)

    def _listen(self, deadline: Deadline, now: float) -> None:
        """Wait for statistics newer than those of the last reading, then read what else has come."""
        try:
            with explained(self._address, deadline.seconds):
                wire = self._opened(deadline)
                self._wait(wire, now)
                self._silent = 0
                self._drain(wire, now)
        except SourceRejected:
            self._close()
            raise
        except SourceUnavailable as error:
            self._after(error)
            raise self._as_source_error(error) from error
        except BaseException:
            self._close()
            raise

    def _opened(self, deadline: Deadline) -> Wire:
        if self._wire is None:
            self._heard = Heard()
            self._wire = connect(self._address, deadline)
            self._wire.deadline = deadline
            self._wire.send(GREETING)
        self._wire.deadline = deadline
        return self._wire

    def _wait(self, wire: Wire, now: float) -> None:
        before = self._heard.stats_count
        while self._heard.stats_count == before:
            known = self._heard.take(wire.line(), now)
            if not known and not self._heard.is_iqfeed:
                raise garbage(self._address, "IQFeed's admin port")
            if self._heard.protocol and is_too_old(self._heard.protocol):
                raise SourceRejected(
                    f"IQConnect at {self._address} is too old: it speaks protocol {self._heard.protocol}, we {PROTOCOL}"
                )

    def _drain(self, wire: Wire, now: float) -> None:
        wire.deadline = Deadline(DRAIN_SECONDS)
        try:
            while True:
                self._heard.take(wire.line(), now)
        except TimeoutError:
            return

    def _after(self, error: SourceUnavailable) -> None:
        """Close the connection, unless it is one that was good and only fell silent a moment ago."""
        self._silent += 1
        is_silence = isinstance(error.__cause__, TimeoutError) and self._heard.stats is not None
        if not is_silence or self._silent >= SILENT_READINGS:
            self._close()

    def _as_source_error(self, error: SourceUnavailable) -> SourceError:
        """Return why there are no statistics: what else was heard tells more than that time ran out."""
        heard = self._heard
        if not isinstance(error.__cause__, TimeoutError):
            return error
        if heard.stats is not None:
            seconds = self._source.timeout_seconds
            return SourceUnavailable(f"{self._address} is silent: no S,STATS for {seconds:g} s, one a second is due")
        if heard.refusal:
            return SourceRejected(f"IQConnect at {self._address} refuses protocol {PROTOCOL}: {heard.refusal}")
        if heard.malformed_count and not heard.is_level1:
            return SourceUnavailable(f"{self._address} sends malformed lines only ({heard.malformed_count})")
        if heard.is_level1 or heard.protocol:
            what = "is the Level 1 port" if heard.is_level1 else "speaks IQFeed but sends no statistics"
            return SourceRejected(f"{self._address} {what}: the admin port is needed, 9300 unless it was moved")
        return error

    def _reading(self, deadline: Deadline, malformed: int, now: float) -> Reading:
        stats = self._heard.stats
        assert stats is not None
        monotonic = self._monotonic()
        self._probe_ports(deadline, monotonic, now)
        hours = market_soon(self._source.calendar, now)
        clients = self._heard.clients
        checks = self._judge.checks(
            stats, clients, self._ports, tuple(self._heard.events), malformed, hours, monotonic, now
        )
        fine = f"connected, {count(stats.symbols, 'symbol')}, {count(stats.clients, 'client')}, {checks[2].why}"
        return Reading(
            samples=[*self._samples(stats, hours, monotonic, now), *self._port_samples()],
            components=[summed(self._source.component, fine, checks)],
            tables=[checks_table(checks), *self._tables(stats, hours, checks, now)],
        )

    def _samples(self, stats: Stats, hours: Market | None, monotonic: float, now: float) -> list[Sample]:
        def rate(name: str, value: float) -> float | None:
            return self._rates.per_second((name, stats.started), value, monotonic)

        values = {
            "iqfeed_connected": float(stats.is_connected),
            "iqfeed_update_age_seconds": stats.update_age_seconds,
            "iqfeed_symbols": float(stats.symbols),
            "iqfeed_symbols_limit": float(stats.max_symbols),
            "iqfeed_symbols_used_ratio": stats.symbols / stats.max_symbols if stats.max_symbols else None,
            "iqfeed_clients": float(stats.clients),
            "iqfeed_reconnections_10m": self._judge.reconnected,
            "iqfeed_receive_bytes_per_second": rate("received", stats.received_bytes),
            "iqfeed_transmit_bytes_per_second": rate("sent", stats.sent_bytes),
            "iqfeed_queued_bytes": max((each.queued_bytes for each in self._heard.clients), default=None),
            "iqfeed_malformed_lines_per_second": rate("malformed", float(self._heard.malformed_count)),
            "iqfeed_market_open": float(hours.is_open(now)) if hours else None,
        }
        return gauges(values, instance=self._source.name)

    def _port_samples(self) -> list[Sample]:
        found: list[Sample] = []
        for port in self._ports.values():
            values = {"iqfeed_port_up": float(not port.why), "iqfeed_port_seconds": port.seconds}
            found += gauges(values, instance=self._source.name, port=port.name)
        return found

    def _tables(self, stats: Stats, hours: Market | None, checks: list[Check], now: float) -> list[Table]:
        about = {
            "server": stats.server,
            "version": stats.version,
            "protocol": self._heard.protocol,
            "login": stats.login,
            "started": stats.started,
            "market_time": stats.market_time,
            "reconnections": stats.reconnections,
            "attempts": stats.attempts,
            "max_symbols": stats.max_symbols,
            "received_bytes": stats.received_bytes,
            "sent_bytes": stats.sent_bytes,
            "calendar": self._source.calendar,
            "is_open": hours.is_open(now) if hours else None,
            "next_open": hours.next_open(now) if hours else None,
        }
        clients = sorted(self._heard.clients, key=lambda each: (-each.queued_bytes, -each.symbols))
        return [
            Table("about", tuple(about), (tuple(about.values()),)),
            Table(
                "clients",
                ("client", "type", "name", "started", "symbols", "regional", "sent_bytes", "received_bytes",
                 "queued_bytes"),
                tuple(
                    (each.id, each.kind, each.name, each.started, each.symbols, each.regional_symbols,
                     each.sent_bytes, each.received_bytes, each.queued_bytes)
                    for each in clients[:TABLE_ROWS]
                ),
            ),
            Table(
                "ports",
                ("name", "port", "status", "seconds", "why", "ts"),
                tuple((p.name, p.port, "no" if p.why else "yes", p.seconds, p.why, p.ts) for p in self._ports.values()),
            ),
            Table(
                "events", ("ts", "event", "detail"),
                tuple((each.ts, each.name, each.detail) for each in reversed(self._heard.events)),
            ),
        ]  # fmt: skip

    def _probe_ports(self, deadline: Deadline, monotonic: float, now: float) -> None:
        """Look at the other ports that are due, while there is time; one that hangs costs a second a minute."""
        for name, number in self._source.ports.items():
            if monotonic < self._ports_due.get(name, 0.0):
                continue
            try:
                left = deadline.left()
            except TimeoutError:
                return
            if left < LEAST_PROBE_SECONDS:
                return
            self._ports_due[name] = monotonic + self._source.ports_seconds
            self._ports[name] = _probed(name, Address(self._source.host, number), min(left, PROBE_SECONDS), now)

    def _close(self) -> None:
        self._silent = 0
        if self._wire is not None:
            self._wire.close()
            self._wire = None


def _probed(name: str, address: Address, seconds: float, now: float) -> Port:
    """Return whether a port speaks IQFeed. Its greeting is read, so that no half-open client stays behind."""
    began = time.monotonic()
    try:
        why = _greeted(address, Deadline(seconds))
    except SourceError as error:
        return Port(name, address.port, now, None, str(error))
    return Port(name, address.port, now, time.monotonic() - began, why)


def _greeted(address: Address, deadline: Deadline) -> str:
    wire = connect(address, deadline)
    heard = Heard()
    try:
        with explained(address, deadline.seconds):
            wire.send(f"S,SET PROTOCOL,{PROTOCOL}\r\n".encode())
            for _ in range(PROBE_LINES):
                if not heard.take(wire.line(), 0.0) and not heard.is_iqfeed:
                    raise garbage(address, "IQFeed")
                if heard.protocol or heard.refusal:
                    break
    finally:
        wire.close()
    states = [event.name for event in heard.events if event.name.startswith("server ")]
    return f"says {states[-1]}" if states and states[-1] != "server connected" else heard.refusal
