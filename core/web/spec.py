"""What Fundwatch measures of the requests that it answers itself: metrics, and the rows of its tables.

A route is the template that answered ("/api/v1/portfolios/<path:id>/nav"), never the address that was asked for; the
callbacks of a page are the route "callback <page>".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.metrics import Metric

REQUESTS = "requests"
"""The collector, and its data set."""
WINDOW_SECONDS = 60.0
"""Counts, ratios and times are of the last minute."""
SLOWEST_SECONDS = 3_600.0
"""The slowest calls are those of the last hour."""
SLOWEST = 10
CALLBACK = "callback"
"""First word of the route of a page's callbacks."""
OTHER = "other"
"""Route of what no rule answers."""
QUANTILES = {"0.5": 0.5, "0.95": 0.95, "0.99": 0.99}
"""Value of the label `quantile` and the share it stands for."""

RATE = Metric("fundwatch_http_requests_per_second", "Requests answered a second, since the reading before.", "route")
COUNT = Metric("fundwatch_http_requests_last_minute", "Requests answered in the last minute.", "route")
CLIENT_ERRORS = Metric("fundwatch_http_client_errors_last_minute", "Answers 4xx of the last minute.", "route")
SERVER_ERRORS = Metric("fundwatch_http_server_errors_last_minute", "Answers 5xx of the last minute.", "route")
CLIENT_ERROR_RATIO = Metric("fundwatch_http_client_error_ratio", "Answers 4xx over all of the last minute.", "route")
SERVER_ERROR_RATIO = Metric("fundwatch_http_server_error_ratio", "Answers 5xx over all of the last minute.", "route")
SECONDS = Metric(
    "fundwatch_http_request_seconds", "Time to answer, of the last minute: quantiles.", "route", "quantile"
)
MEAN_SECONDS = Metric("fundwatch_http_request_mean_seconds", "Time to answer, of the last minute: mean.", "route")
OPEN_PAGES = Metric(
    "fundwatch_http_open_pages", "Open browser pages that asked for news in the last two of their intervals."
)
PROCESSES = Metric("fundwatch_http_processes", "Processes that answer requests.")


@dataclass(frozen=True, slots=True)
class RouteRequests:
    """The requests of one route in the last minute."""

    TABLE: ClassVar[str] = "routes"

    route: str
    per_second: float
    """Since the reading before."""
    count: int
    client_errors: int
    server_errors: int
    p50_seconds: float | None
    p95_seconds: float | None
    p99_seconds: float | None
    mean_seconds: float | None


@dataclass(frozen=True, slots=True)
class SlowCall:
    """One of the slowest calls of the last hour."""

    TABLE: ClassVar[str] = "slowest"

    at: float
    """Epoch seconds at which it was answered."""
    route: str
    method: str
    status: int
    seconds: float
