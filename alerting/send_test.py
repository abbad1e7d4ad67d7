"""Whether a channel works, asked without the outbox: for a person who waits for the answer."""

from __future__ import annotations

from alerting.channels import send
from alerting.notice import Notice
from core.alerts.severity import Severity
from core.settings.channels import Channel
from storage.state.outbox import OF_CHANNELS, TEST, note_of_test


def send_test(channel: Channel, *, who: str, machine: str, now: float) -> str:
    """Send a message that tells nothing but that the channel works, and return what was answered.

    Raises DeliveryUnavailable or DeliveryRefused, whose sentence has no secret.
    """
    note = note_of_test(channel.name, who)
    notice = Notice(
        machine=machine, installation=machine, incident=OF_CHANNELS, number=round(now), receiver=channel.name,
        about=TEST, severity=Severity.INFO, made_at=now, opened_at=now, note=note,
    )  # fmt: skip
    return send(channel, notice)
