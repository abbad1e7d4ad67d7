"""A telephone, by Twilio (https://www.twilio.com/docs/messaging/api/message-resource)."""

from __future__ import annotations

import base64
from urllib.parse import urlencode

from alerting.channels.web import Request, deliver, parsed, said_no
from alerting.notice import Notice
from core.format import cut
from core.net.reach import Deadline
from core.settings.channels import Sms

LONGEST = 300
LOST = frozenset({"failed", "undelivered", "canceled"})
"""What Twilio says of a message that will not arrive (https://www.twilio.com/docs/messaging/api/message-resource)."""
"""Characters: two or three parts of an SMS."""


def request(channel: Sms, notice: Notice) -> Request:
    """Return the request: subject and link, and the link that acknowledges where there is room for it."""
    text = " ".join(part for part in (cut(notice.subject, LONGEST), notice.link) if part)
    acknowledge = f"{text} Acknowledge: {notice.acknowledge_link}"
    if notice.acknowledge_link and len(acknowledge) <= LONGEST:
        text = acknowledge
    login = base64.b64encode(f"{channel.account}:{channel.token.get_secret_value()}".encode()).decode()
    return Request(
        f"{channel.api}/2010-04-01/Accounts/{channel.account}/Messages.json",
        urlencode({"From": channel.sender, "To": channel.to, "Body": text}).encode(),
        {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Basic {login}"},
    )


def send(channel: Sms, notice: Notice) -> str:
    """Send it; return Twilio's id of it. Raises DeliveryError."""
    answer = parsed(deliver(request(channel, notice), Deadline(channel.timeout_seconds)))
    if (status := str(answer.get("status"))) in LOST:
        raise said_no("Twilio", answer.get("error_message") or status)
    return str(answer.get("sid", ""))
