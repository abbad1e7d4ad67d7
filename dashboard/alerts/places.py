"""Where the charts are of what an alert is about, at the time at which it began."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from core.alerts.rule import Rule
from core.alerts.spec import FiringAlert
from core.events import collector_of, host_of, tab_of
from core.model import SourceId
from portfolio.incidents import concern_of

if TYPE_CHECKING:
    from storage.stores import Stores

BEFORE_SECONDS, AFTER_SECONDS = 1_800.0, 900.0
"""Of the time that is shown around its beginning."""


def charts_of(stores: Stores, alert: FiringAlert, rule: Rule | None, now: float) -> str:
    """Return the address of the page with its charts; empty: no page shows what it is about.

    Those of what is measured are zoomed to its beginning, those of a portfolio show its own window.
    """
    portfolio, component = concern_of(alert, rule, stores)
    if portfolio:
        return f"/portfolio?{urlencode({'portfolio': portfolio})}"
    tab = tab_of(component) if component else ""
    if not tab:
        return ""
    collector, host = collector_of(component), host_of(component)
    chosen = {"instance": collector} if SourceId.parse(collector) else {"host": host} if host else {}
    end = min(alert.since + AFTER_SECONDS, now)
    return f"/{tab}?{urlencode({**chosen, 'from': round(alert.since - BEFORE_SECONDS), 'to': round(end)})}"
