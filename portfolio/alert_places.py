"""Where the charts are of what an alert is about, at the time at which it began."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import numpy as np

from analytics.performance import anchor_day
from core.alerts.rule import Rule
from core.alerts.thresholds import bounds_of
from core.errors import StorageError
from core.events import collector_of, host_of, tab_of
from core.model import SourceId
from portfolio.alert_courses import is_of_portfolios
from portfolio.given import said_of
from portfolio.histories import fund
from portfolio.incidents import concern_of
from portfolio.vocabulary import query_of

if TYPE_CHECKING:
    from storage.stores import Stores

BEFORE_SECONDS, AFTER_SECONDS = 1_800.0, 900.0
"""Of the time that is shown around its beginning."""
BEFORE_DAYS = 92
"""Of a portfolio, where the figure's own window is shorter."""
LONGEST_DAYS = 3 * 366
"""Before it began: on more the day of an incident would not be seen."""


def charts_of(stores: Stores, labels: Mapping[str, str], since: float, rule: Rule | None, now: float) -> str:
    """Return the address of the page with its charts; empty: no page shows what it is about.

    labels: of the alert; since, now: epoch seconds. Charts of what is measured show its beginning, those of a portfolio
    the window of the figure as it began, or up to its newest value, and all days since.
    """
    portfolio, component = concern_of(labels, rule, stores)
    if portfolio:
        began = _day(since)
        # Values may come late, or have ended: of days without any there would be no chart.
        with suppress(StorageError):
            began = min(began, _newest(stores, portfolio) or began)
        return f"/portfolio?{urlencode({'portfolio': portfolio, **_days(rule, began, max(_day(now), began))})}"
    tab = tab_of(component) if component else ""
    if not tab:
        return ""
    collector, host = collector_of(component), host_of(component)
    chosen = {"instance": collector} if SourceId.parse(collector) else {"host": host} if host else {}
    # Pages show no more than there is yet: opened later, the address shows what came after.
    shown = {"from": round(since - BEFORE_SECONDS), "to": round(since + AFTER_SECONDS)}
    return f"/{tab}?{urlencode({**chosen, **shown})}"


def _newest(stores: Stores, portfolio: str) -> np.datetime64 | None:
    """Return the day of the newest value of a portfolio, by its key; None: it has none."""
    origin, _, id = portfolio.partition(":")
    whole = fund(stores, origin)
    if id not in whole.tree:
        return None
    days = whole.history(id, said_of(whole.tree[id])).nav.dates
    if not len(days):
        return None
    newest: np.datetime64 = days[-1]
    return newest


def _day(at: float) -> np.datetime64:
    day: np.datetime64 = np.datetime64(int(at), "s").astype("datetime64[D]")
    return day


def _days(rule: Rule | None, began: np.datetime64, today: np.datetime64) -> dict[str, str]:
    """Return the first and the last day that are shown of a portfolio."""
    first = began - BEFORE_DAYS
    for bound in bounds_of(rule) if rule else ():
        if is_of_portfolios(bound.figure):
            query = query_of(bound.figure)
            first = min(first, query.span[0] if query.span else anchor_day(np.array([began]), query.window))
    return {"from": str(max(first, began - LONGEST_DAYS)), "to": str(today)}
