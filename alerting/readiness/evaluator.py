"""Looks each second whether trading may go on, tells it, and writes down what changed with what it came from.

In a thread of its own: that alerts are evaluated no longer is one of the things it tells.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from alerting.limits import LimitsNow, LimitWatch
from alerting.readiness import alerts, books, canaries, limits, machine, portfolios, trading
from alerting.readiness.answer import Known, answer_of, component_of, judged
from alerting.readiness.found import Found
from alerting.readiness.probe import Outcome, Probe
from core.alerts.spec import ALERTS
from core.format import duration
from core.kinds.freshness.source import FreshnessSource
from core.kinds.ib.source import IbSource
from core.kinds.iqfeed.source import IqfeedSource
from core.machine.spec import SYSTEM
from core.model import Reading, Sample, Table, labels
from core.portfolio_limits.limit import LimitRow
from core.readiness import (
    CHECKS_READY,
    CHECKS_WATCHED,
    EVERY_PORTFOLIO,
    INTERVAL_SECONDS,
    READINESS,
    SAFE,
    TITLES,
    Checks,
    PortfolioReadiness,
    ReadinessCheck,
    State,
    after_title,
)
from core.settings.channels import Log
from core.tables import rows_of, table_of
from portfolio.books import Books, read_books
from portfolio.channel_set import known_channels
from portfolio.given import has_ended
from status.instances import instances
from status.readiness import Halts, counting, counting_each, halt_check, is_wrong, read_halts
from status.state_log import StateLog, stored_states
from storage.clickhouse.readiness_rows import change_facts
from storage.clickhouse.reads.heard import HEARD
from storage.clickhouse.reads.spans import Newest
from storage.state.outbox import last_sent
from storage.state.portfolios import OWN, list_portfolios
from storage.stores import Stores

GAP_SECONDS = 5.0
"""After so long without an evaluation nothing is proven of the time between."""
STARTING_SECONDS = 60.0
"""So long after the looks began it counts as starting."""
STORED_SECONDS = 5.0
"""Between two samples that are stored, where nothing changes."""
REMEMBERED_SECONDS = 7 * 86_400.0
"""Who told of positions within these is expected to go on."""
ORDER = {check: place for place, check in enumerate(TITLES)}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Decided:
    """What the state database says."""

    halts: Halts
    going_on: Sequence[str]
    """Ids of the portfolios of the fund's own that have not ended."""


@dataclass(frozen=True, slots=True)
class Engine:
    """How the alert engine of this process is."""

    is_active: Callable[[], bool]
    has_ticked: Callable[[], bool]
    """Whether it has evaluated since it took over."""
    tick_age_seconds: Callable[[], float]
    problem: Callable[[], str]


