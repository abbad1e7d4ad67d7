"""What was taken away on purpose: why a set of labels that is not reported any more is no loss."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from core.alerts.figures import INSTANCE, LIMIT_LEVEL, VALUE_AGE, VALUE_OVERDUE, Of, Vocabulary
from core.alerts.rule import Rule
from core.catalogue import kinds_of
from core.metrics import MACHINE
from core.model import Labels
from core.pipeline.spec import COLLECTOR, PIPELINE

OF_PORTFOLIOS = (VALUE_AGE, VALUE_OVERDUE)
NO_LIMIT = "the limit was taken away, or holds for it no more"
ENDED = "the portfolio has ended, or is no longer one"
NOT_WATCHED = "it is no longer watched"
NOT_HERE = "another machine collects now"


@dataclass(frozen=True, slots=True)
class There:
    """What there is to be watched now."""

    collectors: Collection[str]
    """Those that are switched on."""
    portfolios: Collection[tuple[str, str]]
    """Origin and id of those that have not ended."""
    machines: Mapping[str, Collection[str]]
    """Those of which there are readings, by collector."""
    has_limits: bool = False
    """Whether it is known how every limit of portfolios stands."""


def why_gone(rule: Rule, labels: Labels, there: There, vocabulary: Vocabulary) -> str:
    """Return why labels of a rule are gone on purpose; empty: as far as anybody knows they are not.

    Of what exporters and programs name nobody knows what its labels mean.
    """
    kinds = [vocabulary.get(name) for name in rule.figures]
    known = [kind for kind in kinds if kind is not None and kind.labels is not None]
    if not known or len(known) < len(kinds):
        return ""
    found = dict(labels)
    if any(kind.name == LIMIT_LEVEL for kind in known):
        return NO_LIMIT if there.has_limits else ""
    if portfolio := found.get("portfolio"):
        is_of_portfolios = any(kind.of is Of.PORTFOLIO or kind.name in OF_PORTFOLIOS for kind in known)
        is_there = (found.get("origin", "own"), portfolio) in there.portfolios
        return ENDED if is_of_portfolios and not is_there else ""
    if (machine := found.get(MACHINE)) and _is_elsewhere(machine, found.get("collector", ""), there.machines):
        return NOT_HERE
    if collector := _collector_of(found):
        return "" if collector in there.collectors else NOT_WATCHED
    if instance := found.get(INSTANCE):
        watched = {f"{kind}:{instance}" for each in known for kind in kinds_of(each.name)}
        return NOT_WATCHED if watched and watched.isdisjoint(there.collectors) else ""
    return ""


def _is_elsewhere(machine: str, collector: str, machines: Mapping[str, Collection[str]]) -> bool:
    """Return whether there are readings of other machines and none of this one, of that collector if one is named."""
    here = machines.get(collector, ()) if collector else {each for found in machines.values() for each in found}
    return bool(here) and machine not in here


def _collector_of(labels: dict[str, str]) -> str:
    """Return the collector that labels are of: Fundwatch tells of each of its own as a component, too."""
    component = labels.get("component", "")
    if labels.get("collector") == PIPELINE and component.startswith(COLLECTOR):
        return component.removeprefix(COLLECTOR)
    return labels.get("collector", "")
