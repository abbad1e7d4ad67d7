"""Runs the alert engine in the processes that collect: in one of them at a time, each second, for as long as they live.

A lease picks the process that begins. From then on it is the fencing token that decides: an engine ticks until a later
one has written to the state database, so alerting does not end with the store of the lease. An engine that was
overtaken stands by like the others.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from alerting.auditor import faults
from alerting.engine import Engine, Route
from alerting.quiet import Causes, Quiet
from alerting.telling import Pulse, reading_of
from core.alerts.evaluate import Value
from core.alerts.expression import Figure, Worked
from core.alerts.rule import Rule
from core.alerts.spec import ALERTS, HISTORY, INTERVAL_SECONDS
from core.errors import FundwatchError, StorageError, StorageRejected
from core.lease import RENEW_SECONDS, Lease
from core.model import Labels
from storage.state.alerts import Overtaken, newest_token, queue_in, ticked_at
from storage.state.outbox import reached_of
from storage.stores import Stores

ENGINE_THREAD, LEASE_THREAD = "alerting", "alerting-lease"
TICK_SECONDS = 1.0
RULES_SECONDS = 2.0
"""Between two looks whether the rules were changed."""
HUNG_SECONDS = 10.0
"""After so long without an end of a round the lease is left to run out: another process takes over."""
BEGINS_SECONDS = 60.0
"""So long it may take to begin: thousands of rules, and what fires of them, are read then."""
SILENT_SECONDS = 30.0
"""Without a lease: after so long without a tick an engine that has overtaken this one counts as gone."""

log = logging.getLogger(__name__)


class Delivery(Protocol):
    """Who sends the messages of one engine."""

    def start(self) -> None: ...

    def wake(self) -> None:
        """Say that there may be something to send."""

    def stop(self, seconds: float) -> bool: ...


class Reading(Protocol):
    """The engine's `read`, told of the rules so that what they ask is asked together."""

    def use(self, rules: Sequence[Rule]) -> None: ...

    def begin(self) -> None:
        """Begin a tick: what was read before is read again."""

    def __call__(self, operand: Figure | Worked) -> Sequence[Value]: ...

    def why_gone(self, rule: Rule, of: Labels) -> str: ...


Deliver = Callable[[int], Delivery]
"""Returns who sends for the engine of a fencing token."""


