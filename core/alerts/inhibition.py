"""One alert that hides another one: {severity="critical"} hides {severity="warning"} by host, rule.

As Alertmanager has it: while an alert fires that the first matchers mean, those that the second mean are not told if
the labels behind `by` are the same in both; a label that is not there is empty. Alerts that both sides mean do not hide
each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.alerts.expression import Matcher
from core.alerts.matchers import all_hold, read_matchers, written
from core.errors import ChangeRejected
from core.format import cut

_SIDE = r'\{((?:[^"{}]|"(?:[^"\\]|\\.)*")*)\}'
_TEXT = re.compile(rf"\s*{_SIDE}\s+hides\s+{_SIDE}(?:\s+by\s+(\w+(?:\s*,\s*\w+)*))?\s*")
_EXAMPLE = '{severity="critical"} hides {severity="warning"} by host'


@dataclass(frozen=True, slots=True)
class Inhibition:
    """What hides what."""

    cause: tuple[Matcher, ...]
    hidden: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()

    def __str__(self) -> str:
        by = f" by {', '.join(self.equal)}" if self.equal else ""
        return f"{{{written(self.cause)}}} hides {{{written(self.hidden)}}}{by}"


@dataclass(frozen=True, slots=True)
class Fires:
    """An alert that fires: what tells it from others, what it is called, its labels (core/alerts/labels.py)."""

    key: str
    name: str
    labels: Mapping[str, str]


def read_inhibition(text: str) -> Inhibition:
    """Return what a text says. Raises ValueError with what is wrong."""
    match = _TEXT.fullmatch(text)
    if match is None:
        raise ValueError(f"{cut(text, 60)!r} is not understood; write it as {_EXAMPLE}")
    try:
        cause, hidden = read_matchers(match[1]), read_matchers(match[2])
    except ChangeRejected as error:
        raise ValueError(f"{cut(text, 60)!r} {error.fields['matchers']}") from error
    return Inhibition(cause, hidden, tuple(re.split(r"\s*,\s*", match[3])) if match[3] else ())


ALWAYS = (read_inhibition('{rule="silent"} hides {rule="machine"} by collector, machine'),)
"""As it is whatever the settings say: that a machine is gone is told once."""


def hidden_by_others(inhibitions: Sequence[Inhibition], firing: Sequence[Fires]) -> dict[str, str]:
    """Return which of these alerts another one hides: by its key, with the name of that one.

    Of those that hide each other in a circle none is hidden: somebody has to be told.
    """
    found: dict[str, Fires] = {}
    for each in inhibitions:
        for fires, cause in _hidden(each, firing):
            found.setdefault(fires.key, cause)
    return {key: cause.name for key, cause in found.items() if not _is_in_circle(key, found)}


def _hidden(inhibition: Inhibition, firing: Sequence[Fires]) -> Iterator[tuple[Fires, Fires]]:
    """Yield what is hidden, with what hides it."""
    causes = [each for each in firing if all_hold(inhibition.cause, each.labels)]
    targets = [each for each in firing if all_hold(inhibition.hidden, each.labels)] if causes else []
    both = {each.key for each in causes} & {each.key for each in targets}
    any_cause = {_of(inhibition, each): each for each in reversed(causes)}
    pure_cause = {_of(inhibition, each): each for each in reversed(causes) if each.key not in both}
    for each in targets:
        cause = (pure_cause if each.key in both else any_cause).get(_of(inhibition, each))
        if cause is not None:
            yield each, cause


def _is_in_circle(key: str, found: Mapping[str, Fires]) -> bool:
    met, at = {key}, found.get(key)
    while at is not None and at.key not in met:
        met.add(at.key)
        at = found.get(at.key)
    return at is not None and at.key == key


def _of(inhibition: Inhibition, fires: Fires) -> tuple[str, ...]:
    return tuple(fires.labels.get(name, "") for name in inhibition.equal)
