"""The tabs, in the order of the navigation. Adding one is its file and one line here."""

from __future__ import annotations

from dashboard.tabs import alerts, cache, database, pipeline, portfolio, services, system
from dashboard.views.tab import Tab

TABS: tuple[Tab, ...] = (
    portfolio.TAB,
    system.TAB,
    database.TAB,
    cache.TAB,
    pipeline.TAB,
    services.TAB,
    alerts.TAB,
)
