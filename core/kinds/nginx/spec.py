"""What is measured of an Nginx: its metrics, its checks and their limits."""

from __future__ import annotations

from enum import StrEnum

from core.kinds.service_spec import failed_tries, response_seconds
from core.limits import Limit
from core.metrics import Metric


class Checks(StrEnum):
    """What an Nginx is judged by."""

    DROPPED = "dropped"
    CONNECTIONS = "connections"


CONNECTIONS = Limit(0.80, 0.95)
"""Active connections over connections_limit."""

RESPONSE = response_seconds("nginx")
FAILED_TRIES = failed_tries("nginx")
ACTIVE = Metric("nginx_active", "Connections, those that wait included.")
READING = Metric("nginx_reading", "Connections of which the request is being read.")
WRITING = Metric("nginx_writing", "Connections to which the answer is being written.")
WAITING = Metric("nginx_waiting", "Idle connections that wait for a request.")
REQUESTS_RATE = Metric("nginx_requests_per_second", "Requests.")
CONNECTIONS_RATE = Metric("nginx_connections_per_second", "Connections accepted.")
DROPPED_RATE = Metric("nginx_dropped_per_second", "Connections accepted and not handled.")
