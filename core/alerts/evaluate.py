"""What an expression comes to, for each set of labels. Pure: what figures are worth now is handed in.

Logic of three values (Kleene 1952): a comparison without data is neither true nor false, `and` is false when one side
is, `or` true when one side is, whatever the other lacks. Missing data never make a condition clear.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.alerts.expression import Absent, All, Compared, Expression, Figure, Not, OneOf, Worked
from core.model import Labels

COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
WORDS: Mapping[str, float] = {
    "ok": 0.0,
    "not_configured": 0.0,
    "unknown": 1.0,
    "warning": 2.0,
    "critical": 3.0,
    "down": 4.0,
}
"""What a word is worth: states of components, ordered as in core/model.py."""


@dataclass(frozen=True, slots=True)
class Value:
    """What a figure of one set of labels is worth now."""

    labels: Labels
    value: float | None
    """None: it was there, and is no longer, or is too old to count."""
    why: str = ""
    """A sentence about it, where there is one: of a component what its collector says, of no value what is missing."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Whether something holds for one set of labels."""

    labels: Labels
    holds: bool | None
    """None: there are no data to tell."""
    value: float | None = None
    """Of the figure that is compared first."""
    why: str = ""
    """The sentence of that figure."""


Read = Callable[[Figure | Worked], Sequence[Value]]
"""Returns what a figure is worth, a value for each set of labels that its matchers let through."""


def truths(expression: Expression, read: Read) -> list[Truth]:
    """Return whether it holds for each set of labels; none: no figure of it has data. Raises what `read` raises."""
    match expression:
        case Compared():
            limit = WORDS[expression.limit] if isinstance(expression.limit, str) else expression.limit
            compare = COMPARE[expression.operator]
            return [
                Truth(each.labels, None if each.value is None else compare(each.value, limit), each.value, each.why)
                for each in read(expression.operand)
            ]
        case Absent():
            found = read(expression.figure)
            return [Truth((), all(each.value is None for each in found))]
        case Not():
            return [
                Truth(each.labels, None if each.holds is None else not each.holds, each.value, each.why)
                for each in truths(expression.of, read)
            ]
        case All():
            return _joined(expression.of, read, _both)
        case OneOf():
            return _joined(expression.of, read, _either)


def _joined(
    parts: Iterable[Expression], read: Read, join: Callable[[bool | None, bool | None], bool | None]
) -> list[Truth]:
    """Return the parts together: rows whose labels do not contradict each other meet, the others stand alone."""
    first, *others = parts
    found = truths(first, read)
    for part in others:
        found = _meet(found, truths(part, read), join)
    return found


def _meet(
    left: Sequence[Truth], right: Sequence[Truth], join: Callable[[bool | None, bool | None], bool | None]
) -> list[Truth]:
    """Return each row of `left` with the rows of `right` that it meets, then those that meet none."""
    met: dict[Labels, Truth] = {}
    lone = dict.fromkeys(range(len(right)))
    for one in left:
        partners = [at for at, other in enumerate(right) if _agree(one.labels, other.labels)]
        for at in partners:
            lone.pop(at, None)
        for other in (right[at] for at in partners) if partners else (Truth((), None),):
            labels = _together(one.labels, other.labels)
            first = one if one.value is not None else other
            _add(met, Truth(labels, join(one.holds, other.holds), first.value, first.why))
    for at in lone:
        _add(met, Truth(right[at].labels, join(None, right[at].holds), right[at].value, right[at].why))
    return list(met.values())


def _add(met: dict[Labels, Truth], found: Truth) -> None:
    """Add a row; of two with the same labels what holds counts before what may, and that before what does not."""
    known = met.get(found.labels)
    if known is None or _weight(found.holds) > _weight(known.holds):
        met[found.labels] = found


def _weight(holds: bool | None) -> int:
    return 1 if holds is None else 2 * holds


def _agree(one: Labels, other: Labels) -> bool:
    if not one or not other:
        return True
    known = dict(one)
    shared = [(name, value) for name, value in other if name in known]
    return bool(shared) and all(known[name] == value for name, value in shared)


def _together(one: Labels, other: Labels) -> Labels:
    return tuple(sorted({**dict(other), **dict(one)}.items()))


def _both(one: bool | None, other: bool | None) -> bool | None:
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def _either(one: bool | None, other: bool | None) -> bool | None:
    if one or other:
        return True
    return None if one is None or other is None else False
