"""What one evaluation of a rule finds for each set of labels."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass

from core.alerts.conditions import Evaluation, Outcome
from core.alerts.evaluate import COMPARE, WORDS, Read, Truth, Value, truths
from core.alerts.expression import Compared
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.model import Labels

QUIET = (Outcome.CLEAR, Outcome.BETWEEN)
NO_DATA = "there are no data"


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found for one set of labels."""

    labels: Labels
    evaluation: Evaluation
    is_missing: bool = False
    """They were known, and are not reported any more."""


def judge(
    rule: Rule, read: Read, known: Collection[Labels], at: float, calm: Set[Labels] = frozenset()
) -> list[Judged]:
    """Return what is found now: for each set of labels that has values, and for those of `known` that lack them.

    calm: those of `known` of which only a breach, or a lack of data, is news; others of them are left out. Raises what
    `read` raises.
    """
    if calm and rule.only_operand is not None:
        values = read(rule.only_operand)
        loud = _loud(rule, values, calm)
        if len(values) - len(loud) == len(known):
            known = ()
        elif len(loud) < len(values):
            here = {each.labels for each in values}
            known = [labels for labels in known if labels not in here]
        return _judge(rule, lambda _: loud, known, at)
    found = _judge(rule, read, known, at)
    return (
        [each for each in found if each.labels not in calm or each.evaluation.outcome not in QUIET] if calm else found
    )


def _judge(rule: Rule, read: Read, known: Collection[Labels], at: float) -> list[Judged]:
    levels = [(severity, _by_labels(truths(expression, read))) for severity, expression in rule.conditions]
    clears = _by_labels(truths(rule.clears, read)) if rule.clears else None
    every = dict.fromkeys(labels for _, found in levels for labels in found)
    found = [Judged(labels, _found(labels, levels, clears, at)) for labels in every]
    gone = [Judged(labels, _missing(rule, at), is_missing=True) for labels in known if labels not in every]
    return found + gone


def _loud(rule: Rule, values: Sequence[Value], calm: Set[Labels]) -> list[Value]:
    """Return the values that are news: where something holds, of what is not calm, or where there is none."""
    compared = [each for _, each in rule.conditions if isinstance(each, Compared)]
    tests = [
        (COMPARE[each.operator], WORDS[each.limit] if isinstance(each.limit, str) else each.limit) for each in compared
    ]
    if len(tests) == 1:
        # The common case is the fast one: thousands of these are looked at each second.
        ((holds, limit),) = tests
        return [
            each for each in values if (value := each.value) is None or holds(value, limit) or each.labels not in calm
        ]
    return [
        each
        for each in values
        if each.value is None or each.labels not in calm or any(holds(each.value, limit) for holds, limit in tests)
    ]


def failed(rule: Rule, known: Collection[Labels], why: str, at: float) -> list[Judged]:
    """Return what there is to say of each known set of labels when the rule could not be evaluated."""
    severity = rule.conditions[0][0]
    return [Judged(labels, Evaluation(Outcome.ERROR, at, severity, why=why)) for labels in known]


def _by_labels(found: Sequence[Truth]) -> dict[Labels, Truth]:
    return {each.labels: each for each in found}


def _found(
    labels: Labels,
    levels: Sequence[tuple[Severity, dict[Labels, Truth]]],
    clears: dict[Labels, Truth] | None,
    at: float,
) -> Evaluation:
    """Return what holds at the highest severity; else whether it is clear, or there are no data to say so."""
    of = [(severity, each[labels]) for severity, each in levels if labels in each]
    known = next((truth for _, truth in of if truth.value is not None), None)
    value, why = (known.value, known.why) if known else (None, "")
    for severity, truth in of:
        if truth.holds:
            return Evaluation(Outcome.BREACH, at, severity, value, why)
    highest = levels[0][0]
    if len(of) < len(levels) or any(truth.holds is None for _, truth in of):
        lacking = next((truth.why for _, truth in of if truth.holds is None and truth.why), NO_DATA)
        return Evaluation(Outcome.NO_DATA, at, highest, why=lacking)
    if clears is None:
        return Evaluation(Outcome.CLEAR, at, highest, value, why)
    clear = clears.get(labels)
    if clear is None or clear.holds is None:
        return Evaluation(Outcome.NO_DATA, at, highest, why=(clear.why if clear else "") or NO_DATA)
    return Evaluation(Outcome.CLEAR if clear.holds else Outcome.BETWEEN, at, highest, value, why)


def _missing(rule: Rule, at: float) -> Evaluation:
    return Evaluation(Outcome.NO_DATA, at, rule.conditions[0][0], why="it is not reported any more")
