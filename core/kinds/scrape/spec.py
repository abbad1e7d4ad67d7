"""What is measured of an exporter itself: metrics, checks, and the rows that show what it serves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from core.kinds.service_spec import failed_tries, response_seconds
from core.metrics import Metric


class Checks(StrEnum):
    """What an exporter is judged by."""

    LIMIT = "limit"


SERIES_SHOWN = 200

RESPONSE = response_seconds("scrape")
FAILED_TRIES = failed_tries("scrape")
SERIES = Metric("scrape_series", "Series taken.")
LEFT_OUT = Metric("scrape_left_out", "Series above series_limit, left out.")
BODY = Metric("scrape_bytes", "Bytes of the answer.")


@dataclass(frozen=True, slots=True)
class Series:
    """A series that was scraped."""

    TABLE: ClassVar[str] = "metrics"

    metric: str
    """Its name at the exporter."""
    labels: str
    kind: str
    """counter, gauge, histogram, summary or unknown."""
    value: float | None
    """None when it is not finite."""
    per_second: float | None
    """Of a counter, since the scrape before."""
    help: str
