"""What rests on what: when a component's cause is in trouble too, the cause is told and the component is not.

Names of components may have * in them. What a component rests on rests on other things in turn.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase

RestsOn = Mapping[str, Collection[str]]
RESTS_ON: RestsOn = {
    "Freshness *": ("IQFeed *",),
    "IQFeed *": ("Network",),
    "Interactive Brokers *": ("Network",),
}
"""As it is without a setting."""


def causes_of(component: str, rests_on: RestsOn) -> frozenset[str]:
    """Return the names, with their *, of all that a component rests on, in the end."""
    found: set[str] = set()
    waiting = [*_direct(component, rests_on)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _direct(name, rests_on)
    return frozenset(found)


def rests(component: str, cause: str, rests_on: RestsOn) -> bool:
    """Return whether one component rests on another one."""
    return component != cause and any(fnmatchcase(cause, name) for name in causes_of(component, rests_on))


def _direct(name: str, rests_on: RestsOn) -> Iterator[str]:
    for of, causes in rests_on.items():
        if name == of or fnmatchcase(name, of):
            yield from causes
