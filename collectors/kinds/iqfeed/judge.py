"""From what IQConnect says to checks: what is wrong with an IQFeed, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collectors.judging.checks import Check, bad_if, judged
from collectors.judging.market_hours import Market
from collectors.judging.recent import RECENT_SECONDS, Window
from collectors.kinds.iqfeed.lines import Stats
from core.format import bytes_, coarse_duration, count, noun, number, percent
from core.kinds.iqfeed import spec
from core.kinds.iqfeed.protocol import EventName
from core.kinds.iqfeed.spec import Checks, Client, Event, Port
from core.model import Status
from core.rates import Rates

LEVEL_1 = "Level 1"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a reading is judged by."""

    stats: Stats
    clients: Sequence[Client]
    ports: Sequence[Port]
    events: Sequence[Event]
    malformed: int
    """Malformed lines since the reading before."""
    hours: Market | None
    """None while they are not known, which counts as open."""


class Judge:
    """Remembers since when things have been as they are; one instance belongs to one source."""

    def __init__(self) -> None:
        self._disconnected_since: float | None = None
        self._queued_since: dict[str, float] = {}
        """By id of the client, monotonic seconds."""
        self._rates = Rates()
        self._reconnections = Window(spec.RECONNECTIONS_SECONDS)
        self._malformed = Window()
        self.reconnected = 0.0
        """Reconnections of the last ten minutes."""

    def checks(self, measured: Measured, monotonic: float, now: float) -> list[Check]:
        """Return every check of a reading."""
        stats = measured.stats
        step = self._rates.step(("reconnections", stats.started), float(stats.reconnections), monotonic)
        self.reconnected = self._reconnections.add("reconnections", step.change if step else 0.0, monotonic)
        signed_in = f"logged in as {stats.login}"
        return [
            self._connection(stats, monotonic),
            bad_if(Checks.LOGIN, not stats.login, "nobody is logged in", signed_in, Status.CRITICAL),
            _updates(stats, measured.hours, now),
            _symbols(stats, measured.events, now),
            self._flapping(stats, measured.events, now),
            self._queues(measured.clients, monotonic),
            _ports(measured.ports),
            self._lines(measured.malformed, monotonic),
        ]

    def _connection(self, stats: Stats, monotonic: float) -> Check:
        if stats.is_connected:
            self._disconnected_since = None
            return Check(Checks.CONNECTION, Status.OK, f"connected to {stats.server}")
        if self._disconnected_since is None:
            self._disconnected_since = monotonic
        for_ = monotonic - self._disconnected_since
        attempts = f", {count(stats.attempts, 'attempt')} to reconnect" if stats.attempts else ""
        why = f"IQConnect is not connected to DTN's servers for {coarse_duration(for_)}{attempts}"
        return judged(Checks.CONNECTION, for_, why, spec.DISCONNECTED)

    def _flapping(self, stats: Stats, events: Sequence[Event], now: float) -> Check:
        if spec.RECONNECTIONS.is_bad(self.reconnected):
            within = coarse_duration(spec.RECONNECTIONS_SECONDS)
            why = f"reconnected {count(self.reconnected, 'time')} within {within}"
            return judged(Checks.RECONNECTIONS, self.reconnected, why, spec.RECONNECTIONS)
        failed = _count(events, EventName.RECONNECT_FAILED, now)
        why = f"{count(failed, 'attempt')} to reconnect failed in the last minute"
        return bad_if(Checks.RECONNECTIONS, failed > 0, why, f"{number(stats.reconnections)} since the start")

    def _queues(self, clients: Sequence[Client], monotonic: float) -> Check:
        longest = max(clients, key=lambda each: each.queued_bytes, default=None)
        queued = [client for client in clients if spec.QUEUED.is_bad(client.queued_bytes)]
        self._queued_since = {client.id: self._queued_since.get(client.id, monotonic) for client in queued}
        lasting = [(client, monotonic - self._queued_since[client.id]) for client in queued]
        slow = [
            f"{client.title} ({bytes_(client.queued_bytes)} queued for {coarse_duration(for_)})"
            for client, for_ in lasting
            if spec.QUEUED_SECONDS.is_bad(for_)
        ]
        fine = f"longest queue {bytes_(longest.queued_bytes)}" if longest else "no client"
        return bad_if(Checks.CLIENTS, bool(slow), f"clients read too slowly: {', '.join(slow)}", fine)

    def _lines(self, malformed: int, monotonic: float) -> Check:
        recent = self._malformed.add("malformed", malformed, monotonic)
        why = f"{count(recent, 'malformed line')} in the last minute"
        return bad_if(Checks.LINES, recent > 0, why, "no malformed line")


def _updates(stats: Stats, hours: Market | None, now: float) -> Check:
    age = stats.update_age_seconds
    if hours is not None and not hours.is_open(now):
        opens = hours.next_open(now)
        when = f", {hours.name} opens in {coarse_duration(opens - now)}" if opens else ""
        return Check(Checks.UPDATES, Status.OK, f"market closed{when}")
    if not stats.symbols:
        return Check(Checks.UPDATES, Status.OK, "no symbol is watched")
    if hours is not None and (opened := hours.opened(now)) is not None:
        age = min(age, now - opened)  # before the opening there was nothing to come
    if not spec.UPDATE_AGE.is_bad(age):
        return Check(Checks.UPDATES, Status.OK, f"last update {coarse_duration(age)} ago")
    market = f"{hours.name} is open" if hours else "market hours not known yet"
    return judged(Checks.UPDATES, age, f"no update for {coarse_duration(age)} ({market})", spec.UPDATE_AGE)


def _symbols(stats: Stats, events: Sequence[Event], now: float) -> Check:
    if not stats.max_symbols:
        return Check(Checks.SYMBOLS, Status.OK, count(stats.symbols, "symbol"))
    share = stats.symbols / stats.max_symbols
    of = f"{number(stats.symbols)} of {count(stats.max_symbols, 'symbol')}"
    if refused := _count(events, EventName.SYMBOL_LIMIT, now):
        why = f"{count(refused, 'symbol')} refused in the last minute, {of} taken"
        return Check(Checks.SYMBOLS, Status.CRITICAL, why, share)
    return judged(Checks.SYMBOLS, share, f"{of} ({percent(share)})", spec.SYMBOLS, share)


def _ports(ports: Sequence[Port]) -> Check:
    bad = [port for port in ports if port.why]
    status = Status.CRITICAL if any(port.name == LEVEL_1 for port in bad) else Status.WARNING
    why = "; ".join(f"{port.name} port: {port.why}" for port in bad)
    fine = f"{count(len(ports), 'port')} {noun(len(ports), 'answers', 'answer')}"
    return bad_if(Checks.PORTS, bool(bad), why, fine, status)


def _count(events: Sequence[Event], name: EventName, now: float) -> int:
    return sum(event.event == name and now - event.ts <= RECENT_SECONDS for event in events)
