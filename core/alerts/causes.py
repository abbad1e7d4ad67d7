"""What rests on what: when a component's cause is in trouble too, the cause is told and the component is not.

Names of components may have * in them. What a component rests on rests on other things in turn.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
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


def last_causes(components: Iterable[str], rests_on: RestsOn) -> dict[str, list[str]]:
    """Return of these components which of them each rests on, if that rests on none of them itself.

    Those that rest on none are left out; so are those that rest on each other alone.
    """
    names = sorted(components)
    found: dict[str, list[str]] = {}
    for name in names:
        patterns = causes_of(name, rests_on)
        if causes := [each for each in names if each != name and any(fnmatchcase(each, one) for one in patterns)]:
            found[name] = causes
    last = {name: [each for each in causes if each not in found] for name, causes in found.items()}
    return {name: causes for name, causes in last.items() if causes}


def _direct(name: str, rests_on: RestsOn) -> Iterator[str]:
    for of, causes in rests_on.items():
        if name == of or fnmatchcase(name, of):
            yield from causes
