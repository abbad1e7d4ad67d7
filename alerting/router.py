"""The engine's `route`: which incident a condition belongs to, and who is told of it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from core.alerts.figures import LIMIT, LIMIT_LEVEL, PORTFOLIO
from core.alerts.labels import SEVERITY, alert_labels
from core.alerts.plan import Plan, PlanStep
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.clock import Clock
from core.errors import StorageError
from core.model import Labels
from core.settings.routes import CATEGORY, RULE, OwnRoute, Route, leading_first, those_that_count

LONGEST_GROUP = 255
"""Characters that the state database keeps of a group."""
MOST_KNOWN = 50_000
"""Conditions whose route is remembered; past it all are looked for anew."""
MINUTE_SECONDS = 60
LOOK_SECONDS = 2.0
"""Between two looks whether routes were changed."""

log = logging.getLogger(__name__)


class Router:
    """Finds group and plan by the routes in force. Called by one thread."""

    def __init__(self, read: Callable[[], Sequence[Route]], clock: Clock) -> None:
        """read: returns the routes in force, or raises StorageError: then those before hold on.

        Raises StorageError.
        """
        self._read = read
        self._routes = tuple(read())
        self._clock = clock
        self._looked_at = clock.monotonic()
        self._minute = 0
        self._known: dict[tuple[str, Labels], tuple[Rule, str, Plan]] = {}

    def __call__(self, rule: Rule, labels: Labels) -> tuple[str, Plan]:
        """Return the group of a condition, and the plan of an incident that opens for it now.

        The group depends on neither time nor severity: an incident stays one when its hours are over or it gets worse.
        """
        now = self._clock.now()
        self._look()
        minute = int(now // MINUTE_SECONDS)
        if minute != self._minute or len(self._known) >= MOST_KNOWN:
            self._minute = minute
            self._known.clear()
        found = self._known.get((rule.name, labels))
        if found is None or found[0] is not rule:
            every = _together(rule, labels)
            fitting = self._fitting(rule, every)
            group = group_of(fitting, rule, every, self._named(fitting))
            found = self._known[rule.name, labels] = rule, group, plan_of(fitting, now)
        return found[1], found[2]

    def _look(self) -> None:
        """Read the routes anew, now and then."""
        steady = self._clock.monotonic()
        if steady - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = steady
        try:
            routes = tuple(self._read())
        except StorageError as error:
            log.warning("routes cannot be read, those before hold on: %s", error)
            return
        if routes != self._routes:
            self._routes = routes
            self._known.clear()

    def _fitting(self, rule: Rule, every: Labels) -> list[Route]:
        """Return the routes of a condition that may count at some severity and hour."""
        found: list[Route] = []
        for route in self._routes:
            if route.is_of(rule.category, every):
                found.append(route)
                if route.is_last:
                    break
        return found

    def _named(self, fitting: Sequence[Route]) -> str:
        """Return which routes fit, where there are several: who hears of others does so in another incident.

        A channel that people made for every alert tells none from another.
        """
        configured = [route for route in self._routes if not isinstance(route, OwnRoute)]
        added = [f"to {route.receivers[0]}" for route in fitting if isinstance(route, OwnRoute) and route.labels]
        if len(configured) < 2:
            return ", ".join(added)
        numbers = [str(number) for number, route in enumerate(configured, 1) if route in fitting]
        word = f"routes {', '.join(numbers)}" if len(numbers) > 1 else f"route {numbers[0]}" if numbers else "no route"
        return ", ".join([word, *added])


def group_of(fitting: Sequence[Route], rule: Rule, labels: Labels, routes: str) -> str:
    """Return what the conditions of one incident have in common, by the first route that fits; `routes`: which do."""
    of = dict(labels)
    parts = []
    for name in _in_common(fitting, rule):
        value = {RULE: rule.name, CATEGORY: rule.category.value}.get(name, of.get(name, ""))
        parts.append(f"{name}={value}")
    group = ", ".join([*parts, *([routes] if routes else [])])
    if len(group) <= LONGEST_GROUP:
        return group
    return f"{group[:200]}… {hashlib.blake2b(group.encode(), digest_size=16).hexdigest()}"


def _in_common(fitting: Sequence[Route], rule: Rule) -> Sequence[str]:
    """Return what alerts of one incident have in common: each limit of a portfolio is one, unless a route says else."""
    said = leading_first(fitting)[0].group_by if fitting else (RULE,)
    return (RULE, PORTFOLIO, LIMIT) if said == (RULE,) and LIMIT_LEVEL in rule.figures else said


def plan_of(fitting: Sequence[Route], at: float) -> Plan:
    """Return who is told at each severity of what begins at that time, epoch seconds; the plan itself tells nobody."""
    is_open = [route for route in fitting if route.is_open(at)]
    return Plan(levels=tuple((severity, _at(is_open, severity)) for severity in Severity))


def _at(fitting: Sequence[Route], severity: Severity) -> Plan:
    """Return the plan of the first route for that severity, with the receivers of those that it goes on to."""
    counting = those_that_count(fitting, severity.word)
    if not counting:
        return Plan()
    return replace(
        _plan(counting[0]), receivers=tuple(dict.fromkeys(name for each in counting for name in each.receivers))
    )


def _plan(route: Route) -> Plan:
    return Plan(
        receivers=route.receivers,
        steps=tuple(PlanStep(step.after, step.receivers) for step in route.escalation),
        rounds=route.rounds,
        wait_seconds=route.wait,
        interval_seconds=route.interval,
        repeat_seconds=route.repeat,
        tells_lowered=route.tells_lowered,
    )


def _together(rule: Rule, labels: Labels) -> Labels:
    """Return the labels by which routes mean a condition: its severity is none of them, it may change."""
    every = alert_labels(rule, labels, Severity.INFO)
    return tuple(sorted((name, value) for name, value in every.items() if name != SEVERITY))
