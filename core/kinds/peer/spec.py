"""What is measured of a peer on the network: its metrics, its checks and their limits."""

from __future__ import annotations

from enum import StrEnum

from core.kinds.service_spec import failed_tries, response_seconds
from core.limits import Limit
from core.metrics import Metric


class Checks(StrEnum):
    """What a peer is judged by."""

    LOSS = "loss"
    PORT = "port"


PROBES = 3
"""Connections of each reading, unless the settings say otherwise."""
CONNECTIONS_KEPT = 100
"""Newest connections that loss and jitter are of."""
LOSS_WARNING, LOSS_CRITICAL = 0.02, 0.20
"""Unless the settings say otherwise."""
LOSS = Limit(LOSS_WARNING, LOSS_CRITICAL)
"""Share of the connections kept that were lost."""

RESPONSE = response_seconds("peer")
"""The median of the connections of a reading."""
FAILED_TRIES = failed_tries("peer")
WORST = Metric("peer_worst_seconds", "Longest connect time of a reading.")
BEST = Metric("peer_best_seconds", "Shortest connect time of a reading.")
JITTER = Metric("peer_jitter_seconds", "Mean difference between the connect times of one connection and the next.")
LOSS_RATIO = Metric("peer_loss_ratio", "Share of the newest connections that were lost.")