class Evaluator:
    """Evaluates while the alert engine of this process is the active one. Tests call `step`, and that of `probes`."""

    def __init__(self, stores: Stores, engine: Engine, states: StateLog) -> None:
        """Return it; states: keeps the history of the component that it tells of."""
        self._stores = self._newest = stores
        self._engine = engine
        self._states = states
        self._rules = stores.settings.readiness
        watch = LimitWatch(stores)

        def probe(name: str, ask: Callable[[], object], every: float, within: float) -> Probe:  # type: ignore[type-arg]
            return Probe(name, ask, stores.clock, every, within, engine.is_active)

        self._decided: Probe[Decided] = probe("decided", self._read_decided, 1.0, 3.0)
        self._state: Probe[float] = probe("state database", lambda: canaries.put_state_canary(stores), 2.0, 3.0)
        self._clickhouse: Probe[float | None] = probe(
            "ClickHouse", lambda: canaries.put_clickhouse_canary(stores), 2.0, 3.0
        )
        self._limits: Probe[LimitsNow] = probe("limits", watch.look, 1.0, 60.0)
        self._positions: Probe[list[Newest]] = probe("positions", self._read_positions, 5.0, 15.0)
        self._books: Probe[tuple[Books, ...]] = probe("books", lambda: read_books(self._stores), 10.0, 60.0)
        self._sent: Probe[Mapping[str, float | None]] = probe("channels", self._read_sent, 10.0, 15.0)
        self._limit_rows: Sequence[LimitRow] | None = None
        """None: nobody has looked yet."""
        self._known: dict[str, Known] = {}
        self._since: dict[tuple[str, str], tuple[str, float]] = {}
        """State of each check, by portfolio and id, and since when it is in it."""
        self._stepped: float | None = None
        """When it was evaluated last, on the steady clock."""
        self._looks_since = float("-inf")
        """Since when it is evaluated without a gap, on the steady clock."""
        self._restarted = ""
        """Why nothing was proven before that."""
        self._clock_was_known = False
        self._going_on: Sequence[str] = ()
        self._stored = float("-inf")
        self._told: object = None
        self._wrong: frozenset[tuple[str, str, str]] = frozenset()
        """What is not ready of the whole fund, by portfolio, check and state, as of the last look."""

    @property
    def probes(self) -> Sequence[Probe]:  # type: ignore[type-arg]
        """What asks the stores that may hang; each wants a thread of its own."""
        return (self._decided, self._state, self._clickhouse, self._limits, self._positions, self._books, self._sent)

    def take(self, stores: Stores) -> None:
        """Look at the sources of changed settings from the next look on. It may be called by another thread."""
        self._newest = stores

    def run(self, stopping: threading.Event) -> None:
        """Evaluate until told to stop."""
        problem = ""
        while not stopping.wait(INTERVAL_SECONDS):
            try:
                self.step()
                problem = ""
            except Exception as error:  # nothing is told then, and what is not told is not safe
                if str(error) != problem:
                    log.exception("readiness cannot be evaluated")
                problem = str(error)

    def step(self) -> None:
        """Evaluate once, tell, and write down what changed. Where it is another process's turn: forget."""
        if not self._engine.is_active():
            if self._stepped is not None:
                self._states.forget()
            self._known, self._since, self._going_on, self._stepped = {}, {}, (), None
            self._clock_was_known, self._limit_rows = False, None
            return
        self._stores = self._newest
        now, steady = self._stores.clock.now(), self._stores.clock.monotonic()
        if self._stepped is None:
            self._clock_was_known = self._was_clock_known()
        self._notice_gap(steady)
        told = self._decided.told()
        decided = told.answer if isinstance(told, Outcome) else None
        if decided is not None:
            self._going_on = decided.going_on
        halts = decided.halts if decided is not None else Halts((), {})
        checks = [self._stamped(each) for each in self._find(told, halts, now)]
        checks.sort(key=lambda each: (each.portfolio != EVERY_PORTFOLIO, each.portfolio, ORDER[Checks(each.check)]))
        self._since = {(each.portfolio, each.check): (each.state, each.since) for each in checks}
        self._clock_was_known |= _knows_clock(checks)
        self._tell(checks, halts, now, steady)

    def _was_clock_known(self) -> bool:
        """Return whether whoever looked before could ask the clock, as his last reading says."""
        reading = self._stores.live.readings([READINESS]).get(READINESS)
        return reading is not None and _knows_clock(rows_of(reading.tables, ReadinessCheck))

    def _notice_gap(self, steady: float) -> None:
        gap = None if self._stepped is None else steady - self._stepped
        if gap is None or gap > GAP_SECONDS:
            self._looks_since = steady
            had = "Fundwatch has just begun to look" if gap is None else f"nobody had looked for {duration(gap)}"
            self._restarted = f"{had}, every check is ready"
            self._known = {id: replace(known, green_since=None, is_open=True) for id, known in self._known.items()}
        self._stepped = steady

    def _find(self, decided: Outcome[Decided] | str, halts: Halts, now: float) -> Iterator[ReadinessCheck]:
        """Yield what each check found, as of now."""
        if isinstance(decided, Outcome) and decided.answer is not None:
            yield from (halt_check(id, halts, now, now) for id in (EVERY_PORTFOLIO, *self._going_on))
            found = self._found(now)
        else:
            why = decided if isinstance(decided, str) else decided.problem
            found = [Found(Checks.HALT, State.UNKNOWN, f"halts are not known: {why}", where=alerts.WHERE)]
            found += self._found(now)
        for each in found:
            id, title = each.check.value, TITLES[each.check]
            yield ReadinessCheck(
                each.portfolio, id, title, each.state.value, each.why, each.read_at, now, each.where
            )  # fmt: skip

    def _found(self, now: float) -> list[Found]:
        """Return what every check found, but for halts."""
        stores, rules, settings, going_on = self._stores, self._rules, self._stores.settings, self._going_on
        readings = stores.live.readings([SYSTEM, ALERTS])
        system, has_system, thresholds = readings.get(SYSTEM), settings.sources.system, settings.thresholds
        sources = instances(stores, IqfeedSource.KIND, IbSource.KIND, FreshnessSource.KIND)
        metric, counts = rules.positions_metric, rules.positions_seconds
        return [
            self._engine_found(now),
            *alerts.urgent(readings.get(ALERTS), going_on, now),
            trading.feeds([each for each in sources if each.kind != IbSource.KIND]),
            trading.broker([each for each in sources if each.kind == IbSource.KIND], rules.round_trip_seconds),
            *portfolios.positions(self._positions.told(), going_on, metric, counts, now),
            *books.agree(self._books.told(), going_on, now),
            *limits.within_limits(self._limits.told(), going_on),
            canaries.clickhouse(self._clickhouse.told(), settings, now, stores.clock.monotonic() - self._looks_since),
            canaries.state_database(self._state.told()),
            canaries.redis(stores, now),
            machine.disk(system, has_system, thresholds.disk_full, now),
            machine.clock(system, has_system, thresholds.clock_offset, now, was_known=self._clock_was_known),
            alerts.channel(self._sent.told(), rules.proven_seconds, now),
        ]

    def _engine_found(self, now: float) -> Found:
        engine, limit = self._engine, self._rules.tick_age_seconds
        if not engine.has_ticked() and not engine.problem():
            return alerts.engine_starts(now)
        return alerts.engine(engine.tick_age_seconds(), limit, engine.problem(), now)

    def _stamped(self, check: ReadinessCheck) -> ReadinessCheck:
        """Return a check with the time since when it is in its state."""
        state, since = self._since.get((check.portfolio, check.check), ("", 0.0))
        return replace(check, since=since) if state == check.state else check

    def _tell(self, checks: Sequence[ReadinessCheck], halts: Halts, now: float, steady: float) -> None:
        stores, host, seconds = self._stores, self._stores.settings.machine, self._rules.steady_seconds
        before, self._known = self._known, {}
        answers, changes, components = [], [], []
        for id, counted in counting_each(self._rules, checks, (EVERY_PORTFOLIO, *self._going_on)):
            halt = halts.of(id)
            known = judged(before.get(id), counted, now, steady, seconds)
            self._known[id] = known
            restarted = self._restarted if known.is_open else ""
            halted_by = halt.who if halt else ""
            answers.append(answer_of(id, counted, known, halted_by, steady, seconds, restarted))
            if id == EVERY_PORTFOLIO:
                is_starting = steady - self._looks_since < STARTING_SECONDS
                components = [component_of(answers[-1], counted, restarted, is_starting=is_starting)]
            if id not in before or before[id].is_safe != known.is_safe:
                changes.append((answers[-1], counted))
        samples = _samples(answers)
        tables = [table_of(ReadinessCheck, checks), table_of(PortfolioReadiness, answers), *self._limits_table()]
        reading = Reading(samples, components=components, tables=tables)
        stores.live.put_reading(READINESS, host, now, INTERVAL_SECONDS, reading)
        self._states.tell(READINESS, now, INTERVAL_SECONDS, 0.0, components)
        if changes or steady - self._stored >= STORED_SECONDS:
            self._stored = steady
            stores.writer.put(host, now, [*samples, Sample(HEARD, 1.0, labels(collector=READINESS))])
        if changes:
            stores.writer.put_facts(change_facts(host, now, changes))
        everything = counting(self._rules, checks, EVERY_PORTFOLIO)
        wrong = frozenset((each.portfolio, each.check, each.state) for each in everything if is_wrong(each))
        for answer, counted in changes:
            _say(answer, counted)
        if wrong != self._wrong and not any(answer.portfolio == EVERY_PORTFOLIO for answer, _ in changes):
            _say(answers[0], everything)
        self._wrong = wrong
        if (looks := _looks(checks, answers)) != self._told:
            self._told = looks
            stores.live.bump(READINESS)

    def _limits_table(self) -> list[Table]:
        """Return how limits stand, as rules of alerts read them; what is not known now is as it was known last."""
        told = self._limits.told()
        if isinstance(told, Outcome) and told.answer is not None:
            self._limit_rows = told.answer.rows()
        elif self._limit_rows is not None:
            why = told if isinstance(told, str) else told.problem
            self._limit_rows = [replace(each, is_known=False, why=why) for each in self._limit_rows]
        return [] if self._limit_rows is None else [table_of(LimitRow, self._limit_rows)]

    def _read_decided(self) -> Decided:
        now = self._stores.clock.now()
        known = list_portfolios(self._stores.state, OWN)
        return Decided(read_halts(self._stores, now), [each.id for each in known if not has_ended(each, now)])

    def _read_positions(self) -> list[Newest]:
        since = self._stores.clock.now() - REMEMBERED_SECONDS
        return portfolios.read_positions(self._stores.clickhouse, self._rules.positions_metric, since)

    def _read_sent(self) -> Mapping[str, float | None]:
        """Return when each channel but the log last delivered something; None: it never did."""
        found = known_channels(self._stores)
        made = {each.kept.name: each.kept.made_at for each in found.own if each.channel is not None}
        with self._stores.state.reading() as connection:
            sent = last_sent(connection)
        # What one of this name delivered that was deleted proves nothing of the one that was made since.
        sent = {name: at for name, at in sent.items() if at >= made.get(name, 0.0)}
        return {name: sent.get(name) for name, each in found.in_force.items() if not isinstance(each, Log)}


