"""From what IQConnect says to checks: what is wrong with an IQFeed, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collectors.judging.checks import Check, bad_if
from collectors.judging.market_hours import Market
from collectors.judging.recent import Window
from collectors.kinds.iqfeed.lines import ClientStats, Event, Stats
from core.format import bytes_, coarse_duration, count, number, percent
from core.limits import Limit
from core.model import Status
from core.rates import Rates

DISCONNECTED_CRITICAL_SECONDS = 10.0
UPDATE_WARNING_SECONDS, UPDATE_CRITICAL_SECONDS = 15.0, 60.0
FLAPPING_SECONDS, FLAPPING_COUNT = 600.0, 3
QUEUED_BYTES, QUEUED_SECONDS = 1_000 * 1_024, 30.0
SYMBOLS_WARNING = 0.95
TOLD_SECONDS = 60.0
LEVEL_1 = "Level 1"


@dataclass(frozen=True, slots=True)
class Port:
    """What the last look at one of the other ports found."""

    name: str
    port: int
    ts: float
    seconds: float | None
    """Time to its answer; None when it gave none."""
    why: str
    """What was wrong; empty when nothing was."""


class Judge:
    """Remembers since when things have been as they are; one instance belongs to one source."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._rates = Rates()
        self._reconnections = Window(FLAPPING_SECONDS)
        self._malformed = Window(TOLD_SECONDS)
        self.reconnected = 0.0
        """Reconnections of the last ten minutes."""

    def checks(
        self,
        stats: Stats,
        clients: Sequence[ClientStats],
        ports: Mapping[str, Port],
        events: Sequence[Event],
        malformed: int,
        hours: Market | None,
        monotonic: float,
        now: float,
    ) -> list[Check]:
        """Return every check of a reading. hours: None while they are not known, which counts as open."""
        step = self._rates.step(("reconnections", stats.started), float(stats.reconnections), monotonic)
        self.reconnected = self._reconnections.add("reconnections", step.change if step else 0.0, monotonic)
        return [
            self._connection(stats, monotonic),
            bad_if("login", not stats.login, "nobody is logged in", f"as {stats.login}", Status.CRITICAL),
            _updates(stats, hours, now),
            _symbols(stats, events, now),
            self._flapping(stats, events, now),
            self._queues(clients, monotonic),
            _ports(ports),
            self._lines(malformed, monotonic),
        ]

    def _connection(self, stats: Stats, monotonic: float) -> Check:
        for_ = self._holds("disconnected", not stats.is_connected, monotonic)
        if stats.is_connected:
            return Check("connection", Status.OK, f"connected to {stats.server}")
        status = Status.CRITICAL if for_ >= DISCONNECTED_CRITICAL_SECONDS else Status.WARNING
        attempts = f", {count(stats.attempts, 'attempt')} to reconnect" if stats.attempts else ""
        why = f"IQConnect is not connected to DTN's servers for {coarse_duration(for_)}{attempts}"
        return Check("connection", status, why)

    def _flapping(self, stats: Stats, events: Sequence[Event], now: float) -> Check:
        if self.reconnected >= FLAPPING_COUNT:
            why = f"reconnected {count(self.reconnected, 'time')} within 10 minutes"
            return Check("reconnections", Status.WARNING, why)
        failed = _count(events, "server reconnect failed", now)
        return bad_if(
            "reconnections", failed > 0, f"{count(failed, 'attempt')} to reconnect failed in the last minute",
            f"{number(stats.reconnections)} since the start",
        )  # fmt: skip

    def _queues(self, clients: Sequence[ClientStats], monotonic: float) -> Check:
        longest = max(clients, key=lambda each: each.queued_bytes, default=None)
        slow = []
        for client in clients:
            for_ = self._holds(f"queue {client.id}", client.queued_bytes > QUEUED_BYTES, monotonic)
            if for_ >= QUEUED_SECONDS:
                slow.append(f"{_named(client)} ({bytes_(client.queued_bytes)} queued for {coarse_duration(for_)})")
        present = {f"queue {client.id}" for client in clients}
        gone = [name for name in self._since if name.startswith("queue ") and name not in present]
        for name in gone:
            del self._since[name]
        fine = f"longest queue {bytes_(longest.queued_bytes)}" if longest else "no client"
        return bad_if("clients", bool(slow), f"clients read too slowly: {', '.join(slow)}", fine)

    def _lines(self, malformed: int, monotonic: float) -> Check:
        recent = self._malformed.add("malformed", malformed, monotonic)
        why = f"{count(recent, 'malformed line')} in the last minute"
        return bad_if("lines", recent > 0, why, "none malformed")

    def _holds(self, name: str, holds: bool, monotonic: float) -> float:
        """Return for how long something has held; 0 when it does not."""
        if not holds:
            self._since.pop(name, None)
            return 0.0
        return monotonic - self._since.setdefault(name, monotonic)


def _updates(stats: Stats, hours: Market | None, now: float) -> Check:
    age = stats.update_age_seconds
    if hours is not None and not hours.is_open(now):
        opens = hours.next_open(now)
        when = f", {hours.name} opens in {coarse_duration(opens - now)}" if opens else ""
        return Check("updates", Status.OK, f"market closed{when}")
    if not stats.symbols:
        return Check("updates", Status.OK, "no symbol is watched")
    if hours is not None and (opened := hours.opened(now)) is not None:
        age = min(age, now - opened)  # before the opening there was nothing to come
    market = f"{hours.name} is open" if hours else "market hours not known yet"
    why = f"no update for {coarse_duration(age)} ({market})"
    if age > UPDATE_CRITICAL_SECONDS:
        return Check("updates", Status.CRITICAL, why)
    return bad_if("updates", age > UPDATE_WARNING_SECONDS, why, f"last update {coarse_duration(age)} ago")


def _symbols(stats: Stats, events: Sequence[Event], now: float) -> Check:
    if not stats.max_symbols:
        return Check("symbols", Status.OK, count(stats.symbols, "symbol"))
    share = stats.symbols / stats.max_symbols
    of = f"{number(stats.symbols)} of {count(stats.max_symbols, 'symbol')}"
    if refused := _count(events, "symbol limit reached", now):
        why = f"{count(refused, 'symbol')} refused in the last minute, {of} taken"
        return Check("symbols", Status.CRITICAL, why, share)
    return Check("symbols", Limit(SYMBOLS_WARNING).status(share), f"{of} ({percent(share)})", share)


def _ports(ports: Mapping[str, Port]) -> Check:
    bad = [port for port in ports.values() if port.why]
    status = Status.CRITICAL if any(port.name == LEVEL_1 for port in bad) else Status.WARNING
    why = "; ".join(f"{port.name} port: {port.why}" for port in bad)
    return bad_if("ports", bool(bad), why, f"{len(ports)} answer", status)


def _named(client: ClientStats) -> str:
    return client.name or f"{client.kind} client {client.id}"


def _count(events: Sequence[Event], name: str, now: float) -> int:
    return sum(event.name == name and now - event.ts <= TOLD_SECONDS for event in events)
