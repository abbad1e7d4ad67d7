"""Cases about benchmark."""

from __future__ import annotations

from tests.reference.case import Metric

METRICS: dict[str, Metric] = {}
