"""When a rule would have fired in the last seven days, by the engine's own judging over what is stored of them.

It is bounded: so many series, so many evaluations and so much time; what was left out is told.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.alerts.conditions import Phase
from core.alerts.expression import Figure, Worked
from core.alerts.figures import STATUS, FigureKind, Of, Vocabulary, named, vocabulary_of
from core.alerts.matchers import all_hold
from core.alerts.rule import Rule
from core.alerts.series import OfPortfolios, Series
from core.alerts.severity import Severity
from core.alerts.spec import TICK_SECONDS as ENGINE_TICKS
from core.format import coarse_duration, count
from core.kinds.registry import component_name
from core.metrics import MACHINE
from core.model import SEVERITY, Labels, SourceId, Status, labels
from status.at_once import AtOnce, at_once
from status.drawn_past import Drawn, Threshold, drawn, thresholds_of
from status.freshness import reading_stale_after_seconds, stale_after_seconds
from status.played import Played, played
from status.readings import collectors_of, every_dataset, newest_readings
from status.states import bands, state_history
from status.worked import span_of
from storage.clickhouse.reads.past import PastSeries, read_courses, read_minutes_of, read_past_series

if TYPE_CHECKING:
    from storage.stores import Stores

DAYS = 7
LOOKED_BACK_SECONDS = DAYS * 86_400
MOST_SERIES = 40
MOST_EVALUATIONS = 250_000
"""Of all series together: past that it is looked less often."""
MOST_SECONDS = 4.0
"""Past that it is begun anew, and looked less often."""
FEWEST_EVALUATIONS = 50
"""Of all the time: however long they take."""
MOST_MINUTES = 400_000
"""Of the past before the first evaluation, of all series together: a long span is looked at of fewer series."""
SENT_STALE_SECONDS = 300.0
"""Of what programs sent, as in the engine."""
OTHER_STALE_SECONDS = stale_after_seconds(60, 10)
"""Of a metric that nobody collects any more."""
ENGINE_GAP_SECONDS = 150.0
"""Between two minutes in which the engine ticked: in between there was none."""


@dataclass(frozen=True, slots=True)
class Fired:
    """A time in which one set of labels would have fired."""

    labels: Labels
    start: float
    """Epoch seconds."""
    end: float
    severity: Severity
    lacks_data: bool
    """It fired because there were no data."""
    is_open: bool = False
    """It fires on at the end of what was looked at."""


@dataclass(frozen=True, slots=True)
class BackTest:
    """What a rule would have told."""

    start: float
    """Epoch seconds: from here on it was looked."""
    end: float
    why_not: str = ""
    """Why nothing could be looked at; empty: it was."""
    step_seconds: float = 0.0
    """Between two evaluations."""
    matched: int = 0
    """Series that the rule means."""
    fired: tuple[Fired, ...] = ()
    """Oldest first."""
    drawn: tuple[Drawn, ...] = ()
    """The few worst series."""
    thresholds: tuple[Threshold, ...] = ()
    at_once: AtOnce | None = None
    """What it finds now; None: nothing could be looked at."""
    notes: tuple[str, ...] = ()
    """What was looked at less than asked, a sentence each."""

    @property
    def fired_seconds(self) -> float:
        """How long all of it lasted."""
        return sum(each.end - each.start for each in self.fired)

    @property
    def sentence(self) -> str:
        """Return it in a sentence."""
        if self.why_not:
            return f"It cannot be tried on the past: {self.why_not}."
        lasts = self.end - self.start
        span = f"the last {DAYS} days" if lasts > LOOKED_BACK_SECONDS - 3_600 else f"the last {coarse_duration(lasts)}"
        if not self.fired:
            return f"It would not have fired in {span}."
        lacking = sum(each.lacks_data for each in self.fired)
        of_them = f" ({count(lacking, 'time')} for lack of data)" if lacking else ""
        long = coarse_duration(self.fired_seconds)
        sets = len({each.labels for each in self.fired})
        together = f" ({count(sets, 'set of labels', 'sets of labels')} together)" if sets > 1 else ""
        return f"It would have fired {count(len(self.fired), 'time')}{of_them} in {span}, for {long} in all{together}."


class _CannotLookBack(Exception):
    """Why a rule cannot be tried on the past."""


def back_test(stores: Stores, rule: Rule, vocabulary: Vocabulary, of_portfolios: OfPortfolios) -> BackTest:
    """Return when a rule would have fired; `vocabulary`: with the metrics that programs name.

    Raises StorageUnavailable or StorageRejected.
    """
    end = int(stores.clock.now())
    start = end - LOOKED_BACK_SECONDS
    try:
        return _BackTest(stores, rule, vocabulary, of_portfolios, start, end).result()
    except _CannotLookBack as why:
        return BackTest(start, end, why_not=str(why))


class _BackTest:
    """One of them, while it is worked out."""

    def __init__(
        self, stores: Stores, rule: Rule, vocabulary: Vocabulary, of_portfolios: OfPortfolios, start: int, end: int
    ) -> None:
        self._stores = stores
        self._rule = rule
        self._vocabulary = vocabulary
        self._of_portfolios = of_portfolios
        self._start, self._end = start, end
        self._notes: list[str] = []
        self._every = max(1, math.ceil(rule.every))
        self._stale_after = _stale_after(stores)

    def result(self) -> BackTest:
        operands = self._rule.operands
        collected, others = self._found(operands)
        matched = len(collected) + len(others)
        if not matched:
            names = ", ".join(map(str, dict.fromkeys(_figure(each) for each in operands)))
            raise _CannotLookBack(f"nothing is stored of {names}")
        collected = self._bounded(collected, len(others))
        first = min([each.first for each in collected] + [each.times[0] for each in others])
        # Evaluations stay where they are, however far history reaches: what was read by them fits.
        later = max(int(first) - 1 - self._start, 0) // self._every * self._every
        start = self._start + later
        if start > self._start + 3_600:
            self._notes.append(f"History reaches back {coarse_duration(self._end - start)}.")
        step = self._step(start, len(collected) + len(others))
        series = [*self._series(collected, start, step, operands), *others]
        return self._tried(series, start, step, matched)

    def _found(self, operands: Sequence[Figure | Worked]) -> tuple[list[PastSeries], list[Series]]:
        """Return what is meant: series that are collected, yet to be read, and all others."""
        figures = list(dict.fromkeys(map(_figure, operands)))
        others: list[Series] = []
        metrics: list[str] = []
        for figure in figures:
            match self._of(figure):
                case Of.COLLECTED:
                    metrics.append(figure.name)
                case Of.PORTFOLIO:
                    others += self._of_each_portfolio(figure)
                case _ if figure.name == STATUS:
                    others += [each for each in self._states() if _is_meant(figure, each.labels)]
                case _:
                    raise _CannotLookBack(f"of {figure.name} no history is kept")
        found = read_past_series(self._stores.clickhouse, metrics, self._start, self._end) if metrics else []
        meant = [
            each
            for each in found
            if any(figure.name == each.metric and _is_meant(figure, self._shown(each)) for figure in figures)
        ]
        return meant, _each_once(others)

    def _of_each_portfolio(self, figure: Figure) -> Sequence[Series]:
        past = self._of_portfolios(figure, self._start, self._end, self._every)
        if past.left_out:
            self._notes.append(f"{count(past.left_out, 'more portfolio')} meant and not looked at.")
        if past.step_seconds > self._every:
            each = coarse_duration(past.step_seconds)
            self._notes.append(f"Of the values that came, the last in {each} was looked at, not each.")
        return past.series

    def _bounded(self, found: list[PastSeries], others: int) -> list[PastSeries]:
        lead = max([span_of(each) for each in self._rule.operands if isinstance(each, Worked)], default=0)
        most = max(min(MOST_SERIES, int(MOST_MINUTES * 60 // max(lead, 60))) - others, 1)
        if len(found) > most:
            matched = count(len(found) + others, "series", "series")
            self._notes.append(f"{matched} match; the first {most + others} were looked at.")
        return found[:most]

    def _step(self, start: int, series: int) -> int:
        return self._every * max(1, math.ceil((self._end - start) / self._every * series / MOST_EVALUATIONS))

    def _series(
        self, found: Sequence[PastSeries], start: int, step: int, operands: Sequence[Figure | Worked]
    ) -> list[Series]:
        if not found:
            return []
        lead = max([span_of(each) for each in operands if isinstance(each, Worked)], default=0)
        numbers = [each.number for each in found]
        courses = read_courses(self._stores.clickhouse, numbers, start, self._end, step, lead)
        newest: dict[tuple[str, str], float] = {}
        for each in found:
            ends = courses[each.number].times[-1:]
            newest[each.host, each.metric] = max(newest.get((each.host, each.metric), -math.inf), *ends, -math.inf)
        made = []
        for each in found:
            course = courses[each.number]
            is_sent = self._is_sent(each.metric)
            stale = self._stale_after.get(each.metric, SENT_STALE_SECONDS if is_sent else 0.0) or OTHER_STALE_SECONDS
            # What a collector leaves out while it tells of others is gone; while it is silent nothing is known.
            is_outlived = bool(course.times) and course.times[-1] + stale < newest[each.host, each.metric]
            made.append(
                Series(
                    Figure(each.metric), self._shown(each), course.times, course.values, stale,
                    course.means, course.lows, course.highs, is_gone_when_stale=is_sent or is_outlived,
                )
            )  # fmt: skip
        return made

    def _tried(self, series: Sequence[Series], start: int, step: int, matched: int) -> BackTest:
        gaps = self._gaps(start)
        coarsest = max(step, (self._end - start) // FEWEST_EVALUATIONS // self._every * self._every)
        while isinstance(found := self._fired(series, start, step, gaps, step < coarsest), float):
            # It took too long: as much less often as that it ends in time, with half as much to spare.
            step = min(step * max(2, math.ceil(1.5 / found)), coarsest)
        if step > self._every:
            told = coarse_duration(step), coarse_duration(self._rule.every)
            self._notes.append(f"It was looked at every {told[0]}, not every {told[1]}.")
        end = float(self._end)
        return BackTest(
            start, end, step_seconds=step, matched=matched, fired=tuple(found),
            drawn=drawn(self._rule, series, _seconds_by_labels(found), Played(series), start, end),
            thresholds=thresholds_of(self._rule), at_once=at_once(self._rule, series, end), notes=tuple(self._notes),
        )  # fmt: skip

    def _fired(
        self, series: Sequence[Series], start: int, step: int, gaps: Sequence[tuple[float, float]], may_stop: bool
    ) -> list[Fired] | float:
        """Return when it would have fired, the oldest first; how much of the time it came to, where time ran out."""
        rule = self._rule.model_copy(update={"every": float(step)})
        deadline = self._stores.clock.monotonic() + MOST_SECONDS if may_stop else math.inf
        fired, opened = [], dict[Labels, Fired]()
        times = _outside(map(float, range(start + step, self._end + 1, step)), gaps)
        for now in played(rule, series, times):
            at = now.at
            for of in now.changed:
                condition = now.of(of)
                severity = condition.severity or rule.conditions[-1][0]
                if of in opened:
                    if not condition.fires:
                        fired.append(replace(opened.pop(of), end=at))
                    elif severity > opened[of].severity:
                        opened[of] = replace(opened[of], severity=severity)
                elif condition.fires:
                    is_blind = condition.phase in (Phase.NO_DATA, Phase.ERROR)
                    opened[of] = Fired(of, at, at, severity, is_blind)
            if self._stores.clock.monotonic() > deadline and at + step <= self._end:
                return (at - start) / (self._end - start)
        fired += [replace(each, end=float(self._end), is_open=True) for each in opened.values()]
        return sorted(fired, key=lambda each: (each.start, each.labels))

    def _gaps(self, start: int) -> list[tuple[float, float]]:
        """Return when no engine was there at all: from when until when."""
        minutes = read_minutes_of(self._stores.clickhouse, ENGINE_TICKS, start, self._end)
        gaps = [
            (before + 60, after) for before, after in itertools.pairwise(minutes) if after - before > ENGINE_GAP_SECONDS
        ]
        if gaps:
            away = sum(after - before for before, after in gaps)
            self._notes.append(f"For {coarse_duration(away)} no engine ran: that time is left out.")
        return gaps

    def _states(self) -> list[Series]:
        """Return the states of all components."""
        stores = self._stores
        sources = collectors_of(stores.settings, every_dataset(stores.settings))
        found = []
        history = state_history(stores, sources, self._start, self._end, host=stores.settings.machine)
        for id, changes in history.items():
            source = SourceId.parse(id.source)
            pairs = {"component": id.name or (component_name(source) if source else id.source), "collector": id.source}
            parts = list(
                itertools.dropwhile(lambda band: band.state is Status.UNKNOWN, bands(changes, self._start, self._end))
            )
            if parts:
                of = labels(**pairs, **({} if source else {MACHINE: id.host}))
                values = [None if each.state is Status.UNKNOWN else float(SEVERITY[each.state]) for each in parts]
                found.append(Series(Figure(STATUS), of, [each.start for each in parts], values, math.inf))
        return found

    def _of(self, figure: Figure) -> Of:
        kind = self._kind(figure.name)
        return kind.of if kind else Of.COLLECTED

    def _kind(self, name: str) -> FigureKind | None:
        return self._vocabulary.get(name)

    def _is_sent(self, metric: str) -> bool:
        """Return whether programs send a metric: it is none that Fundwatch names, and no exporter told it."""
        kind = self._kind(metric)
        return (kind is None or kind.labels is None) and metric not in self._stale_after

    def _shown(self, each: PastSeries) -> Labels:
        """Return the labels that rules see: of what is of a machine, that as well."""
        kind = self._kind(each.metric)
        is_of_machine = kind is not None and kind.labels is not None and MACHINE in kind.labels
        if is_of_machine or (each.host and self._is_sent(each.metric)):
            return labels(**{**dict(each.labels), MACHINE: each.host})
        return each.labels


def _stale_after(stores: Stores) -> Mapping[str, float]:
    """Return by metric of the newest readings the age beyond which a sample of it counts no more."""
    readings = newest_readings(stores, every_dataset(stores.settings))
    return {metric: reading_stale_after_seconds(each) or 0.0 for each in readings for metric, _ in each.samples}


def with_metrics(vocabulary: Vocabulary, metrics: Iterable[str]) -> Vocabulary:
    """Return what rules may name with metrics that exporters or programs name."""
    return vocabulary_of([*vocabulary.values(), *named(metrics)])


def _is_meant(figure: Figure, of: Labels) -> bool:
    return all_hold(figure.matchers, dict(of))


def _each_once(found: Sequence[Series]) -> list[Series]:
    return list({(each.figure, each.labels): each for each in found}.values())


def _seconds_by_labels(fired: Sequence[Fired]) -> Mapping[Labels, float]:
    found: dict[Labels, float] = {}
    for each in fired:
        found[each.labels] = found.get(each.labels, 0.0) + each.end - each.start
    return found


def _outside(times: Iterable[float], gaps: Sequence[tuple[float, float]]) -> Iterable[float]:
    waiting = iter(gaps)
    gap = next(waiting, None)
    for at in times:
        while gap is not None and at >= gap[1]:
            gap = next(waiting, None)
        if gap is None or at < gap[0]:
            yield at


def _figure(operand: Figure | Worked) -> Figure:
    return operand.figure if isinstance(operand, Worked) else operand
