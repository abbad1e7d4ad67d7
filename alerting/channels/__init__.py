"""Handing a message to a channel: one file a kind. Adding a kind is its settings, its file and a line here."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from urllib.parse import urlsplit

from alerting.channels import apprise, discord, email, log, pagerduty, slack, sms, telegram, webhook
from alerting.notice import Notice
from core.errors import DeliveryError, DeliveryRefused
from core.settings.channels import (
    Apprise,
    Channel,
    Discord,
    Email,
    Log,
    PagerDuty,
    Slack,
    Sms,
    Telegram,
    Webhook,
)

TAKE_PICTURES = (Email, Discord, Telegram)
"""Kinds that take a picture with the message itself."""
SHORTEST_ATTEMPT_SECONDS = 0.5
SHORTEST_SECRET = 6
"""Characters: shorter parts of an address are words."""


def send(channel: Channel, notice: Notice) -> str:
    """Send a message; return what the channel answered, for later ones to refer to.

    Returns within the channel's deadline. Raises DeliveryUnavailable or DeliveryRefused, whose sentence has no secret.
    """
    try:
        return _sent(channel, notice)
    except DeliveryError as error:
        error.args = (without_secrets(str(error), channel),)
        raise


def _sent(channel: Channel, notice: Notice) -> str:
    """Send it with its picture and files, and without where that is refused: they cost nobody the message."""
    began = time.monotonic()
    try:
        return _send(channel, notice)
    except DeliveryRefused:
        left = channel.timeout_seconds - (time.monotonic() - began)
        if (notice.picture is None and notice.table is None) or left < SHORTEST_ATTEMPT_SECONDS:
            raise
    bare = replace(notice, picture=None, table=None)
    return _send(channel.model_copy(update={"timeout_seconds": left}), bare)


def without_secrets(text: str, channel: Channel) -> str:
    """Return a text in which no secret of the channel stands, nor a part of one, such as the path of an address."""
    secrets = {each for secret in channel.secrets() for each in (secret, *_parts(secret))}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _parts(secret: str) -> list[str]:
    """Return what an address or a token is made of, without the host and what is too short to be a secret."""
    text = secret
    if "://" in secret:
        parts = urlsplit(secret)
        text = "/".join((parts.netloc.rpartition("@")[0], parts.path, parts.query))
    return [part for part in re.split(r"[/:?&=@#]", text) if len(part) >= SHORTEST_SECRET]


def _send(channel: Channel, notice: Notice) -> str:
    match channel:
        case Email():
            return email.send(channel, notice)
        case Slack():
            return slack.send(channel, notice)
        case Webhook():
            return webhook.send(channel, notice)
        case PagerDuty():
            return pagerduty.send(channel, notice)
        case Telegram():
            return telegram.send(channel, notice)
        case Discord():
            return discord.send(channel, notice)
        case Sms():
            return sms.send(channel, notice)
        case Apprise():
            return apprise.send(channel, notice)
        case Log():
            return log.send(notice)
    raise DeliveryRefused(f"there is no way to send to a channel of the kind {channel.KIND}")
