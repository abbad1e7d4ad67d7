"""When a message is tried again, and when it is given up. Pure."""

from __future__ import annotations

from alerting.incidents import About
from alerting.taking import severity_of
from core.alerts.severity import Severity
from core.settings.channels import Channel
from storage.state.alerts import KeptMessage

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
JITTER_RATIO = 0.2
"""By so much of it a pause is longer or shorter: senders that failed together do not come back together."""
GIVE_UP_END_SECONDS = 86_400.0
"""How long it is tried to tell that something is over: later than that nobody needs to hear it any more."""


def next_attempt(
    message: KeptMessage, channel: Channel, now: float, asked_seconds: float, chance: float
) -> float | None:
    """Return when a message that was not delivered is tried again, epoch seconds; None: it is given up.

    asked_seconds: how long the channel asks to be left alone. chance: 0 to 1, for the jitter. Pauses of 1, 2, 4 … 60 s.
    """
    pause = min(FIRST_PAUSE_SECONDS * 2.0 ** min(max(message.attempts - 1, 0), 10), LONGEST_PAUSE_SECONDS)
    pause *= 1 + JITTER_RATIO * (2 * chance - 1)
    at = now + max(pause, asked_seconds)
    return None if _is_late(message, channel, at) else at


def is_given_up(message: KeptMessage, channel: Channel, until: float) -> bool:
    """Return whether a message does not wait for a channel that asks to be left alone until then (epoch seconds).

    What is critical goes to the fallback, where there is one, instead of waiting.
    """
    is_urgent = message.about != About.RESOLVED and severity_of(message) >= Severity.CRITICAL
    return _is_late(message, channel, until) or (is_urgent and bool(channel.fallback))


def _is_late(message: KeptMessage, channel: Channel, at: float) -> bool:
    patience = GIVE_UP_END_SECONDS if message.about == About.RESOLVED else channel.give_up_seconds
    return at > message.made_at + patience
