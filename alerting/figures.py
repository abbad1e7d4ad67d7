"""The engine's `read`: what figures are worth now, every store asked once a tick for all rules together.

What one tick has read is believed until the next, so that rules of one tick agree. A store that does not answer
is not asked again in that tick: its error is raised for each rule that needs it. Nor may ClickHouse make a tick wait:
what takes it too long has failed, for the rules that need just that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from alerting.gone import OF_PORTFOLIOS, There, why_gone
from alerting.over_time import KIND, OverTime
from alerting.portfolio_figures import PortfolioFigures
from alerting.present import Present, Sent, Series, read_present
from core.alerts.evaluate import Value
from core.alerts.expression import Figure, Worked
from core.alerts.figures import Of, Vocabulary, awaited
from core.alerts.matchers import all_hold
from core.alerts.rule import Rule
from core.errors import OutOfPatience, StorageError, StorageUnavailable
from core.metrics import MACHINE
from core.model import Labels, labels
from core.patience import at_most
from portfolio.vocabulary import vocabulary
from status.readings import collectors_of, every_dataset
from storage.clickhouse.reads.spans import read_heard_of, read_newest

if TYPE_CHECKING:
    from storage.stores import Stores

SENT_SECONDS = 300.0
"""What a program sent counts for so long, as in Prometheus: nobody here knows how often it sends."""
ALONE_SECONDS = 15.0
"""After a failure ClickHouse is left alone for so long: a tick would wait for the timeout of each statement."""
THEN_SHARE = 0.25
"""Of the time that statements of a kind may take: so much is left to the next ones where some took all of it."""
EVERYTHING, FIGURES, SENT = "everything", "figures of portfolios", "what programs send"
"""What is left alone, beside the kinds of work over time."""
NEVER_SENT, ARRIVED = "no data yet: it was never sent", "its data have come"
WITH_MACHINE = "it is told with its machine now"
Read_ = TypeVar("Read_")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Read_]):
    """What a store answered in this tick, or the error that it raised."""

    answer: Read_ | None
    error: StorageError | None = None

    def told(self) -> Read_:
        """Return the answer. Raises the error."""
        if self.error is not None:
            raise self.error
        assert self.answer is not None
        return self.answer


class Figures:
    """Reads the stores. Called by the one thread of the engine.

    `use` tells the rules, so that what they ask is asked together; a figure of no rule is read by itself.
    `begin` begins a tick.
    """

    def __init__(self, stores: Stores, known: Vocabulary | None = None) -> None:
        self._stores = self._newest = stores
        self._vocabulary = known if known is not None else vocabulary()
        self._portfolios = PortfolioFigures(stores)
        self._over_time = OverTime(stores)
        self._sent: tuple[str, ...] = ()
        self._sent_alerts = Sent()
        self._heard_of: frozenset[str] = frozenset()
        """Metrics that programs have sent at any time, of those that were asked for."""
        self._asked: dict[Figure | Worked, Outcome[Sequence[Value]]] = {}
        self._read: dict[str, Outcome[Any]] = {}
        self._alone: dict[str, tuple[float, StorageUnavailable]] = {}
        """Until when ClickHouse is left alone with a kind of statements (monotonic seconds), and why."""
        self._was_slow = False
        """Whether one took too long in this tick."""

    def use(self, rules: Sequence[Rule]) -> None:
        """Read what these rules ask together."""
        operands = [each for rule in rules if rule.is_enabled for each in rule.operands]
        figures = [each.figure if isinstance(each, Worked) else each for each in operands]
        self._sent = tuple(dict.fromkeys(each.name for each in figures if self._is_sent(each.name)))
        self._portfolios.use(each for each in figures if self._of(each.name) is Of.PORTFOLIO)
        self._over_time.use([each for each in operands if isinstance(each, Worked)])
        self.begin()

    def __call__(self, operand: Figure | Worked) -> Sequence[Value]:
        """Return what a figure is worth now, a value for each set of labels; None in it: stale, or not known.

        Raises StorageError.
        """
        known = self._asked.get(operand)
        if known is None:
            known = self._asked[operand] = _outcome(lambda: self._values(operand))
        return known.told()

    def take(self, stores: Stores) -> None:
        """Read by the settings of these stores from the next turn on. It may be called by another thread."""
        self._newest = stores

    def why_gone(self, rule: Rule, of: Labels) -> str:
        """Return why labels that are not reported any more are gone on purpose; empty: they are not.

        Raises StorageUnavailable.
        """
        if of in map(awaited, rule.figures):
            return ARRIVED
        if MACHINE not in dict(of) and any(of in self._without_machine(name) for name in rule.figures):
            return WITH_MACHINE
        return why_gone(rule, of, self._once("there", self._there), self._vocabulary)

    def _without_machine(self, metric: str) -> frozenset[Labels]:
        """Return the labels by which an earlier version knew what programs send of a machine."""
        if not self._is_sent(metric):
            return frozenset()
        return frozenset(each.stored for each in self._all_series(metric) if MACHINE in dict(each.now.labels))

    def _there(self) -> There:
        settings = self._stores.settings
        going_on = self._portfolios.going_on(self._stores.clock.now())
        return There(
            frozenset(collectors_of(settings, every_dataset(settings))),
            frozenset((each.origin, each.id) for each in going_on),
            self._present().machines,
            self._present().has_limits,
        )

    def begin(self) -> None:
        """Begin a tick: what was read before is read again."""
        self._stores = self._newest
        self._asked, self._read = {}, {}
        self._was_slow = False
        self._portfolios.begin()

    def _values(self, operand: Figure | Worked) -> Sequence[Value]:
        metric = (operand.figure if isinstance(operand, Worked) else operand).name
        if self._of(metric) is Of.COLLECTED and self._is_awaited(metric):
            return [Value(awaited(metric), None, NEVER_SENT)]
        if isinstance(operand, Worked):
            series = self._series(operand.figure)
            return self._stored(KIND[operand.work], lambda: self._over_time(operand, series, self._all_series))
        of = self._of(operand.name)
        if of is Of.PORTFOLIO:
            return self._stored(FIGURES, lambda: self._portfolios.values(operand))
        if operand.name in OF_PORTFOLIOS:
            values: Sequence[Value] = self._once(operand.name, lambda: self._of_values(operand.name))
        elif of is Of.OWN:
            values = self._present().own[operand.name]
        else:
            return [each.now for each in self._series(operand)]
        return [each for each in values if all_hold(operand.matchers, dict(each.labels))]

    def _series(self, figure: Figure) -> list[Series]:
        """Return the collected series that are meant."""
        series = self._all_series(figure.name)
        return [each for each in series if all_hold(figure.matchers, dict(each.now.labels))]

    def _all_series(self, metric: str) -> Sequence[Series]:
        """Return every series of a metric: of the newest readings, else of what programs sent."""
        found = self._present().series.get(metric, ())
        if found or not self._is_sent(metric):
            return found
        names = self._sent if metric in self._sent else (metric,)
        sent = self._once(f"sent {names}", lambda: self._stored(SENT, lambda: self._read_sent(names)))
        return sent.get(metric, ())

    def _is_awaited(self, metric: str) -> bool:
        """Return whether a metric is one that programs send, and none has done so yet."""
        if not self._is_sent(metric) or metric in self._heard_of or self._all_series(metric):
            return False
        names = tuple(each for each in dict.fromkeys((*self._sent, metric)) if each not in self._heard_of)
        heard = self._once(f"heard of {names}", lambda: self._stored(SENT, lambda: self._read_heard_of(names)))
        self._heard_of |= heard
        return metric not in heard

    def _read_heard_of(self, metrics: Sequence[str]) -> frozenset[str]:
        return read_heard_of(self._stores.clickhouse, metrics)

    def _read_sent(self, metrics: Sequence[str]) -> Mapping[str, Sequence[Series]]:
        since = self._stores.clock.now() - SENT_SECONDS
        found: dict[str, list[Series]] = {}
        for each in read_newest(self._stores.clickhouse, metrics, since):
            shown = labels(**{**dict(each.labels), MACHINE: each.host}) if each.host else each.labels
            found.setdefault(each.metric, []).append(Series(each.host, each.labels, Value(shown, each.value)))
        return found

    def _present(self) -> Present:
        return self._once("present", lambda: read_present(self._stores, self._sent_alerts))

    def _of_values(self, name: str) -> Sequence[Value]:
        return self._stored(FIGURES, lambda: self._portfolios.own_values(name))

    def _stored(self, kind: str, ask: Callable[[], Read_]) -> Read_:
        """Return what ClickHouse answers to statements of a kind.

        Raises StorageUnavailable: at once where it did not answer a moment ago. A kind that takes it too long is left
        alone by itself; where another one does too, in the same tick, it is ClickHouse that is slow.
        """
        for each in (EVERYTHING, kind):
            until, error = self._alone.get(each, (-math.inf, None))
            if error is not None and self._stores.clock.monotonic() < until:
                raise error
        seconds = self._stores.settings.alerts.statement_seconds * (THEN_SHARE if self._was_slow else 1.0)
        try:
            with at_most(seconds):
                return ask()
        except OutOfPatience as slow:
            self._leave_alone(EVERYTHING if self._was_slow else kind, slow)
            self._was_slow = True
            raise
        except StorageUnavailable as away:
            self._leave_alone(EVERYTHING, away)
            raise

    def _leave_alone(self, kind: str, why: StorageUnavailable) -> None:
        self._alone[kind] = self._stores.clock.monotonic() + ALONE_SECONDS, why

    def _once(self, name: str, make: Callable[[], Read_]) -> Read_:
        """Return what `make` returns, made once a tick."""
        known = self._read.get(name)
        if known is None:
            known = self._read[name] = _outcome(make)
        answer: Read_ = known.told()
        return answer

    def _of(self, name: str) -> Of:
        kind = self._vocabulary.get(name)
        return kind.of if kind else Of.COLLECTED

    def _is_sent(self, name: str) -> bool:
        """Return whether a metric is none that Fundwatch itself names."""
        kind = self._vocabulary.get(name)
        return kind is None or kind.labels is None


def _outcome(make: Callable[[], Read_]) -> Outcome[Read_]:
    try:
        return Outcome(make())
    except StorageError as error:
        return Outcome(None, error)
