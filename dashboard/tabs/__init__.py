"""The pages: tabs in the order of the navigation, sub-pages after their tab. Adding one is its file and a line here."""

from __future__ import annotations

from dashboard.tabs import (
    alert_history,
    alert_messages,
    alert_rules,
    alerts,
    audit,
    benchmarks,
    cache,
    database,
    events,
    health,
    imports,
    metrics,
    overview,
    pipeline,
    portfolio,
    portfolios,
    refused_rows,
    services,
    silences,
    system,
    tokens,
    users,
)
from dashboard.views.tab import Page, tabs_of

PAGES: tuple[Page, ...] = (
    overview.TAB,
    health.PAGE,
    portfolio.TAB,
    portfolios.PAGE,
    benchmarks.PAGE,
    imports.PAGE,
    system.TAB,
    database.TAB,
    cache.TAB,
    pipeline.TAB,
    refused_rows.PAGE,
    services.TAB,
    metrics.PAGE,
    alerts.TAB,
    silences.PAGE,
    alert_rules.PAGE,
    alert_messages.PAGE,
    alert_history.PAGE,
    tokens.TAB,
    events.PAGE,
    users.PAGE,
    audit.PAGE,
)
TABS = tuple(tabs_of(PAGES))
