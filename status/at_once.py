"""Whether a rule that is saved now would fire at once, and for which series. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.alerts.conditions import Outcome
from core.alerts.judge import judge
from core.alerts.rule import Rule
from core.alerts.series import Series
from core.alerts.timing import Policy
from core.format import coarse_duration, count
from core.model import Labels
from status.played import Played

MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class AtOnce:
    """What a rule finds now, of sets of labels."""

    holds: tuple[Labels, ...]
    """It holds for these."""
    lacks: tuple[Labels, ...]
    """Of these there are no data, which the rule tells."""
    looked: int
    """Sets of labels that are reported now."""
    wait_seconds: float
    """How long it must hold before it fires."""
    lack_seconds: float
    """How long data are missing before that is told."""

    @property
    def sentence(self) -> str:
        """Return it in a sentence or two."""
        if not self.looked:
            return "Saved now, it would find nothing: none of it is reported."
        return " ".join((self._fires(), *self._misses()))

    def _fires(self) -> str:
        every = count(self.looked, "series", "series")
        if not self.holds:
            return f"Saved now, it would not fire: it holds for none of {every}."
        when = f"after {coarse_duration(self.wait_seconds)}" if self.wait_seconds else "at once"
        return f"Saved now, it would fire {when} for {len(self.holds)} of {every}: {_named(self.holds)}."

    def _misses(self) -> tuple[str, ...]:
        if not self.lacks:
            return ()
        after = coarse_duration(self.lack_seconds)
        return (f"Of {len(self.lacks)} there are no data, which is told after {after}: {_named(self.lacks)}.",)


def at_once(rule: Rule, series: Sequence[Series], now: float) -> AtOnce:
    """Return what a rule finds at `now` (epoch seconds) of series of the past, as if it was saved just then."""
    read = Played(series)
    read.now = now
    found = judge(rule, read, (), now)
    of = {
        outcome: tuple(sorted(each.labels for each in found if each.evaluation.outcome is outcome))
        for outcome in (Outcome.BREACH, Outcome.NO_DATA)
    }
    lacks = of[Outcome.NO_DATA] if rule.no_data is Policy.ALERT else ()
    return AtOnce(of[Outcome.BREACH], lacks, len(found), rule.for_, rule.timing.no_data_seconds)


def _named(some: Sequence[Labels]) -> str:
    told = [", ".join(f"{name} {value}" for name, value in each) or "without labels" for each in some[:MOST_NAMED]]
    more = [f"{len(some) - MOST_NAMED} more"] if len(some) > MOST_NAMED else []
    return "; ".join([*told, *more])
