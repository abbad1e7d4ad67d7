"""What a rule says against itself: told when it is checked, as it would fire for ever or never."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

from core.alerts.evaluate import COMPARE, WORDS
from core.alerts.expression import Compared
from core.alerts.rule import Rule
from core.errors import RuleRejected

NEVER_ABOVE_ZERO = frozenset({"max_drawdown", "current_drawdown", "average_drawdown"})
"""Figures of portfolios that are 0 or less, whoever thinks of them as sizes."""


def check_clear(rule: Rule) -> None:
    """Raise RuleRejected where `clear` holds of what fires and not of all that does not: there it would never end."""
    clear = rule.clears
    if not isinstance(clear, Compared):
        return
    for _, fires in rule.conditions:
        if not isinstance(fires, Compared) or fires.operand != clear.operand:
            continue
        values = _values((fires, clear))
        if all(_holds(fires, value) or _holds(clear, value) for value in values):
            continue  # what does not fire is clear, as it is without `clear`
        if any(_holds(fires, value) and _holds(clear, value) for value in values):
            turned = "<" if fires.operator.startswith(">") else ">"
            instead = replace(clear, operator=turned)
            fix = f"It must hold only where the rule does not fire: {instead}, for instance."
            raise RuleRejected("clear", f"{clear} also holds where {fires} does", fix)


def contradictions(rule: Rule) -> Iterator[str]:
    """Yield what can never be told, a sentence each."""
    levels = [(severity, each) for severity, each in rule.conditions if isinstance(each, Compared)]
    for (higher, above), (lower, below) in pairwise(levels):
        if above.operand != below.operand:
            continue
        alone = [value for value in _values((above, below)) if _holds(below, value) and not _holds(above, value)]
        if not alone:
            yield f"levels.{lower.word}: it is never told: where {below}, {above} holds too, which is {higher.word}"
    for _, each in levels:
        is_never = each.operator in (">", ">=") and _limit(each) > 0
        if each.operand == each.figure and each.figure.name in NEVER_ABOVE_ZERO and is_never:
            instead = replace(each, operator="<", limit=-_limit(each))
            yield f"{each}: it never holds, as {each.figure.name} is 0 or less; is {instead} meant?"


def _values(of: Iterable[Compared]) -> list[float]:
    """Return values at, just beside and far from every limit: between them nothing changes."""
    limits = [_limit(each) for each in of]
    near = [beside for each in limits for beside in (math.nextafter(each, -math.inf), math.nextafter(each, math.inf))]
    return [*limits, *near, -math.inf, math.inf]


def _holds(compared: Compared, value: float) -> bool:
    return COMPARE[compared.operator](value, _limit(compared))


def _limit(compared: Compared) -> float:
    return WORDS[compared.limit] if isinstance(compared.limit, str) else compared.limit
