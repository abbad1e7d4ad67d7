"""Routes: who is told of what, and when. The first that fits counts, and those before it that go on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, field_validator, model_validator

from core.alerts.labels import SEVERITY
from core.alerts.rule import Category, Span
from core.group import Group
from core.model import Labels
from core.regular import check_pattern, full_match
from core.settings.channels import LOG, Channels

EXAMPLE = (
    "routes:",
    "  - {severities: [critical, urgent], receivers: [pager],",
    "     escalation: [{after: 15 min, receivers: [phone]}]}",
    "  - {categories: [portfolio], labels: {portfolio: 'macro.*'}, receivers: [desk]}",
    "  - {days: [mon, tue, wed, thu, fri], hours: '08:00-18:00', time_zone: Europe/London, receivers: [room]}",
)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
RULE, CATEGORY = "rule", "category"
"""What alerts may be put together by, beside labels."""


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{value} is no time zone such as UTC or Europe/London") from error
    return value


class Step(Group):
    """A step of an escalation."""

    after: Span = Field(description="So long after the step before, if nobody has acknowledged.")
    receivers: tuple[str, ...] = Field(min_length=1, description="Channels that are told then.")


class Route(Group):
    """Which alerts go where. What is left empty fits everything."""

    severities: tuple[Literal["info", "warning", "critical", "urgent"], ...] = Field(
        (), description="Severities that it is for."
    )
    categories: tuple[Category, ...] = Field((), description="Categories of rules that it is for.")
    labels: dict[str, str] = Field(
        {}, max_length=20, description="What labels must be: a regular expression that the whole value matches."
    )
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = Field(
        (), description="Days on which an incident must begin."
    )
    hours: str = Field("", description="Hours in which it must begin, such as 08:00-18:00, or 22:00-06:00 overnight.")
    time_zone: Annotated[str, AfterValidator(_zone)] = Field("UTC", description="Of days and hours.")
    receivers: tuple[str, ...] = Field(description="Channels that are told first; none: nobody is.")
    escalation: tuple[Step, ...] = Field((), max_length=20, description="Who is told after that.")
    rounds: int = Field(1, ge=1, le=5, description="How often all steps are gone through.")
    group_by: tuple[str, ...] = Field(
        (RULE,), description="What alerts of one incident have in common: rule, category, or names of labels."
    )
    wait: Span = Field(30.0, description="How long an incident waits for others of its group; critical ones do not.")
    interval: Span = Field(300.0, description="Least time between two messages about who joined and left.")
    repeat: Span = Field(14_400.0, description="After so long without a message it is told again; 0 s: never.")
    tells_lowered: bool = Field(False, description="Whether a lower severity is told.")
    goes_on: bool = Field(False, description="Whether later routes are looked at too.")

    @field_validator("labels")
    @classmethod
    def _are_patterns(cls, value: dict[str, str]) -> dict[str, str]:
        if SEVERITY in value:
            raise ValueError("a severity may change while something fires; write it under severities")
        for label, pattern in value.items():
            try:
                check_pattern(pattern)
            except ValueError as error:
                raise ValueError(f"{label}: {pattern} is no regular expression: {error}") from error
        return value

    @field_validator("hours")
    @classmethod
    def _are_hours(cls, value: str) -> str:
        if value and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)", value):
            raise ValueError("must be hours such as 08:00-18:00")
        return value

    @model_validator(mode="after")
    def _is_some_time(self) -> Self:
        if self.hours and len(set(self.hours.split("-"))) == 1:
            raise ValueError("hours begin and end at the same time: leave them out for the whole day")
        return self

    @property
    def named(self) -> tuple[str, ...]:
        """Return every channel that it names."""
        return tuple(dict.fromkeys((*self.receivers, *(name for step in self.escalation for name in step.receivers))))

    @property
    def is_last(self) -> bool:
        """Whether no later route counts for what it is of: it is for every severity at all times, and ends there."""
        return not (self.severities or self.days or self.hours or self.goes_on)

    def is_of(self, category: Category, labels: Labels) -> bool:
        """Return whether it is for alerts of that category with these labels, at some time and severity."""
        if self.categories and category not in self.categories:
            return False
        of = dict(labels)
        return all(full_match(pattern, of.get(label, "")) for label, pattern in self.labels.items())

    def is_for(self, severity: str) -> bool:
        """Return whether it is for that severity."""
        return not self.severities or severity in self.severities

    def is_open(self, at: float) -> bool:
        """Return whether its days and hours hold at that time, epoch seconds. A night counts to the day it began on."""
        local = datetime.fromtimestamp(at, ZoneInfo(self.time_zone))
        if self.hours:
            begins, ends = self.hours.split("-")
            now = f"{local:%H:%M}"
            is_night = begins > ends
            if not (now >= begins or now < ends if is_night else begins <= now < ends):
                return False
            if is_night and now < ends:
                local -= timedelta(days=1)
        return not self.days or DAYS[local.weekday()] in self.days


class OwnRoute(Route):
    """The route of a channel that people made: it adds its receiver, and all else is of the routes of the settings."""

    goes_on: Literal[True] = True


def routes_of(routes: Sequence[Route], channels: Channels) -> tuple[Route, ...]:
    """Return the routes of the settings, or what holds where none is set."""
    return tuple(routes) or default_routes(channels)


def default_routes(channels: Channels) -> tuple[Route, ...]:
    """Return what holds where no route is set: every channel is told of warnings and more, else the log."""
    names = tuple(name for name in channels.every() if name != LOG) or (LOG,)
    return (Route(severities=("warning", "critical", "urgent"), receivers=names),)


def leading_first(routes: Iterable[Route]) -> list[Route]:
    """Return routes with those that only add a receiver last: what the first says beside that holds."""
    return sorted(routes, key=lambda each: isinstance(each, OwnRoute))


def those_that_count(fitting: Iterable[Route], severity: str) -> list[Route]:
    """Return of routes that fit an alert those that count at a severity: the first, and those that it goes on to.

    The first says all but the receivers.
    """
    found: list[Route] = []
    for route in fitting:
        if not route.is_for(severity):
            continue
        found.append(route)
        if not route.goes_on:
            break
    return leading_first(found)
