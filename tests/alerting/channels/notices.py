"""A message as channels get it, and the channels that speak HTTP."""

from __future__ import annotations

from typing import Any

from alerting.notice import Alert, Notice
from core.alerts.severity import Severity
from core.settings.channels import Channel, Discord, PagerDuty, Slack, Sms, Telegram, Webhook


def notice(about: str = "opened", **more: Any) -> Notice:
    """Return a message of an incident of one alert; of its end with what was answered to its beginning in `thread`."""
    alert = Alert(
        rule="nav", title="NAV is stale", labels=(("portfolio", "<macro> & co"),), severity=Severity.CRITICAL,
        since=1_700_000_000.0, value=0.93, text="NAV of <macro> & co is stale", runbook="https://wiki.example/nav",
        category="portfolio",
    )  # fmt: skip
    given: dict[str, Any] = {
        "machine": "m1", "installation": "m1", "incident": 7, "number": 0, "receiver": "desk", "about": about,
        "severity": Severity.CRITICAL,
        "made_at": 1_700_000_030.0, "opened_at": 1_700_000_000.0, "alerts": (alert,),
        "link": "https://fund.example/alerts?incident=7",
    }  # fmt: skip
    return Notice(**{**given, **more})


def every(url: str) -> list[Channel]:
    """Return a channel of each kind that speaks HTTP; the word hunter2 is in each of their secrets."""
    return [
        Slack.model_validate({"name": "s", "url": f"{url}/services/hunter2"}),
        Slack.model_validate({"name": "s", "token": "hunter2", "channel": "C1", "api": f"{url}/api"}),
        Discord.model_validate({"name": "d", "url": f"{url}/api/webhooks/1/hunter2"}),
        Telegram.model_validate({"name": "t", "token": "1:hunter2", "chat": "-100", "api": url}),
        PagerDuty.model_validate({"name": "p", "routing_key": "hunter2", "url": f"{url}/enqueue"}),
        Sms.model_validate(
            {"name": "m", "account": "AC1", "token": "hunter2", "sender": "+15550100", "to": "+15550111", "api": url}
        ),
        Webhook.model_validate({"name": "w", "url": f"{url}/hook", "headers": {"Authorization": "hunter2"}}),
    ]
