"""Interactive Brokers: the gateway (IB Gateway or TWS), its link to IB, data farms, round trip, errors, open orders.

A TCP connection proves nothing, nor does a handshake: a gateway is ready when it has told the next order id and the
accounts. One connection with a client id of its own is kept. It costs the gateway one request a reading (current
time), one a minute (all open orders) and one subscription to the account summary, of the 50 messages a second that
IB takes from all clients together.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from collectors.base import Context, gauges
from collectors.judging.checks import Check, checks_table, summed
from collectors.judging.market_hours import market_soon
from collectors.judging.recent import Window
from collectors.kinds.ib import connection as wire
from collectors.kinds.ib.judge import Seen, judge, lowered, reset_until
from collectors.kinds.ib.state import ID_IN_USE, Told, event_of, new_events
from collectors.kinds.ib.tables import tables
from collectors.net.reach import GRACE_SECONDS, Address, Deadline, explained, garbage
from core.errors import SourceRejected, SourceUnavailable
from core.format import duration
from core.kinds.ib.source import IbSource
from core.model import Reading, Sample, Status
from core.rates import Rates

__all__ = ["IbCollector", "make"]

ORDERS_SECONDS = 60.0
FLAPPING_SECONDS = 600.0
UNREADY_READINGS = 3
"""Readings without login after which the connection is made anew: some gateways never tell one made before it."""
SUMMARY_ID = 9_001
SUMMARY_TAG = "NetLiquidation"
ROUND_TRIPS = 60


def make(context: Context, source: IbSource) -> IbCollector:
    """Return the collector of one gateway."""
    return IbCollector(source)


class IbCollector:
    """Watches one gateway over one kept connection."""

    def __init__(self, source: IbSource, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.name = source.collector
        self.interval_seconds = source.interval_seconds
        self.timeout_seconds = source.timeout_seconds + GRACE_SECONDS
        self._source = source
        self._monotonic = monotonic
        self._address = Address(source.host, source.port, tls=source.tls, ca_file=source.ca_file)
        self._session: wire.Session | None = None
        self._told = Told()
        self._events = new_events()
        self._rates = Rates()
        self._round_trips: deque[float] = deque(maxlen=ROUND_TRIPS)
        self._reconnections = Window(FLAPPING_SECONDS)
        self._sessions = 0
        self._lost_sessions = 0
        self._today = (datetime.min.date(), 0)
        self._unready = 0
        self._orders_due = 0.0

    def collect(self, now: float) -> Reading:
        """Return the reading at `now`. A kept connection that was closed meanwhile is opened anew once."""
        deadline = Deadline(self._source.timeout_seconds)
        was_kept = self._session is not None
        try:
            return self._attempt(deadline, now)
        except SourceUnavailable as error:
            if not was_kept or isinstance(error.__cause__, TimeoutError):
                raise self._in_context(error, now) from error
        try:
            return self._attempt(deadline, now)
        except SourceUnavailable as error:
            raise self._in_context(error, now) from error

    def _attempt(self, deadline: Deadline, now: float) -> Reading:
        try:
            with explained(self._address, deadline.seconds):
                session = self._opened(deadline)
                if not self._is_ready(session, now):
                    return self._waiting(now)
                self._subscribe(session)
                skew = self._ask_time(session, now)
                self._ask_orders(session, now)
            return self._reading(session, skew, now)
        except BaseException:
            self._close()
            raise

    def _opened(self, deadline: Deadline) -> wire.Session:
        if self._session is None:
            self._told = Told()
            self._session = wire.Session(self._address, self._source.client_id, deadline)
            self._sessions += 1
            self._unready = 0
            self._orders_due = 0.0
        self._session.renew(deadline)
        return self._session

    def _is_ready(self, session: wire.Session, now: float) -> bool:
        """Wait for the next order id and the accounts. Return whether both are known."""
        try:
            while not self._told.is_ready:
                self._take(session, now)
        except TimeoutError:
            return False
        except ConnectionError as error:
            if self._told.refused is None:
                raise
            raise self._refusal() from error
        return True

    def _refusal(self) -> SourceUnavailable | SourceRejected:
        assert self._told.refused is not None
        if self._told.refused.code == ID_IN_USE:
            # After a restart of the gateway the id may be held for a moment by our own old connection.
            return SourceUnavailable(
                f"client id {self._source.client_id} is in use at {self._address}: another program has it, choose a "
                "different client_id"
            )
        return SourceRejected(f"{self._address} is too old: {self._told.refused.text}")

    def _subscribe(self, session: wire.Session) -> None:
        if not self._told.is_subscribed:
            if session.is_subscribed:
                session.ask(wire.CANCEL_SUMMARY, 1, SUMMARY_ID)
            self._told.is_subscribed = session.is_subscribed = True
            session.ask(wire.ASK_SUMMARY, 1, SUMMARY_ID, "All", SUMMARY_TAG)

    def _ask_time(self, session: wire.Session, now: float) -> float:
        """Ask for the time; what was told before comes first. Return by how many seconds the gateway's is ahead."""
        began, wall = time.monotonic(), time.time()
        session.ask(wire.TIME, 1)
        try:
            number, fields = self._take(session, now)
            while number != wire.TIME:
                number, fields = self._take(session, now)
        except TimeoutError as error:
            raise SourceUnavailable(
                f"{self._address} is logged in, but did not answer within {self._source.timeout_seconds:g} s: it hangs"
            ) from error
        took = time.monotonic() - began
        self._round_trips.append(took)
        return _number(fields, 1, self._address) + 0.5 - (wall + took / 2)

    def _ask_orders(self, session: wire.Session, now: float) -> None:
        if self._monotonic() < self._orders_due:
            return
        self._orders_due = self._monotonic() + ORDERS_SECONDS
        self._told.orders = {}
        session.ask(wire.ASK_ORDERS, 1)
        while self._take(session, now)[0] != wire.ORDERS_END:
            continue

    def _take(self, session: wire.Session, now: float) -> tuple[int, list[str]]:
        """Take the next message in. Raises SourceUnavailable for one that makes no sense."""
        number, fields = session.message()
        try:
            self._understand(number, fields, now)
        except (ValueError, IndexError) as error:
            raise garbage(self._address, wire.WHAT) from error
        return number, fields

    def _understand(self, number: int, fields: list[str], now: float) -> None:
        told = self._told
        if number == wire.ERROR:
            event = event_of(fields, now)
            self._events.append(event)
            told.take(event, self._monotonic())
        elif number == wire.NEXT_ID:
            told.next_id = int(fields[1])
        elif number == wire.ACCOUNTS:
            told.accounts = tuple(name for name in fields[1].split(",") if name)
        elif number == wire.OPEN_ORDER:
            told.opened(fields)
        elif number == wire.ORDER_STATUS:
            told.filled(fields)
        elif number == wire.SUMMARY and fields[3] == SUMMARY_TAG:
            told.values[fields[2]] = (float(fields[4]), fields[5], now)

    def _waiting(self, now: float) -> Reading:
        """Return the reading of a gateway that shook hands and then told nothing more."""
        assert self._session is not None
        self._unready += 1
        missing = " and ".join(
            name
            for name, known in (("next order id", self._told.next_id is not None), ("accounts", self._told.accounts))
            if not known
        )
        why = f"shook hands (version {self._session.version}) but told no {missing}: it waits for its login"
        if self._unready >= UNREADY_READINGS:
            self._close()
        check = lowered("login", Status.DOWN, why, reset_until(self._source.reset_windows, now))
        return Reading(
            samples=gauges({"ib_ready": 0.0}, instance=self._source.name),
            components=[summed(self._source.component, "", [check])],
            tables=[checks_table([check]), *tables(self._source, None, self._told, self._events, {}, now)],
            is_up=False,
        )

    def _reading(self, session: wire.Session, skew: float, now: float) -> Reading:
        monotonic = self._monotonic()
        hours = market_soon(self._source.calendar, now)
        requests = self._rates.per_second(("sent", self._sessions), session.sent, monotonic)
        fresh = self._sessions - 1 - self._lost_sessions
        self._lost_sessions += fresh
        date, count = self._today
        today = datetime.fromtimestamp(now, UTC).date()
        self._today = (today, (count if date == today else 0) + fresh)
        seen = Seen(
            self._round_trips, skew, requests or 0.0, self._reconnections.add("reconnections", fresh, monotonic)
        )
        checks = judge(self._source, self._told, tuple(self._events), seen, hours, monotonic, now)
        facts = {"skew_seconds": skew, "reconnections_today": self._today[1]}
        return Reading(
            samples=self._samples(session, seen, requests, monotonic, now),
            components=[summed(self._source.component, self._fine(checks), checks)],
            tables=[checks_table(checks), *tables(self._source, session, self._told, self._events, facts, now)],
        )

    def _fine(self, checks: list[Check]) -> str:
        return f"ready, {checks[1].why}, answers in {duration(self._round_trips[-1])}, farms: {checks[2].why}"

    def _samples(
        self, session: wire.Session, seen: Seen, requests: float | None, monotonic: float, now: float
    ) -> list[Sample]:
        told = self._told
        newest = max((ts for _, _, ts in told.values.values()), default=None)
        values = {
            "ib_ready": 1.0,
            "ib_connected": float(told.lost_since is None),
            "ib_round_trip_seconds": self._round_trips[-1],
            "ib_clock_skew_seconds": seen.skew_seconds,
            "ib_messages_per_second": self._rates.per_second(("received", self._sessions), session.received, monotonic),
            "ib_requests_per_second": requests,
            "ib_open_orders": float(len(told.orders)),
            "ib_farms_broken": float(sum(farm.state == "broken" for farm in told.farms.values())),
            "ib_reconnections_10m": seen.reconnections,
            "ib_errors_1m": float(sum(e.level == "error" and now - e.ts <= 60 for e in self._events)),
            "ib_account_age_seconds": now - newest if newest is not None else None,
        }
        found = gauges(values, instance=self._source.name)
        for farm in told.farms.values():
            up = {"ib_farm_up": float(farm.state != "broken")}
            found += gauges(up, instance=self._source.name, farm=farm.name)
        return found

    def _in_context(self, error: SourceUnavailable, now: float) -> SourceUnavailable:
        """Return the error; in a reset of Interactive Brokers' with that said."""
        until = reset_until(self._source.reset_windows, now)
        return SourceUnavailable(f"{error} (Interactive Brokers resets its servers until {until})") if until else error

    def _close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


def _number(fields: list[str], place: int, address: Address) -> float:
    try:
        return float(fields[place])
    except (ValueError, IndexError) as error:
        raise garbage(address, wire.WHAT) from error
