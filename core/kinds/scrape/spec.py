"""What is measured of an exporter itself: metrics, checks, and the rows that show what it serves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import ClassVar

from core.kinds.service_spec import failed_tries, response_seconds
from core.metrics import Metric


class Checks(StrEnum):
    """What an exporter is judged by."""

    LIMIT = "limit"
    STALE = "stale"
    DOUBLED = "doubled"


LABEL_BREAK = "\x1f"
STALE_SECONDS = 300.0
"""A value whose own time is that far from now says nothing of now; Prometheus looks back as far."""

RESPONSE = response_seconds("scrape")
FAILED_TRIES = failed_tries("scrape")
SERIES = Metric("scrape_series", "Series taken.")
LEFT_OUT = Metric("scrape_left_out", "Series above series_limit, left out.")
STALE = Metric("scrape_stale", "Series left out because their own time is old.")
DOUBLED = Metric("scrape_doubled", "Series served again with the same labels, left out.")
BODY = Metric("scrape_bytes", "Bytes of the answer.")


@dataclass(frozen=True, slots=True)
class Series:
    """A series that was scraped."""

    TABLE: ClassVar[str] = "metrics"

    metric: str
    """Its name at the exporter."""
    family: str
    """Name of its Family."""
    labels: str
    """As name=value with LABEL_BREAK between, as the exporter has them: one text, for there are thousands of them."""
    stored: str
    """What it is stored as: a counter as its rate."""
    value: float | None
    """None when it is not finite."""
    per_second: float | None
    """Of a counter, since the scrape before."""

    @property
    def told_labels(self) -> str:
        """Its labels in a line: "cpu=0, mode=idle"."""
        return self.labels.replace(LABEL_BREAK, ", ")

    @property
    def key(self) -> str:
        """What tells it from the other series of its metric."""
        return labels_key(each.partition("=")[::2] for each in self.labels.split(LABEL_BREAK) if each)


@dataclass(frozen=True, slots=True)
class Family:
    """What an exporter says of a metric and of all its series."""

    TABLE: ClassVar[str] = "families"

    family: str
    kind: str
    """counter, gauge, histogram, summary or unknown."""
    help: str


def told(labels: Iterable[Sequence[str]]) -> str:
    """Return labels in a line: "cpu=0, mode=idle"."""
    return ", ".join(f"{name}={value}" for name, value in labels)


def labels_key(labels: Iterable[Sequence[str]]) -> str:
    """Return what tells these labels from others, short enough for an address; `instance` is left out."""
    text = repr(sorted((name, value) for name, value in labels if name != "instance"))
    return blake2b(text.encode(), digest_size=6).hexdigest()
