"""What keeps alerts quiet because somebody said so: a silence, or a maintenance window that comes once or again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.alerts.expression import Matcher
from core.alerts.matchers import all_hold
from core.cron import last_time, next_time

LONGEST_SECONDS = 366 * 86_400.0
AGAIN_SECONDS = 365 * 86_400.0
"""For so long maintenance comes again, where no end is given."""
LONGEST_MUTE_SECONDS = 86_400.0
"""Everything is kept quiet for a day at most."""


class When(StrEnum):
    """Where a silence or window stands in time."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence. Times are epoch seconds."""

    matchers: tuple[Matcher, ...]
    """Empty: everything is kept quiet."""
    begins: float
    ends: float
    why: str
    who: str
    made_at: float
    ended_by: str = ""
    """Who ended it before its time."""
    id: int = 0

    @property
    def is_of_all(self) -> bool:
        """Whether everything is kept quiet."""
        return not self.matchers

    @property
    def reason(self) -> str:
        """What it is called where it keeps something quiet."""
        return f"{'everything is muted' if self.is_of_all else 'silence'} {self.id}"

    def when(self, now: float) -> When:
        """Return where it stands at a time."""
        return _when(self.begins, self.ends, now)

    def hides(self, labels: Mapping[str, str]) -> bool:
        """Return whether it is about an alert of these labels."""
        return all_hold(self.matchers, labels)


@dataclass(frozen=True, slots=True)
class Span:
    """From when until when a window is open, epoch seconds."""

    begins: float
    ends: float


@dataclass(frozen=True, slots=True)
class Window:
    """A maintenance window. Times are epoch seconds."""

    name: str
    matchers: tuple[Matcher, ...]
    begins: float
    ends: float
    """Of one that comes again: from when and until when it does."""
    why: str
    who: str
    made_at: float
    cron: str = ""
    """When it opens, as core/cron.py reads it; empty: it comes once."""
    zone: str = ""
    """Time zone of `cron`."""
    lasts_seconds: float = 0.0
    """How long it then is open: hours that pass, also where the clocks change meanwhile."""
    ended_by: str = ""
    id: int = 0

    @property
    def reason(self) -> str:
        """What it is called where it keeps something quiet."""
        return f"maintenance {self.id}"

    def when(self, now: float) -> When:
        """Return where it stands at a time: one that comes again is pending between two times."""
        if now >= self.ends:
            return When.EXPIRED
        return When.ACTIVE if self.open_at(now) else When.PENDING

    def open_at(self, now: float) -> Span | None:
        """Return the span in which it is open at a time; None: it is not."""
        if not self.begins <= now < self.ends:
            return None
        if not self.cron:
            return Span(self.begins, self.ends)
        opened = last_time(self.cron, self.zone, now)
        if opened is None or opened < self.begins or now >= opened + self.lasts_seconds:
            return None
        return Span(opened, min(opened + self.lasts_seconds, self.ends))

    def opens_after(self, now: float) -> Span | None:
        """Return the span in which it opens next, later than now; None: never again."""
        if not self.cron:
            return Span(self.begins, self.ends) if now < self.begins else None
        opens = next_time(self.cron, self.zone, max(now, self.begins - 1))
        if opens is None or opens >= self.ends:
            return None
        return Span(opens, min(opens + self.lasts_seconds, self.ends))

    def spans(self, now: float, until: float) -> Iterator[Span]:
        """Yield when it is open, from the span that holds now on, those that begin before `until`."""
        if span := self.open_at(now):
            yield span
        span = self.opens_after(now)
        while span and span.begins < until:
            yield span
            span = self.opens_after(span.begins)

    def hides(self, labels: Mapping[str, str]) -> bool:
        """Return whether it is about an alert of these labels."""
        return all_hold(self.matchers, labels)


def _when(begins: float, ends: float, now: float) -> When:
    if now >= ends:
        return When.EXPIRED
    return When.ACTIVE if begins <= now else When.PENDING