def readiness_states(stores: Stores) -> StateLog:
    """Return what keeps the history of the component that tells whether it is safe."""
    machine = stores.settings.machine
    stored = stored_states(stores, machine, lambda: [READINESS])
    return StateLog(machine, stores.clock, stores.writer.put_facts, stored)


def _knows_clock(checks: Sequence[ReadinessCheck]) -> bool:
    clock = [each for each in checks if each.check == Checks.CLOCK]
    # A machine that tells nothing says nothing of its clock, either.
    return any(each.state in (State.READY, State.NOT_READY) or each.why.startswith(machine.LOST) for each in clock)


def _samples(answers: Sequence[PortfolioReadiness]) -> list[Sample]:
    found = []
    for each in answers:
        of = labels(portfolio=each.portfolio)
        values = {SAFE: float(each.is_safe), CHECKS_READY: float(each.ready), CHECKS_WATCHED: float(each.watched)}
        found += [Sample(metric, value, of) for metric, value in values.items()]
    return found


def _looks(checks: Sequence[ReadinessCheck], answers: Sequence[PortfolioReadiness]) -> object:
    """Return what tells one answer from the next, but for ages and values that move with every look."""
    return (
        [(each.portfolio, each.check, each.state, each.since) for each in checks],
        [(each.portfolio, each.is_safe, each.since, each.halted_by) for each in answers],
    )


def _say(answer: PortfolioReadiness, counted: Sequence[ReadinessCheck]) -> None:
    """Log an answer, with the name of each check that is not ready."""
    what = f"portfolio {answer.portfolio}" if answer.portfolio else "the fund"
    if answer.is_safe:
        log.info("readiness: %s is safe by %d of %d checks", what, answer.ready, answer.watched)
    else:
        wrong = [(each, f" ({each.portfolio})" if each.portfolio else "") for each in counted if is_wrong(each)]
        reasons = [f"{each.title}{of}: {after_title(each.title, each.why)}" for each, of in wrong] or answer.reasons
        log.warning("readiness: %s is not safe: %s", what, "; ".join(reasons))
