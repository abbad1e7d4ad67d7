"""Whether trading may go on: named checks of whole Fundwatch, each with a state, a reason and an age.

It is published each second as a reading of its own, so that one rule of freshness holds for it as for any other: what
nobody evaluates any more is not ready.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from core.metrics import Metric

READINESS = "readiness"
"""The newest reading, and its data set."""
COMPONENT = "trading readiness"
"""What it is called among components: whether the whole fund is safe, as of everything that is watched."""
INTERVAL_SECONDS = 1.0
"""Between two evaluations."""
EVERY_PORTFOLIO = ""
"""Stands for the whole fund."""

SAFE = Metric("readiness_safe", "1 while every check that is watched is ready, else 0.", "portfolio")
CHECKS_READY = Metric("readiness_checks_ready", "Checks that are ready.", "portfolio")
CHECKS_WATCHED = Metric("readiness_checks_watched", "Checks that are watched.", "portfolio")
METRICS = (SAFE, CHECKS_READY, CHECKS_WATCHED)
CANARY = Metric("readiness_canary", "1: written to be read back.")


class Checks(StrEnum):
    """What is checked. Settings and programs name a check by this."""

    HALT = "halt"
    ENGINE = "engine"
    ALERTS = "alerts"
    FEEDS = "feeds"
    BROKER = "broker"
    POSITIONS = "positions"
    BOOKS = "books"
    LIMITS = "limits"
    STORAGE = "storage"
    STATE = "state"
    CACHE = "cache"
    DISK = "disk"
    CLOCK = "clock"
    CHANNEL = "channel"


TITLES: Mapping[Checks, str] = {
    Checks.HALT: "Halt by hand",
    Checks.ENGINE: "Alert engine",
    Checks.ALERTS: "Urgent alerts",
    Checks.FEEDS: "Feeds",
    Checks.BROKER: "Broker",
    Checks.POSITIONS: "Reconciliation of positions",
    Checks.BOOKS: "Books built from trades",
    Checks.LIMITS: "Limits",
    Checks.STORAGE: "ClickHouse",
    Checks.STATE: "State database",
    Checks.CACHE: "Redis",
    Checks.DISK: "Disk space",
    Checks.CLOCK: "Clock",
    Checks.CHANNEL: "Alert channel",
}
"""What each check is called, whether it is ready or not; in the order in which they are shown."""
OF_PORTFOLIOS = (Checks.HALT, Checks.ALERTS, Checks.POSITIONS, Checks.BOOKS, Checks.LIMITS)
"""Checks that each portfolio has of its own; all but the last two are of the whole fund as well."""


class State(StrEnum):
    """What a check found. Unknown is not ready; what is not watched does not count."""

    READY = "ready"
    NOT_READY = "not ready"
    UNKNOWN = "unknown"
    NOT_WATCHED = "not watched"


def after_title(title: str, why: str) -> str:
    """Return a reason as it is read after the name of its check, which it need not begin with."""
    return why[len(title) + 2 :] if why.lower().startswith(f"{title.lower()}: ") else why


@dataclass(frozen=True, slots=True)
class ReadinessCheck:
    """A check of the whole fund, or of a portfolio. Times are epoch seconds."""

    TABLE: ClassVar[str] = "checks"

    portfolio: str
    """Its name; EVERY_PORTFOLIO: the check is of the whole fund and counts for each of them."""
    check: str
    """Its id: the settings and programs name it so."""
    title: str
    state: str
    """Of `State`."""
    why: str
    """One sentence."""
    read_at: float | None
    """When what it rests on was measured; None: nothing was."""
    since: float
    """Since when it is in this state."""
    where: str
    """Address of the page that shows it."""


@dataclass(frozen=True, slots=True)
class PortfolioReadiness:
    """The answer for a portfolio, or for the whole fund. Times are epoch seconds."""

    TABLE: ClassVar[str] = "portfolios"

    portfolio: str
    """EVERY_PORTFOLIO: the whole fund."""
    is_safe: bool
    """True only after every check that is watched was ready for `readiness.steady_seconds`."""
    ready: int
    """Checks that are ready, with those of the whole fund."""
    watched: int
    reasons: list[str]
    """Why it is not safe, a sentence each; empty: it is."""
    since: float
    """Since when it is as it is."""
    halted_by: str
    """Who halted it by hand; empty: nobody."""
