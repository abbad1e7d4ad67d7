"""Interactive Brokers: the gateway (IB Gateway or TWS), its link to IB, data farms, round trip, errors, open orders.

A TCP connection proves nothing, nor does a handshake: a gateway is ready when the next order id and the accounts are
known. One connection with a client id of its own is kept. It costs the gateway one request a reading (current
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
from collectors.judging.recent import RECENT_SECONDS, Window
from collectors.kinds.ib import connection as api
from collectors.kinds.ib.judge import Measured, judge, lowered, reset_until
from collectors.kinds.ib.state import GatewayState, message_of, no_messages
from collectors.kinds.ib.tables import about_of, tables
from core.errors import SourceRejected, SourceUnavailable
from core.format import duration
from core.kinds.ib import spec
from core.kinds.ib.codes import ID_IN_USE, FarmState, Level
from core.kinds.ib.source import IbSource
from core.kinds.ib.spec import Checks
from core.model import Reading, Sample, Status
from core.net.reach import GRACE_SECONDS, Address, Deadline, explained, garbage
from core.rates import Rates

__all__ = ["IbCollector", "make"]

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
        self._session: api.Session | None = None
        self._state = GatewayState()
        self._messages = no_messages()
        self._rates = Rates()
        self._round_trips: deque[float] = deque(maxlen=ROUND_TRIPS)
        self._reconnections = Window(spec.RECONNECTIONS_SECONDS)
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

    def _opened(self, deadline: Deadline) -> api.Session:
        if self._session is None:
            self._state = GatewayState()
            self._session = api.Session(self._address, self._source.client_id, deadline)
            self._sessions += 1
            self._unready = 0
            self._orders_due = 0.0
        self._session.renew(deadline)
        return self._session

    def _is_ready(self, session: api.Session, now: float) -> bool:
        """Wait for the next order id and the accounts. Return whether both are known."""
        try:
            while not self._state.is_ready:
                self._take(session, now)
        except TimeoutError:
            return False
        except ConnectionError as error:
            if self._state.refused is None:
                raise
            raise self._refusal() from error
        return True

    def _refusal(self) -> SourceUnavailable | SourceRejected:
        assert self._state.refused is not None
        if self._state.refused.code == ID_IN_USE:
            # After a restart of the gateway the id may be held for a moment by our own old connection.
            return SourceUnavailable(
                f"client id {self._source.client_id} is in use at {self._address}: another program has it, choose a "
                "different client_id"
            )
        return SourceRejected(f"{self._address} is too old: {self._state.refused.text}")

    def _subscribe(self, session: api.Session) -> None:
        if not self._state.is_subscribed:
            if session.is_subscribed:
                session.ask(api.CANCEL_SUMMARY, 1, SUMMARY_ID)
            self._state.is_subscribed = session.is_subscribed = True
            session.ask(api.ASK_SUMMARY, 1, SUMMARY_ID, "All", SUMMARY_TAG)

    def _ask_time(self, session: api.Session, now: float) -> float:
        """Ask for the time; what was sent before comes first. Return by how many seconds the gateway's is ahead."""
        began, wall = time.monotonic(), time.time()
        session.ask(api.TIME, 1)
        try:
            number, fields = self._take(session, now)
            while number != api.TIME:
                number, fields = self._take(session, now)
        except TimeoutError as error:
            raise SourceUnavailable(
                f"{self._address} is logged in, but did not answer within {self._source.timeout_seconds:g} s: it hangs"
            ) from error
        took = time.monotonic() - began
        self._round_trips.append(took)
        return _number(fields, 1, self._address) + 0.5 - (wall + took / 2)

    def _ask_orders(self, session: api.Session, now: float) -> None:
        if self._monotonic() < self._orders_due:
            return
        self._orders_due = self._monotonic() + spec.ORDERS_SECONDS
        self._state.orders = {}
        session.ask(api.ASK_ORDERS, 1)
        while self._take(session, now)[0] != api.ORDERS_END:
            continue

    def _take(self, session: api.Session, now: float) -> tuple[int, list[str]]:
        """Take the next message in. Raises SourceUnavailable for one that makes no sense."""
        number, fields = session.message()
        try:
            self._understand(number, fields, now)
        except (ValueError, IndexError) as error:
            raise garbage(self._address, api.WHAT) from error
        return number, fields

    def _understand(self, number: int, fields: list[str], now: float) -> None:
        state = self._state
        if number == api.ERROR:
            message = message_of(fields, now)
            self._messages.append(message)
            state.take(message, self._monotonic())
        elif number == api.NEXT_ID:
            state.next_id = int(fields[1])
        elif number == api.ACCOUNTS:
            state.accounts = tuple(name for name in fields[1].split(",") if name)
        elif number == api.OPEN_ORDER:
            state.opened(fields)
        elif number == api.ORDER_STATUS:
            state.filled(fields)
        elif number == api.SUMMARY and fields[3] == SUMMARY_TAG:
            state.valued(fields[2], float(fields[4]), fields[5], now)

    def _waiting(self, now: float) -> Reading:
        """Return the reading of a gateway that shook hands and then sent nothing more."""
        assert self._session is not None
        self._unready += 1
        known = {"next order id": self._state.next_id is not None, "accounts": bool(self._state.accounts)}
        missing = " and ".join(name for name, is_known in known.items() if not is_known)
        why = f"shook hands (version {self._session.version}) but sent no {missing}: it waits for its login"
        if self._unready >= UNREADY_READINGS:
            self._close()
        check = lowered(Checks.LOGIN, Status.DOWN, why, reset_until(self._source.reset_windows, now))
        about = about_of(self._source, self._state, self._messages)
        return Reading(
            samples=gauges({spec.READY: 0.0}, instance=self._source.name),
            components=[summed(self._source.component, "", [check])],
            tables=[checks_table([check]), *tables(about, self._state, self._messages)],
            is_up=False,
        )

    def _reading(self, session: api.Session, skew: float, now: float) -> Reading:
        monotonic = self._monotonic()
        requests = self._rates.per_second((spec.REQUESTS_RATE, self._sessions), session.sent, monotonic)
        fresh = self._sessions - 1 - self._lost_sessions
        self._lost_sessions += fresh
        date, count = self._today
        today = datetime.fromtimestamp(now, UTC).date()
        self._today = (today, (count if date == today else 0) + fresh)
        measured = Measured(
            messages=tuple(self._messages),
            round_trips=self._round_trips,
            skew_seconds=skew,
            requests_per_second=requests,
            reconnections=self._reconnections.add("reconnections", fresh, monotonic),
            hours=market_soon(self._source.calendar, now),
        )
        checks = judge(self._source, self._state, measured, monotonic, now)
        about = about_of(self._source, self._state, self._messages, session, skew, self._today[1])
        return Reading(
            samples=self._samples(session, measured, monotonic, now),
            components=[summed(self._source.component, self._fine(checks), checks)],
            tables=[checks_table(checks), *tables(about, self._state, self._messages)],
        )

    def _fine(self, checks: list[Check]) -> str:
        why = {check.name: check.why for check in checks}
        answers = duration(self._round_trips[-1])
        return f"ready, {why[Checks.ACCOUNTS]}, answers in {answers}, farms: {why[Checks.FARMS]}"

    def _samples(self, session: api.Session, measured: Measured, monotonic: float, now: float) -> list[Sample]:
        state = self._state
        newest = max((account.ts for account in state.values.values() if account.ts is not None), default=None)
        errors = [each for each in self._messages if each.level == Level.ERROR and now - each.ts <= RECENT_SECONDS]
        received = self._rates.per_second((spec.MESSAGES_RATE, self._sessions), session.received, monotonic)
        values = {
            spec.READY: 1.0,
            spec.CONNECTED: float(state.lost_since is None),
            spec.ROUND_TRIP_SECONDS: self._round_trips[-1],
            spec.ROUND_TRIP_JUDGED: min(list(self._round_trips)[-2:]),
            spec.CLOCK_SKEW_SECONDS: measured.skew_seconds,
            spec.MESSAGES_RATE: received,
            spec.REQUESTS_RATE: measured.requests_per_second,
            spec.OPEN_ORDERS: float(len(state.orders)),
            spec.FARMS_BROKEN: float(sum(farm.state is FarmState.BROKEN for farm in state.farms.values())),
            spec.RECONNECTIONS_10M: measured.reconnections,
            spec.ERRORS_1M: float(len(errors)),
            spec.ACCOUNT_AGE: now - newest if newest is not None else None,
        }
        found = gauges(values, instance=self._source.name)
        for farm in state.farms.values():
            up = {spec.FARM_UP: float(farm.state is not FarmState.BROKEN)}
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
        raise garbage(address, api.WHAT) from error
