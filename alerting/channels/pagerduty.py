"""PagerDuty, Events API v2: an incident here is one there, by its key, so that what comes twice changes nothing.

https://developer.pagerduty.com/docs/events-api-v2/overview
"""

from __future__ import annotations

from typing import Any

from alerting.channels.web import Request, deliver, of_json, parsed, said_no
from alerting.incidents import About
from alerting.notice import DIGEST, Notice, as_data
from core.alerts.severity import Severity
from core.format import cut
from core.net.reach import Deadline
from core.settings.channels import PagerDuty

WORDS = {
    Severity.INFO: "info", Severity.WARNING: "warning", Severity.CRITICAL: "error", Severity.URGENT: "critical",
}  # fmt: skip
ACTIONS = {About.RESOLVED: "resolve", About.ACKNOWLEDGED: "acknowledge"}
LONGEST_SUMMARY = 1_024
MOST_ALERTS = 50
"""An event may have 512 kB."""


def request(channel: PagerDuty, notice: Notice) -> Request:
    """Return the event: of what was held back a change event, which opens nothing that somebody would have to close."""
    return _change(channel, notice) if notice.about == DIGEST else _alert(channel, notice)


def _change(channel: PagerDuty, notice: Notice) -> Request:
    """Return a change event (https://developer.pagerduty.com/docs/send-change-events)."""
    data = as_data(notice)
    body = {
        "routing_key": channel.routing_key.get_secret_value(),
        "payload": {
            "summary": cut(notice.subject, LONGEST_SUMMARY),
            "source": notice.machine,
            "timestamp": data["made_at"],
            "custom_details": {"text": data["text"], "alerts": data["alerts"][:MOST_ALERTS]},
        },
    }
    return of_json(f"{channel.url.removesuffix('/enqueue')}/change/enqueue", body)


def _alert(channel: PagerDuty, notice: Notice) -> Request:
    action = next((word for about, word in ACTIONS.items() if notice.about == about), "trigger")
    data = as_data(notice)
    body: dict[str, Any] = {
        "routing_key": channel.routing_key.get_secret_value(),
        "event_action": action,
        "dedup_key": notice.case,
        "payload": {
            "summary": cut(notice.subject, LONGEST_SUMMARY),
            "source": notice.machine,
            "severity": WORDS[notice.severity],
            "timestamp": data["made_at"],
            "component": notice.alerts[0].category if notice.alerts else "fundwatch",
            "group": notice.alerts[0].rule if notice.alerts else "channels",
            "custom_details": {"text": data["text"], "alerts": data["alerts"][:MOST_ALERTS]},
        },
        "client": "Fundwatch",
    }
    if notice.link:
        body |= {"client_url": notice.link, "links": [{"href": notice.link, "text": "Open in Fundwatch"}]}
    return of_json(channel.url, body)


def send(channel: PagerDuty, notice: Notice) -> str:
    """Send it; return the key of the incident there, empty for a change event. Raises DeliveryError."""
    answer = parsed(deliver(request(channel, notice), Deadline(channel.timeout_seconds)))
    if (status := answer.get("status", "success")) != "success":
        raise said_no("PagerDuty", answer.get("message") or status)
    return str(answer.get("dedup_key", ""))
