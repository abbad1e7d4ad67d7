"""What is measured of a name in the DNS: metrics, checks, and the rows that show what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from core.kinds.service_spec import failed_tries, response_seconds
from core.limits import Limit
from core.metrics import Metric


class Checks(StrEnum):
    """What a name is judged by, beside its answer."""

    CHANGED = "changed"


CHANGED = Limit(3_600.0, is_floor=True)
"""Seconds since the answers became others than before."""
ANSWERS_SHOWN = 50

RESPONSE = response_seconds("dns")
FAILED_TRIES = failed_tries("dns")
TTL = Metric("dns_ttl_seconds", "How long the answer may be kept: the lowest of its records.")
ANSWERS = Metric("dns_answers", "Records of the type that was asked for.")
UNCHANGED = Metric("dns_unchanged_seconds", "Time since the answers became others; since the first one seen, if never.")


@dataclass(frozen=True, slots=True)
class Answer:
    """A record of an answer, those on the way to it (CNAME) included."""

    TABLE: ClassVar[str] = "answers"

    domain: str
    """Whose it is."""
    record: str
    """Its type."""
    value: str
    ttl_seconds: float
    is_asked: bool
    """Whether it is of the type that was asked for, and not on the way to that."""
    server: str
    protocol: str
    """udp or tcp."""
