"""The health score: what it is called, what it is made of, and what of it is stored."""

from __future__ import annotations

from enum import StrEnum

from core.alerts.spec import ALERTS
from core.kinds.registry import KINDS
from core.machine.spec import PROCESSES, SYSTEM
from core.metrics import Metric
from core.model import SourceId
from core.pipeline.spec import Checks
from core.web.spec import REQUESTS

HEALTH = "health"
"""The collector, and its data set."""
TRADING_KINDS = frozenset({"iqfeed", "ib", "freshness", "heartbeat"})
"""Kinds of sources without which nothing should be traded."""
STORING = frozenset({Checks.CLICKHOUSE, Checks.WRITER, Checks.SPOOL, Checks.DATA})
"""Components of Fundwatch's own work that are about storage."""

SCORE = Metric("health_score", "How well everything is: 0 to 100.")
POINTS = Metric("health_component_points", "How well a component is: 0 to 100.", "component", "collector", "host")
SHARE = Metric(
    "health_component_weight_ratio", "Share of the score that a component makes up.", "component", "collector", "host"
)
LIMIT_SHARE = Metric(
    "health_component_limit_ratio", "How much of its limit a component uses.", "component", "collector", "host"
)


class Area(StrEnum):
    """What a component belongs to, in the order of the page."""

    TRADING = "trading"
    STORAGE = "storage"
    PIPELINE = "pipeline"
    SERVICES = "services"
    SYSTEM = "system"


class Level(StrEnum):
    """Colour of a score."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


def area_of(collector: str, component: str) -> Area:
    """Return the area of a component that a collector tells of."""
    source = SourceId.parse(collector)
    if source is not None and source.kind in KINDS:
        if source.kind in TRADING_KINDS:
            return Area.TRADING
        tab = KINDS[source.kind].tab
        return Area.STORAGE if tab in ("database", "cache") else Area(tab)
    if collector in (SYSTEM, PROCESSES):
        return Area.SYSTEM
    if collector == REQUESTS:
        return Area.SERVICES
    return Area.STORAGE if collector != ALERTS and component in STORING else Area.PIPELINE
