"""IQFeed: DTN's IQConnect, by what its admin port says of itself, its clients and its connection.

One admin connection is kept: IQConnect ends when its last client leaves, so a probe that comes and goes could stop
the feed. It costs IQConnect one client, which it sends one line a second and one for each client; and a minute four
short connections, one to each other port, which ask for the protocol, read the answer and leave.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from collectors.base import Context, gauges
from collectors.judging.checks import checks_table, summed
from collectors.judging.market_hours import Market, market_soon
from collectors.kinds.iqfeed.judge import Judge, Measured
from collectors.kinds.iqfeed.lines import GREETING, ConnectionState, Stats, is_too_old
from core.errors import SourceError, SourceRejected, SourceUnavailable
from core.format import count
from core.kinds.iqfeed import spec
from core.kinds.iqfeed.protocol import PROTOCOL, SERVER_EVENTS, SET_PROTOCOL, STATS, EventName
from core.kinds.iqfeed.source import IqfeedSource
from core.model import Reading, Sample, Table
from core.net.reach import GRACE_SECONDS, Address, Connection, Deadline, connect, explained, garbage
from core.rates import Rates
from core.tables import table_of

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
        self._connection: Connection | None = None
        self._state = ConnectionState()
        self._silent = 0
        self._has_told = False
        """Whether statistics ever came from there: then it is the admin port."""
        self._judge = Judge()
        self._rates = Rates()
        self._ports: dict[str, spec.Port] = {}
        self._ports_due: dict[str, float] = {}

    def collect(self, now: float) -> Reading:
        """Return the reading at `now`. A kept connection that was closed meanwhile is opened anew once."""
        deadline = Deadline(self._source.timeout_seconds)
        was_kept = self._connection is not None
        malformed = self._state.malformed_count if was_kept else 0
        try:
            self._listen(deadline, now)
        except SourceUnavailable:
            if not was_kept or self._connection is not None:
                raise
            malformed = 0
            self._listen(deadline, now)
        return self._reading(deadline, self._state.malformed_count - malformed, now)

    def _listen(self, deadline: Deadline, now: float) -> None:
        """Wait for statistics newer than those of the last reading, then read what else has come."""
        try:
            with explained(self._address, deadline.seconds):
                connection = self._opened(deadline)
                self._wait(connection, now)
                self._silent, self._has_told = 0, True
                self._drain(connection, now)
        except SourceRejected:
            self._close()
            raise
        except SourceUnavailable as error:
            self._after(error)
            raise self._as_source_error(error) from error
        except BaseException:
            self._close()
            raise

    def _opened(self, deadline: Deadline) -> Connection:
        if self._connection is None:
            self._state = ConnectionState()
            self._connection = connect(self._address, deadline)
            self._connection.deadline = deadline
            self._connection.send(GREETING)
        self._connection.deadline = deadline
        return self._connection

    def _wait(self, connection: Connection, now: float) -> None:
        before = self._state.stats_count
        while self._state.stats_count == before:
            known = self._state.take(connection.line(), now)
            if not known and not self._state.is_iqfeed:
                raise garbage(self._address, "IQFeed's admin port")
            if self._state.protocol and is_too_old(self._state.protocol):
                raise SourceRejected(
                    f"IQConnect at {self._address} is too old: it speaks protocol {self._state.protocol}, we {PROTOCOL}"
                )

    def _drain(self, connection: Connection, now: float) -> None:
        connection.deadline = Deadline(DRAIN_SECONDS)
        try:
            while True:
                self._state.take(connection.line(), now)
        except TimeoutError:
            return

    def _after(self, error: SourceUnavailable) -> None:
        """Close the connection, unless it is one that was good and only fell silent a moment ago."""
        self._silent += 1
        is_silence = isinstance(error.__cause__, TimeoutError) and self._state.stats is not None
        if not is_silence or self._silent >= SILENT_READINGS:
            self._close()

    def _as_source_error(self, error: SourceUnavailable) -> SourceError:
        """Return why there are no statistics: what else was heard tells more than that time ran out."""
        state = self._state
        if not isinstance(error.__cause__, TimeoutError):
            return error
        if state.stats is not None:
            seconds = self._source.timeout_seconds
            return SourceUnavailable(f"{self._address} is silent: no {STATS} for {seconds:g} s, one a second is due")
        if state.refusal:
            return SourceRejected(f"IQConnect at {self._address} refuses protocol {PROTOCOL}: {state.refusal}")
        if state.malformed_count and not state.is_level1:
            return SourceUnavailable(f"{self._address} sends malformed lines only ({state.malformed_count})")
        if self._has_told:
            return SourceUnavailable(f"{self._address} was connected to anew and sends no {STATS} yet")
        if state.is_level1 or state.protocol:
            what = "is the Level 1 port" if state.is_level1 else "speaks IQFeed but sends no statistics"
            return SourceRejected(f"{self._address} {what}: the admin port is needed, 9300 unless it was moved")
        return error

    def _reading(self, deadline: Deadline, malformed: int, now: float) -> Reading:
        stats = self._state.stats
        assert stats is not None
        monotonic = self._monotonic()
        self._probe_ports(deadline, monotonic, now)
        hours = market_soon(self._source.calendar, now)
        ports, events = tuple(self._ports.values()), tuple(self._state.events)
        measured = Measured(stats, self._state.clients, ports, events, malformed, hours)
        checks = self._judge.checks(measured, monotonic, now)
        updates = next(check for check in checks if check.name == spec.Checks.UPDATES)
        fine = f"connected, {count(stats.symbols, 'symbol')}, {count(stats.clients, 'client')}, {updates.why}"
        return Reading(
            samples=[*self._samples(stats, hours, monotonic, now), *self._port_samples()],
            components=[summed(self._source.component, fine, checks)],
            tables=[checks_table(checks), *self._tables(stats, hours, now)],
        )

    def _samples(self, stats: Stats, hours: Market | None, monotonic: float, now: float) -> list[Sample]:
        def rate(name: str, value: float) -> float | None:
            return self._rates.per_second((name, stats.started), value, monotonic)

        values = {
            spec.CONNECTED: float(stats.is_connected),
            spec.LAST_UPDATE: stats.update_age_seconds,
            spec.SYMBOLS_WATCHED: float(stats.symbols),
            spec.SYMBOLS_LIMIT: float(stats.max_symbols),
            spec.SYMBOLS_USED_RATIO: stats.symbols / stats.max_symbols if stats.max_symbols else None,
            spec.CLIENTS: float(stats.clients),
            spec.RECONNECTIONS_10M: self._judge.reconnected,
            spec.RECEIVE_RATE: rate(spec.RECEIVE_RATE, stats.received_bytes),
            spec.TRANSMIT_RATE: rate(spec.TRANSMIT_RATE, stats.sent_bytes),
            spec.QUEUED_MOST: max((each.queued_bytes for each in self._state.clients), default=None),
            spec.MALFORMED_RATE: rate(spec.MALFORMED_RATE, float(self._state.malformed_count)),
            spec.MARKET_OPEN: float(hours.is_open(now)) if hours else None,
        }
        return gauges(values, instance=self._source.name)

    def _port_samples(self) -> list[Sample]:
        found: list[Sample] = []
        for port in self._ports.values():
            values = {spec.PORT_UP: float(not port.why), spec.PORT_SECONDS: port.seconds}
            found += gauges(values, instance=self._source.name, port=port.name)
        return found

    def _tables(self, stats: Stats, hours: Market | None, now: float) -> list[Table]:
        about = spec.About(
            server=stats.server,
            version=stats.version,
            protocol=self._state.protocol,
            login=stats.login,
            started=stats.started,
            market_time=stats.market_time,
            reconnections=stats.reconnections,
            attempts=stats.attempts,
            max_symbols=stats.max_symbols,
            received_bytes=stats.received_bytes,
            sent_bytes=stats.sent_bytes,
            calendar=self._source.calendar,
            is_open=hours.is_open(now) if hours else None,
            next_open=hours.next_open(now) if hours else None,
        )
        clients = sorted(self._state.clients, key=lambda each: (-each.queued_bytes, -each.symbols))
        return [
            table_of(spec.About, [about]),
            table_of(spec.Client, clients[:TABLE_ROWS]),
            table_of(spec.Port, self._ports.values()),
            table_of(spec.Event, reversed(self._state.events)),
        ]

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
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _probed(name: str, address: Address, seconds: float, now: float) -> spec.Port:
    """Return whether a port speaks IQFeed. Its greeting is read, so that no half-open client stays behind."""
    began = time.monotonic()
    try:
        why = _greeted(address, Deadline(seconds))
    except SourceError as error:
        return spec.Port(name, address.port, None, str(error), now)
    return spec.Port(name, address.port, time.monotonic() - began, why, now)


def _greeted(address: Address, deadline: Deadline) -> str:
    """Return what is wrong with a port; empty when nothing is."""
    connection = connect(address, deadline)
    state = ConnectionState()
    try:
        with explained(address, deadline.seconds):
            connection.send(f"{SET_PROTOCOL}\r\n".encode())
            for _ in range(PROBE_LINES):
                if not state.take(connection.line(), 0.0) and not state.is_iqfeed:
                    raise garbage(address, "IQFeed")
                if state.protocol or state.refusal:
                    break
    finally:
        connection.close()
    said = [event.event for event in state.events if event.event in SERVER_EVENTS]
    return f"says {said[-1]}" if said and said[-1] != EventName.CONNECTED else state.refusal
