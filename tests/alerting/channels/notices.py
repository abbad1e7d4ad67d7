"""A message as channels get it."""

from __future__ import annotations

from typing import Any

from alerting.notice import Alert, Notice
from core.alerts.severity import Severity


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
