"""What this is, in the form of Alertmanager: its configuration is made from our routes, so that amtool can read it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import yaml

from api.alertmanager.alerts import NOBODY, receivers_as_json, time_of
from core.settings.routes import RULE, Route

ABOUT = "# Made from the routes of Fundwatch. Left out: days and hours, escalation, and what channels are.\n"
VERSION = "fundwatch"


def status_as_json(routes: Sequence[Route], channels: Collection[str], started_at: float) -> dict[str, Any]:
    """Return `alertmanagerStatus`. It is no part of a cluster of Alertmanagers."""
    unknown = dict.fromkeys(("revision", "branch", "buildUser", "buildDate", "goVersion"), "")
    return {
        "cluster": {"name": "", "peers": [], "status": "disabled"},
        "config": {"original": configuration(routes, channels)},
        "uptime": time_of(started_at),
        "versionInfo": {"version": VERSION, **unknown},
    }


def configuration(routes: Sequence[Route], channels: Collection[str]) -> str:
    """Return the routes as a configuration of Alertmanager, in YAML; receivers have nothing but their names."""
    known = {
        "route": {"receiver": NOBODY, "routes": [each for route in routes for each in _routes(route)]},
        "receivers": receivers_as_json(channels),
    }
    return ABOUT + yaml.safe_dump(known, sort_keys=False, allow_unicode=True, width=120)


def _routes(route: Route) -> list[dict[str, Any]]:
    """Return a route for each receiver of one: Alertmanager's have one, and go on to the next."""
    words = {
        "severity": "|".join(route.severities),
        "category": "|".join(each.value for each in route.categories),
        **route.labels,
    }
    matchers = [f'{name}=~"{_quoted(pattern)}"' for name, pattern in words.items() if pattern]
    last = len(route.receivers) - 1
    return [
        {
            "receiver": name,
            "matchers": [*matchers],
            "group_by": ["alertname" if each == RULE else each for each in route.group_by],
            "group_wait": f"{max(1, round(route.wait))}s",
            "group_interval": f"{max(1, round(route.interval))}s",
            "continue": number < last or route.goes_on,
        }
        | ({"repeat_interval": f"{round(route.repeat)}s"} if route.repeat >= 1 else {})
        for number, name in enumerate(route.receivers)
    ]


def _quoted(pattern: str) -> str:
    return pattern.replace("\\", "\\\\").replace('"', '\\"')
