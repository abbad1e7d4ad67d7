"""What is measured of every service that is checked from outside, whatever its kind; the rest is in the kind's spec."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from core.clock import DAY_SECONDS
from core.limits import Limit
from core.metrics import Metric


class States(StrEnum):
    """How a service can be."""

    UP = "up"
    PENDING = "pending"
    """The newest checks failed, but not often enough to count as down."""
    DOWN = "down"
    PAUSED = "paused"
    """Not checked, because somebody said so."""


class Checks(StrEnum):
    """What any service may be judged by, beside the checks of its kind."""

    SLOW = "slow"
    CERTIFICATE = "certificate"


class Actions(StrEnum):
    """What can be done to any service."""

    PAUSE = "pause"
    RESUME = "resume"


UPTIME = Limit(0.999, 0.99, is_floor=True)
"""Share of the checks of a period that found a service up."""
CERTIFICATE_WARNING_DAYS, CERTIFICATE_CRITICAL_DAYS = 14.0, 3.0
"""Unless the settings of a service say otherwise."""


def certificate_limit(warning_days: float, critical_days: float) -> Limit:
    """Return the limit of the seconds left until a certificate ends."""
    return Limit(warning_days * DAY_SECONDS, critical_days * DAY_SECONDS, is_floor=True)


CERTIFICATE = certificate_limit(CERTIFICATE_WARNING_DAYS, CERTIFICATE_CRITICAL_DAYS)


def response_seconds(kind: str) -> Metric:
    """Return the metric of the response time of a kind's services."""
    return Metric(f"{kind}_response_seconds", "Response time of a check that succeeded.")


def failed_tries(kind: str) -> Metric:
    """Return the metric that tells how many checks of a service have failed in a row; 0: it is up."""
    return Metric(f"{kind}_failed_tries", "Checks that have failed in a row.")


@dataclass(frozen=True, slots=True)
class About:
    """What a service is and how it came to be so."""

    TABLE: ClassVar[str] = "about"

    state: str
    """One of States."""
    since: float
    """When it came into this state, epoch seconds."""
    target: str
    """What is checked, without secrets."""
    group: str
    seconds: float | None
    """Response time of the newest check."""
    paused_by_hand: bool
    """Whether a button has paused it, which a button can undo."""
    certificate_ends: float | None
    """Epoch seconds, of the one that ends first of its chain; None without a certificate."""
    certificate: str = ""
    """Whose it is: common name of its subject."""
