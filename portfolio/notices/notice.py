"""What a notice is: one sentence of something that happened, made from what is kept of it, and nothing of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from core.alerts.severity import Severity
from storage.state.notices_seen import BEGINNING, UpTo, up_to


class Source(StrEnum):
    """Which rows a notice is made from: the fields of UpTo."""

    ALERTS = "alerts"
    DONE = "done"
    SAFE = "safe"
    DUE = "due"


class Kind(StrEnum):
    """What happened."""

    FIRES = "fires"
    RAISED = "raised"
    RESOLVED = "resolved"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED_BY_HAND = "resolved_by_hand"
    ESCALATED = "escalated"
    EXHAUSTED = "exhausted"
    UNDELIVERED = "undelivered"
    HALTED = "halted"
    RESUMED = "resumed"
    SAFE = "safe"
    NOT_SAFE = "not_safe"
    TAKEN = "taken"
    REFUSED = "refused"
    UNDONE = "undone"
    SILENCED = "silenced"
    SILENCE_OVER = "silence_over"
    MUTED = "muted"
    MAINTENANCE_MADE = "maintenance_made"
    MAINTENANCE = "maintenance"
    MAINTENANCE_OVER = "maintenance_over"


class Level(StrEnum):
    """How much it matters: the severities, and good news."""

    GOOD = "good"
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    URGENT = "urgent"


LEVELS: Mapping[Kind, Level] = MappingProxyType({
    Kind.RESOLVED: Level.GOOD, Kind.RESOLVED_BY_HAND: Level.GOOD, Kind.SAFE: Level.GOOD, Kind.RESUMED: Level.GOOD,
    Kind.ESCALATED: Level.WARNING, Kind.EXHAUSTED: Level.CRITICAL, Kind.UNDELIVERED: Level.CRITICAL,
    Kind.HALTED: Level.CRITICAL, Kind.NOT_SAFE: Level.CRITICAL, Kind.REFUSED: Level.WARNING,
    Kind.MUTED: Level.WARNING,
})  # fmt: skip
"""Of what has no severity of its own; everything else is INFO."""


MOST_MEMBERS = 50


@dataclass(frozen=True, slots=True)
class Seen:
    """Up to where somebody has seen the notices."""

    place: UpTo = BEGINNING
    since: float = 0.0
    """Of a source of which nothing was seen: what is older than this (epoch seconds) is no news."""

    def misses(self, notice: Notice) -> bool:
        """Return whether somebody who has seen so much has not seen a notice."""
        number: int = getattr(self.place, notice.source)
        return notice.number > number if number else notice.at > self.since

    @property
    def text(self) -> str:
        """The same as an address has it."""
        return f"{self.place.text}-{self.since:.3f}"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened, in one sentence."""

    source: Source
    number: int
    """Of its row, or of the newest of several that are told together."""
    at: float
    """Epoch seconds."""
    kind: Kind
    level: Level
    sentence: str
    href: str
    """Its place in Fundwatch."""
    portfolio: str = ""
    """Key of the portfolio that it is of, "own:alpha"; empty: of none, or of all."""
    name: str = ""
    """Of that portfolio."""
    who: str = ""
    oldest: int = 0
    """Number of the oldest row that it tells of; 0: it tells of one alone."""
    count: int = 1
    """How many alerts it tells of."""
    rule: str = ""
    members: tuple[str, ...] = ()
    """Of alerts, MOST_MEMBERS at most: the labels by which they are known while they fire, JSON."""

    @property
    def id(self) -> str:
        """What tells it from all others."""
        return f"{self.source}-{self.number}-{self.kind}"


class Cut(Exception):
    """As many rows of a source were looked at as one answer may: those before a number have not been."""

    def __init__(self, source: Source, number: int) -> None:
        super().__init__(f"row {number} of {source} was the last that was looked at")
        self.source, self.number = source, number


def seen_in(text: str) -> Seen | None:
    """Return what `Seen.text` tells; None: the text tells nothing."""
    place, _, since = text.partition("-")
    found = up_to(place)
    is_time = since.replace(".", "", 1).isdecimal() and since.isascii() and len(since) < 20
    return Seen(found, float(since)) if found is not None and is_time else None


def level_of(kind: Kind, severity: str = "") -> Level:
    """Return how much something matters; severity: the word of an alert that fires."""
    if kind in LEVELS or not severity:
        return LEVELS.get(kind, Level.INFO)
    return Level(Severity.of(severity).word) if kind in (Kind.FIRES, Kind.RAISED) else Level.INFO