class Runner:
    """The alert engine of one process. `start` it, and `stop` it once; tests call `step`."""

    def __init__(
        self,
        stores: Stores,
        rules: Callable[[], Sequence[Rule]],
        figures: Reading,
        route: Route,
        causes: Causes,
        lease: Lease | None,
        deliver: Deliver,
        left_out: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """Return it. rules: returns those of now, or raises FundwatchError: then those before hold on.

        lease: None where this process alone uses the state database. left_out: returns what is wrong with rules that
        are left out of those of now, a sentence each.
        """
        self._stores = stores
        self._read_rules = rules
        self._figures = figures
        self._route = route
        self._lease = lease
        self._deliver = deliver
        self._left_out = left_out
        self._delivery: Delivery | None = None
        self._quiet = Quiet(stores.state)
        self._causes = causes
        self._engine: Engine | None = None
        self._rules: list[Rule] = []
        self._rules_at = float("-inf")
        self._round = stores.clock.monotonic()
        """When the round that is under way began, or got on; between two: when the last one ended."""
        self._ticked = float("-inf")
        """When it last ticked well, as the other times on the steady clock."""
        self._told = float("-inf")
        self._tick_seconds = 0.0
        self._has_ticked = False
        self._problem = ""
        self._rules_problem = ""
        self._was_overtaken = False
        self._faults: Sequence[str] = ()
        self._reached: Mapping[int, Sequence[str]] = {}
        """Receivers that got a message, by incident, as of the last reading."""
        self._helpers: dict[str, Callable[[threading.Event], None]] = {}
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()

    @property
    def is_active(self) -> bool:
        """Whether the engine of this process is the one that runs."""
        return self._engine is not None

    def may_tell(self) -> bool:
        """Return whether this process tells how alerting is: not where its engine hangs and another one takes over."""
        is_let_go = self._lease is not None and self._hangs
        return self.is_active and not is_let_go

    @property
    def _hangs(self) -> bool:
        longest = BEGINS_SECONDS if self._engine is None else HUNG_SECONDS
        return self._since(self._round) > longest

    @property
    def tick_age_seconds(self) -> float:
        """Seconds since the last tick that ended well; infinite where none did. Any thread may ask."""
        return self._since(self._ticked)

    @property
    def has_ticked(self) -> bool:
        """Whether it has evaluated since it took over. Any thread may ask."""
        return self._has_ticked

    @property
    def problem(self) -> str:
        """Why the last tick failed; empty: it did not."""
        return self._problem

    def attend(self, loop: Callable[[threading.Event], None], name: str) -> None:
        """Run `loop` in a thread of its own from `start` on; it is given the event that tells it to return."""
        self._helpers[name] = loop

    def start(self) -> None:
        """Start the threads."""
        self._gets_on()
        if self._lease is not None:
            self._spawn(self._keep_lease, LEASE_THREAD)
        self._spawn(self._run, ENGINE_THREAD)
        for name, loop in self._helpers.items():
            self._spawn(partial(loop, self._stopping), name)

    def stop(self, deadline_seconds: float) -> None:
        """End after the tick that is under way, within the deadline, and give the lease back."""
        ends = time.monotonic() + deadline_seconds
        self._stopping.set()
        if delivery := self._delivery:
            delivery.stop(0.0)
        for thread in self._threads:
            if thread.name in (ENGINE_THREAD, LEASE_THREAD):
                thread.join(max(0.0, ends - time.monotonic()))
        if delivery:
            delivery.stop(max(0.0, ends - time.monotonic()))
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))
        if self._lease is not None:
            self._lease.release()

    def step(self) -> None:
        """Do one round: begin where it is this process's turn, tick, tell."""
        self._gets_on()
        try:
            self._step()
        finally:
            self._gets_on()

    def renew(self) -> None:
        """Keep the lease, or try to get it; where a round hangs it is left to run out: another process takes over."""
        lease = self._lease
        if lease is None:
            return
        if not self._hangs:
            lease.tick()
        elif lease.holds():
            log.error("alerts: a round hangs for %.0f s; another process may take over", self._since(self._round))

    def _gets_on(self) -> None:
        self._round = self._stores.clock.monotonic()

    def _step(self) -> None:
        try:
            if self._engine is None and not self._begin():
                return
            self._tick()
            self._say_well()
        except Overtaken as error:
            self._was_overtaken = True
            self._let_go()
            log.warning("alerts: this process stands by: %s", error)
        except StorageRejected as error:
            # What is in memory is not what the state database holds: the next round takes it up anew.
            self._let_go()
            self._say_problem(str(error))
        except FundwatchError as error:
            self._say_problem(str(error))
        self._tell()

    def _let_go(self) -> None:
        self._engine = None
        if self._delivery is not None:
            self._delivery.stop(0.0)
            self._delivery = None

    def audit(self) -> Sequence[str]:
        """Return what is wrong with alerting, a sentence each. It is told with the next reading.

        It may be called by another thread.
        """
        engine = self._engine
        if engine is None:
            return ()
        try:
            with self._stores.state.reading() as connection:
                _, due = queue_in(connection)
        except StorageError as error:
            return (f"the state database does not answer: {error}",)
        now = self._stores.clock.now()
        ticked = engine.steady() - self._since(self._ticked)
        self._faults = faults(engine.incidents, engine.steady(), ticked, due, now)
        return self._faults

    def _run(self) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self.step()
            except Exception as error:  # without its loop nobody would be told of anything any more
                problem = f"{type(error).__name__}: {error}"
                if problem != self._problem:
                    log.exception("alerts: a round failed")
                self._say_problem(problem)
            self._stopping.wait(max(0.05, TICK_SECONDS - (time.monotonic() - began)))

    def _begin(self) -> bool:
        """Take over if it is this process's turn. Return whether it did. Raises StorageUnavailable."""
        lease_token = self._lease.token if self._lease is not None and self._lease.holds() else None
        if self._lease is not None and lease_token is None:
            return False
        if self._lease is None and self._was_overtaken and not self._is_other_silent():
            return False
        self._take_rules()
        if self._rules_problem and not self._rules:
            # Without its rules an engine would take all that fires for removed, and resolve it.
            self._say_problem(f"rules: {self._rules_problem}")
            return False
        stores = self._stores
        with stores.state.reading() as connection:
            token = max(newest_token(connection) + 1, lease_token or 0)
        quiet, causes = self._quiet.why, self._causes.why
        gone = self._figures.why_gone
        engine = Engine(stores.state, stores.clock, self._figures, self._route, quiet, token, causes, gone)
        engine.start(self._rules)
        delivery = self._deliver(token)
        delivery.start()
        self._gets_on()
        self._engine, self._delivery, self._has_ticked = engine, delivery, False
        self._ticked = self._rules_at = stores.clock.monotonic()
        log.info("alerts: this process evaluates %d rules", len(engine.rules))
        return True

    def _is_other_silent(self) -> bool:
        return self._stores.clock.now() - ticked_at(self._stores.state) > SILENT_SECONDS

    def _tick(self) -> None:
        engine, began = self._engine, time.perf_counter()
        assert engine is not None
        if self._since(self._rules_at) >= RULES_SECONDS:
            self._rules_at = self._stores.clock.monotonic()
            if self._take_rules():
                engine.use(self._rules)
        self._quiet.look(self._stores.clock.now())
        self._figures.begin()
        engine.tick()
        self._ticked = self._stores.clock.monotonic()
        self._has_ticked = True
        self._tick_seconds = time.perf_counter() - began
        if engine.has_happened:
            self._stores.live.bump(HISTORY)
        if engine.has_turned:
            self._told = float("-inf")
            if self._delivery is not None:
                self._delivery.wake()

    def _take_rules(self) -> bool:
        """Read the rules and return whether others were read; of those that cannot be read the ones before hold on."""
        try:
            rules = [*self._read_rules()]
        except Exception as error:  # noqa: BLE001 - whatever is wrong with rules, those before are evaluated
            if str(error) != self._rules_problem:
                log.warning("alerts: changed rules refused, those before stay in force: %s", error)
            self._rules_problem = str(error)
            return False
        self._rules_problem = ""
        is_changed = rules != self._rules
        self._rules = rules
        if is_changed:
            self._figures.use(rules)
        return is_changed

    def _tell(self) -> None:
        """Publish the newest reading, now and then; what fires is as of the last tick that ended well."""
        engine = self._engine
        if engine is None or (self._since(self._told) < INTERVAL_SECONDS and not self._problem):
            return
        self._told = self._stores.clock.monotonic()
        stores = self._stores
        now, host = stores.clock.now(), stores.settings.machine
        reading = reading_of(engine, self._quiet, self._pulse(now))
        stores.writer.put(host, now, reading.samples)
        stores.live.put_reading(ALERTS, host, now, INTERVAL_SECONDS, reading)
        stores.live.bump(ALERTS)

    def _pulse(self, now: float) -> Pulse:
        queued, due, engine = 0, None, self._engine
        if not self._problem:
            try:
                with self._stores.state.reading() as connection:
                    queued, due = queue_in(connection)
                    self._reached = reached_of(connection, engine.incidents) if engine else {}
            except StorageError as error:
                self._say_problem(str(error))
        age = self._since(self._ticked)
        wrong = [*self._faults, *([f"rules: {self._rules_problem}"] if self._rules_problem else [])]
        wrong += [f"a rule is left out: {each}" for each in self._left_out()]
        waits = max(0.0, now - due) if due else 0.0
        return Pulse(self._tick_seconds, age, queued, waits, self._problem, wrong, self._reached)

    def _since(self, moment: float) -> float:
        return self._stores.clock.monotonic() - moment

    def _say_well(self) -> None:
        if self._problem:
            log.info("alerts: evaluated again")
            self._problem = ""
            self._told = float("-inf")

    def _say_problem(self, problem: str) -> None:
        if problem != self._problem:
            log.error("alerts are not evaluated: %s", problem)
            self._told = float("-inf")
        self._problem = problem

    def _keep_lease(self) -> None:
        while not self._stopping.is_set():
            self.renew()
            self._stopping.wait(RENEW_SECONDS)

    def _spawn(self, loop: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=loop, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
