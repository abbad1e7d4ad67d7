"""Any address that takes JSON: ours, or what a template makes of it, signed if there is a secret.

X-Fundwatch-Signature: t=TIME,v1=HEX. HEX is HMAC-SHA256 (RFC 2104) of "TIME." and the body, as Stripe signs webhooks;
who checks it refuses what is old. The Idempotency-Key is the same at each attempt: what comes twice is the same.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from typing import Any

import orjson

from alerting.channels.web import Request, deliver
from alerting.notice import Notice, as_data
from core.net.reach import Deadline
from core.settings.channels import Webhook

PLACE = re.compile(r"\{([a-z_]+)\}")


def request(channel: Webhook, notice: Notice, at: float) -> Request:
    """Return what is posted at that time, epoch seconds."""
    data = as_data(notice)
    body = orjson.dumps(filled(channel.template, data) if channel.template else data)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Idempotency-Key": notice.key,
        **{name: value.get_secret_value() for name, value in channel.headers.items()},
    }
    if secret := channel.secret.get_secret_value():
        headers["X-Fundwatch-Signature"] = signature(secret, body, at)
    return Request(channel.url.get_secret_value(), body, headers, ca_file=channel.ca_file)


def signature(secret: str, body: bytes, at: float) -> str:
    """Return the header that proves who sent a body, and when."""
    told = f"{at:.0f}"
    return f"t={told},v1={hmac.new(secret.encode(), told.encode() + b'.' + body, hashlib.sha256).hexdigest()}"


def filled(template: Any, data: Mapping[str, Any]) -> Any:
    """Return a template with the values of the message; a text that is one place alone becomes the value itself."""
    if isinstance(template, dict):
        return {name: filled(value, data) for name, value in template.items()}
    if isinstance(template, list):
        return [filled(value, data) for value in template]
    if not isinstance(template, str):
        return template
    if (whole := PLACE.fullmatch(template)) and whole[1] in data:
        return data[whole[1]]
    return PLACE.sub(lambda match: _told(data[match[1]]) if match[1] in data else match[0], template)


def send(channel: Webhook, notice: Notice) -> str:
    """Send it; return the status. Raises DeliveryError."""
    answer = deliver(request(channel, notice, time.time()), Deadline(channel.timeout_seconds))
    return str(answer.status)


def _told(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
